"""Generation settings of a task that no engine follows are said; neutral ones are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.config.schema import TaskEntry
from harness.tasks import DataSources, PromptStyle, expand, load
from harness.tasks.generation import ignored_settings


@pytest.mark.parametrize(
    ("kwargs", "told"),
    [
        ({"until": ["\n"], "do_sample": False, "temperature": 0.0, "max_gen_toks": 5, "num_beams": 1}, []),
        ({"num_beams": 10}, ["num_beams: 10"]),
        ({"min_p": 0.05, "presence_penalty": 0, "top_p": 0.9}, ["min_p: 0.05"]),
        ({"min_p": 0.0, "early_stopping": True, "num_beams": None}, []),
        ({"penalty_alpha": 0.6, "presence_penalty": 1.5}, ["penalty_alpha: 0.6", "presence_penalty: 1.5"]),
    ],
)
def test_only_what_matters_and_is_not_followed_is_told(kwargs: dict[str, Any], told: list[str]) -> None:
    assert ignored_settings(kwargs) == told


def test_a_tasks_beams_are_a_warning(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"q": "1+1=", "a": "2"}\n')
    (tmp_path / "beams.yaml").write_text(
        "task: beams\ndataset_path: json\ndataset_kwargs: {data_files: {test: rows.jsonl}}\ntest_split: test\n"
        "output_type: generate_until\ndoc_to_text: '{{q}}'\ndoc_to_target: '{{a}}'\n"
        "generation_kwargs: {until: ['.'], num_beams: 4}\nmetric_list: [{metric: exact_match}]\n"
    )
    spec = expand([TaskEntry(task=str(tmp_path / "beams.yaml"))], limit=None, base_dir=tmp_path).tasks[0]
    task = load(spec, DataSources())
    list(task.items(PromptStyle()))
    (finding,) = task.findings(PromptStyle())
    assert finding.kind == "settings_ignored"
    assert "num_beams: 4" in finding.text("en")

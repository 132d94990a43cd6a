"""Models asked in different forms: who is asked what, what is refused, what tables make of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.analysis.comparison import compare
from harness.config import load_config
from harness.evaluation.runner import RunOutcome, run_config
from harness.reporting.table import make_table
from harness.results.query import read_run

DISTILL = {"preset": "tiny-deepseek-distill", "name": "thinker", "max_new_tokens": 48}
QWEN = {"preset": "tiny-qwen", "name": "answerer"}
LETTERS = [
    {"task": "zh_letters", "limit": 3},
    {"task": "zh_word_problems", "limit": 2},
    {"task": "zh_arithmetic", "limit": 3},
]

Run = Callable[..., RunOutcome]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def go(models: list[dict[str, Any]], tasks: list[Any], name: str = "forms") -> RunOutcome:
        path = tmp_path / f"{name}.yaml"
        path.write_text(
            yaml.safe_dump({"name": name, "models": models, "tasks": tasks, "device": "cpu"}),
            encoding="utf-8",
        )
        return run_config(load_config(path), out=tmp_path / "out" / name)

    return go


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> RunOutcome:
    """Both models on a task with a twin, one that is generated, one without a twin."""
    folder = tmp_path_factory.mktemp("mixed")
    path = folder / "mixed.yaml"
    path.write_text(
        yaml.safe_dump({"name": "mixed", "models": [QWEN, DISTILL], "tasks": LETTERS, "device": "cpu"}),
        encoding="utf-8",
    )
    return run_config(load_config(path), out=folder / "out")


def test_a_model_that_thinks_is_asked_the_twin_and_refused_what_has_none(mixed: RunOutcome) -> None:
    rows = {(row.model, row.task): (row.status, row.form, row.asked_as) for row in mixed.results.rows}
    assert rows == {
        ("answerer", "zh_letters"): ("ok", "logprobs", None),
        ("answerer", "zh_word_problems"): ("ok", "generated", None),
        ("answerer", "zh_arithmetic"): ("ok", "logprobs", None),
        ("thinker", "zh_letters"): ("skipped", None, "zh_letters-gen"),
        ("thinker", "zh_letters-gen"): ("ok", "generated", None),
        ("thinker", "zh_word_problems"): ("ok", "generated", None),
        ("thinker", "zh_arithmetic"): ("failed", None, None),
    }

    # A refusal is one line for a table, and it names the form that would do.
    (refused,) = [row.reason or "" for row in mixed.results.rows if row.status == "failed"]
    assert refused.startswith("refused: ")
    assert "\n" not in refused
    assert "-gen" in refused
    assert mixed.exit_code == 1


def test_two_forms_share_no_line_and_no_pair(mixed: RunOutcome) -> None:
    table = make_table([mixed.results])
    lines = {line.name: line for line in table.lines}
    assert (lines["zh_letters"].form, lines["zh_letters-gen"].form) == ("logprobs", "generated")
    assert [figure.status for figure in lines["zh_letters"].figures] == ["ok", "skipped"]
    assert [figure.status for figure in lines["zh_letters-gen"].figures] == [None, "ok"]
    average = lines["Chinese average"].figures
    values = [
        lines[name].figures[0].value or 0.0 for name in ("zh_letters", "zh_word_problems", "zh_arithmetic")
    ]
    assert average[0].value == pytest.approx(
        sum(values) / 3
    )  # the twin is in nobody's average with the other form
    assert average[1].value is None
    assert average[1].missing == 1  # its twin stands for zh_letters; zh_arithmetic was refused
    assert any(note.startswith("Asked: log-probabilities of the options: zh_letters") for note in table.notes)
    assert any("in no pair with it" in note for note in table.notes)
    kinds = {line.kind for line in table.sanity if line.level == "note"}
    assert "asked_as_twin" in kinds
    assert kinds <= {"asked_as_twin", "lopsided_answers", "not_above_constant"}
    assert not any("zh_letters" in failure for failure in table.failures)

    comparison = compare([read_run(mixed.folder)])
    scopes = {scope.name: scope for scope in comparison.scopes}
    assert set(scopes["zh_letters"].scores) == {0}
    assert set(scopes["zh_letters-gen"].scores) == {1}
    assert not scopes["zh_letters"].pairs
    assert not scopes["zh_letters-gen"].pairs
    assert set(scopes["Chinese average"].scores) == {0}


def test_the_manifest_says_the_form_and_is_written_beside_refusals(mixed: RunOutcome) -> None:
    manifest = json.loads((mixed.folder / "manifest.json").read_text(encoding="utf-8"))
    form = manifest["sanity"]["checks"]["form"]
    assert form["state"] == "note"
    assert form["found"][0]["task"] == "zh_letters"
    assert "zh_letters-gen" in manifest["tasks"]


def test_a_twin_that_is_asked_of_everybody_counts_and_is_asked_once(run: Run) -> None:
    outcome = run(
        [QWEN, DISTILL], [{"task": "zh_letters", "limit": 2}, {"task": "zh_letters-gen", "limit": 2}]
    )
    statuses = {(row.model, row.task): row.status for row in outcome.results.rows}
    assert statuses == {
        ("answerer", "zh_letters"): "ok",
        ("answerer", "zh_letters-gen"): "ok",
        ("thinker", "zh_letters"): "skipped",
        ("thinker", "zh_letters-gen"): "ok",
    }

    lines = {line.name: line for line in make_table([outcome.results]).lines}
    assert not lines["zh_letters-gen"].alternative
    assert outcome.exit_code == 0


def test_a_change_of_mind_leaves_no_row_of_the_other_form(run: Run) -> None:
    """The journal keeps the twin's answers, and the table does not show them any more."""
    first = run([DISTILL], [{"task": "zh_letters", "limit": 2}])
    assert {row.task for row in first.results.rows} == {"zh_letters", "zh_letters-gen"}
    again = run([DISTILL], [{"task": "zh_letters", "limit": 2}])
    assert again.results.rows == first.results.rows

    # Without its template the model thinks no more, so the options can be compared.
    plain = run([DISTILL | {"chat_template": False}], [{"task": "zh_letters", "limit": 2}])
    assert [(row.task, row.form) for row in plain.results.rows if row.metric == "acc"] == [
        ("zh_letters", "logprobs")
    ]
    assert {row.task for row in plain.results.rows} == {"zh_letters"}
    assert not [row for row in plain.results.sanity if row.check == "form"]


def test_thinking_false_is_refused_for_a_model_that_cannot_be_told(run: Run) -> None:
    outcome = run([DISTILL | {"thinking": False}], [{"task": "zh_word_problems", "limit": 1}])
    (row,) = outcome.results.rows
    assert row.status == "failed"
    assert "thinking: false cannot be had" in (row.reason or "")


def test_thoughts_of_a_model_that_no_preset_knows_are_found_by_its_template(run: Run, tmp_path: Path) -> None:
    """A copy of the tiny distill under another name is marked as with its preset."""
    from harness.engines.files import PACKAGED

    (tmp_path / "fine-tune").symlink_to(PACKAGED / "tiny-deepseek-distill")

    tasks = [{"task": "zh_word_problems", "limit": 6}]
    unknown = {
        "id": str(tmp_path / "fine-tune"),
        "name": "unknown",
        "chat_template": True,
        "max_new_tokens": 48,
    }
    outcome = run([DISTILL, unknown], tasks)

    # Unread thoughts would be marked as answers, and the two would differ.
    values = [row.value for row in outcome.results.rows]
    assert values[0] == values[1]
    assert values[0]
    kinds = {row.kind for row in outcome.results.sanity if row.model == "unknown"}
    assert "tags_from_files" in kinds
    assert "unannounced_thoughts" not in kinds


def test_thoughts_that_neither_config_nor_template_names_are_told_and_not_marked(
    run: Run, tmp_path: Path
) -> None:
    from harness.engines.files import PACKAGED

    folder = tmp_path / "fine-tune"
    folder.mkdir()
    for file in (PACKAGED / "tiny-deepseek-distill").iterdir():
        if file.name != "tokenizer_config.json":
            (folder / file.name).symlink_to(file)
    config = json.loads(
        (PACKAGED / "tiny-deepseek-distill" / "tokenizer_config.json").read_text(encoding="utf-8")
    )
    config["chat_template"] = config["chat_template"].replace(".split('</think>')[-1]", "")
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    tasks = [{"task": "zh_word_problems", "limit": 6}]
    outcome = run(
        [DISTILL, {"id": str(folder), "name": "unknown", "chat_template": True, "max_new_tokens": 48}], tasks
    )

    # The markers are in the answers: they are recognised there, though nothing announced them.
    preset, unknown = (row.value for row in outcome.results.rows)
    assert preset == unknown
    assert preset
    (finding,) = [row for row in outcome.results.sanity if row.kind == "unannounced_thoughts"]
    assert finding.model == "unknown"
    assert finding.level == "warning"
    assert finding.values["tags"] == '["<think>", "</think>"]'

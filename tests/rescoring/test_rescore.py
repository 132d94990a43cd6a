"""`harness rescore`: the same marks from kept answers, other marks from other filters, and what it
will not do.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.runs import ROOT, harness, results, write_config, write_task

from harness.errors import ConfigError, RunFolderError
from harness.rescoring.rescore import rescore
from harness.rescoring.settings import read_changes

SMOKE = ROOT / "results" / "recorded" / "smoke"


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The recorded smoke run, marked again from its samples (it is kept without a journal)."""
    return rescore(SMOKE, out=tmp_path_factory.mktemp("again") / "out")


def test_kept_answers_give_the_same_marks(again: Any) -> None:
    """Choices, generations with and without thoughts, and perplexities: every score to the digit,
    without any weights.
    """
    assert again.failed == ()
    assert again.changes == ()

    # What marking decides; seconds are the old row's.
    old, new = results(SMOKE)["rows"], results(again.folder)["rows"]
    assert len(old) == len(new) == 57
    for before, after in zip(old, new, strict=True):
        names = (
            "model",
            "task",
            "metric",
            "filter",
            "value",
            "n",
            "n_truncated",
            "n_empty",
            "n_unparsable",
            "prompt_id",
            "tokens",
        )
        assert {name: before[name] for name in names} == {name: after[name] for name in names}


def test_the_old_run_is_left_alone_and_the_new_one_says_whose_it_is(again: Any) -> None:
    assert again.results.name == "smoke-rescored"
    manifest = json.loads((again.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["rescored"]["of"] == "smoke"
    assert (again.folder / "samples" / "tiny-qwen" / "zh_letters.parquet").exists()


def test_other_filters_give_other_marks(tmp_path: Path) -> None:
    step = "{function: regex, regex_pattern: '^(never)$'}"
    steps = f"[{step}, {{function: take_first}}]"
    (tmp_path / "f.yaml").write_text(
        f"zh_word_problems:\n  filter_list:\n    - {{name: strict, filter: {steps}}}\n"
    )
    done = rescore(SMOKE, changes=read_changes(tmp_path / "f.yaml"), out=tmp_path / "out")
    assert {change.task for change in done.changes} == {"zh_word_problems"}
    strict = [row for row in done.results.rows if row.filter == "strict"]
    assert [row.value for row in strict] == [0.0] * 3
    assert all((row.n_unparsable or 0) > 90 for row in strict)


def test_a_folder_in_use_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(RunFolderError, match="choose another folder"):
        rescore(SMOKE, out=tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "cannot be read"),
        ("- a", "expected task names"),
        ("t: {fewshot: 3}", "only filter_list and metric_list can change"),
    ],
)
def test_what_changes_the_prompts_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "f.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message) as error:
        read_changes(tmp_path / "f.yaml")
    assert "\n" not in str(error.value)


def test_a_fixed_answer_key_is_marked_again_from_the_journal(tmp_path: Path) -> None:
    """An own task whose right answers were wrong: the data is mended, the answers stay."""
    task = write_task(tmp_path, "texts", 6, "text")
    config = write_config(
        tmp_path,
        [{"file": str(task)}],
        [{"id": "mock/one", "engine": "mock", "engine_args": {"answer": "否"}}],
    )
    assert harness("run", config, "--out", "out", cwd=tmp_path).returncode == 0
    assert results(tmp_path / "out")["rows"][0]["value"] == 0

    task.write_text(task.read_text(encoding="utf-8").replace("是", "否"), encoding="utf-8")
    done = harness("rescore", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "0.0000" in done.stdout
    assert "1.0000" in done.stdout
    assert results(tmp_path / "out-rescored")["rows"][0]["value"] == 1
    assert results(tmp_path / "out")["rows"][0]["value"] == 0


def test_a_task_whose_data_is_gone_keeps_its_rows(tmp_path: Path) -> None:
    task = write_task(tmp_path, "picks", 6)
    config = write_config(tmp_path, [{"file": str(task)}])
    assert harness("run", config, "--out", "out", cwd=tmp_path).returncode == 0
    task.write_text("", encoding="utf-8")
    done = harness("rescore", "out", cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert "picks" in done.stderr


CHAT = {"id": "bundled/tiny-qwen", "engine": "transformers", "chat_template": True}


@pytest.mark.parametrize("model", [{"id": "mock/one", "engine": "mock"}, CHAT])
@pytest.mark.parametrize("kind", ["text", "choice"])
def test_answers_to_other_questions_are_not_marked_by_new_data(
    tmp_path: Path, model: dict[str, Any], kind: str
) -> None:
    task = write_task(tmp_path, "own", 4, kind)
    config = write_config(tmp_path, [{"file": str(task)}], [{**model}])
    assert harness("run", config, "--out", "out", cwd=tmp_path).returncode == 0
    text = task.read_text(encoding="utf-8")

    task.write_text(
        text.replace('"answer": ', '"answer":  '), encoding="utf-8"
    )  # other bytes, the same questions
    assert rescore(tmp_path / "out", out=tmp_path / "same").failed == ()

    task.write_text(text.replace("what is", "how much is"), encoding="utf-8")
    done = rescore(tmp_path / "out", out=tmp_path / "other")
    assert "4 of 4 kept answers were given to other questions" in done.failed[0]
    assert done.changes == ()

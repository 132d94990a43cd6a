"""``harness init``: what it writes loads and plans, in both languages, and overwrites nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from harness.cli.main import app
from harness.config import load_config

QUESTIONS = "question,A,B,answer\n1+1=?,1,2,B\n2+1=?,3,4,A\n"


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)


def init(*arguments: str, answers: str | None = None) -> Result:
    return CliRunner().invoke(app, ["init", *arguments], input=answers)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_enter_alone_gives_a_config_that_runs_anywhere(language: str) -> None:
    done = init("--language", language, answers="\n\n\n\n")
    assert done.exit_code == 0, done.output
    assert "harness plan my-eval.yaml" in done.stdout
    config = load_config("my-eval").config
    assert [model.label for model in config.models] == ["tiny-qwen"]
    assert (config.tasks[0].suite, config.limit, config.device) == ("smoke", 20, "auto")

    text = Path("my-eval.yaml").read_text(encoding="utf-8")
    comments = [line for line in text.splitlines() if "#" in line]
    assert len(comments) > 10
    assert any("模型" in line for line in comments) == (language == "zh")
    planned = CliRunner().invoke(app, ["plan", "my-eval"])
    assert planned.exit_code == 0, planned.output


def test_wrong_answers_are_asked_again() -> None:
    Path("mine.csv").write_text(QUESTIONS, encoding="utf-8")
    answers = (
        "tiny-qwn",
        "tiny-qwen, tiny-llama",
        "no_such_task",
        "mine.csv",
        "many",
        "0",
        "5",
        "gpu",
        "cpu",
    )
    done = init("a", answers="\n".join(answers) + "\n")
    assert done.exit_code == 0, done.output
    for complaint in ("did you mean 'tiny-qwen'", "unknown task", "got 'many'", "got '0'", "got 'gpu'"):
        assert complaint in done.stderr
    config = load_config("a").config
    assert [model.label for model in config.models] == ["tiny-qwen", "tiny-llama"]
    assert (config.tasks[0].file, config.limit, config.device) == (str(Path("mine.csv").resolve()), 5, "cpu")


def test_an_endpoint_by_its_address() -> None:
    done = init("ep.yaml", answers="http://localhost:8000/v1\nmine\nMY_KEY\ngsm8k\nall\n")
    assert done.exit_code == 0, done.output
    (model,) = load_config("ep").config.models
    assert (model.id, model.engine, model.api_key_env) == ("mine", "openai", "MY_KEY")
    assert load_config("ep").config.limit is None


def test_options_answer_without_questions() -> None:
    done = init("--model", "tiny-qwen,org/x", "--task", "zh-core", "--limit", "7", "--device", "cpu", "--yes")
    assert done.exit_code == 0, done.output
    config = load_config("my-eval").config
    assert [model.id for model in config.models] == ["bundled/tiny-qwen", "org/x"]
    assert (config.tasks[0].suite, config.limit, config.device) == ("zh-core", 7, "cpu")


def test_paths_are_written_as_seen_from_the_config(tmp_path: Path) -> None:
    Path("q.csv").write_text(QUESTIONS, encoding="utf-8")
    Path("model").mkdir()
    Path("model/config.json").write_text("{}", encoding="utf-8")
    done = init("sub/x", "--model", "model", "--task", "q.csv", "--yes")
    assert done.exit_code == 0, done.output
    plain = yaml.safe_load(Path("sub/x.yaml").read_text(encoding="utf-8"))
    assert (plain["models"], plain["tasks"]) == (["../model"], [{"file": "../q.csv"}])
    config = load_config("sub/x").config
    assert (config.models[0].id, config.tasks[0].file) == (str(tmp_path / "model"), str(tmp_path / "q.csv"))


def test_nothing_is_written_over_and_nothing_wrong_is_written() -> None:
    Path("my-eval.yaml").write_text("mine", encoding="utf-8")
    done = init("--yes")
    assert done.exit_code == 2
    assert (
        done.stderr == "my-eval.yaml is there already; name another file, or remove it: harness init FILE\n"
    )
    assert Path("my-eval.yaml").read_text(encoding="utf-8") == "mine"

    done = init("b", "--task", "zh_aritmetic", "--yes")
    assert (done.exit_code, Path("b.yaml").exists()) == (2, False)
    assert "nearest: zh_arithmetic" in done.stderr


def test_an_interrupted_answer_writes_nothing() -> None:
    assert init(answers="tiny-qwen\n").exit_code != 0  # standard input ends
    assert not Path("my-eval.yaml").exists()

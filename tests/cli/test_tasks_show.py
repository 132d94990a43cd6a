"""``harness tasks show`` of a question file and of a config: the prompt as a model gets it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from harness.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
MIXED = "题目,A,B,C,答案\n首都？,上海,北京,广州,B\n作者？,,,,鲁迅\n"


def show(*arguments: Any, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["tasks", "show", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return str(done.output)


@pytest.fixture
def exam(tmp_path: Path) -> Path:
    path = tmp_path / "exam.csv"
    path.write_text(MIXED, encoding="utf-8")
    return path


def test_a_question_file_is_shown_in_each_of_its_forms(exam: Path) -> None:
    text = show(exam)
    assert "首都？\nA. 上海\nB. 北京\nC. 广州\n答案：" in text
    assert "3 continuations are compared: 'A', 'B', 'C'\nright answer: B" in text
    assert "chance 0.333" in text
    assert "问题：作者？\n答案：" in text
    assert "right answer: 鲁迅" in text


def test_an_item_and_a_setting(exam: Path) -> None:
    assert "作者" not in show(exam, "--set", "form=generated", "--item", 1).partition("exam-short")[0]
    assert "--item 2 is none of them" in show(exam, "--item", 2, code=2)
    assert "cannot be read" in show(exam.parent / "nothing.csv", code=2)
    assert "--model: unknown preset 'qwenn'" in show(exam, "--model", "qwenn", code=2)


def test_a_config_shows_its_own_files_through_its_model(exam: Path) -> None:
    config = exam.parent / "c.yaml"
    models = [{"id": "m", "name": "far", "engine": "openai", "base_url": "http://localhost:9/v1"}]
    entries = ["zh_arithmetic", {"file": "exam.csv", "form": "generated"}]
    config.write_text(yaml.safe_dump({"name": "c", "models": models, "tasks": entries}), encoding="utf-8")
    text = show(config)
    assert "zh_arithmetic" not in text
    assert "exam-choice-gen" in text
    assert "far, through its chat template; asked in writing" in text
    assert "[user]\n下面是一道单项选择题" in text
    assert "say form: generated" not in text
    assert "of a file of your own say form: generated" in show(config, "--set", "tasks.1.form=logprobs")

    text = config.read_text(encoding="utf-8").replace("form: generated", "answer: key")
    config.write_text(text, encoding="utf-8")
    assert re.search(r"c\.yaml:\d+:\d+: .*no column 'key'", show(config, code=2))


@pytest.mark.slow
def test_a_chat_template_of_a_real_tokenizer(exam: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = Path(os.environ.get("HARNESS_MIRROR") or ROOT / "../shared/mirror").resolve()
    if not (mirror / "models/Qwen/Qwen3-0.6B").is_dir():
        pytest.skip(f"no mirror at {mirror}: set HARNESS_MIRROR")
    text = show(exam, "--model", "Qwen/Qwen3-0.6B", "--mirror", mirror)
    assert "exam-choice-gen" in text
    assert "the model thinks before it answers" in text
    assert "<|im_start|>user\n下面是一道单项选择题" in text

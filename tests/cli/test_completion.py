"""The shell's completion: its scripts, and the names that it offers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from harness.cli import completion
from harness.cli.main import app


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("smoke", "mine"):
        (tmp_path / "results" / name).mkdir(parents=True)
        (tmp_path / "results" / name / "config.yaml").touch()
    for name in ("own.yaml", "questions.csv", "notes.txt", ".hidden.yaml"):
        (tmp_path / name).touch()


def test_names_of_each_kind() -> None:
    assert completion.configs("smo") == ["smoke"]
    assert completion.configs("o") == ["open-models-2024", "openai-endpoint", "own-task", "own.yaml"]
    assert completion.runs("") == ["mine", "results/", "smoke"]
    assert "qwen3-8b" in completion.models("qwen3-8")
    assert completion.tasks("zh_ar") == ["zh_arithmetic"]
    assert "zh-core" in completion.tasks("zh-")
    assert completion.tasks("quest") == ["questions.csv"]


def test_the_last_of_several_names_is_completed() -> None:
    assert completion.models("tiny-qwen,tiny-ll") == ["tiny-qwen,tiny-llama"]
    assert completion.tasks("smoke,zh_ar") == ["smoke,zh_arithmetic"]


def test_paths_are_followed(tmp_path: Path) -> None:
    assert completion.runs("results/") == ["results/mine/", "results/smoke/"]
    assert f"{tmp_path}/own.yaml" in completion.configs(f"{tmp_path}/o")
    assert completion.configs("no/such/folder/x") == []


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("harness run smo", {"smoke"}),
        ("harness plan --model tiny-ll", {"tiny-llama"}),
        ("harness report mi", {"mine"}),
        ("harness compare smoke mi", {"mine"}),
        ("harness cache clean na", {"names"}),
        ("harness tasks show zh_le", {"zh_letters"}),
        ("harness ini", {"init"}),
    ],
)
def test_bash_is_offered_them(words: str, offered: set[str]) -> None:
    environment = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    done = CliRunner().invoke(
        app, [], prog_name="harness", env=environment | {"_HARNESS_COMPLETE": "complete_bash"}
    )
    assert set(done.stdout.split()) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_of_the_usual_shells(shell: str) -> None:
    from typer._completion_shared import get_completion_script

    script = get_completion_script(prog_name="harness", complete_var="_HARNESS_COMPLETE", shell=shell)
    assert f"complete_{shell}" in script


def test_the_help_offers_it() -> None:
    options = {name for option in typer.main.get_command(app).params for name in option.opts}
    assert {"--install-completion", "--show-completion"} <= options


@pytest.mark.slow
def test_installing_writes_into_the_home_folder_only(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environment = os.environ | {"HOME": str(home), "SHELL": "/bin/bash"}
    script = f"{sys.executable} -m harness --install-completion"
    done = subprocess.run(
        ["bash", "-c", f"{script}; exit $?"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (home / ".bashrc").read_text(encoding="utf-8").count("harness.sh") == 1
    assert "_HARNESS_COMPLETE" in next((home / ".bash_completions").iterdir()).read_text(encoding="utf-8")

"""``harness run --model M --task T``: no file is needed, and the equal one is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from harness.cli.main import app
from harness.config import load_config

MOCK = ("--set", "models.0.engine=mock")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_a_run_is_named_kept_and_can_be_run_again(tmp_path: Path) -> None:
    Path("mine.csv").write_text("question,A,B,answer\n1+1=?,1,2,B\n2+1=?,3,4,A\n", encoding="utf-8")
    typed = ("run", "-m", "tiny-qwen", "-t", "zh_arithmetic,mine.csv", "--limit", "2", *MOCK)
    done = call(*typed)
    name = "tiny-qwen-on-zh_arithmetic-and-mine"
    assert done.exit_code == 0, done.output
    assert f"{name}: kept in results/{name}, its config as results/{name}/config.yaml" in done.stderr
    assert f"harness report results/{name}" in done.stdout

    kept = load_config(f"results/{name}").config
    assert (kept.name, kept.limit, kept.models[0].engine) == (name, 2, "mock")
    assert [entry.task or entry.file for entry in kept.tasks] == ["zh_arithmetic", str(tmp_path / "mine.csv")]
    again = call("run", f"results/{name}")
    assert again.exit_code == 0, again.output
    assert [path.name for path in Path("results").iterdir()] == [name]


def test_what_the_options_say_is_what_a_config_would() -> None:
    options = ("--model", "tiny-qwen", "--model", "tiny-llama", "--task", "smoke", "--name", "x")
    done = call("plan", *options, "--limit", "4", "--device", "cpu", "-f", "json")
    Path("x.yaml").write_text(
        "name: x\nmodels: [tiny-qwen, tiny-llama]\ntasks: [{suite: smoke}]\nlimit: 4\ndevice: cpu\n",
        encoding="utf-8",
    )
    assert done.exit_code == 0, done.output
    assert done.stdout == call("plan", "x.yaml", "-f", "json").stdout


def test_an_endpoint_is_planned_without_asking_it() -> None:
    done = call("plan", "-m", "a,b", "--base-url", "http://localhost:9/v1", "-t", "gsm8k")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("answers at http://localhost:9/v1") == 2


def test_a_packed_config_by_name_says_which_was_taken() -> None:
    done = call("plan", "smoke")
    assert done.exit_code == 0, done.output
    assert done.stderr.startswith("smoke: the packed config (a smoke.yaml in this folder would be taken")

"""What Python users call: `harness.…`, on real runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import runs

import harness
from harness.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]
SMOKE = ROOT / "results" / "recorded" / "smoke"
CONFIG = """
name: mine
device: cpu
models:
  - {id: mock/one, engine: mock}
  - {id: mock/two, engine: mock, seed: 1}
tasks:
  - zh_arithmetic
  - en_arithmetic
limit: 12
speed: {input: [16], output: [4], concurrency: [1], seconds: 1, drift: 0.9}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def test_a_run_from_python(config: Path, tmp_path: Path) -> None:
    assert harness.plan(config).cells == 4
    outcome = harness.run(harness.load_config(config, ["limit=6"]), out=tmp_path / "run")
    assert outcome.exit_code == 0
    frame = harness.load_results(tmp_path / "run")
    assert set(frame["model"]) == {"one", "two"}
    assert set(frame["n"]) == {6}

    pairs = harness.compare(tmp_path / "run")
    assert [model.label for model in pairs.models] == ["one", "two"]
    assert "zh_arithmetic (acc): ranking" in harness.report(pairs)


def test_models_and_tasks_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mock = {"id": "mock/one", "engine": "mock"}
    assert harness.plan(model=[mock, "tiny-qwen"], tasks="smoke", limit=3).items == 60

    outcome = harness.run(model=mock, tasks=["zh_arithmetic"], limit=4, device="cpu")
    assert (outcome.exit_code, outcome.folder) == (0, tmp_path / "results" / "one-on-zh_arithmetic")
    again = harness.load_config(outcome.folder)  # the equal YAML is kept, and can be run again
    assert harness.run(again, limit=4).folder == outcome.folder
    named = harness.load_config({"name": "x", "models": [mock], "tasks": ["zh_arithmetic"], "limit": 4})
    assert (again.hash, again.config.limit) == (named.hash, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "no task is named: say tasks="),
        ({"model": "tiny-qwen"}, "no task is named: say tasks="),
        ({"tasks": "smoke"}, "no model is named"),
        ({"model": "tiny-qwn", "tasks": "smoke"}, "model tiny-qwn: unknown preset 'tiny-qwn'; did you mean"),
        ({"model": "tiny-qwen", "tasks": "smoke", "devise": "cpu"}, "unknown key 'devise'; did you mean"),
        ({"config": "smoke", "model": "tiny-qwen"}, "config and model: name a config, or models and tasks"),
    ],
)
def test_what_python_users_get_wrong_is_one_line(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        harness.plan(**arguments)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_report_is_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    from typer.testing import CliRunner

    from harness.cli.main import app

    for form in ("markdown", "csv", "latex"):
        shown = CliRunner().invoke(app, ["report", str(SMOKE), "--format", form])
        assert harness.report(SMOKE, format=form) == shown.stdout
    assert "任务" in harness.report(SMOKE, language="zh")
    assert json.loads(harness.report(SMOKE, format="json"))


def test_a_bench_from_python(config: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    outcome = harness.bench(config, out=tmp_path / "bench", say=lines.append)
    assert {row.model for row in outcome.results.rows} == {"one", "two"}
    assert lines
    assert "one" in harness.report(outcome, format="terminal")


def test_a_study_from_python() -> None:
    (answer,) = harness.study("C10")
    assert answer.claim.id == "C10"
    assert answer.verdict == "supported"
    assert answer.as_data()["verdict"] == "supported"


@pytest.mark.parametrize("things", [(), (1,), (SMOKE, 2)], ids=str)
def test_what_cannot_be_reported_is_one_line(things: tuple[Any, ...]) -> None:
    with pytest.raises(
        ConfigError, match="expected run folders, one comparison or one bench; got"
    ) as refusal:
        harness.report(*things)
    assert "\n" not in str(refusal.value)


def test_importing_it_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'transformers', 'lm_eval', 'pandas', 'yaml', 'pydantic', 'rich', 'numpy'}"
    code = f"import sys, harness; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_the_notebook_runs(tmp_path: Path) -> None:
    """Every code cell, one after the other, in a process of its own; what they keep goes elsewhere."""
    notebook = json.loads((ROOT / "docs" / "harness.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(cells) >= 8
    program = tmp_path / "notebook.py"
    code = "\n\n".join(cells).replace('"results/', f'"{tmp_path}/results/')
    program.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, cwd=ROOT, env=runs.test_env()
    )
    assert done.returncode == 0, done.stderr[-2000:]

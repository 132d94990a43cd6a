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

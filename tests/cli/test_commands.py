"""The commands: what they print, and that overrides reach the config.

The run itself is replaced; tests/run has the real one.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.evaluation import RunOutcome
from harness.evaluation.plan import ModelPlan, Plan
from harness.evaluation.plan_tasks import TaskPlan
from harness.results.schema import ModelRow, Results, Row

ROOM = importlib.import_module("harness.evaluation")
"""The package; ``harness.run`` is the function of that name."""
CONFIG = "name: mine\nmodels:\n  - {id: org/one, engine: mock}\ntasks:\n  - zh_arithmetic\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def invoke(*arguments: Any) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def sample() -> Results:
    row = Row(
        cell_id="1",
        model="one",
        task="zh_arithmetic",
        language="zh",
        metric="acc",
        filter="none",
        value=0.5,
        n=10,
        status="ok",
    )
    broken = {
        "task": "zh_arithmetic",
        "model": "one",
        "metric": "acc",
        "min": 0.8,
        "value": 0.5,
        "held": False,
    }
    model = ModelRow(model="one", id="org/one", status="ok")
    parts: dict[str, Any] = {"models": [model], "rows": [row], "expectations": [broken]}
    return Results(name="mine", harness_version="0", created="", config_hash="", **parts)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """Calls of run_config, which is replaced."""
    calls: list[dict[str, Any]] = []

    def run_config(loaded: Any, **options: Any) -> RunOutcome:
        calls.append({"loaded": loaded, **options})
        return RunOutcome(sample(), tmp_path / "results" / "mine", 3, ["a note"])

    monkeypatch.setattr(ROOM, "run_config", run_config, raising=False)
    return calls


def test_run_hands_the_options_on_and_shows_the_table(
    config: Path, runs: list[dict[str, Any]], tmp_path: Path
) -> None:
    done = invoke(
        "run",
        config,
        "--limit",
        7,
        "--set",
        "seed=5",
        "--device",
        "cpu",
        "--out",
        tmp_path / "out",
        "--fresh",
    )
    assert done.exit_code == 3, done.output
    (call,) = runs
    assert (call["loaded"].config.limit, call["loaded"].config.seed, call["loaded"].config.device) == (
        7,
        5,
        "cpu",
    )
    assert (call["out"], call["fresh"]) == (tmp_path / "out", True)
    assert "zh_arithmetic" in done.stdout
    assert "0.500" in done.stdout
    assert f"Kept in {tmp_path / 'results' / 'mine'}" in done.stdout
    assert "failed: one on zh_arithmetic: acc is 0.5; expected ≥ 0.8" in done.stdout
    assert "a note\n" in done.stderr


def test_run_leaves_limit_and_device_to_the_config(config: Path, runs: list[dict[str, Any]]) -> None:
    invoke("run", config, "--quiet")
    assert (runs[0]["loaded"].config.limit, runs[0]["loaded"].config.device, runs[0]["out"]) == (
        None,
        "auto",
        None,
    )


def plan_of(tasks: int) -> Plan:
    model = ModelPlan(
        "one",
        "org/one",
        7_600_000_000,
        "bfloat16",
        15 << 30,
        57344,
        16 << 30,
        24 << 30,
        True,
        15 << 30,
        None,
        "gated",
    )
    subjects = [TaskPlan(f"g_{p}", "g", "zh", "choice", 5, 100, 1000, False, 0.1, "") for p in range(tasks)]
    lone = TaskPlan("t", None, "en", None, None, None, None, False, None, "data not on this machine: details")
    return Plan("mine", [model], [*subjects, lone], tasks + 1, 100 * tasks, "a GPU", ["look out"])


def test_plan_folds_groups(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ROOM, "make_plan", lambda loaded, say: plan_of(52), raising=False)
    done = invoke("plan", config)
    assert done.exit_code == 0
    assert "mine on a GPU: 53 cells, 5,200 items" in done.stdout
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "one 7.6B bfloat16 16.0 GiB yes 15.0 GiB 54.7 MiB ? 15.0 GiB gated" in lines
    assert "g (52) zh choice 5 5,200 ~52,000 1.3 pts" in lines
    assert "t en ? ? data not on this machine" in lines
    assert done.stderr == "warning: look out\n"
    assert "g_51" in invoke("plan", config, "--all").stdout
    assert json.loads(invoke("plan", config, "--json").stdout)["cells"] == 53


def test_report_formats_and_file(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(sample().model_dump_json(), encoding="utf-8")
    assert "zh_arithmetic  acc     10  0.500" in invoke("report", tmp_path).stdout
    assert "| zh_arithmetic | acc | 10 | 0.500 |" in invoke("report", tmp_path, "--format", "markdown").stdout
    assert json.loads(invoke("report", tmp_path, "-f", "json").stdout)["rows"][0]["value"] == 0.5
    out = tmp_path / "table.csv"
    done = invoke("report", tmp_path, tmp_path, "-f", "csv", "--out", out)
    assert done.stdout == ""
    assert len(out.read_text(encoding="utf-8").splitlines()) == 3


def test_schemas_are_json_schemas() -> None:
    assert "models" in json.loads(invoke("schema", "config").stdout)["properties"]
    assert "schema_version" in json.loads(invoke("schema", "results").stdout)["properties"]


def test_models_are_filtered() -> None:
    text = invoke("models", "--max-params", "1B", "--country", "cn").stdout
    assert "qwen2.5-0.5b-instruct" in text
    assert "qwen2.5-7b" not in text
    assert "gemma" not in text


def test_tasks_are_listed_by_family_and_by_name() -> None:
    text = invoke("tasks", "--language", "zh").stdout
    assert "smoke" in text
    assert "zh_arithmetic" in text
    assert "ceval-valid" in text
    assert "en_arithmetic" not in text
    assert len(text.splitlines()) < 100
    found = invoke("tasks", "ceval-valid_law*", "--language", "zh").stdout
    assert "ceval-valid_law" in found
    assert "smoke" not in found
    assert "more: --all lists them" in invoke("tasks", "mmlu").stdout


def test_a_task_is_shown_as_the_model_sees_it() -> None:
    done = invoke("tasks", "show", "zh_letters", "--fewshot", 1)
    assert done.exit_code == 0, done.output
    assert "--- prompt ---" in done.stdout
    assert "right answer:" in done.stdout

"""An engineer: a model behind an endpoint; accuracy, latency, money, thresholds, and a gate for the CI."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from first_hour.questions import excel_csv
from first_hour.steps import Step, holds

RUN = "results/endpoint"


def steps(model: str, url: str, folder: Path, limit: int = 20) -> list[Step]:
    """The steps, for a model's name at a URL; writes the questions into ``folder``."""
    excel_csv(folder / "questions.csv")
    config = folder / "endpoint.yaml"
    wrong = url.removesuffix("/v1")
    return [
        Step(
            "a config for the endpoint",
            ["init", "endpoint.yaml", "--model", model, "--base-url", url, "--task", "questions.csv",
             "--limit", str(limit), "--yes"],
            sees=["harness run endpoint.yaml"],
            looks=[holds("endpoint.yaml", "form: generated")],
        ),
        Step(
            "requests, tokens and money beforehand",
            ["plan", "endpoint.yaml", "--set", "models.0.price={input: 0.15, output: 0.6}"],
            sees=["USD|\\$", "questions-gen"],
        ),
        Step(
            "run it, with thresholds",
            ["run", "endpoint.yaml", "--junit", "junit.xml"],
            sees=["questions-gen", "±"],
            looks=[holds("junit.xml", "<testsuite", "endpoint")],
            before=_thresholds(config, model),
        ),
        Step(
            "latency, throughput and money of the same answers",
            ["report", RUN, "--costs"],
            sees=["TTFT", "TPOT", "e2e", "req/s", r"\$|USD"],
        ),
        Step(
            "a threshold that does not hold: exit code 3",
            ["run", "endpoint.yaml", "--set", "expect.0.min=0.999"],
            sees=["0.999"],
            exit=3,
        ),
        Step(
            "the gate: nothing is worse than the baseline",
            ["compare", RUN, "--fail-if-worse", "baseline"],
            before=lambda: shutil.copytree(folder / RUN, folder / "baseline"),
            sees=["gate|drop|worse"],
        ),
        Step(
            "the gate: a run that lost its answers is stopped",
            ["compare", "worse", "--fail-if-worse", "baseline"],
            before=_worse(folder),
            exit=3,
        ),
        Step(
            "a wrong address is a line that says the right one",
            ["run", "--model", model, "--base-url", wrong, "--task", "questions.csv", "--limit", "2"],
            sees=["/v1"],
            exit=1,
        ),
    ]  # fmt: skip


def _thresholds(config: Path, model: str) -> Callable[[], None]:
    def write() -> None:
        text = config.read_text(encoding="utf-8").replace("{id: ", "{price: {input: 0.15, output: 0.6}, id: ")
        expect = f"expect:\n  - {{model: {model}, task: questions-gen, min: 0.0}}\n"
        expect += f"  - {{model: {model}, figure: latency_ms.e2e.p50, max: 600000}}\n"
        config.write_text(text + expect, encoding="utf-8")

    return write


def _worse(folder: Path) -> Callable[[], None]:
    """A copy of the run in which no model was asked one of the tasks."""

    def write() -> None:
        shutil.copytree(folder / RUN, folder / "worse")
        path = folder / "worse" / "results.json"
        data = json.loads(path.read_text(encoding="utf-8"))
        first = data["rows"][0]["task"]
        data["rows"] = [row for row in data["rows"] if row["task"] != first]
        path.write_text(json.dumps(data), encoding="utf-8")

    return write

"""Small runs for tests: own tasks from JSONL, a mock engine, and the command line as a person
starts it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
HARNESS = [sys.executable, "-m", "harness.cli.main"]


def write_task(folder: Path, name: str, rows: int, kind: str = "choice") -> Path:
    """An own task: questions with choices, or with a text to generate."""
    path = folder / f"{name}.jsonl"
    lines: list[dict[str, Any]] = []
    for number in range(rows):
        row: dict[str, Any] = {
            "question": f"{name}: 第 {number} 题, what is {number}?",
            "answer": "是" if kind == "text" else number % 3,
        }
        if kind == "choice":
            row["choices"] = [f"one {number}", f"二 {number}", "three"]
        lines.append(row)
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def write_config(folder: Path, tasks: list[Any], models: list[Any] | None = None, **more: Any) -> Path:
    """A config with mock models unless others are given."""
    config = {
        "name": "test",
        "models": models or [{"id": "mock/one", "engine": "mock"}],
        "tasks": tasks,
        "device": "cpu",
        **more,
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return path


def harness(
    *args: str | Path, cwd: Path, timeout: float = 240, **env: str
) -> subprocess.CompletedProcess[str]:
    """Runs the command line to its end."""
    return subprocess.run(
        [*HARNESS, *map(str, args)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=test_env(**env),
        check=False,
    )


def start(*args: str | Path, cwd: Path, **env: str) -> subprocess.Popen[str]:
    """Starts the command line and leaves it running."""
    command = [*HARNESS, *map(str, args)]
    return subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=test_env(**env)
    )


def test_env(**env: str) -> dict[str, str]:
    """The environment of a run in a test: no hub, this checkout."""
    path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
    return {**os.environ, "PYTHONPATH": path, "HF_HUB_OFFLINE": "1", "HARNESS_MIRROR": "", **env}


def read_samples(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """All samples of a run by model/task, in order, without what differs from run to run
    (timings).
    """
    import pyarrow.parquet as pq

    found = {}
    for path in sorted((folder / "samples").rglob("*.parquet")):
        rows = pq.read_table(path).to_pylist()
        found[f"{path.parent.name}/{path.stem}"] = [
            {key: value for key, value in row.items() if key != "seconds"} for row in rows
        ]
    return found


def results(folder: Path) -> dict[str, Any]:
    """results.json as plain data."""
    data: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return data

"""The whole product: a run on the GPU, killed half-way and run again, and one shape of the bench."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from gpu_check.common import ROOT, Record, Setting


def check(setting: Setting, record: Record) -> None:
    """Runs the smoke config. The pretended device lives in this process only, so there it is the CPU."""
    device = "cpu" if setting.pretended else "cuda"
    limit = setting.size(60, 6)
    out = setting.folder / "smoke"
    command = [sys.executable, "-m", "harness.cli.main", "run", str(ROOT / "configs/smoke.yaml")]
    command += ["--device", device, "--limit", str(limit), "--out", str(out), "--quiet"]

    _run_and_kill(command, out)
    kept = _answers(out)
    record.note("answers kept by a killed run", len(kept))
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=_environment(), check=False)
    record.note("seconds of the second run", time.perf_counter() - begin)
    record.hold("exit code", done.returncode, "0 or 3", done.returncode in (0, 3))
    if not (out / "results.json").exists():
        record.hold("the run's last line", (done.stderr.strip().splitlines() or [""])[-1], "results", False)
        return

    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    statuses = sorted({row["status"] for row in results["rows"]})
    record.hold("cells", statuses, "all ok", statuses == ["ok"])

    # An answer that was asked again would carry the session of the second run.
    after = _answers(out)
    twice = sum(after.get(item) != session for item, session in kept.items())
    record.hold("asked twice", twice, "0", twice == 0)
    for model in results["models"]:
        record.note(
            f"{model['model']}", {key: model.get(key) for key in ("engine", "device", "load_seconds")}
        )


def _run_and_kill(command: list[str], out: Path) -> None:
    """Starts the run and kills its worker once some answers are there (or it was too quick to catch)."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, env=_environment()
    )
    while process.poll() is None:
        if len(_answers(out)) > 10:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.send_signal(signal.SIGKILL)
            process.send_signal(signal.SIGINT)
            process.wait(60)
        time.sleep(0.2)


def _answers(out: Path) -> dict[tuple[str, str], str]:
    """The session that each answer in the journal was given in, by cell and item."""
    import sqlite3

    path = out / "journal.sqlite"
    if not path.exists():
        return {}
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            rows = connection.execute("select cell_id, key, session from answers").fetchall()
    except sqlite3.Error:
        return {}
    return {(cell, key): session for cell, key, session in rows}


def _environment() -> dict[str, Any]:
    return os.environ | {"PYTHONPATH": str(ROOT)}

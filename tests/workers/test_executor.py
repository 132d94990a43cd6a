"""Several workers at once, as on a machine with several GPUs (the GPUs are made up, the workers are
real, the engine is a mock).
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from support.runs import write_config, write_task

import harness
from harness.evaluation import run_config
from harness.gpus import Gpu
from harness.workers.devices import Machine
from harness.workers.process import kill_group, worker_env


def test_two_models_on_four_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = tuple(Gpu(str(index), "made up", 80 * 2**30) for index in range(4))
    machine = Machine("cuda", gpus, 2**37, "cpu", 8)
    monkeypatch.setattr(
        importlib.import_module("harness.evaluation.runner"), "find_machine", lambda device: machine
    )
    tasks = [{"file": str(write_task(tmp_path, f"picks{number}", 20))} for number in range(5)]
    trace = tmp_path / "trace"
    options = {"delay": 0.05, "trace": str(trace)}
    models = [{"id": f"mock/{name}", "engine": "mock", "engine_args": options} for name in ("one", "two")]
    config = harness.load_config(write_config(tmp_path, tasks, models))
    began = time.monotonic()
    outcome = run_config(config, out=tmp_path / "out")
    took = time.monotonic() - began

    # Two workers per model, each with its part of the tasks; every item was asked exactly once.
    assert outcome.exit_code == 0
    assert len({(row.model, row.task) for row in outcome.results.rows}) == 10
    assert {row.status for row in outcome.results.rows} == {"ok"}
    assert len(trace.read_text().split()) == 200
    logs = sorted(path.name for path in (tmp_path / "out" / "logs").iterdir())
    assert logs == ["one-1.log", "one.log", "two-1.log", "two.log"]
    assert took < 200 * 0.05 + 30


def test_a_worker_sees_only_its_gpus() -> None:
    assert worker_env(["2", "3"])["CUDA_VISIBLE_DEVICES"] == "2,3"
    assert str(Path(harness.__file__).resolve().parents[1]) in worker_env([])["PYTHONPATH"]


def test_what_a_killed_worker_started_ends_with_it() -> None:
    code = "import subprocess, time; print(subprocess.Popen(['sleep', '99']).pid, flush=True); time.sleep(99)"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    child = psutil.Process(int(process.stdout.readline()))

    process.kill()
    process.wait()
    kill_group(process)
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE

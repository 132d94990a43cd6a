"""Several workers at once, as on a machine with several GPUs.

The GPUs are made up, the workers are real, the engine is a mock.
"""

from __future__ import annotations

import importlib
import io
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from support.runs import write_config, write_task

import harness
from harness.config.schema import ModelSpec
from harness.evaluation import run_config
from harness.hub.downloads import cache_folder, folder_bytes, watched
from harness.workers.devices import Gpu, Machine
from harness.workers.events import DownloadProgress, EventDecoder
from harness.workers.process import kill_group, worker_env
from harness.workers.stream import EventStream


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


def test_a_download_is_seen_as_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(importlib.import_module("harness.hub.downloads"), "PATIENCE", 0.0)
    stream = io.StringIO()
    spec = ModelSpec(id="org/big")
    blobs = cache_folder(spec.id) / "blobs"
    blobs.mkdir(parents=True)
    assert folder_bytes(blobs) == 0

    def fetch() -> None:
        for part in range(1, 6):
            (blobs / "abc.incomplete").write_bytes(b"x" * 1000 * part)
            time.sleep(0.1)

    with watched(spec, EventStream(stream), 10_000, every=0.02):
        thread = threading.Thread(target=fetch)
        thread.start()
        thread.join()

    decoder = EventDecoder()
    events = [event for line in stream.getvalue().splitlines() for event in decoder.decode(line)]
    sizes = [event.done for event in events if isinstance(event, DownloadProgress)]
    assert sizes == sorted(sizes)
    assert len(sizes) >= 3
    assert set(events) == {DownloadProgress("big", size, 10_000) for size in sizes}


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

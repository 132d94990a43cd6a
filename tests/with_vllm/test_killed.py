"""Ctrl-C, ``kill -9`` of the worker, and an engine core that dies: the cells go on, nothing is
lost, no process stays.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from support.runs import harness, read_samples, results, start, write_config, write_task

ROWS = 500


def kept(folder: Path) -> int:
    """Answers in the journal."""
    journal = folder / "journal.sqlite"
    if not journal.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM answers").fetchone()[0])
    except sqlite3.OperationalError:  # being made
        return 0


def family(run: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(run.pid).children(recursive=True)


def named(processes: list[psutil.Process], word: str) -> psutil.Process:
    """The process whose command line or title has a word."""
    for process in processes:
        try:
            if word in " ".join([process.name(), *process.cmdline()]):
                return process
        except psutil.NoSuchProcess:
            continue
    raise AssertionError(f"no process {word} among {processes}")


def wait_for_answers(run: subprocess.Popen[str], folder: Path, more_than: int) -> list[psutil.Process]:
    """Waits until new answers are kept; returns the run's processes at that moment."""
    end = time.monotonic() + 180
    while kept(folder) <= more_than:
        assert run.poll() is None, run.communicate()[1][-2000:]
        assert time.monotonic() < end, "no answer came"
        time.sleep(0.05)
    return family(run)


def gone(processes: list[psutil.Process]) -> bool:
    """Whether all have ended within ten seconds (a zombie has)."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        alive = [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
        if not alive:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.timeout(900)
def test_whatever_dies_the_same_command_goes_on(tmp_path: Path) -> None:
    arguments = {"in_process": False, "kv_cache_memory_bytes": 1 << 28, "max_num_seqs": 32}
    model = {"id": "bundled/tiny-qwen", "engine": "vllm", "max_new_tokens": 48, "engine_args": arguments}
    config = write_config(tmp_path, [{"file": str(write_task(tmp_path, "texts", ROWS, "text"))}], [model])
    folder, before = tmp_path / "torn", 0

    for victim in ("worker", "core", "parent", "interrupt"):
        run = start("run", config, "--out", "torn", cwd=tmp_path)
        processes = wait_for_answers(run, folder, before)
        assert named(processes, "EngineCore")
        if victim == "interrupt":
            run.send_signal(signal.SIGINT)
        else:
            word = {"worker": "harness.evaluation.worker", "core": "EngineCore"}.get(victim)
            os.kill(named(processes, word).pid if word else run.pid, signal.SIGKILL)
        run.communicate(timeout=120)
        assert gone(processes), f"a process stayed after {victim}"
        assert run.returncode == {"worker": 1, "core": 1, "parent": -9, "interrupt": 130}[victim]
        if victim == "core":
            (row,) = results(folder)["rows"][:1]
            assert "died" in (row["reason"] or "")
        assert before < kept(folder) < ROWS, victim
        before = kept(folder)

    assert harness("run", config, "--out", "torn", cwd=tmp_path).returncode == 0
    (samples,) = read_samples(folder).values()
    assert len(samples) == ROWS == kept(folder)
    (row,) = [row for row in results(folder)["rows"] if row["model"] == "tiny-qwen"][:1]
    assert row["status"] == "ok"
    assert row["engine"] == "vllm"

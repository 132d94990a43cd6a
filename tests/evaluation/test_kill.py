"""``kill -9`` at twenty and more random moments, of the worker or of the parent: the samples end up
equal to an uninterrupted run's, and no answer that was kept is computed twice.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.runs import harness, read_samples, start, write_config, write_task

KILLS = 20


def workers(run: subprocess.Popen[str]) -> list[int]:
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
    try:
        return [int(pid) for pid in children.read_text().split()]
    except OSError:
        return []


def kill_at_random(run: subprocess.Popen[str], rng: random.Random, seconds: float) -> bool:
    """Kills the worker (its parent then ends in order) or the parent after up to ``seconds``; False
    where the run was done before.
    """
    end = time.monotonic() + rng.uniform(0.1, seconds)
    while time.monotonic() < end:
        if run.poll() is not None:
            return False
        time.sleep(0.02)

    # A parent whose worker is killed ends in order, a killed parent does not: both must resume.
    victims = workers(run)
    victim = rng.choice([run.pid, *victims])
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        return run.poll() is None
    run.communicate(timeout=60)
    return True


def torture(tmp_path: Path, config: Path, kills: int, seconds: float) -> None:
    rng = random.Random(7)
    done = 0
    for _ in range(kills * 3):
        run = start("run", config, "--out", "torn", cwd=tmp_path)
        if kill_at_random(run, rng, seconds):
            done += 1
        else:
            run.communicate()
            break
        if done >= kills:
            break

    assert done >= kills, f"the run was done after {done} kills: make it longer"
    assert harness("run", config, "--out", "torn", cwd=tmp_path).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the worker")
def test_twenty_kills(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    tasks = [{"file": str(write_task(tmp_path, f"picks{number}", 500))} for number in range(3)]
    tasks.append({"file": str(write_task(tmp_path, "texts", 300, "text"))})
    options: dict[str, Any] = {"delay": 0.012, "trace": str(trace)}
    config = write_config(tmp_path, tasks, [{"id": "mock/one", "engine": "mock", "engine_args": options}])
    torture(tmp_path, config, KILLS, 4.0)

    # An answer is kept the moment it is given: a kill costs the one in hand and no more.
    counts = Counter(trace.read_text(encoding="utf-8").splitlines())
    extra = sum(counts.values()) - 1800
    assert 0 <= extra <= KILLS, "at most the one answer in hand is computed twice, a kill"

    trace.unlink()
    assert harness("run", config, "--out", "whole", cwd=tmp_path).returncode == 0
    assert read_samples(tmp_path / "torn") == read_samples(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the worker")
def test_kills_of_a_real_engine(tmp_path: Path) -> None:
    tasks = [
        {"task": name, "limit": 60}
        for name in ("zh_reading", "en_letters", "zh_word_problems", "en_passages")
    ]
    config = write_config(tmp_path, tasks, ["tiny-qwen"])
    torture(tmp_path, config, 3, 12.0)
    assert harness("run", config, "--out", "whole", cwd=tmp_path).returncode == 0

    torn, whole = read_samples(tmp_path / "torn"), read_samples(tmp_path / "whole")
    assert torn.keys() == whole.keys()
    for name in whole:
        for one, other in zip(torn[name], whole[name], strict=True):
            assert one.pop("logprobs") == pytest.approx(other.pop("logprobs"), abs=1e-5)
            for row in (one, other):
                for key in ("tokens_computed", "tokens_shared", "metrics", "score"):
                    row.pop(
                        key
                    )  # what was shared depends on the batch; perplexities differ in the last digit
            assert one == other

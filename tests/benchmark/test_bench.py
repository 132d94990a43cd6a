"""`harness bench` as a person starts it: tables, data, exit codes, kills, models in turn."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.runs import harness, start

from harness.results.speed import SpeedResults

SPEED = {
    "input": [8],
    "output": [4],
    "concurrency": [2],
    "repeat_seconds": 0.01,
    "seconds": 20,
    "drift": 0.9,
    "half_width": 0.9,
}


def write(folder: Path, models: list[Any] | None = None, **speed: Any) -> Path:
    config = {
        "name": "quick",
        "device": "cpu",
        "models": models or [{"id": "mock/one", "engine": "mock"}],
        "speed": SPEED | speed,
    }
    path = folder / "bench.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def samples(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "speed-samples.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.slow
def test_mock_models_in_every_form_and_again(tmp_path: Path) -> None:
    models = [
        {"id": f"mock/{name}", "engine": "mock", "engine_args": {"delay": 0.002}} for name in ("one", "two")
    ]
    config = write(tmp_path, models, rate=[200.0], requests=5)
    done = harness("bench", config, "--out", "run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    results = SpeedResults.model_validate_json(done.stdout)
    assert results == SpeedResults.model_validate_json((tmp_path / "run/speed.json").read_text())
    assert [(row.model, row.shape) for row in results.rows] == [
        (m, s) for m in ("one", "two") for s in ("8>4 x2", "8>4 @200/s")
    ]
    first = results.rows[0]
    assert first.stats.interleaved_with == ["two"]
    assert first.rate.output_tps is not None
    # 8 tokens in a wave of two items of 2 ms and more
    assert 100 < first.rate.output_tps.median < 2000
    lines = samples(tmp_path / "run")
    turns = [line["cell"] for line in lines if line["kind"] == "repeat"][:10]
    assert turns[0] == turns[3] != turns[1] == turns[2]  # the order turns with each round
    assert (tmp_path / "run/speed-manifest.json").exists()

    again = harness("bench", config, "--out", "run", "--csv", cwd=tmp_path)
    assert again.returncode == 0
    assert again.stdout.splitlines()[0].startswith("cell_id,model,shape,")
    # nothing was missing, nothing was measured, nothing was loaded
    assert samples(tmp_path / "run") == lines
    assert "loading" not in again.stderr
    shown = harness("bench", config, "--out", "run", "--quiet", cwd=tmp_path).stdout
    assert "8>4 x2" in shown
    assert "Rates and latencies" in shown


@pytest.mark.slow
def test_a_killed_bench_goes_on(tmp_path: Path) -> None:
    config = write(tmp_path, repeats=12, repeat_seconds=0.2)
    run = start("bench", config, "--out", "run", cwd=tmp_path)
    file = tmp_path / "run/speed-samples.jsonl"
    end = time.monotonic() + 120
    while time.monotonic() < end and (not file.exists() or file.read_text().count('"repeat"') < 3):
        time.sleep(0.05)
    os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=60)

    # A line that the kill cut short must not hide the next one.
    with file.open("a") as torn:
        torn.write('{"kind": "repeat", "cell": "ab')
    before = file.read_text().count('"repeat"') - 1
    done = harness("bench", config, "--out", "run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr

    row = SpeedResults.model_validate_json(done.stdout).rows[0]
    assert row.stats.repeats == 12
    assert 3 <= before <= 12
    assert row.stats.warmups == 4  # two sessions


@pytest.mark.slow
def test_a_machine_that_drifts_leaves_doubtful_figures_and_exit_code_1(tmp_path: Path) -> None:
    config = write(tmp_path, drift=1e-9, max_repeats=6)
    done = harness("bench", config, "--out", "run", "--json", cwd=tmp_path)
    assert done.returncode == 1
    row = SpeedResults.model_validate_json(done.stdout).rows[0]
    assert (row.status, row.stats.rejected, row.rate.output_tps is None) == ("partial", 6, False)
    assert row.stats.doubts[0].kind == "drift"
    assert "drifted" in done.stderr
    assert "[1/1] one 8>4 x2: " in done.stderr

    # The same machine, said to be shared: the figures stand, marked, and nothing failed.
    shared = harness("bench", config, "--shared", "--out", "shared", "--json", cwd=tmp_path)
    assert shared.returncode == 0
    assert SpeedResults.model_validate_json(shared.stdout).rows[0].stats.doubts


@pytest.mark.slow
def test_an_engine_that_fails_is_one_line(tmp_path: Path) -> None:
    models = [
        {"id": "mock/bad", "engine": "mock", "engine_args": {"fail_after": 9}},
        {"id": "mock/good", "engine": "mock"},
    ]
    done = harness("bench", write(tmp_path, models), "--out", "run", "--json", cwd=tmp_path)
    assert done.returncode == 1
    bad, good = SpeedResults.model_validate_json(done.stdout).rows
    assert (bad.status, good.status) == ("failed", "ok")
    assert "failed after 9 items" in (bad.reason or "")
    assert "Traceback" not in done.stderr


def test_wrong_configs_end_before_anything_starts(tmp_path: Path) -> None:
    for speed, word in (
        ({"concurrency": []}, "closed loop"),
        ({"repeats": 3}, "5"),
        ({"project": ["H21"]}, "unknown chip"),
    ):
        done = harness("bench", write(tmp_path, **speed), "--out", "run", cwd=tmp_path)
        assert done.returncode == 2
        assert word in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_real_tiny_models_in_turn(tmp_path: Path) -> None:
    models = ["tiny-qwen", {"preset": "tiny-llama", "weights": "random"}]
    done = harness(
        "bench",
        write(tmp_path, models, input=[32], concurrency=[3]),
        "--out",
        "run",
        "--json",
        "--quiet",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr

    # Figures of a real engine: only what must hold on any machine.
    qwen, llama = SpeedResults.model_validate_json(done.stdout).rows
    assert (qwen.model, llama.model) == ("tiny-qwen", "tiny-llama (random weights)")
    for row in (qwen, llama):
        assert row.workload.cached_tokens == 0
        assert row.limit.prefill is not None
        assert row.limit.prefill.measured is not None
        assert 0 < row.limit.prefill.measured.mfu < 1.5
        assert row.latency_ms.tpot is not None
        assert row.identity.engine == "transformers"
        assert row.identity.dtype == "float32"
        assert row.reasons["cost"]
    assert qwen.stats.interleaved_with == ["tiny-llama"]

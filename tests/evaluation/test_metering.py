"""What a run keeps of its costs: over sessions, with the meter off, after a crash.

The engine is a mock.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.runs import harness, results, write_config, write_task


def rows(folder: Path) -> dict[Any, dict[str, Any]]:
    return {row["task"] or row["language"] or row["scope"]: row for row in results(folder)["costs"]}


@pytest.mark.slow
def test_costs_of_cells_and_languages_over_sessions(tmp_path: Path) -> None:
    tasks = [
        {"file": str(write_task(tmp_path, "picks", 12)), "language": "zh"},
        {"file": str(write_task(tmp_path, "texts", 6, "text")), "language": "zh"},
    ]
    model = {"id": "mock/one", "engine": "mock", "engine_args": {"answer": "是", "delay": 0.01}}
    config = write_config(tmp_path, tasks, [model])
    assert (
        harness("run", config, "--limit", "4", "--out", "out", "--usd-per-hour", "2", cwd=tmp_path).returncode
        == 0
    )
    first = rows(tmp_path / "out")
    assert set(first) == {"picks", "texts", "zh", "model"}
    assert first["texts"]["quality"] == {
        "metric": "exact_match",
        "n": 4,
        "correct": 4.0,
        "accuracy": 1.0,
        "reason": None,
    }
    assert first["texts"]["answer_tokens"]["p50"] == 1.0
    assert first["texts"]["latency_ms"]["ttft"]["n"] == 4
    assert first["picks"]["latency_ms"]["ttft"] is None
    assert first["texts"]["energy"]["joules_gross"] is None or first["texts"]["energy"]["items"] == 4
    assert first["texts"]["memory"]["peak_rss_bytes"] > 1e6
    assert "price" not in str(first["texts"]["money"]["reason"])

    assert harness("run", config, "--out", "out", "--usd-per-hour", "2", cwd=tmp_path).returncode == 0
    second = rows(tmp_path / "out")
    assert (second["texts"]["items"], second["texts"]["sessions"]) == (6, 2)
    assert second["texts"]["seconds"] > first["texts"]["seconds"] >= 4 * 0.01
    assert second["texts"]["money"]["usd"] == pytest.approx(2 * second["texts"]["seconds"] / 3600, rel=1e-4)

    # A language is the sum of its cells: six answers of one character, three bytes each.
    assert second["zh"]["items"] == 18
    assert second["zh"]["seconds"] == pytest.approx(
        second["picks"]["seconds"] + second["texts"]["seconds"], abs=1e-5
    )
    assert second["zh"]["tokens"]["written_characters"] == 6
    assert second["zh"]["tokens"]["written_bytes"] == 18
    shown = harness("report", "out", "--costs", "--all", "--format", "markdown", cwd=tmp_path)
    assert "all Chinese" in shown.stdout
    assert "texts" in shown.stdout
    assert (
        "characters_per_second"
        in harness("report", "out", "--format", "csv", cwd=tmp_path).stdout.splitlines()[0]
    )


def test_without_the_meter_nothing_is_metered(tmp_path: Path) -> None:
    config = write_config(tmp_path, [{"file": str(write_task(tmp_path, "picks", 3))}], meter=False)
    done = harness("run", config, "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = results(tmp_path / "out")
    assert run["costs"] == []
    assert run["rows"][0]["seconds"] > 0
    refused = harness("report", "out", "--costs", cwd=tmp_path)
    assert refused.returncode == 2
    assert "hold no costs" in refused.stderr


def test_a_killed_session_leaves_its_answers_without_energy(tmp_path: Path) -> None:
    tasks = [{"file": str(write_task(tmp_path, "texts", 6, "text"))}]
    broken = {"id": "mock/one", "engine": "mock", "engine_args": {"crash_after": 2}}
    assert (
        harness("run", write_config(tmp_path, tasks, [broken]), "--out", "out", cwd=tmp_path).returncode == 1
    )

    whole = {**broken, "engine_args": {}}
    assert (
        harness("run", write_config(tmp_path, tasks, [whole]), "--out", "out", cwd=tmp_path).returncode == 0
    )

    row = rows(tmp_path / "out")["texts"]
    assert (row["items"], row["sessions"]) == (6, 2)
    assert row["energy"]["items"] in (0, 4)  # where the machine can be read, the second session's


def test_a_price_that_is_none_is_refused(tmp_path: Path) -> None:
    config = write_config(tmp_path, [{"file": str(write_task(tmp_path, "picks", 3))}])
    done = harness("run", config, "--out", "out", "--usd-per-hour", "-1", cwd=tmp_path)
    assert done.returncode == 2
    assert "usd_per_hour" in done.stderr

"""What a run over an endpoint costs, from the command line: money, latencies and failures, over two
sessions.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support.runs import harness, results, write_config, write_task
from support.streams import USAGE, Script, ScriptedServer, chat, delta, event, refused

pytestmark = pytest.mark.slow


def test_costs_of_two_sessions_add_up(tmp_path: Path) -> None:
    broken = Script([delta("half"), delta("", "abort"), event({"choices": [], "usage": USAGE})])
    scripts = [refused(429, "slow down"), broken, *[chat("是", pause=0.005)] * 4]
    scripts += [Script([delta("half")], cut=True), chat("是")]
    with ScriptedServer(*scripts) as server:
        model = {
            "id": "m",
            "engine": "openai",
            "base_url": server.url,
            "engine_args": {"backoff": 0.01, "concurrency": 1},
            "price": {"input": 2, "output": 8, "currency": "CNY"},
        }
        config = write_config(tmp_path, [{"file": str(write_task(tmp_path, "texts", 8, "text"))}], [model])
        assert harness("run", config, "--out", "out", "--limit", "4", cwd=tmp_path).returncode == 0
        done = harness("run", config, "--out", "out", cwd=tmp_path)
        assert done.returncode == 0, done.stderr

    run = results(tmp_path / "out")
    row = next(row for row in run["costs"] if row["task"] == "texts")
    whole = next(row for row in run["costs"] if row["scope"] == "model")
    assert (row["items"], row["sessions"]) == (8, 2)
    assert row["money"] == whole["money"]

    # eight answers, and one that broke off after its tokens had been counted
    assert row["money"]["currency"] == "CNY"
    assert row["money"]["total"] == pytest.approx(9 * (5 * 2 + 4 * 8) / 1e6)
    assert row["money"]["lost"] == pytest.approx((5 * 2 + 4 * 8) / 1e6)
    assert "1 tries broke off" in row["money"]["reason"]
    assert row["requests"]["failed"] == {"dropped": 1, "error_in_answer": 1, "http_429": 1}
    assert (row["requests"]["sent"], row["requests"]["answered"], row["requests"]["repeated"]) == (11, 8, 3)

    latency = row["latency_ms"]
    assert latency["since"] == "request"
    assert 0 < latency["ttft"]["p50"] <= latency["e2e"]["p50"] <= latency["e2e"]["max"]
    assert latency["e2e"]["p95"] is None
    assert "p95 takes 72" in latency["e2e"]["reason"]
    assert row["energy"]["joules_gross"] is None

    assert "3 of 11 requests failed and were sent again" in " ".join(done.stdout.split())
    shown = harness("report", "out", "--costs", "--language", "zh", "--format", "markdown", cwd=tmp_path)
    assert "HTTP 429 ×1" in shown.stdout
    assert "中途断开 ×1" in shown.stdout
    assert "¥" in shown.stdout

"""A run from the command line: what it keeps, what it repeats, what it says when things go wrong.

The engine is a mock.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest
from support.runs import harness, read_samples, results, start, write_config, write_task


def asked(trace: Path) -> list[str]:
    return trace.read_text(encoding="utf-8").split() if trace.exists() else []


def mock(name: str, trace: Path | None = None, **options: Any) -> dict[str, Any]:
    more = {"trace": str(trace)} if trace else {}
    return {"id": f"mock/{name}", "engine": "mock", "engine_args": {**more, **options}}


def test_a_run_leaves_everything_and_again_does_nothing(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    tasks = [
        {"file": str(write_task(tmp_path, "picks", 12)), "language": "zh"},
        {"file": str(write_task(tmp_path, "texts", 5, "text"))},
    ]
    config = write_config(tmp_path, tasks, [mock("one", trace), mock("two", answer="是")])
    done = harness("run", config, cwd=tmp_path)
    assert done.returncode == 0, done.stderr

    folder = tmp_path / "results" / "test"
    first = results(folder)
    rows = {(row["model"], row["task"], row["metric"]): row for row in first["rows"]}
    assert rows["two", "texts", "exact_match"]["value"] == 1.0
    assert rows["one", "picks", "acc"]["n"] == 12
    assert rows["one", "picks", "acc"]["language"] == "zh"
    low, high = rows["two", "texts", "exact_match"]["ci95"]
    assert 0.5 < low < 0.6
    assert high == 1.0
    assert {row["status"] for row in first["rows"]} == {"ok"}
    assert {path.name for path in folder.iterdir()} >= {
        "config.yaml",
        "journal.sqlite",
        "logs",
        "manifest.json",
        "results.json",
        "samples",
    }

    # Every answer was computed once: 12 choices and 5 texts of the one model that leaves a trace.
    samples = read_samples(folder)
    assert len(samples["one/picks"]) == 12
    assert samples["two/texts"][0]["responses"] == ["是"]
    assert "picks" in done.stdout
    assert len(asked(trace)) == 17

    again = harness("run", config, cwd=tmp_path)
    assert again.returncode == 0
    assert len(asked(trace)) == 17
    assert read_samples(folder) == samples
    assert [row["value"] for row in results(folder)["rows"]] == [row["value"] for row in first["rows"]]


def test_a_raised_limit_asks_only_the_new_items(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    config = write_config(tmp_path, [{"file": str(write_task(tmp_path, "picks", 30))}], [mock("one", trace)])
    for limit, total in ((5, 5), (20, 20), (8, 20)):
        done = harness("run", config, "--limit", str(limit), "--out", "out", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert len(asked(trace)) == total
        assert results(tmp_path / "out")["rows"][0]["n"] == limit
    assert sorted(map(int, asked(trace))) == list(range(20))


def test_a_crash_ends_only_that_models_cells_and_nothing_is_lost(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    tasks = [{"file": str(write_task(tmp_path, name, 10))} for name in ("first", "second")]
    config = write_config(tmp_path, tasks, [mock("bad", trace, crash_after=13), mock("good")])
    done = harness("run", config, cwd=tmp_path)
    assert done.returncode == 1
    first = results(tmp_path / "results/test")
    status = {(row["model"], row["task"]): row["status"] for row in first["rows"]}
    assert status == {
        ("bad", "first"): "ok",
        ("bad", "second"): "failed",
        ("good", "first"): "ok",
        ("good", "second"): "ok",
    }

    (reason,) = {row["reason"] for row in first["rows"] if row["status"] == "failed"}
    assert "the worker" in reason
    assert "\n" not in reason
    assert "Traceback" not in done.stderr + done.stdout

    # The same command computes only what the crash cost: 20 answers in all, none twice.
    config.write_text(config.read_text().replace("crash_after: 13", "crash_after: null"))
    assert harness("run", config, cwd=tmp_path).returncode == 0
    assert len(asked(trace)) == 20


@pytest.mark.parametrize(("option", "status"), [("oom_after", "oom"), ("fail_after", "failed")])
def test_out_of_memory_and_failure_are_statuses(tmp_path: Path, option: str, status: str) -> None:
    config = write_config(
        tmp_path,
        [{"file": str(write_task(tmp_path, "picks", 10))}],
        [mock("one", None, **{option: 4}), mock("two")],
    )
    done = harness("run", config, cwd=tmp_path)
    assert done.returncode == 1

    rows = {row["model"]: row for row in results(tmp_path / "results/test")["rows"]}
    assert rows["one"]["status"] == status
    assert rows["one"]["n"] == 4
    assert rows["two"]["status"] == "ok"


def test_ctrl_c_keeps_what_there_is_and_says_how_to_go_on(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    tasks = [{"file": str(write_task(tmp_path, name, 40))} for name in ("first", "second")]
    config = write_config(tmp_path, tasks, [mock("slow", trace, delay=0.05)])
    run = start("run", config, cwd=tmp_path)
    while len(asked(trace)) < 3 and run.poll() is None:
        time.sleep(0.05)

    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130, err
    assert "0 of 2 cells are done, and every answer given is kept" in out + err
    assert f"To go on: harness run {config}" in " ".join(err.split())
    assert "Traceback" not in err
    first = {row["task"]: row for row in results(tmp_path / "results/test")["rows"]}
    assert first["first"]["status"] == "partial"
    assert first["first"]["n"] == len(asked(trace)) < 40
    assert first["second"]["status"] == "skipped"

    assert harness("run", config, cwd=tmp_path).returncode == 0
    assert len(asked(trace)) == 80


def test_expectations_decide_the_exit_code(tmp_path: Path) -> None:
    task = {"file": str(write_task(tmp_path, "texts", 4, "text"))}
    expect = [{"task": "texts", "model": "one", "metric": "exact_match", "min": 0.9}]
    config = write_config(tmp_path, [task], [mock("one", answer="否")], expect=expect)
    done = harness("run", config, cwd=tmp_path)
    assert done.returncode == 3
    assert "texts" in done.stdout + done.stderr
    expect[0]["min"] = 0.0
    config = write_config(tmp_path, [task], [mock("one", answer="否")], expect=expect)
    assert harness("run", config, cwd=tmp_path).returncode == 0


def test_two_runs_in_one_folder_and_another_configs_folder(tmp_path: Path) -> None:
    task = {"file": str(write_task(tmp_path, "picks", 60))}
    config = write_config(tmp_path, [task], [mock("slow", tmp_path / "trace", delay=0.1)])
    run = start("run", config, cwd=tmp_path)
    while not asked(tmp_path / "trace") and run.poll() is None:
        time.sleep(0.05)
    second = harness("run", config, cwd=tmp_path)
    run.kill()
    run.communicate()
    assert second.returncode == 1
    assert "another run is writing in" in second.stderr

    # The lock is gone with the killed run; the folder is still that config's.
    other = tmp_path / "other.yaml"
    other.write_text(config.read_text().replace("mock/slow", "mock/other"))
    third = harness("run", other, cwd=tmp_path)
    assert third.returncode == 1
    assert "not this config's" in third.stderr
    assert len(third.stderr.strip().splitlines()) == 1


def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    config = write_config(
        tmp_path, [{"file": str(write_task(tmp_path, "picks", 400))}], [mock("slow", trace, delay=0.02)]
    )
    run = start("run", config, cwd=tmp_path)
    while len(asked(trace)) < 2 and run.poll() is None:
        time.sleep(0.05)

    run.kill()
    run.communicate()
    time.sleep(1.0)
    before = len(asked(trace))
    time.sleep(0.5)
    assert len(asked(trace)) == before < 400

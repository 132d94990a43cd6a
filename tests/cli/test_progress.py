"""Progress: lines for logs, bars for terminals, from the events of workers."""

from __future__ import annotations

import io
from typing import Any

import pytest

from harness.progress.bars import RichReporter
from harness.progress.display import reporter_for
from harness.progress.reporters import LineReporter, SilentReporter, clock_text


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


PLAN = {"event": "plan", "models": ["m"], "tasks": ["a", "b", "c"], "cells": 3}


def cell(task: str, **more: Any) -> dict[str, Any]:
    return {"event": "cell", "model": "m", "task": task, "state": "end", "status": "ok", **more}


def test_one_line_a_finished_cell() -> None:
    out, clock = io.StringIO(), Clock()
    with LineReporter(out, clock) as reporter:
        reporter.event(PLAN)
        reporter.event({"event": "hello", "pid": 1})
        reporter.event({"event": "model", "model": "m", "state": "loading"})
        reporter.event({"event": "model", "model": "m", "state": "ready", "seconds": 2.0})
        reporter.event({"event": "cell", "model": "m", "task": "a", "state": "loading"})
        clock.now += 1
        reporter.event({"event": "progress", "model": "m", "task": "a", "done": 40, "total": 100})
        clock.now += 60
        reporter.event({"event": "progress", "model": "m", "task": "a", "done": 70, "total": 100})
        clock.now += 60
        reporter.event(cell("a", metric="acc", value=0.85, n=100, ci95=[0.81, 0.89]))
        reporter.event({"event": "exit", "model": "m", "shard": 0, "reason": None, "code": 0})
    assert out.getvalue().splitlines() == [
        "1 model × 3 tasks = 3 cells",
        "m: loaded in 2.0 s",
        "m a: 70/100, 0.5 items/s, 1:00 left",
        "[1/3] m a: acc 0.850 ±0.040, n 100, 120.0 s",
    ]


def test_one_reason_is_said_once() -> None:
    out = io.StringIO()
    reporter = LineReporter(out)
    reporter.event(PLAN)
    for task in "abc":
        reporter.event(cell(task, status="failed", reason="no such model"))
    reporter.event(
        {"event": "model", "model": "m", "state": "end", "status": "failed", "reason": "no such model"}
    )
    reporter.event({"event": "exit", "model": "m", "shard": 0, "reason": None, "code": 0})
    assert out.getvalue().splitlines()[1:] == [
        "[1/3] m a: failed: no such model",
        "m: 2 more cells for the same reason",
    ]


def test_escape_sequences_do_not_reach_the_terminal() -> None:
    out = io.StringIO()
    LineReporter(out).event(cell("a", status="failed", reason="\x1b[2Jgone"))
    assert "\x1b" not in out.getvalue()


@pytest.mark.parametrize("kind", [LineReporter, RichReporter, SilentReporter])
def test_any_order_of_events_is_survived(kind: Any) -> None:
    with kind(Terminal()) as reporter:
        reporter.event({"event": "progress", "model": "m", "task": "a", "done": 1, "total": 2})
        reporter.event(PLAN)
        reporter.event({"event": "model", "model": "m", "state": "files"})
        reporter.event({"event": "download", "model": "m", "done": 10**9, "total": 2 * 10**9})
        reporter.event({"event": "download", "model": "m", "done": None, "total": None})
        reporter.event({"event": "fatal", "model": "m", "reason": "boom"})
        reporter.event(cell("a", status="failed", reason="boom"))
        reporter.event(cell("b", metric=None, value=None, n=0))
        reporter.event({"event": "exit", "model": "m", "shard": 0, "reason": "boom", "code": 1})
        reporter.event({"event": "unknown"})
        reporter.message("[bold]a message")


def test_bars_show_messages_as_they_are() -> None:
    out = Terminal()
    with RichReporter(out) as reporter:
        reporter.event(PLAN)
        reporter.event({"event": "progress", "model": "m", "task": "a", "done": 1, "total": 2})
        reporter.event(cell("a", status="oom", reason="[red]too big"))
    assert "m a: oom: [red]too big" in out.getvalue()


def test_who_reports() -> None:
    assert isinstance(reporter_for(quiet=True), SilentReporter)
    assert isinstance(reporter_for(stream=io.StringIO()), LineReporter)
    assert isinstance(reporter_for(stream=Terminal()), RichReporter)


def test_clock() -> None:
    assert [clock_text(seconds) for seconds in (7, 750, 3723)] == ["0:07", "12:30", "1:02:03"]

"""Progress: lines for logs, bars for terminals, from the events of workers."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from harness.progress.bars import RichReporter, whole_parts, without_middle
from harness.progress.display import reporter_for
from harness.progress.reporters import LineReporter, SilentReporter, clock_text
from harness.workers.events import (
    CellEnded,
    CellProgress,
    CellStarted,
    DownloadProgress,
    ModelEnded,
    ModelLoaded,
    ModelPhase,
    RunPlanned,
    WorkerExited,
    WorkerFailed,
    WorkerNote,
    WorkerStarted,
)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


PLAN = RunPlanned(("m",), ("a", "b", "c"), 3)


def cell(task: str, **more: Any) -> CellEnded:
    return CellEnded("m", task, **{"status": "ok", **more})


def test_one_line_per_finished_cell() -> None:
    out, clock = io.StringIO(), Clock()
    with LineReporter(out, clock) as reporter:
        reporter.event(PLAN)
        reporter.event(WorkerStarted(1))
        reporter.event(ModelPhase("m", "loading"))
        reporter.event(ModelLoaded("m", 2.0))
        reporter.event(CellStarted("m", "a"))
        clock.now += 1
        reporter.event(CellProgress("m", "a", 40, 100))
        clock.now += 60
        reporter.event(CellProgress("m", "a", 70, 100))
        clock.now += 60
        reporter.event(cell("a", metric="acc", value=0.85, n=100, ci95=(0.81, 0.89)))
        reporter.event(WorkerExited("m", 0))
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
    reporter.event(ModelEnded("m", "failed", "no such model"))
    reporter.event(WorkerExited("m", 0))
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
        reporter.event(CellProgress("m", "a", 1, 2))
        reporter.event(PLAN)
        reporter.event(ModelPhase("m", "files"))
        reporter.event(DownloadProgress("m", 10**9, 2 * 10**9))
        reporter.event(DownloadProgress("m", 0))
        reporter.event(WorkerFailed("boom", "m"))
        reporter.event(cell("a", status="failed", reason="boom"))
        reporter.event(cell("b", metric=None, value=None, n=0))
        reporter.event(WorkerExited("m", 0, "boom", 1))
        reporter.event(WorkerNote("unknown"))
        reporter.message("[bold]a message")


def test_bars_show_messages_as_they_are() -> None:
    out = Terminal()
    with RichReporter(out) as reporter:
        reporter.event(PLAN)
        reporter.event(CellProgress("m", "a", 1, 2))
        reporter.event(cell("a", status="oom", reason="[red]too big"))
    assert "m a: oom: [red]too big" in out.getvalue()


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120])
def test_no_figure_of_a_bar_is_cut(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    clock, names = Clock(), ["deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "m" * 110, "中文模型-对话版"]
    reporter = RichReporter(Terminal())
    reporter.state.clock = clock
    for name in names:
        reporter.event(CellStarted(name, "ceval-valid_law"))
        reporter.event(CellProgress(name, "ceval-valid_law", 5, 1234567))
        clock.now += 3
        reporter.event(CellProgress(name, "ceval-valid_law", 12345, 1234567))
    console = Console(file=io.StringIO(), width=width)
    console.print(reporter._bars.get_renderable())
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 3
    for line, name in zip(lines, names, strict=True):
        assert line.startswith(name[:2])
        assert "12345/1234567" in line
        assert ("items/s" in line) == ("4113.3 items/s" in line)
        assert cell_len(line) <= width
    assert width < 60 or all("4:57 left" in line for line in lines)


def test_a_name_loses_its_middle() -> None:
    assert without_middle("short", 10) == "short"
    assert without_middle("Qwen2.5-7B-Instruct ceval", 12) == "Qwen2.…ceval"
    assert whole_parts("1/2, 3 items/s, 4:57 left", 30) == "1/2, 3 items/s"
    assert whole_parts("12345/1234567", 5) == "12345/1234567"


def test_who_reports() -> None:
    assert isinstance(reporter_for(quiet=True), SilentReporter)
    assert isinstance(reporter_for(stream=io.StringIO()), LineReporter)
    assert isinstance(reporter_for(stream=Terminal()), RichReporter)


def test_clock() -> None:
    assert [clock_text(seconds) for seconds in (7, 750, 3723)] == ["0:07", "12:30", "1:02:03"]

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
from harness.progress.state import CellPace, RunState
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
        clock.now += 9
        reporter.event(CellProgress("m", "a", 45, 100))
        clock.now += 51
        reporter.event(CellProgress("m", "a", 70, 100))
        clock.now += 60
        reporter.event(cell("a", metric="acc", value=0.85, n=100, ci95=(0.81, 0.89)))
        reporter.event(WorkerExited("m", 0))
    assert out.getvalue().splitlines() == [
        "1 model × 3 tasks = 3 cells",
        "m: loaded in 2.0 s",
        "m a: 45/100, 0.6 items/s, 1:39 left; 0/3 cells, about 7:39 left",
        "m a: 70/100, 0.5 items/s, 1:00 left; 0/3 cells, about 7:40 left",
        "[1/3] m a: acc 0.850 ±0.040, n 100, 120.0 s",
    ]


def lines_of(*events: Any, **options: Any) -> list[str]:
    """What a log shows of events, without its first line."""
    out = io.StringIO()
    with LineReporter(out, Clock(), **options) as reporter:
        for event in events:
            reporter.event(event)
    return out.getvalue().splitlines()[1:]


def test_one_reason_is_said_once() -> None:
    """Also where each model's reason begins with its own name."""
    plan = RunPlanned(("m", "k"), ("a", "b", "c"), 6)
    ends = [
        CellEnded(model, task, "failed", f"{model}: no such model") for model in ("m", "k") for task in "abc"
    ]
    assert lines_of(plan, *ends, ModelEnded("k", "failed", "no such model"), WorkerExited("k", 0)) == [
        "[1/6] m a: failed: no such model",
        "[6/6] 2 models (m, k): 6 cells failed for one reason: no such model",
    ]


SUBJECTS = tuple(f"exam_{number}" for number in range(5))
GROUP = RunPlanned(("m", "k"), (*SUBJECTS, "other"), 12, dict.fromkeys(SUBJECTS, "exam"), ("exam",))


def subjects(model: str, **more: Any) -> list[CellEnded]:
    """Three subjects with a score, two without data."""
    scores = [
        CellEnded(model, task, "ok", metric="acc", value=value, n=n, **more)
        for task, value, n in zip(SUBJECTS, (0.5, 0.2, 0.3), (10, 20, 10), strict=False)
    ]
    reason = "org/exam: no config {} in /mirror (3 are); nearest: exam_0"
    return [
        *scores,
        *(CellEnded(model, task, "skipped", reason.format(task), **more) for task in SUBJECTS[3:]),
    ]


def test_subjects_of_a_group_are_one_line_and_what_is_missing_is_said_once() -> None:
    events = [GROUP, *subjects("m"), *subjects("k"), CellEnded("k", "other", "ok", metric="acc", value=0.4)]
    assert lines_of(*events) == [
        "[ 5/12] exam: 2 of 5 subjects skipped: org/exam: no config exam_3 in /mirror (3 are) (and 1 alike)",
        "[ 5/12] m exam: 3 of 5 subjects, acc 0.300, 0.0 s",
        "[10/12] k exam: 3 of 5 subjects, acc 0.300, 0.0 s",
        "[11/12] k other: acc 0.400, 0.0 s",
    ]
    assert len(lines_of(*events, every=True)) == 11


def test_what_was_done_before_is_a_number() -> None:
    done = [*subjects("m", before=True), CellEnded("m", "other", "ok", metric="acc", value=0.4, before=True)]
    assert lines_of(GROUP, *done) == ["[ 6/12] 4 cells were done before, 2 without data skipped again"]
    assert lines_of(GROUP, *done, *subjects("k"))[0].endswith(
        "4 cells were done before, 2 without data skipped again"
    )


def test_a_group_that_a_worker_leaves_unfinished_is_said_when_it_ends() -> None:
    assert lines_of(GROUP, *subjects("m")[:2], WorkerExited("m", 0, "killed", 1)) == [
        "[ 2/12] m exam: 2 of 5 subjects, acc 0.300, 0.0 s"
    ]


def test_a_silent_run_says_what_it_is_at() -> None:
    out, clock = io.StringIO(), Clock()
    reporter = LineReporter(out, clock)
    reporter.event(PLAN)
    reporter.event(ModelPhase("m", "files"))
    for seconds in (9, 2, 10, 11, 30):
        clock.now += seconds
        reporter.beat()
    reporter.event(ModelPhase("m", "loading"))
    clock.now += 100
    reporter.beat()
    # The silence doubles: 10, 20, 40 seconds.
    assert out.getvalue().splitlines()[1:] == [
        "m: looking for its files and hashing them, 0:11; 0/3 cells",
        "m: looking for its files and hashing them, 0:32; 0/3 cells",
        "m: loading weights, 1:40; 0/3 cells",
    ]


def test_no_time_left_is_said_from_the_first_answers() -> None:
    clock = Clock()
    pace = CellPace(clock.now)
    pace.update(0, 1000, clock.now)
    pace.update(2, 1000, clock.now + 0.1)
    assert pace.rate(clock.now + 0.1)
    assert pace.left(clock.now + 0.1) is None
    pace.update(60, 1000, clock.now + 2)
    assert round(pace.left(clock.now + 2) or 0) == 31


def test_time_left_of_the_whole_run_counts_models_that_have_not_begun() -> None:
    clock = Clock()
    state = RunState(clock)
    state.take(RunPlanned(("m", "k"), ("a", "b"), 4))
    state.take(CellStarted("m", "a"))
    state.take(CellProgress("m", "a", 0, 100))
    assert state.left() is None
    # The weights are loaded while the first cell waits for them.
    clock.now += 50
    state.take(ModelLoaded("m", 5.0))
    clock.now += 10
    state.take(CellProgress("m", "a", 100, 100))
    state.take(CellEnded("m", "a", "ok"))
    # Ten items per second, 100 of its own left, 200 of the other model, and that one's loading.
    assert state.left() == 35


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

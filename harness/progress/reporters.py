"""What a person sees while a run goes on: one line per finished cell, or nothing with ``--quiet``.

All of it goes to standard error, so that standard output holds the table alone. rich is imported
only for bars.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, TextIO

from harness.progress.state import CellPace, RunState
from harness.workers.events import (
    CellEnded,
    CellProgress,
    DownloadProgress,
    Event,
    ModelEnded,
    ModelLoaded,
    RunPlanned,
    WorkerExited,
)

LONG_CELL = 30.0
"""Without a terminal, a cell that takes longer than this many seconds says how far it is, each time
they pass.
"""


class Reporter(Protocol):
    """Takes the events of a run, in order of arrival, as a context manager."""

    def event(self, event: Event) -> None:
        """Shows what a worker said."""

    def message(self, text: str) -> None:
        """Shows a line for people."""

    def __enter__(self) -> Reporter: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class SilentReporter:
    """Shows messages only."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr

    def __enter__(self) -> SilentReporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def event(self, event: Event) -> None:
        """Nothing."""

    def message(self, text: str) -> None:
        """One line, at once."""
        print(plain(text), file=self._stream, flush=True)


class LineReporter(SilentReporter):
    """One line per finished cell, for logs and pipes."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self.state = RunState(clock)
        self._download: dict[str, float] = {}

    def event(self, event: Event) -> None:
        """Says what ended, what failed, and now and then how far a long cell is."""
        seconds = self.state.take(event)
        match event:
            case RunPlanned():
                sizes = ((len(event.models), "model"), (len(event.tasks), "task"))
                grid = " × ".join(plural(*size) for size in sizes)
                self.message(f"{grid} = {plural(event.cells, 'cell')}")
            case ModelLoaded():
                self.message(f"{event.model}: loaded in {event.seconds:.1f} s")
            case CellEnded():
                self._cell(event, seconds)
            case CellProgress():
                self._long(event)
            case DownloadProgress():
                self._fetch(event)
            case ModelEnded() | WorkerExited():
                self._again(event.model)

    def _again(self, model: str) -> None:
        for _, count in self.state.repeated(model):
            self.message(f"{model}: {plural(count, 'more cell')} for the same reason")

    def _cell(self, event: CellEnded, seconds: float) -> None:
        reason = event.reason or event.status
        if event.status == "ok" or event.value is not None:
            self.message(f"{self._count()} {cell_line(event, seconds)}")
        elif self.state.is_news(event.model, reason):
            self.message(f"{self._count()} {event.model} {event.task}: {event.status}: {reason}")

    def _count(self) -> str:
        width = len(str(self.state.cells))
        return f"[{self.state.ended:>{width}}/{self.state.cells}]"

    def _long(self, event: CellProgress) -> None:
        now, pace = self.state.clock(), self.state.running[event.model, event.task]
        pace.shown = pace.shown or pace.begin
        if now - pace.shown >= LONG_CELL:
            pace.shown = now
            self.message(f"{event.model} {event.task}: {pace.done}/{pace.total}{pace_text(pace, now)}")

    def _fetch(self, event: DownloadProgress) -> None:
        now = self.state.clock()
        if now - self._download.get(event.model, -LONG_CELL) >= LONG_CELL:
            self._download[event.model] = now
            self.message(f"{event.model}: downloading, {download_text(event)}")


def cell_line(event: CellEnded, seconds: float) -> str:
    """A finished cell: ``tiny-qwen zh_arithmetic: acc 0.850 ±0.040, n 200, 1.2 s``."""
    parts = [f"{event.metric} {event.value:.3f}" if event.value is not None else "done"]
    if event.ci95:
        parts[0] += f" ±{(event.ci95[1] - event.ci95[0]) / 2:.3f}"
    if event.n:
        parts.append(f"n {event.n}")
    parts.append(f"{seconds:.1f} s")

    # A cell that was cut short may have a score: the line must not look like a whole one.
    if event.status != "ok":
        parts.append(f"{event.status}: {event.reason}")
    return f"{event.model} {event.task}: {', '.join(parts)}"


def pace_text(pace: CellPace, now: float) -> str:
    """``, 12.3 items/s, 2:05 left``, or nothing before the first answer."""
    rate, left = pace.rate(now), pace.left(now)
    return f", {rate:.1f} items/s, {clock_text(left)} left" if rate and left is not None else ""


def plural(count: int, noun: str) -> str:
    """1 cell, 2 cells."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def clock_text(seconds: float) -> str:
    """Seconds as 0:07, 12:30 or 1:02:03."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def download_text(event: DownloadProgress) -> str:
    """``1.2 of 15.3 GB``."""
    done, total = event.done / 1e9, event.total / 1e9
    return f"{done:.1f} of {total:.1f} GB" if total else f"{done:.1f} GB"


def plain(text: str) -> str:
    """Text without control characters: names and reasons are other people's data, and a terminal
    obeys escape sequences.
    """
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)

"""What a person sees while a run goes on: lines in a log, or nothing with ``--quiet``.

All of it goes to standard error, so that standard output holds the table alone. rich is imported
only for bars.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, TextIO

from harness.progress.cell_lines import CellLine, CellLines
from harness.progress.state import CellPace, RunState
from harness.wording import plural
from harness.workers.events import (
    CellEnded,
    DownloadProgress,
    Event,
    ModelEnded,
    ModelLoaded,
    RunPlanned,
    WorkerExited,
)

SILENCE = 10.0
"""Seconds without a line after which a log says what the run is at."""
LONGEST_SILENCE = 120.0
"""The silence doubles with every such line up to this: a night's run must not fill a disk."""
PHASES = {"files": "looking for its files and hashing them", "loading": "loading weights"}


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
    """Lines for logs and pipes: one per task or group that a model has finished.

    ``every``: one per cell. Where nothing is said for `SILENCE` seconds, a line says what the run
    is at; as a context manager it looks at the clock by itself.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        every: bool = False,
    ) -> None:
        super().__init__(stream)
        self.state = RunState(clock)
        self.lines = CellLines(every=every)
        self._downloads: dict[str, str] = {}
        self._last, self._silence = clock(), SILENCE
        self._lock, self._over = threading.RLock(), threading.Event()

    def __enter__(self) -> LineReporter:
        # While weights are loaded no event comes that could be the occasion for a line.
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        with self._lock:
            self._say(self.lines.close())

    def _watch(self) -> None:
        while not self._over.wait(1.0):
            self.beat()

    def message(self, text: str) -> None:
        """One line, at once."""
        with self._lock:
            super().message(text)
            self._last = self.state.clock()

    def event(self, event: Event) -> None:
        """Says what ended, what failed, and now and then how far the run is."""
        with self._lock:
            seconds = self.state.take(event)
            match event:
                case RunPlanned():
                    self.lines.plan(event)
                    sizes = ((len(event.models), "model"), (len(event.tasks), "task"))
                    grid = " × ".join(plural(*size) for size in sizes)
                    self.message(f"{grid} = {plural(event.cells, 'cell')}")
                case ModelLoaded():
                    self.message(f"{event.model}: loaded in {event.seconds:.1f} s")
                    self._silence = SILENCE
                case CellEnded():
                    self._say(self.lines.ended(event, seconds))
                case DownloadProgress():
                    self._downloads[event.model] = download_text(event)
                case ModelEnded() | WorkerExited():
                    self._downloads.pop(event.model, None)
                    self._say(self.lines.model_ended(event.model))
            self.beat()

    def _say(self, lines: list[CellLine]) -> None:
        width = len(str(self.state.cells))
        for line in lines:
            self.message(f"[{self.state.ended:>{width}}/{self.state.cells}] {line.text}")

    def beat(self) -> None:
        """Says what the run is at where it has been silent for long."""
        with self._lock:
            if self.state.clock() - self._last < self._silence:
                return
            stand = standing(self.state, self._downloads)
            if stand:
                self.message(stand)
                self._silence = min(2 * self._silence, LONGEST_SILENCE)


def standing(state: RunState, downloads: dict[str, str]) -> str:
    """What every model is at, and when the run may be over; empty where nothing goes on."""
    now = state.clock()
    parts = [
        f"{model}: downloading, {downloads[model]}"
        if model in downloads and phase == "files"
        else f"{model}: {PHASES[phase]}, {clock_text(now - begin)}"
        for model, (phase, begin) in state.phase.items()
    ]

    # A cell that waits for its model's weights is named by the model's own line.
    parts += [
        f"{model} {task}: {pace_line(pace, now)}"
        for (model, task), pace in state.running.items()
        if model not in state.phase
    ]
    if not parts:
        return ""
    left = state.left()
    whole = f"{state.ended}/{state.cells} cells" + (f", about {clock_text(left)} left" if left else "")
    return "; ".join([*parts, whole])


def pace_line(pace: CellPace, now: float) -> str:
    """``70/100, 0.5 items/s, 1:00 left``, or what is done before the first and after the last answer."""
    if pace.first is None:
        return f"building prompts, {clock_text(now - pace.begin)}"
    if pace.done >= pace.total:
        return f"{pace.done}/{pace.total}, marking"
    return f"{pace.done}/{pace.total}{pace_text(pace, now)}"


def pace_text(pace: CellPace, now: float) -> str:
    """``, 12.3 items/s, 2:05 left``; nothing before the first answer, no time while it is a guess."""
    rate, left = pace.rate(now), pace.left(now)
    until = f", {clock_text(left)} left" if left is not None else ""
    return f", {rate:.1f} items/s{until}" if rate else ""


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
    """Text without control characters.

    Names and reasons are other people's data, and a terminal obeys escape sequences.
    """
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)

"""What a person sees while a run goes on: bars on a terminal, one line a finished cell elsewhere,
nothing with ``--quiet``.

All of it goes to standard error, so that standard output holds the table alone. rich is imported
only for bars.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, TextIO

from harness.workers.events import Event

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


@dataclass
class CellPace:
    """How fast one cell goes.

    What an earlier session had done already does not count into the rate.
    """

    begin: float
    done: int = 0
    total: int = 0
    first: int | None = None
    shown: float = 0.0

    def update(self, done: int, total: int, now: float) -> None:
        """Takes a progress event."""
        if self.first is None:
            self.first, self.begin = done, now
        self.done, self.total = done, total

    def rate(self, now: float) -> float | None:
        """Items a second, or None before the first answer."""
        new = self.done - (self.first or 0)
        return new / (now - self.begin) if new > 0 and now > self.begin else None

    def left(self, now: float) -> float | None:
        """Seconds left at this rate."""
        rate = self.rate(now)
        return (self.total - self.done) / rate if rate else None


@dataclass
class Progress:
    """Where a run stands, from its events: shared by the reporters."""

    clock: Callable[[], float] = time.monotonic
    cells: int = 0
    ended: int = 0
    running: dict[tuple[str, str], CellPace] = field(default_factory=dict)
    phase: dict[str, str] = field(default_factory=dict)
    """Models that fetch files or load weights, and which of the two."""
    _told: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(self, event: Event) -> float:
        """Keeps count; returns the seconds that the cell took where the event ends one."""
        kind, model, state = event["event"], str(event.get("model", "")), event.get("state")
        key, now = (model, str(event.get("task", ""))), self.clock()
        if kind == "plan":
            self.cells = int(event["cells"])
        elif kind == "model":
            self._model(model, str(state))
        elif kind == "progress":
            self.phase.pop(model, None)
            self.running.setdefault(key, CellPace(now)).update(int(event["done"]), int(event["total"]), now)
        elif kind == "cell" and state == "loading":
            self.running[key] = CellPace(now)
        elif kind == "cell" and state == "end":
            self.ended += not event.get("twin")  # the task in whose place it was asked counts
            pace = self.running.pop(key, None)
            return float(event.get("seconds") or (now - pace.begin if pace else 0.0))
        elif kind in ("exit", "fatal"):
            self._model(model, "end")
        return 0.0

    def _model(self, model: str, state: str) -> None:
        if state in ("files", "loading"):
            self.phase[model] = state
        else:
            self.phase.pop(model, None)
        if state == "end":
            for key in [key for key in self.running if key[0] == model]:
                del self.running[key]

    def is_news(self, model: str, reason: str) -> bool:
        """Whether this failure is the first of its kind: a model that cannot load fails every cell
        for one reason.
        """
        self._told[(model, reason)] = self._told.get((model, reason), 0) + 1
        return self._told[(model, reason)] == 1

    def repeated(self, model: str) -> list[tuple[str, int]]:
        """(reason, how often it came again) of a model's failures, once."""
        found = [
            (reason, count - 1) for (name, reason), count in self._told.items() if name == model and count > 1
        ]
        self._told = {key: min(count, 1) for key, count in self._told.items() if key[0] == model} | {
            key: count for key, count in self._told.items() if key[0] != model
        }
        return found


class LineReporter(SilentReporter):
    """One line a finished cell, for logs and pipes."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self.state = Progress(clock)
        self._download: dict[str, float] = {}

    def event(self, event: Event) -> None:
        """Says what ended, what failed, and now and then how far a long cell is."""
        seconds = self.state.take(event)
        kind, state = event["event"], event.get("state")
        if kind == "plan":
            sizes = ((len(event["models"]), "model"), (len(event["tasks"]), "task"))
            self.message(f"{' × '.join(plural(*size) for size in sizes)} = {plural(event['cells'], 'cell')}")
        elif kind == "model":
            self._model(event)
        elif kind == "cell" and state == "end":
            self._cell(event, seconds)
        elif kind == "progress":
            self._long(event)
        elif kind == "download":
            self._fetch(event)
        elif kind == "exit":
            self._again(event["model"])

    def _model(self, event: Event) -> None:
        model, state = event["model"], event.get("state")
        if state == "ready":
            self.message(f"{model}: loaded in {event.get('seconds') or 0:.1f} s")
        elif state == "end":
            self._again(model)

    def _again(self, model: str) -> None:
        for _, count in self.state.repeated(model):
            self.message(f"{model}: {plural(count, 'more cell')} for the same reason")

    def _cell(self, event: Event, seconds: float) -> None:
        reason = str(event.get("reason") or event.get("status"))
        if event.get("status") == "ok" or event.get("value") is not None:
            self.message(f"{self._count()} {cell_line(event, seconds)}")
        elif self.state.is_news(event["model"], reason):
            self.message(f"{self._count()} {event['model']} {event['task']}: {event.get('status')}: {reason}")

    def _count(self) -> str:
        width = len(str(self.state.cells))
        return f"[{self.state.ended:>{width}}/{self.state.cells}]"

    def _long(self, event: Event) -> None:
        now, pace = self.state.clock(), self.state.running[(event["model"], event["task"])]
        pace.shown = pace.shown or pace.begin
        if now - pace.shown >= LONG_CELL:
            pace.shown = now
            self.message(f"{event['model']} {event['task']}: {pace.done}/{pace.total}{pace_text(pace, now)}")

    def _fetch(self, event: Event) -> None:
        now = self.state.clock()
        if now - self._download.get(event["model"], -LONG_CELL) >= LONG_CELL:
            self._download[event["model"]] = now
            self.message(f"{event['model']}: downloading, {download_text(event)}")


def cell_line(event: Event, seconds: float) -> str:
    """A finished cell: ``tiny-qwen zh_arithmetic: acc 0.850 ±0.040, n 200, 1.2 s``."""
    value, ci95 = event.get("value"), event.get("ci95")
    parts = [f"{event.get('metric')} {value:.3f}" if isinstance(value, float | int) else "done"]
    if ci95:
        parts[0] += f" ±{(ci95[1] - ci95[0]) / 2:.3f}"
    if event.get("n"):
        parts.append(f"n {event['n']}")
    parts.append(f"{seconds:.1f} s")
    if event.get("status") not in (None, "ok"):
        parts.append(f"{event['status']}: {event.get('reason')}")
    return f"{event['model']} {event['task']}: {', '.join(parts)}"


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


def download_text(event: Event) -> str:
    """``1.2 of 15.3 GB``."""
    done, total = (event.get("done") or 0) / 1e9, (event.get("total") or 0) / 1e9
    return f"{done:.1f} of {total:.1f} GB" if total else f"{done:.1f} GB"


def plain(text: str) -> str:
    """Text without control characters: names and reasons are other people's data, and a terminal
    obeys escape sequences.
    """
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)

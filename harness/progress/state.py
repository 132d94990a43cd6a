"""Where a run stands, counted from its events: what bars and lines are made of."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.workers.events import (
    CellEnded,
    CellProgress,
    CellStarted,
    Event,
    ModelEnded,
    ModelLoaded,
    ModelPhase,
    RunPlanned,
    WorkerExited,
    WorkerFailed,
)


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
        """Items per second, or None before the first answer."""
        new = self.done - (self.first or 0)
        return new / (now - self.begin) if new > 0 and now > self.begin else None

    def left(self, now: float) -> float | None:
        """Seconds left at this rate."""
        rate = self.rate(now)
        return (self.total - self.done) / rate if rate else None


@dataclass
class RunState:
    """Cells ended and running, and what each model is at: shared by the reporters."""

    clock: Callable[[], float] = time.monotonic
    cells: int = 0
    ended: int = 0
    running: dict[tuple[str, str], CellPace] = field(default_factory=dict)
    phase: dict[str, str] = field(default_factory=dict)
    """Models that fetch files or load weights, and which of the two."""
    _failures: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(self, event: Event) -> float:
        """Keeps count; returns the seconds that the cell took where the event ends one."""
        now = self.clock()
        match event:
            case RunPlanned():
                self.cells = event.cells
            case ModelPhase():
                self.phase[event.model] = event.phase
            case ModelLoaded():
                self.phase.pop(event.model, None)
            case CellStarted():
                self.running[event.model, event.task] = CellPace(now)
            case CellProgress():
                # The first answer says that loading is over, also where nothing else does.
                self.phase.pop(event.model, None)
                pace = self.running.setdefault((event.model, event.task), CellPace(now))
                pace.update(event.done, event.total, now)
            case CellEnded():
                # A twin is no cell of the plan: the task in whose place it was asked counts.
                self.ended += not event.twin
                ended = self.running.pop((event.model, event.task), None)
                return now - ended.begin if ended else 0.0
            case ModelEnded() | WorkerExited() | WorkerFailed():
                self._forget(event.model)
        return 0.0

    def _forget(self, model: str) -> None:
        self.phase.pop(model, None)
        for key in [key for key in self.running if key[0] == model]:
            del self.running[key]

    def is_news(self, model: str, reason: str) -> bool:
        """Whether this failure is the first of its kind.

        A model that cannot load fails every cell for one reason.
        """
        self._failures[model, reason] = self._failures.get((model, reason), 0) + 1
        return self._failures[model, reason] == 1

    def repeated(self, model: str) -> list[tuple[str, int]]:
        """(reason, how often it came again) of a model's failures, once."""
        repeats = []
        for (name, reason), count in self._failures.items():
            if name == model and count > 1:
                repeats.append((reason, count - 1))

        # Told now: from here on only new repeats count, while the reason stays no news.
        for reason, _ in repeats:
            self._failures[model, reason] = 1
        return repeats

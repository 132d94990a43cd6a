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

SETTLED = 3.0
"""Seconds of answers before a rate is believed: the first batch compiles, and long items come first."""
SHARE = 0.05
"""Share of a cell's items after which its rate is believed sooner."""


@dataclass
class CellPace:
    """How fast one cell goes.

    What an earlier session had done already does not count into the rate.
    """

    begin: float
    done: int = 0
    total: int = 0
    first: int | None = None

    def update(self, done: int, total: int, now: float) -> None:
        """Takes a progress event."""
        if self.first is None:
            self.first, self.begin = done, now
        self.done, self.total = done, total

    @property
    def new(self) -> int:
        """Items answered in this session."""
        return self.done - (self.first or 0)

    def rate(self, now: float) -> float | None:
        """Items per second, or None before the first answer."""
        return self.new / (now - self.begin) if self.new > 0 and now > self.begin else None

    def left(self, now: float) -> float | None:
        """Seconds left at this rate; None while the rate says little."""
        rate = self.rate(now)
        early = now - self.begin < SETTLED and self.new < SHARE * self.total
        return (self.total - self.done) / rate if rate and not early else None


@dataclass
class RunState:
    """Cells ended and running, and what each model is at: shared by the reporters."""

    clock: Callable[[], float] = time.monotonic
    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    cells: int = 0
    ended: int = 0
    running: dict[tuple[str, str], CellPace] = field(default_factory=dict)
    phase: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Models that fetch files or load weights: which of the two, and since when."""
    _over: set[tuple[str, str]] = field(default_factory=set)
    _sizes: dict[str, int] = field(default_factory=dict)
    _work: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Items and seconds of the cells that ended in this session, by model."""
    _loads: list[float] = field(default_factory=list)

    def take(self, event: Event) -> float:
        """Keeps count; returns the seconds that the cell took where the event ends one."""
        now = self.clock()
        match event:
            case RunPlanned():
                self.models, self.tasks, self.cells = event.models, event.tasks, event.cells
            case ModelPhase():
                self.phase[event.model] = event.phase, now
            case ModelLoaded():
                self.phase.pop(event.model, None)
                self._loads.append(event.seconds)
                # The first cell waited for the weights: that says nothing of how fast it goes.
                for (model, _), pace in self.running.items():
                    if model == event.model and not pace.new:
                        pace.begin = now
            case CellStarted():
                self.running[event.model, event.task] = CellPace(now)
            case CellProgress():
                # The first answer says that loading is over, also where nothing else does.
                self.phase.pop(event.model, None)
                pace = self.running.setdefault((event.model, event.task), CellPace(now))
                pace.update(event.done, event.total, now)
                self._sizes[event.task] = event.total
            case CellEnded():
                return self._end(event, now)
            case ModelEnded() | WorkerExited() | WorkerFailed():
                self._forget(event.model)
        return 0.0

    def _end(self, event: CellEnded, now: float) -> float:
        # A twin is no cell of the plan: the task in whose place it was asked counts.
        self.ended += not event.twin
        self._over.add((event.model, event.task))
        pace = self.running.pop((event.model, event.task), None)
        if pace is None:
            return 0.0

        # Only what was asked says how fast a model is; answers of an earlier session take no time.
        if pace.new:
            items, seconds = self._work.get(event.model, (0, 0.0))
            self._work[event.model] = items + pace.new, seconds + now - pace.begin
        return now - pace.begin

    def _forget(self, model: str) -> None:
        self.phase.pop(model, None)
        for key in [key for key in self.running if key[0] == model]:
            del self.running[key]

    def left(self) -> float | None:
        """Seconds until the whole run is over, roughly; None while nothing can be said.

        A model that has not begun is taken to be as fast as those that have, and a task whose size
        is not known yet as large as the others.
        """
        now = self.clock()
        rates = {model: rate for model in self.models if (rate := self._rate(model, now))}
        sizes = [*self._sizes.values()]
        if not rates or not sizes:
            return None

        usual, size = sum(rates.values()) / len(rates), sum(sizes) / len(sizes)
        load = sum(self._loads) / len(self._loads) if self._loads else 0.0
        seconds = 0.0
        for model in self.models:
            open_cells = [task for task in self.tasks if (model, task) not in self._over]
            items = sum(self._open_items(model, task, size) for task in open_cells)
            seconds += items / rates.get(model, usual)
            untouched = open_cells and len(open_cells) == len(self.tasks)
            seconds += load if untouched and model not in rates else 0.0

        # Models that run side by side share the time.
        return seconds / max(1, len({model for model, _ in self.running}))

    def _open_items(self, model: str, task: str, usual: float) -> float:
        pace = self.running.get((model, task))
        return self._sizes.get(task, usual) - (pace.done if pace else 0)

    def _rate(self, model: str, now: float) -> float | None:
        items, seconds = self._work.get(model, (0, 0.0))
        for (name, _), pace in self.running.items():
            if name == model and pace.new:
                items, seconds = items + pace.new, seconds + now - pace.begin
        return items / seconds if items and seconds >= SETTLED else None

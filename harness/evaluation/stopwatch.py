"""What each model of a run took besides answering, and how far a plan was from the truth."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.results.schema import Results
from harness.wording import duration_text, range_text
from harness.workers.events import CellEnded, Event, ModelLoaded, ModelPhase, WorkerExited


@dataclass
class _Lap:
    begin: float
    end: float | None = None
    loaded: bool = False
    cells: int = 0
    before: int = 0


@dataclass
class ModelStopwatch:
    """Follows a run's events."""

    clock: Callable[[], float] = time.monotonic
    _laps: dict[str, _Lap] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Keeps when a model began and ended, and whether all of it was asked now."""
        match event:
            case ModelPhase():
                self._laps.setdefault(event.model, _Lap(self.clock()))
            case ModelLoaded():
                self._lap(event.model).loaded = True
            case CellEnded():
                lap = self._lap(event.model)
                lap.cells += 1
                lap.before += event.before
            case WorkerExited():
                self._lap(event.model).end = self.clock()

    def _lap(self, model: str) -> _Lap:
        return self._laps.setdefault(model, _Lap(self.clock()))

    @property
    def whole(self) -> set[str]:
        """Models of which no cell had been done before."""
        return {model for model, lap in self._laps.items() if lap.end and lap.loaded and not lap.before}

    def whole_models(self, results: Results) -> dict[str, tuple[float, int]]:
        """By model that was run whole: seconds besides the engine's, and cells."""
        seconds: dict[str, float] = {}
        for row in results.costs:
            if row.task is not None:
                seconds[row.model] = seconds.get(row.model, 0.0) + (row.seconds or 0.0)
        return {
            model: (max(0.0, (lap.end or lap.begin) - lap.begin - seconds.get(model, 0.0)), lap.cells)
            for model, lap in self._laps.items()
            if model in self.whole
        }


def plan_and_truth(estimate: tuple[float, float], took: float) -> str:
    """``planned 3 to 6 min, took 4 min``, and by how much it was missed where it was."""
    low, high = estimate
    missed = f" (planned too high, by {low / took:.1f} times)" if took < low else ""
    missed = f" (planned too low, by {took / high:.1f} times)" if took > high else missed
    return f"planned {range_text(low, high)}, took {duration_text(took)}{missed}"

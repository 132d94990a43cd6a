"""One repeat of one shape on a loaded engine: prompts, calibration, waves of requests, checks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from harness.benchmark.shapes import Shape
from harness.engines.protocol import Engine
from harness.items import Completion, Generation
from harness.meter.calibration import MachineRates, drift
from harness.meter.checks import (
    ClockError,
    require_clock,
    require_lengths,
    require_positive,
    require_uncached,
)
from harness.meter.openloop import Timing, busy, poisson_arrivals
from harness.meter.workload import prompts, requests

_SLACK = 0.01
"""Seconds by which an engine's clock may run past ours: they are read in different places."""
_FRESH = 0.5
"""Seconds for which the calibration after a repeat is also the one before the next.

Between the two only prompts are made.
"""
MOST_WAVES = 1000


class Measurer:
    """Measures shapes on one engine.

    ``ids``: token ids that prompts are drawn from; ``calibrate`` probes the machine.
    """

    def __init__(
        self, engine: Engine, calibrate: Callable[[], MachineRates], ids: Sequence[int], seed: int
    ) -> None:
        self._engine, self._calibrate, self._ids, self._seed = engine, calibrate, ids, seed
        self._last: tuple[float, MachineRates] | None = None

    def warm_up(self, shape: Shape, times: int = 2) -> float:
        """Runs the shape, unmeasured; returns the last wave's seconds.

        An open loop warms up with all its requests at once.
        """
        seconds = 0.0
        for number in range(times):
            seconds, _ = self._wave(self._items(shape, f"warm{number}", None), shape)
        return seconds

    def repeat(self, shape: Shape, waves: int, number: int) -> dict[str, Any]:
        """Calibrates, measures, calibrates.

        Raises a MeasurementError for cached tokens, wrong lengths or times that make no sense.
        """
        begin = time.perf_counter()

        # Arrivals are the same in every repeat, prompts are not: the first are the load that is
        # measured, the second must share nothing that a cache could keep.
        arrivals = None
        if shape.rate:
            arrivals = poisson_arrivals(shape.rate, shape.requests, f"{self._seed}:{shape.label}")
        batches = [self._items(shape, f"{number}:{wave}", arrivals) for wave in range(waves)]

        fresh = self._last is not None and time.perf_counter() - self._last[0] < _FRESH
        before = self._last[1] if self._last and fresh else self._calibrate()
        self._last = None
        stolen = Stolen()
        results = [self._wave(batch, shape) for batch in batches]
        share = stolen.share()
        after = self._calibrate()
        self._last = time.perf_counter(), after
        return {
            "number": number,
            "walls": [wall for wall, _ in results],
            "timings": [[timing_row(timing) for timing in timings] for _, timings in results],
            "before": reading_row(before),
            "after": reading_row(after),
            "drift": drift(before, after),
            "stolen": share,
            "elapsed": time.perf_counter() - begin,
        }

    def run_for(self, shape: Shape, seconds: float) -> tuple[int, int]:
        """Runs waves for at least so many seconds; returns (requests, generated tokens)."""
        begin, waves, count = time.perf_counter(), 0, 0
        while time.perf_counter() - begin < seconds:
            _, timings = self._wave(self._items(shape, f"energy{waves}", None), shape)
            waves, count = waves + 1, count + len(timings)
        return count, count * shape.output

    def _items(self, shape: Shape, name: str, arrivals: Sequence[float] | None) -> list[Completion]:
        texts = prompts(shape.batch, shape.input, self._ids, f"{self._seed}:{shape.label}:{name}")
        return requests(texts, shape.output, arrivals)

    def _wave(self, items: Sequence[Completion], shape: Shape) -> tuple[float, list[Timing]]:
        begin = time.perf_counter()
        answers = list(self._engine.generate(items))
        wall = time.perf_counter() - begin
        return wall, checked(items, answers, shape, wall)


class Stolen:
    """Processor time that the hypervisor gave to others, from now on."""

    def __init__(self) -> None:
        self._begin = _stolen_seconds()
        self._clock = time.perf_counter()

    def share(self) -> float | None:
        """Of all processors' time since the beginning; None on systems that do not say (only Linux does)."""
        now, spent = _stolen_seconds(), time.perf_counter() - self._clock
        if now is None or self._begin is None:
            return None
        return (now - self._begin) / (spent * (os.cpu_count() or 1))


def _stolen_seconds() -> float | None:
    import psutil

    stolen = getattr(psutil.cpu_times(), "steal", None)
    return None if stolen is None else float(stolen)


def checked(
    items: Sequence[Completion], answers: Sequence[Generation], shape: Shape, wall: float
) -> list[Timing]:
    """Each request's timing, in the order of the items.

    Raises LengthError, CachedTokensError, ClockError or NotFiniteError.
    """
    require_positive("wall seconds", wall)
    require_lengths(answers, shape.output, shape.input)
    require_uncached(answers)
    require_clock(answers)

    by_key = {answer.key: answer for answer in answers}
    timings = []
    for item in items:
        if item.key not in by_key:
            raise ClockError(f"{item.key}: the engine gave no answer; {len(answers)} of {len(items)} came")
        answer = by_key[item.key]

        # An engine in another process has another clock: its times must lie within our wave's.
        first, last = answer.first_token or 0.0, answer.last_token or 0.0
        arrival, started = item.arrival or 0.0, last - require_positive("engine seconds", answer.seconds)
        if last > wall + _SLACK or first < arrival - _SLACK or started > first + _SLACK:
            text = (
                f"expected arrival {arrival:.4f} <= first {first:.4f} <= last {last:.4f} "
                f"<= wall {wall:.4f} s, started {started:.4f}"
            )
            raise ClockError(f"{item.key}: {text}; the engine's clock is another one")
        timings.append(Timing(arrival, started, first, last, answer.tokens.prompt, answer.tokens.output))

    # An engine that stamps a first token before it has read the prompt would have no rate of reading.
    require_positive("seconds to a first token", busy([(timing.started, timing.first) for timing in timings]))
    return timings


def timing_row(timing: Timing) -> list[float]:
    """A timing as a short list, for the raw samples."""
    return [timing.arrival, timing.started, timing.first, timing.last, timing.prompt, timing.output]


def timing_of(row: Sequence[float]) -> Timing:
    """The timing that `timing_row` wrote."""
    arrival, started, first, last, prompt, output = row
    return Timing(arrival, started, first, last, int(prompt), int(output))


def reading_row(reading: MachineRates) -> dict[str, float]:
    """A calibration as plain data."""
    return {"flops": reading.flops, "bandwidth": reading.bandwidth}

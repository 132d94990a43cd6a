"""Joules of a stretch of work as the hardware counts them, or null and the reason.

Never an estimate from a datasheet's power. This is ours, and no library such as codecarbon: those
fill a gap with a model of the chip, while here a window that cannot be trusted (a reset counter, a
gap between samples, a window shorter than the driver's average) has no joules and says why.

GPUs, through NVML: for windows of ten seconds or more the difference of the total-energy counter;
else power sampled every tenth of a second and integrated by trapezoids, which is invalid where two
samples lie more than three seconds apart, and says nothing about windows shorter than the second
over which the driver averages. CPUs, through RAPL: the packages' counters (and their memory's,
where it has its own), with wrap-around. Gross is all that the device took; idle is what it would
have taken in that time doing nothing, where that was measured before; net is their difference.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Literal, Protocol

from harness.meter.checks import EnergyError
from harness.meter.nvml import NvmlDevices
from harness.meter.rapl import POWERCAP, RaplDomains

Source = Literal["nvml-counter", "nvml-power", "rapl"]
COUNTER_WINDOW = 10.0
"""Seconds from which the counter is taken: it moves in steps of up to a tenth of a second, 1 % of
this.
"""
LONGEST_GAP = 3.0
SHORTEST_POWER_WINDOW = 1.0
"""NVML's power is an average over up to a second (nvmlDeviceGetPowerUsage)."""
Clock = Callable[[], float]


@dataclass(frozen=True)
class Energy:
    """What a window of ``seconds`` took, in joules.

    Null joules always have a ``reason``; so has a net that is null beside a gross.
    """

    seconds: float
    joules_gross: float | None = None
    joules_idle: float | None = None
    joules_net: float | None = None
    source: Source | None = None
    reason: str | None = None


class PowerSource(Protocol):
    """A device whose energy can be read, or that says why not when it is opened (EnergyError).

    ``period``: seconds between two samples.
    """

    period: ClassVar[float]

    def counter(self) -> float | None:
        """Joules since some moment, or None where there is no counter."""

    def power(self) -> float | None:
        """Watts now, or None where it cannot be read."""

    def close(self) -> None:
        """Lets go of the library."""


def open_source(device: str, root: Path = POWERCAP) -> PowerSource:
    """What meters the energy of ``cpu``, ``cuda`` (every visible GPU together) or ``cuda:N``.

    Raises EnergyError with the reason.
    """
    kind, _, index = device.partition(":")
    if kind == "cuda":
        return NvmlDevices.visible(int(index) if index else None)
    if kind == "cpu":
        return RaplDomains.find(root)
    raise EnergyError(f"device {device!r} has no energy meter: cpu, cuda and cuda:N have")


def watch(device: str, *, idle_watts: float | None = None, root: Path = POWERCAP) -> EnergyWatch:
    """A context manager that watches one device; its ``reading`` is there once the block has ended,
    whatever is readable.

    ``idle_watts`` is what the device takes doing nothing (`idle_power`), for the idle and net
    joules.
    """
    try:
        return EnergyWatch(open_source(device, root), idle_watts, owns=True)
    except EnergyError as error:
        return EnergyWatch(None, idle_watts, str(error))


def idle_power(device: str, seconds: float = 2.0, root: Path = POWERCAP) -> float | None:
    """Watts of a device over ``seconds`` in which the caller leaves it alone, or None where they
    cannot be read.
    """
    with watch(device, root=root) as watched:
        time.sleep(seconds)
    joules = watched.reading.joules_gross
    return None if joules is None else joules / watched.reading.seconds


class EnergyWatch:
    """Reads a source at the beginning and the end of a block and, from a thread, in between; closes
    it then if it ``owns`` it.
    """

    def __init__(
        self,
        source: PowerSource | None,
        idle_watts: float | None = None,
        reason: str | None = None,
        clock: Clock = time.perf_counter,
        owns: bool = False,
    ) -> None:
        self.source, self.idle_watts, self.reason = source, idle_watts, reason
        self.clock, self.owns = clock, owns

        self._samples: list[tuple[float, float]] = []
        self._counters: list[tuple[float, float]] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._begin = self._end = 0.0

    def __enter__(self) -> EnergyWatch:
        self._begin = self.clock()
        if self.source is not None:
            self.sample()
            self._thread = threading.Thread(target=self._watch, name="harness-energy", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if self.source is not None:
            self.sample()
        self._end = self.clock()
        if self.source is not None and self.owns:
            self.source.close()

    @property
    def reading(self) -> Energy:
        """What the block took; null joules and a reason where that is not known."""
        seconds = self._end - self._begin
        try:
            gross, source = self._gross(seconds)
        except EnergyError as error:
            return Energy(seconds, reason=str(error))

        if self.idle_watts is None:
            return Energy(
                seconds,
                gross,
                source=source,
                reason="idle power was not measured, so there are no net joules",
            )

        # A device may take less than its idle power was when it was measured, warm.
        idle = self.idle_watts * seconds
        return Energy(seconds, gross, idle, max(0.0, gross - idle), source)

    def sample(self) -> None:
        """Takes one sample of whatever can be read."""
        self._power()
        self._counter()

    def _power(self) -> bool:
        assert self.source is not None
        now, watts = self.clock(), self.source.power()
        if watts is not None:
            self._samples.append((now, watts))
        return watts is not None

    def _counter(self) -> None:
        assert self.source is not None
        now, joules = self.clock(), self.source.counter()
        if joules is not None:
            self._counters.append((now, joules))

    def _watch(self) -> None:
        """In between power is enough, and where there is none the counter, which may turn."""
        assert self.source is not None
        while not self._stop.wait(self.source.period):
            if not self._power():
                self._counter()

    def _gross(self, seconds: float) -> tuple[float, Source]:
        if self.source is None:
            raise EnergyError(self.reason or "nothing to read")
        if isinstance(self.source, RaplDomains):
            return _difference(self._counters, "the RAPL counters"), "rapl"

        # The counter has no error of its own over a long window; over a short one its steps count.
        if seconds >= COUNTER_WINDOW and len(self._counters) > 1:
            return _difference(self._counters, "NVML's energy counter"), "nvml-counter"
        return integrate(self._samples, seconds), "nvml-power"


def _difference(counters: list[tuple[float, float]], what: str) -> float:
    if len(counters) < 2:
        raise EnergyError(f"{what} could not be read at both ends of the window")
    joules = counters[-1][1] - counters[0][1]
    if joules < 0:
        raise EnergyError(f"{what} went back by {-joules:.3g} J: the driver was reset during the window")
    return joules


def integrate(samples: list[tuple[float, float]], seconds: float) -> float:
    """Joules under (seconds, watts) samples of a window, by trapezoids. Raises EnergyError where
    the window is invalid: too short for the driver's average, fewer than two samples, or a gap of
    more than three seconds between two, or at either end.
    """
    if seconds < SHORTEST_POWER_WINDOW:
        raise EnergyError(
            f"a window of {seconds:.2f} s is shorter than the second over which the driver averages power"
        )

    if len(samples) < 2:
        raise EnergyError(f"{len(samples)} power samples in {seconds:.1f} s: an integral needs two")

    # The ends count like gaps between samples: there too nothing is known of the power.
    pairs = list(itertools.pairwise(samples))
    gap = max(later - earlier for (earlier, _), (later, _) in pairs)
    unseen = seconds - (samples[-1][0] - samples[0][0])
    if max(gap, unseen) > LONGEST_GAP:
        raise EnergyError(
            f"no power sample for {max(gap, unseen):.1f} s of the window; more than {LONGEST_GAP:.0f} s make "
            "it invalid"
        )
    return sum((later - earlier) * (first + second) / 2 for (earlier, first), (later, second) in pairs)

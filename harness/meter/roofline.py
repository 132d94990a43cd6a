"""How close a measurement comes to what a chip allows, and what another chip would allow.

Roofline model: Williams, Waterman and Patterson 2009, doi 10.1145/1498765.1498785. t_min =
max(FLOPs / peak, bytes / bandwidth).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from harness.errors import ConfigError, HarnessError
from harness.meter.hardware import Chip
from harness.meter.work import Work

Bound = Literal["compute", "memory"]
Dtype = Literal["bf16", "fp16", "fp8", "int8"]


@dataclass(frozen=True)
class Ceiling:
    """What the arithmetic and the memory of a machine can do at most: FLOP/s and bytes/s, from a
    datasheet or measured. Raises ConfigError for a ceiling that is not a positive number.
    """

    name: str
    flops: float
    bandwidth: float

    def __post_init__(self) -> None:
        for what, value in (("FLOP/s", self.flops), ("bytes/s", self.bandwidth)):
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(
                    f"{self.name}: a ceiling is a positive number of {what}, got {value}; measure it or take "
                    "a datasheet's"
                )

    def times(self, work: Work) -> tuple[float, float]:
        """Seconds that the arithmetic alone and the memory alone take at least."""
        return work.flops / self.flops, work.bytes / self.bandwidth

    def t_min(self, work: Work) -> float:
        """Seconds that the work takes at least, arithmetic and memory overlapping perfectly."""
        return max(self.times(work))

    def bound(self, work: Work) -> Bound:
        """Which of the two is the limit; compute where they tie."""
        compute, memory = self.times(work)
        return "compute" if compute >= memory else "memory"


@dataclass(frozen=True)
class Efficiency:
    """Shares of a ceiling that were reached: ``mfu`` of the FLOP/s, ``mbu`` of the bandwidth;
    ``roofline`` = t_min / t is the larger.
    """

    mfu: float
    mbu: float
    roofline: float
    bound: Bound


@dataclass(frozen=True)
class Projection:
    """Seconds that a chip would take, as a range. Never a measurement: ``kind`` is to be shown with
    it.

    ``same_bound`` is False where the limit changes (memory there, compute here): then the measured
    efficiency is carried into a regime in which nothing was measured, and the range is the less to
    be trusted.
    """

    chip: str
    low: float
    high: float
    bound: Bound
    same_bound: bool
    kind: Literal["projected"] = "projected"


def datasheet(chip: Chip, dtype: Dtype) -> Ceiling:
    """The catalogue's ceiling for a number format.

    Raises ConfigError where the catalogue has no figure for it.
    """
    return Ceiling(f"{chip.name} {dtype}", chip.figure(dtype), chip.figure("bandwidth"))


def efficiency(work: Work, seconds: float, ceiling: Ceiling) -> Efficiency:
    """Shares of a ceiling that work done in ``seconds`` reached.

    Raises HarnessError for a time that is not a positive number.
    """
    _check(work, seconds)
    compute, memory = ceiling.times(work)
    return Efficiency(
        compute / seconds, memory / seconds, max(compute, memory) / seconds, ceiling.bound(work)
    )


def project(work: Work, seconds: float, measured: Ceiling, chip: Ceiling) -> Projection:
    """What ``chip`` would take for work that took ``seconds`` on ``measured``: the range that three
    readings of the lost time span.

    1. It is proportional: the same roofline efficiency on both, t_min' / (t_min / t).
    2. It is missing overlap: t scaled by the sums of both times, t · (c' + m') / (c + m).
    3. It is fixed (launches, the host): t_min' + (t − t_min).

    Both ceilings must be of one kind (datasheet and datasheet). Raises HarnessError for a time that
    is no positive number, or that is shorter than ``measured`` allows: then the work or the ceiling
    is wrong and nothing follows.
    """
    _check(work, seconds)
    least, there = measured.t_min(work), chip.t_min(work)

    if seconds < least:
        raise HarnessError(
            f"{seconds:.4g} s is less than the {least:.4g} s that {measured.name} allows: tokens were "
            "cached, or work or ceiling are wrong"
        )

    # Nobody can say which of the three the lost time is, so the range over all of them is the
    # answer, and not less than the chip's own ceiling allows.
    readings = (
        there * seconds / least,
        seconds * sum(chip.times(work)) / sum(measured.times(work)),
        there + seconds - least,
    )
    low = max(min(readings), there)
    return Projection(
        chip.name, low, max(readings), chip.bound(work), chip.bound(work) == measured.bound(work)
    )


def _check(work: Work, seconds: float) -> None:
    if not (math.isfinite(seconds) and seconds > 0):
        raise HarnessError(
            f"a measured time is a positive number of seconds, got {seconds}; the clock is missing or wrong"
        )
    if not (math.isfinite(work.flops) and math.isfinite(work.bytes) and work.flops > 0 and work.bytes > 0):
        raise HarnessError(
            f"work needs positive FLOPs and bytes, got {work.flops} and {work.bytes}; nothing was computed"
        )

"""How often to measure, and how sure the median then is."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.errors import ConfigError
from harness.meter.checks import require_finite

RESAMPLES = 9999
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A median and its 95 % interval by the percentile bootstrap (Efron 1979)."""

    median: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of the interval, as a share of the median."""
        return (self.high - self.low) / 2 / self.median


def median_interval(values: Sequence[float], seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """The median of at least two finite values, its interval from seeded resamples.

    Raises NotFiniteError, and ConfigError for fewer.
    """
    import numpy as np

    if len(values) < 2:
        raise ConfigError(f"an interval needs at least two repeats, got {len(values)}")
    for value in values:
        require_finite("repeat", value)
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    picks = np.random.default_rng(seed).integers(0, len(ordered), (resamples, len(ordered)))
    medians = np.median(ordered[picks], axis=1)
    low, high = np.quantile(medians, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(np.median(ordered)), float(low), float(high))


def coefficient_of_variation(values: Sequence[float]) -> float | None:
    """Standard deviation by mean; None for fewer than two."""
    return statistics.stdev(values) / statistics.fmean(values) if len(values) > 1 else None


Verdict = Literal["more", "settled", "spent"]


@dataclass(frozen=True)
class Policy:
    """When to stop: ``least`` repeats kept and a half-width of at most ``half_width``, or else
    ``seconds`` or ``most`` repeats spent.
    """

    least: int
    half_width: float
    seconds: float
    most: int

    def verdict(self, kept: Sequence[float], done: int, spent: float) -> Verdict:
        """``kept``: the figure of each accepted repeat; ``done``: repeats made, rejected ones too;
        ``spent``: seconds used for them.
        """
        if len(kept) >= self.least and median_interval(kept).half_width <= self.half_width:
            return "settled"
        return "spent" if spent >= self.seconds or done >= self.most else "more"

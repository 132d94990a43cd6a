"""The sign-flip test: how likely a mean difference is by chance alone.

Under the null hypothesis every independent unit's difference (an item's; the sum over a source's
items) is as likely to have the opposite sign (R. A. Fisher, The Design of Experiments, 1935, §21).
The p value is the share of all sign patterns that bring a mean at least as far from zero as the
measured one. Patterns of the ``HEAVIEST`` units are all counted; the others together, too many and
too small to matter one by one, are taken as normal. No variance is estimated, so equal differences
are no certainty: two units can never give less than 2/2² = 0.5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from harness.analysis.spread import Array

HEAVIEST = 12


@dataclass(frozen=True, slots=True)
class Tosses:
    """What each unit that differs adds to a mean difference, in absolute value.

    ``heavy`` holds the largest ones, ``rest`` the sum of the others' squares, ``count`` the number
    of all.
    """

    heavy: tuple[float, ...] = ()
    rest: float = 0.0
    count: int = 0

    @property
    def few(self) -> bool:
        """Whether the heaviest units decide (nine tenths of the sum of squares).

        No normal or t distribution can be trusted then.
        """
        return self.rest <= math.fsum(one * one for one in self.heavy) / 9

    @property
    def least(self) -> float:
        """The smallest p that any differences of so many units can give: 2/2ᵏ.

        It is reached when all point the same way.
        """
        return min(1.0, math.ldexp(2.0, -self.count))

    def p_value(self, value: float) -> float:
        """Two-sided p of a mean difference ``value``.

        2⁻ᵏ·#{patterns at least as far from zero}, exact for up to ``HEAVIEST`` units.
        """
        if not self.heavy or value == 0:
            return 1.0

        # The margin counts patterns that equal the value but for rounding.
        sums = np.abs(_signs(len(self.heavy)) @ np.array(self.heavy))
        distance = abs(value) * (1 - 1e-9)
        if self.rest <= 0:
            return float(np.count_nonzero(sums >= distance) / len(sums))

        from scipy.special import ndtr

        scale = math.sqrt(self.rest)
        return float(min(1.0, (ndtr((sums - distance) / scale) + ndtr((-sums - distance) / scale)).mean()))


@cache
def _signs(count: int) -> Array:
    """All 2^(count − 1) sign patterns whose first sign is +: the others are their opposites."""
    numbers = np.arange(2 ** (count - 1))[:, None]
    bits = (numbers >> np.arange(count)) & 1
    return np.asarray(1.0 - 2.0 * bits[:, ::-1])


def of_units(units: Array) -> Tosses:
    """The tosses of units' additions to a mean."""
    sizes = np.abs(units[units != 0])
    if len(sizes) <= HEAVIEST:
        return Tosses(tuple(sizes.tolist()), 0.0, len(sizes))
    parted = np.partition(sizes, len(sizes) - HEAVIEST)
    rest = parted[: len(sizes) - HEAVIEST]
    return Tosses(tuple(parted[len(sizes) - HEAVIEST :].tolist()), float(rest @ rest), len(sizes))


def of_equal_units(count: int, size: float) -> Tosses:
    """``count`` units that each add ``size``: items that one model alone got right."""
    heavy = min(count, HEAVIEST)
    return Tosses((size,) * heavy, (count - heavy) * size * size, count)


def joined(parts: Iterable[Tosses], weights: Sequence[float]) -> Tosses:
    """The tosses of Σ w·difference over independent tasks."""
    sizes: list[float] = []
    rest, count = 0.0, 0
    for part, weight in zip(parts, weights, strict=True):
        sizes += [weight * one for one in part.heavy]
        rest += weight * weight * part.rest
        count += part.count

    sizes.sort(reverse=True)
    return Tosses(tuple(sizes[:HEAVIEST]), rest + math.fsum(one * one for one in sizes[HEAVIEST:]), count)

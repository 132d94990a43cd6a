"""Two models on the same items.

The difference, how far it can be trusted, and the smallest one that so many items detect. Formulas
with their sources: docs/statistics.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from harness.analysis.flips import Tosses, of_equal_units, of_units
from harness.analysis.intervals import Z80, Z95
from harness.analysis.spread import Array, Clusters, Codes, ScoreSpread, from_codes, spread, t95, t_test

ALPHA = 0.05
"""What a test's p is held against where a 95 % interval stands beside it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """a − b over ``n`` shared items.

    ``p`` decides: McNemar's exact p for 0/1 scores of independent items, the sign-flip test's where
    a handful of items or sources make the difference (`Tosses.few`) or all differences are equal,
    else Student's t.

    ``only_a`` and ``only_b`` count items that one alone got right (None where scores are graded).
    ``correlation`` is of the items' scores. ``detectable`` is the smallest true difference found
    with 80 % power at the 5 % level, given the spread of the differences. ``adjusted`` is Holm's p
    over all pairs of the same comparison.
    """

    n: int
    value: float
    stderr: float | None
    dof: float
    ci95: tuple[float, float] | None
    p: float | None
    mcnemar: float | None = None
    only_a: int | None = None
    only_b: int | None = None
    correlation: float | None = None
    detectable: float | None = None
    clusters: int | None = None
    variances: tuple[float, float] = (0.0, 0.0)
    """Squared standard errors of a and of b."""
    tosses: Tosses = field(default_factory=Tosses)
    """What each unit that differs adds to it."""
    worth: float | None = None
    """How many independent items it is of at least (all of a source's items taken as one); None
    where scores are not all in [0, 1].
    """
    adjusted: float | None = None

    def flipped(self) -> Difference:
        """b − a."""
        ends = None if self.ci95 is None else (-self.ci95[1], -self.ci95[0])
        swapped = (self.variances[1], self.variances[0])
        return replace(
            self, value=-self.value, ci95=ends, only_a=self.only_b, only_b=self.only_a, variances=swapped
        )


def paired(a: Array, b: Array, clusters: Clusters | None = None) -> Difference:
    """The difference of two models' scores (n each, item by item).

    Raises ValueError for other shapes or scores that are not finite.
    """
    if len(a) != len(b):
        raise ValueError(f"paired scores must be of the same items, got {len(a)} and {len(b)}")

    differences = spread(a - b, clusters)
    counted = _counted(a) and _counted(b)
    only_a = int(np.count_nonzero(a > b)) if counted else None
    only_b = int(np.count_nonzero(a < b)) if counted else None
    exact = mcnemar(only_a, only_b) if only_a is not None and only_b is not None else None

    # The exact test holds for independent items only.
    independent = exact if clusters is None else None
    tosses = _tosses(a - b, clusters, None if independent is None else (only_a or 0) + (only_b or 0))
    worth = _worth(a, b, clusters, counted)
    p = (
        independent
        if independent is not None
        else p_value(
            differences.mean, differences.robust, differences.dof, tosses, joint=clusters is not None
        )
    )
    return Difference(
        n=differences.n,
        value=differences.mean,
        stderr=differences.robust,
        dof=differences.dof,
        ci95=agreeing(_interval(differences, only_a, only_b, clusters, worth), differences.mean, p),
        p=p,
        mcnemar=exact,
        only_a=only_a,
        only_b=only_b,
        correlation=correlation(a, b),
        detectable=detectable(differences.robust),
        clusters=differences.clusters,
        variances=((spread(a, clusters).robust or 0.0) ** 2, (spread(b, clusters).robust or 0.0) ** 2),
        tosses=tosses,
        worth=worth,
    )


def _tosses(differences: Array, clusters: Clusters | None, discordant: int | None) -> Tosses:
    """What each independent unit adds to the mean difference.

    Discordant 0/1 items all add 1/n, so their number is enough; a source's items are one unit.
    """
    n = len(differences)
    if discordant is not None:
        return of_equal_units(discordant, 1 / n)
    sums = differences if clusters is None else np.bincount(clusters.codes, weights=differences)
    return of_units(sums / n)


def _worth(a: Array, b: Array, clusters: Clusters | None, counted: bool) -> float | None:
    if not counted and (min(a.min(), b.min()) < 0 or max(a.max(), b.max()) > 1):
        return None
    return float(len(a)) if clusters is None else len(a) ** 2 / float((clusters.sizes**2).sum())


def p_value(value: float, stderr: float | None, dof: float, tosses: Tosses, *, joint: bool) -> float | None:
    """The p value of a mean difference.

    The sign-flip test's where few of a task's sources, or of several tasks' items, decide
    (``joint``), and where all differences are equal; else Student's t, but never less than equal
    signs of so many units can give.
    """
    if stderr is None:
        return None
    if (joint and tosses.few) or _vanishes(stderr, value):
        return tosses.p_value(value)
    p = t_test(value, stderr, dof)
    return max(p, tosses.least) if p is not None else None


def _vanishes(stderr: float, value: float) -> bool:
    """Whether all differences are equal, but for rounding."""
    return stderr <= 1e-9 * abs(value)


def _interval(
    differences: ScoreSpread,
    only_a: int | None,
    only_b: int | None,
    clusters: Clusters | None,
    worth: float | None,
) -> tuple[float, float] | None:
    """The 95 % interval of a difference.

    Agresti and Min's for 0/1 scores of independent items, else Student's t; where all differences
    are equal Agresti and Min's again.
    """
    if clusters is None and only_a is not None and only_b is not None:
        return agresti_min(only_a, only_b, differences.n)
    if differences.robust is None:
        return None

    # t would give an interval without width here, as if the next item could not differ.
    if differences.robust < 1e-9:
        return widened(differences.mean, 0.0, differences.dof, worth)

    ends = differences.interval()
    return (max(-1.0, ends[0]), min(1.0, ends[1])) if ends is not None and worth is not None else ends


def agreeing(ends: tuple[float, float] | None, value: float, p: float | None) -> tuple[float, float] | None:
    """A 95 % interval that holds 0 exactly where the test of 0 (``p``) does not refuse it.

    An interval is the set of differences that a test of 5 % does not refuse. Whether 0 is one of
    them is decided by the test whose p stands beside it: so the interval reaches to 0 where p is
    0.05 or more, and ends there where p is less (a difference on the other side of 0 is refused all
    the more).
    """
    if ends is None or p is None:
        return ends
    low, high = ends
    if p >= ALPHA:
        return min(low, 0.0), max(high, 0.0)
    return (max(low, 0.0), high) if value > 0 else (low, min(high, 0.0))


def widened(value: float, stderr: float, dof: float, worth: float | None) -> tuple[float, float] | None:
    """95 % interval of a mean of differences, widened against false certainty.

    Agresti and Min's two added items (one for either model) of the ``worth`` items that it is of,
    with t for z, so that a standard error of zero is not taken for certainty. Without ``worth``
    (unbounded scores) value ± t·SE, or None.
    """
    if worth is None:
        return (value - t95(dof) * stderr, value + t95(dof) * stderr) if stderr > 0 else None

    # Mean and mean square of the worth items and of one difference of +1 and one of −1.
    whole = worth + 2
    centre = value * worth / whole
    square = ((stderr**2 * worth + value**2) * worth + 1) / whole - centre**2
    half = t95(dof) * math.sqrt(max(0.0, square) / whole)
    return max(-1.0, centre - half), min(1.0, centre + half)


def agresti_min(only_a: int, only_b: int, n: int) -> tuple[float, float]:
    """95 % interval of a paired difference of proportions.

    Agresti and Min, Statistics in Medicine 24, 2005: half an item is added to each of the four
    cells of the table, so that equal answers on n items are not taken for certainty.
    """
    more, whole = only_a - only_b, n + 2
    error = math.sqrt(max(0.0, only_a + only_b + 1 - more * more / whole)) / whole
    return max(-1.0, more / whole - Z95 * error), min(1.0, more / whole + Z95 * error)


def shared(a: Array, b: Array, codes: Codes | None, whole: Clusters | None) -> Difference | None:
    """`paired` over the items where both have a score (NaN: none).

    ``whole`` are the clusters of all items. None where the two share no item.
    """
    both = ~(np.isnan(a) | np.isnan(b))
    if both.all():
        return paired(a, b, whole) if len(a) else None
    if not both.any():
        return None
    return paired(a[both], b[both], from_codes(codes[both]) if codes is not None else None)


def _counted(scores: Array) -> bool:
    return bool(((scores == 0) | (scores == 1)).all())


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided p of McNemar's test.

    The discordant items are tosses of a fair coin (binomial, doubled tail, at most 1).
    """
    tosses = only_a + only_b
    if not tosses:
        return 1.0
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(only_a, only_b), tosses, 0.5)))


def correlation(a: Array, b: Array) -> float | None:
    """Pearson's correlation of two models' item scores; None where one of them is constant."""
    x, y = a - a.mean(), b - b.mean()
    scale = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / scale if scale > 1e-12 * len(a) else None


def detectable(stderr: float | None) -> float | None:
    """(z₀.₉₇₅ + z₀.₈)·SE: Miller's minimum detectable effect by the paired standard error.

    None where that is zero.
    """
    return (Z95 + Z80) * stderr if stderr else None


def holm(values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values, in the order of ``values``.

    Scandinavian Journal of Statistics 6, 1979.
    """
    count = len(values)
    adjusted, running = [0.0] * count, 0.0
    for rank, index in enumerate(sorted(range(count), key=lambda item: values[item])):
        running = max(running, min(1.0, (count - rank) * values[index]))
        adjusted[index] = running
    return adjusted

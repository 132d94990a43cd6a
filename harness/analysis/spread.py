"""How far a mean can be trusted, with or without clusters of items.

Standard errors and 95 % intervals of per-item scores (docs/statistics.md has them in full):

- standard error: Miller, arXiv 2411.00640; clustered √[C/(C−1)·Σ_c (Σ_{i∈c} (s_i − s̄))²] / n, which
  is statsmodels' ``cov_type="cluster"``;
- interval of a clustered mean: Bell and McCaffrey (Survey Methodology 28, 2002): each cluster's sum
  is weighted by 1/(1 − m_c/n) instead of C/(C−1), with Satterthwaite's degrees of freedom. Clusters
  of one size give exactly the formula above and C − 1;
- interval of a counted score: Wilson (JASA 22, 1927); with clusters at the effective sample size
  and with t for z (Dean and Pagano, Journal of Survey Statistics and Methodology 3, 2015), near 0
  and 1 less than p(1 − p)/SE² (`effective_size`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.analysis.intervals import Z95, wilson

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

Array = np.ndarray[Any, np.dtype[np.float64]]
Codes = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Clusters:
    """Which items belong together.

    ``codes`` (n integers, 0 … C−1), ``sizes`` (C counts), ``dof`` (Bell and McCaffrey).
    """

    codes: Codes
    sizes: Array
    dof: float

    @property
    def count(self) -> int:
        """C."""
        return len(self.sizes)


@dataclass(frozen=True, slots=True)
class ScoreSpread:
    """A mean of n item scores.

    ``stderr`` is Miller's; ``robust`` and ``dof`` make the interval (equal to it without clusters).
    """

    n: int
    mean: float
    stderr: float | None
    robust: float | None
    dof: float
    clusters: int | None = None

    def interval(self) -> tuple[float, float] | None:
        """mean ± t·robust, or None for fewer than two items or clusters."""
        if self.robust is None:
            return None
        half = t95(self.dof) * self.robust
        return self.mean - half, self.mean + half

    def p_value(self) -> float | None:
        """Two-sided p of a mean of zero, by t; None where there is no spread to go by."""
        return t_test(self.mean, self.robust, self.dof)


def clusters_of(labels: Sequence[Hashable | None]) -> Clusters | None:
    """The clusters that labels name (None stands alone).

    None where every item stands alone or all are one.
    """
    numbers: dict[Hashable, int] = {}
    codes = np.fromiter(
        (
            numbers.setdefault(("", index) if label is None else (label,), len(numbers))
            for index, label in enumerate(labels)
        ),
        dtype=np.int64,
        count=len(labels),
    )
    return from_codes(codes) if len(numbers) < len(labels) else None


def from_codes(codes: Codes) -> Clusters | None:
    """Clusters by number (any integers); None where no two items share one."""
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    if len(counts) == len(codes):
        return None
    sizes = counts.astype(np.float64)
    return Clusters(inverse.astype(np.int64), sizes, _dof(sizes))


def _dof(sizes: Array) -> float:
    """Bell and McCaffrey's degrees of freedom; C − 1 for clusters of one size.

    tr(B)²/tr(B²) of B_cd = w_c·(δ_cd − √(m_c·m_d)/n)·w_d with w_c = √(m_c/(1 − m_c/n)).
    """
    share = sizes / sizes.sum()
    if len(sizes) < 2:
        return 0.0

    # The traces need only the diagonal and the sum of squares of the rank-one part.
    weight = sizes / (1 - share)
    diagonal = weight * (1 - share)
    outer = weight * share
    return float(diagonal.sum() ** 2 / ((diagonal**2).sum() + outer.sum() ** 2 - (outer**2).sum()))


def spread(scores: Array, clusters: Clusters | None = None) -> ScoreSpread:
    """The spread of n scores.

    Raises ValueError for none, for a score that is not finite, or for clusters of another number of
    items.
    """
    n = len(scores)
    if n == 0 or not np.isfinite(scores).all():
        raise ValueError(
            f"scores must be finite and at least one, got {n} of which"
            f" {int(np.isfinite(scores).sum())} are finite"
        )
    if clusters is not None and len(clusters.codes) != n:
        raise ValueError(f"clusters must name each of the {n} items, got {len(clusters.codes)}")

    mean = float(scores.mean())
    rest = scores - mean
    if clusters is None:
        error = math.sqrt(float(rest @ rest) / (n - 1) / n) if n > 1 else None
        return ScoreSpread(n, mean, error, error, float(n - 1))
    if clusters.count < 2:
        return ScoreSpread(n, mean, None, None, 0.0, clusters.count)

    # Two errors of the same sums: the usual one, and the one that the interval rests on.
    sums = np.bincount(clusters.codes, weights=rest, minlength=clusters.count)
    error = math.sqrt(clusters.count / (clusters.count - 1) * float(sums @ sums)) / n
    robust = math.sqrt(float((sums**2 / (1 - clusters.sizes / n)).sum())) / n
    return ScoreSpread(n, mean, error, robust, clusters.dof, clusters.count)


def score_interval(scores: Array, clusters: Clusters | None = None) -> tuple[float, float] | None:
    """95 % interval of a mean score.

    Wilson's where every score is 0 or 1, else mean ± t·SE, inside [0, 1] where all scores are. None
    where there is no spread to go by. Equal scores between 0 and 1 are no certainty: Wilson's for
    as many answers as there are items (or sources).
    """
    measured = spread(scores, clusters)
    inside = bool(((scores >= 0) & (scores <= 1)).all())

    # Graded scores: t, except where all are equal.
    if not bool(np.isin(scores, (0.0, 1.0)).all()):
        if inside and measured.robust is not None and measured.robust < 1e-9:
            return wilson(
                min(1.0, measured.mean) * (measured.clusters or measured.n), measured.clusters or measured.n
            )
        ends = measured.interval()
        return (max(0.0, ends[0]), min(1.0, ends[1])) if ends is not None and inside else ends

    # Counted scores: Wilson's, with sources at the number of independent answers that they are
    # worth.
    if clusters is None:
        return wilson(float(scores.sum()), measured.n)
    if measured.robust is None:
        return None
    size = effective_size(scores, measured, clusters)
    return wilson(measured.mean * size, size, t95(measured.dof))


FULLY_ALIKE = 0.5
"""Sources that are taken as fully alike beside those in which the rarer answer was seen."""


def effective_size(scores: Array, measured: ScoreSpread, clusters: Clusters) -> float:
    """How many independent right-or-wrong answers tell as much as n clustered ones: n/deff.

    The design effect measured, deff = n·SE²/(p(1 − p)) but at least 1, comes from the d sources
    that hold the rarer answer (wrong ones where most are right). Near 0 and 1 these are few, and
    say little of how alike a source's items are. So it is averaged, with the weights d and
    ``FULLY_ALIKE``, with that of items which are all alike, Σm²/n; where the rarer answer was never
    given it is that (continuously).
    """
    n, variance = measured.n, measured.mean * (1 - measured.mean)
    alike = float((clusters.sizes**2).sum()) / n

    if variance <= 0 or measured.robust is None:
        return n / alike

    rarer = scores if measured.mean < 0.5 else 1 - scores
    holding = int(np.count_nonzero(np.bincount(clusters.codes, weights=rarer, minlength=clusters.count)))
    design_effect = max(1.0, n * measured.robust**2 / variance)
    return n / max(design_effect, (holding * design_effect + FULLY_ALIKE * alike) / (holding + FULLY_ALIKE))


def t_test(value: float, stderr: float | None, dof: float) -> float | None:
    """Two-sided p of a true value of zero, by Student's t (normal for infinite ``dof``).

    None without a standard error, or where it is zero and the value is not: equal differences are
    no certainty.
    """
    if stderr is None or (stderr == 0 and value != 0):
        return None

    if stderr == 0:
        return 1.0
    from scipy.special import ndtr, stdtr

    ratio = -abs(value) / stderr
    return float(2 * (ndtr(ratio) if math.isinf(dof) else stdtr(dof, ratio)))


def t95(dof: float) -> float:
    """The 97.5 % point of Student's t with ``dof`` degrees of freedom."""
    if dof > 1e6:
        return Z95
    from scipy.special import stdtrit

    return float(stdtrit(dof, 0.975))

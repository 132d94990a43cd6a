"""The 95 % interval of a weighted mean of several tasks' shares of right answers.

Groups, averages over a language and the composite index are such means. A score interval: a true
mean θ lies inside where the measured mean P is not too far from it,

    |P − θ| − κ·Σwᵢ²/nᵢ ≤ t·√[Σ wᵢ²·qᵢ(1 − qᵢ)/nᵢ],

with the tasks' shares qᵢ at which the answers are most likely while Σwᵢqᵢ = θ (A. Martín Andrés, M.
Álvarez Hernández and I. Herranz Tejedor, Inferences about a linear combination of proportions,
Statistical Methods in Medical Research 20, 2011). For one task without κ it is Wilson's interval.
Two things are added, because tasks may be many and small, where the likelihood takes each small
task for certain:

- ``PRIOR`` items of the mean P are mixed into each task's items before the qᵢ are sought: Agresti
  and Coull's four (The American Statistician 52, 1998), so that a task of two right answers is not
  taken for one that is always right;
- κ = 1/3 of a continuity correction, where a whole one has 1/2 (R. G. Newcombe, Statistics in
  Medicine 17, 1998): Wilson's own interval covers less than 93 % at some true shares, this one at
  least 94.5 % at every share from 0.02 to 0.98 for n ≥ 30.

What both cover in simulation: docs/statistics.md, ``scripts/coverage.py``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.analysis.spread import Array, t95
from harness.results.schema import Row, is_share

PRIOR = 4.0
CONTINUITY = 1 / 3
STEPS = 60
"""At most so many steps towards an end; a dozen are usual."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """One task's share of right answers: ``value`` in [0, 1].

    It is worth ``size`` independent right-or-wrong answers (not a whole number where answers are
    graded or share sources); ``dof`` are the degrees of freedom by which that worth is known
    (infinite where it is counted).
    """

    value: float
    size: float
    dof: float = math.inf


Strata = Mapping[str, tuple[float, Stratum]]
"""By task: its weight in the mean (more than 0; weights need not sum to 1), and its answers."""


def stratum(row: Row) -> Stratum | None:
    """A result row as a stratum.

    None where it is no share of [0, 1], or nothing is known of how far it can be trusted. Counted
    answers are worth their number; with sources as many as make Wilson's interval (``ci95``) so
    wide; graded ones p(1 − p)/SE². Where that is not known because all answers were equally good,
    each document (each source) counts as one answer.
    """
    value, n = row.value, row.n
    if value is None or not 0 <= value <= 1 or n < 1 or row.higher_is_better is False:
        return None
    sources = row.clusters

    # The row's interval names how it was made, and so what the answers are worth.
    if row.interval == "wilson":
        return Stratum(value, n)
    if row.interval == "wilson-clustered" and sources is not None and row.ci95 is not None:
        dof = float(sources - 1)
        return Stratum(value, min(_worth(value, row.ci95) * t95(dof) ** 2, n), dof)

    if row.stderr is None or not (row.interval in ("t", "t-clustered") or is_share(row.metric)):
        return None
    dof = float((sources or n) - 1) if row.interval in ("t", "t-clustered") else math.inf
    variance = value * (1 - value)
    if dof < 1:
        return None

    return Stratum(
        value, variance / row.stderr**2 if variance > 0 and row.stderr > 1e-9 else float(sources or n), dof
    )


def _worth(value: float, ends: tuple[float, float]) -> float:
    """n/z² of the Wilson interval of a share that is so wide.

    Its half width h = √[pq·a + a²/4]/(1 + a) solved for a = z²/n.
    """
    square = ((ends[1] - ends[0]) / 2) ** 2
    a, b = 0.25 - square, value * (1 - value) - 2 * square
    return 2 * a / (math.sqrt(max(0.0, b * b + 4 * a * square)) - b)


def of_row(row: Row) -> Strata | None:
    """A result row's task as the only stratum of a mean."""
    one = stratum(row)
    return {row.task: (1.0, one)} if one is not None else None


def mixture(parts: Sequence[Strata | None], weights: Sequence[float]) -> Strata | None:
    """The strata of Σ wᵢ·partᵢ; None where one of the parts has none.

    A task in several parts is one stratum of their joint weight.
    """
    by_task: dict[str, tuple[float, Stratum]] = {}
    for part, weight in zip(parts, weights, strict=True):
        if part is None:
            return None
        for name, (inner, one) in part.items():
            by_task[name] = (weight * inner + (by_task[name][0] if name in by_task else 0.0), one)
    return by_task


def share_interval(strata: Strata) -> tuple[float, float]:
    """95 % interval of Σ wᵢ·valueᵢ. Raises ValueError for no strata."""
    if not strata:
        raise ValueError("an interval needs at least one stratum, got none")

    raw = np.array([weight for weight, _ in strata.values()])
    scale = float(raw.sum())
    weights = raw / scale
    values = np.array([one.value for _, one in strata.values()])
    sizes = np.array([one.size for _, one in strata.values()])
    mean = min(1.0, max(0.0, float(weights @ values)))

    # The upper end is the lower end of the wrong answers, mirrored.
    quantile = t95(_dof(strata, weights, mean))
    below = _Below(mean, weights, sizes, values * sizes + PRIOR * mean, quantile)
    above = _Below(1 - mean, weights, sizes, (1 - values) * sizes + PRIOR * (1 - mean), quantile)
    return scale * below.end(), scale * (1 - above.end())


def _dof(strata: Strata, weights: Array, mean: float) -> float:
    """Welch and Satterthwaite's, over the variances at the values shrunk towards the mean."""
    total = down = 0.0
    for weight, (_, one) in zip(weights.tolist(), strata.values(), strict=True):
        near = (one.value * one.size + PRIOR * mean) / (one.size + PRIOR)
        part = weight * weight * max(near * (1 - near), 1e-12) / one.size
        total += part
        down += part * part / one.dof
    return total * total / down if down > 0 else math.inf


@dataclass(frozen=True)
class _Below:
    """The most likely shares q(λ), from the measured mean downwards.

    λ runs from 0 (the measured mean) upwards to a mean of 0; ``right`` answers include the prior's.
    """

    mean: float
    weights: Array
    sizes: Array
    right: Array
    quantile: float

    def end(self) -> float:
        """The greatest mean below the measured one that is too far away.

        Regula falsi on λ (Illinois), every third step a halving.
        """
        if self.mean <= 0:
            return 0.0

        # The end lies between λ = 0, which is near enough, and a λ that is too far away.
        unit = float((self.weights**2 / self.sizes).sum())
        low, below = 0.0, self._excess(0.0, unit)[0]
        high = 1 / unit
        above, theta = self._excess(high, unit)
        while above <= 0 and high < 1e12 / unit:
            low, below, high = high, above, 2 * high
            above, theta = self._excess(high, unit)

        # Plain regula falsi keeps one end for long: halving its value (Illinois) lets it move.
        for step in range(STEPS):
            if high - low <= 1e-11 * high or above <= 0:
                break
            middle = (low + high) / 2 if step % 3 == 2 else (low * above - high * below) / (above - below)
            excess, reached = self._excess(middle, unit)
            if excess > 0:
                below = below / 2 if excess < above / 2 and step % 3 != 2 else below
                high, above, theta = middle, excess, reached
            else:
                above = above / 2 if excess > below / 2 and step % 3 != 2 else above
                low, below = middle, excess
        return min(self.mean, max(0.0, theta))

    def _excess(self, multiplier: float, unit: float) -> tuple[float, float]:
        """By how much the mean at λ is too far from the measured one, and that mean.

        q solves x/q − (m − x)/(1 − q) = λw, m = n + PRIOR.
        """
        slope = multiplier * self.weights
        whole = self.sizes + PRIOR + slope
        shares = 2 * self.right / (whole + np.sqrt(np.maximum(whole * whole - 4 * slope * self.right, 0.0)))
        theta = float(self.weights @ shares)
        error = math.sqrt(max(0.0, float(self.weights**2 / self.sizes @ (shares * (1 - shares)))))
        return self.mean - theta - CONTINUITY * unit - self.quantile * error, theta

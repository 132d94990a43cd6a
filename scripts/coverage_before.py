"""The formulas that were used until issue 14, kept here only so that `coverage.py` can measure them
beside those in use.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.analysis.intervals import normal, wilson
from harness.analysis.paired import Difference
from harness.analysis.ranking import surely
from harness.analysis.spread import Array, Clusters, spread, t95, t_test

DRAWS = 2000


def group_interval(right: Array, sizes: Array, weights: Array) -> tuple[float, float]:
    """value ± 1.96·√Σ(w·SE)²."""
    values = right / sizes
    error = math.sqrt(float((weights**2 * values * (1 - values) / np.maximum(sizes - 1, 1)).sum()))
    return normal(float(weights @ values), error)


def index_interval(
    right: Array, sizes: Array, chances: Array, rng: np.random.Generator
) -> tuple[float, float]:
    """Percentile bootstrap of the plain mean of 100·max(0, (value − b)/(1 − b)) over items within
    tasks.
    """
    draws = rng.binomial(sizes.astype(int), right / sizes, (DRAWS, len(sizes))) / sizes
    low, high = np.percentile(
        (100 * np.maximum(0, (draws - chances) / (1 - chances))).mean(axis=1), [2.5, 97.5]
    )
    return float(low), float(high)


def clustered_interval(scores: Array, clusters: Clusters) -> tuple[float, float]:
    """Wilson's at p(1 − p)/SE², at most n; n²/Σm² where all scores are equal."""
    error = spread(scores, clusters)
    variance = error.mean * (1 - error.mean)
    if variance <= 0 or not error.robust:
        size = error.n**2 / float((clusters.sizes**2).sum())
    else:
        size = min(float(error.n), variance / error.robust**2)
    return wilson(error.mean * size, size, t95(error.dof))


def mean_difference(parts: Sequence[Difference]) -> tuple[tuple[float, float], float]:
    """(value ± t·SE, p by t) of the plain mean of several tasks' differences, Welch and
    Satterthwaite's degrees of freedom.
    """
    weight = 1 / len(parts)
    value = weight * sum(part.value for part in parts)
    squares = [(weight * (part.stderr or 0.0)) ** 2 for part in parts]
    error = math.sqrt(sum(squares))
    down = sum(square**2 / part.dof for square, part in zip(squares, parts, strict=True))
    dof = error**4 / down if down > 0 else math.inf
    return (value - t95(dof) * error, value + t95(dof) * error), zero_or(t_test(value, error, dof))


def zero_or(p: float | None) -> float:
    """A p value of 0 where the standard error is zero and the value is not."""
    return 0.0 if p is None else p


def clustered_p(one: Difference) -> float:
    """Student's t with Bell and McCaffrey's error, 0 where that vanishes."""
    return zero_or(t_test(one.value, one.stderr, one.dof))


def tie_letters(order: Sequence[int], pairs: Mapping[tuple[int, int], Any]) -> dict[int, int]:
    """One letter a model: walking down the ranking, that of the leading model that does not surely
    beat it.
    """
    letters: dict[int, int] = {}
    leader, group = None, -1
    for model in order:
        if leader is None or surely(pairs, leader, model):
            leader, group = model, group + 1
        letters[model] = group
    return letters

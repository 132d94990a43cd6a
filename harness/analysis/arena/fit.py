"""Bradley–Terry by Newton's method.

P(a preferred to b) = 1/(1 + exp(−(θ_a − θ_b + γ·z))), ties as half wins, Σθ = 0: a logistic
regression without intercept on rows +1, −1. Two covariances of (θ, γ): the model's, H⁻¹, and the
sandwich H⁻¹BH⁻¹ (Huber 1967; White 1982; HC0 of statistics libraries), with H = Σ p(1 − p)xxᵀ and B
= Σ (y − p)²xxᵀ over battles. Where ties are many the model's is too wide.

Ours, for no library has the whole: ties as half wins, the sandwich over battles (scikit-learn's
logistic regression has no covariance at all, statistics libraries want a dense matrix of battles ×
models, where H and B are summed here from the counts of pairs), and a refusal, in words, of votes
that determine no rating (`connected`). Tests hold it to statsmodels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis.arena.connected import check
from harness.analysis.arena.votes import STYLE, Votes
from harness.errors import DataError

if TYPE_CHECKING:
    from harness.analysis.arena.votes import Array

STEPS = 100
TOLERANCE = 1e-10
"""Largest step in θ that counts as arrived (a rating moves by 2e-8)."""


@dataclass(frozen=True)
class Fit:
    """Fitted strengths with their covariances.

    ``theta`` (K,) log-strengths with mean 0, ``gamma`` (k,) effects of one standard deviation of
    each style feature; covariances (K + k, K + k) of both together under Σθ = 0.
    """

    models: tuple[str, ...]
    theta: Array
    gamma: Array
    model_covariance: Array
    sandwich: Array
    battles: float
    features: tuple[str, ...] = ()

    def difference(self, one: str, other: str, *, robust: bool = True) -> tuple[float, float]:
        """θ_one − θ_other and its standard error.

        Raises ValueError for a name that was not fitted.
        """
        a, b = self.models.index(one), self.models.index(other)
        covariance = self.sandwich if robust else self.model_covariance
        variance = covariance[a, a] + covariance[b, b] - 2 * covariance[a, b]
        return float(self.theta[a] - self.theta[b]), float(np.sqrt(variance))


def fit(votes: Votes) -> Fit:
    """The maximum-likelihood strengths.

    Raises DataError, with the names, where the votes do not determine them (`connected.check`), or
    where style alone separates winners from losers.
    """
    check(votes)
    style, spread = scaled(votes)
    beta = solve(votes, votes.weight, style)

    # H and B of the module's docstring: the second derivative, and the spread of the scores.
    size = len(votes.models)
    p = _expected(votes, beta, style)
    bread = _inverse(_moments(votes, votes.weight * p * (1 - p), style), size)
    meat = _moments(votes, votes.weight * (votes.outcome - p) ** 2, style)

    features = STYLE if len(spread) else ()
    return Fit(votes.models, beta[:size], beta[size:], bread, bread @ meat @ bread, votes.battles, features)


def scaled(votes: Votes) -> tuple[Array, Array]:
    """Style differences in standard deviations, and those deviations.

    They are not centred: sides may be exchanged. Raises DataError for a feature that never differs.
    """
    spread = votes.style.std(axis=0)
    flat = [name for name, value in zip(STYLE, spread, strict=False) if value < 1e-12]
    if flat:
        raise DataError(
            f"style control: {', '.join(flat)}: the two answers never differ in it; leave"
            f" --style-control out or count it"
        )
    return votes.style / spread if len(spread) else votes.style, spread


def solve(votes: Votes, weight: Array, style: Array, start: Array | None = None) -> Array:
    """(K + k,) θ and γ for battles of these weights.

    Raises DataError where they do not come to rest.
    """
    size = len(votes.models)
    beta = np.zeros(size + style.shape[1]) if start is None else start.copy()

    # Newton's method: the log-likelihood is concave, so it has one maximum to arrive at.
    for _ in range(STEPS):
        p = _expected(votes, beta, style)
        slope = _slope(votes, weight * (votes.outcome - p), style)
        step = _inverse(_moments(votes, weight * p * (1 - p), style), size) @ slope
        largest = float(np.abs(step).max())
        if not np.isfinite(largest):
            break
        # A long step may overshoot where p is near 0 or 1.
        beta += step * min(1.0, 2.0 / largest) if largest else step
        beta[:size] -= beta[:size].mean()
        if largest < TOLERANCE:
            return beta

    raise DataError(
        "the ratings do not converge: a model, or a feature of style, tells nearly every winner;"
        " add battles or leave it out"
    )


def _expected(votes: Votes, beta: Array, style: Array) -> Array:
    from scipy.special import expit

    size = len(votes.models)
    lead = beta[votes.first] - beta[votes.second]
    probabilities: Array = expit(lead + style @ beta[size:] if style.shape[1] else lead)
    return probabilities


def _slope(votes: Votes, value: Array, style: Array) -> Array:
    size = len(votes.models)
    theta = np.bincount(votes.first, value, size) - np.bincount(votes.second, value, size)
    return np.concatenate([theta, style.T @ value])


def _moments(votes: Votes, value: Array, style: Array) -> Array:
    """(K + k, K + k): Σ value·x·xᵀ over rows x = (+1 at first, −1 at second, style)."""
    size, more = len(votes.models), style.shape[1]
    both = np.bincount(votes.first * size + votes.second, value, size * size).reshape(size, size)
    both = both + both.T
    whole = np.zeros((size + more, size + more))
    whole[:size, :size] = np.diag(both.sum(axis=1)) - both

    for position in range(more):
        part = value * style[:, position]
        cross = np.bincount(votes.first, part, size) - np.bincount(votes.second, part, size)
        whole[:size, size + position] = whole[size + position, :size] = cross
    if more:
        whole[size:, size:] = style.T @ (value[:, None] * style)
    return whole


def _inverse(moments: Array, size: int) -> Array:
    """The generalised inverse with Σθ = 0; NaN where the moments have a second null direction.

    Equal shifts of all θ change no difference: ones in θ are the null direction. It is filled up
    before inverting and taken out again.
    """
    level = np.zeros(len(moments))
    level[:size] = 1 / np.sqrt(size)
    scale = float(np.trace(moments)) / len(moments) or 1.0

    try:
        whole = np.linalg.inv(moments + scale * np.outer(level, level))
    except np.linalg.LinAlgError:
        return np.full_like(moments, np.nan)
    return whole - np.outer(level, level) / scale

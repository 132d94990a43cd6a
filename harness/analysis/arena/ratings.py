"""Fitted strengths on LMArena's scale, with intervals and ranks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis.arena.fit import Fit, fit, scaled, solve
from harness.analysis.arena.votes import Votes
from harness.errors import ConfigError, DataError
from harness.names import tidy
from harness.wording import list_some

if TYPE_CHECKING:
    from harness.analysis.arena.votes import Array, Codes

SCALE = 400 / math.log(10)
LEVEL = 1000.0
Z = 1.959963984540054
SEED = 20260101
Anchor = tuple[str, float]


@dataclass(frozen=True)
class Rating:
    """One model's rating.

    ``low`` to ``high`` is the 95 % interval that ranks rest on; ``bootstrap`` the percentile one,
    if draws were made. ``rank``: 1 + number of models whose lower bound exceeds this one's upper;
    ``rank_high``: n − number of models whose upper bound lies below this one's lower.
    """

    model: str
    rating: float
    se: float
    low: float
    high: float
    bootstrap: tuple[float, float] | None
    rank: int
    rank_high: int
    battles: float


@dataclass(frozen=True)
class Effect:
    """What one standard deviation more of a style feature is worth.

    In rating points, with its 95 % interval.
    """

    feature: str
    points: float
    low: float
    high: float


@dataclass(frozen=True)
class Ratings:
    """All models, best first.

    ``lost_draws`` bootstrap samples of ``draws`` determined no ratings and are left out.
    """

    rows: tuple[Rating, ...]
    style: tuple[Effect, ...]
    battles: float
    draws: int
    lost_draws: int
    seed: int
    anchor: Anchor | None
    notes: tuple[str, ...] = ()
    """What a reader must know of the votes: names that were changed, models with ties alone."""


def make_ratings(votes: Votes, *, draws: int = 0, seed: int = SEED, anchor: Anchor | None = None) -> Ratings:
    """Ratings θ·400/ln 10 + 1000 with sandwich intervals; mean 1000.

    With ``anchor`` (model, its rating) that model has that rating: every interval is that of the
    distance to it, and its own has no width. ``draws`` > 0 adds percentile bootstrap intervals over
    battles. Where all votes that tell a model from the others are ties, the sandwich has no width;
    then the model's own standard error is taken, which counts a tie like a win, and the notes say
    so. Raises DataError as `fit` does, ConfigError for an anchor that is not there.
    """
    if anchor is not None:
        anchor = (tidy(anchor[0]), anchor[1])
    if anchor is not None and anchor[0] not in votes.models:
        raise ConfigError(f"--anchor {anchor[0]}: no votes on this model; it is named as in the file")

    fitted = fit(votes)
    index = fitted.models.index(anchor[0]) if anchor is not None else None
    level = anchor[1] if anchor is not None else LEVEL
    rating = level + SCALE * _relative(fitted.theta, index)
    errors = SCALE * _errors(fitted.sandwich, len(fitted.models), index)

    # Votes that all agree have no spread for the sandwich, which is no certainty.
    flat = _flat(errors, index)
    errors[flat] = SCALE * _errors(fitted.model_covariance, len(fitted.models), index)[flat]

    drawn, lost = _percentiles(votes, fitted, draws, seed, index) if draws else (None, 0)
    bounds = None
    if drawn is not None:
        ends = [(level + float(low), level + float(high)) for low, high in drawn.T]
        bounds = [None if k in flat else pair for k, pair in enumerate(ends)]

    rows = tuple(_rows(fitted.models, rating, errors, bounds, votes.counts()))
    notes = (*votes.notes, *_ties(fitted, flat))
    return Ratings(rows, _effects(fitted), votes.battles, draws, lost, seed, anchor, notes)


def _rows(
    models: Sequence[str],
    rating: Array,
    errors: Array,
    bounds: Sequence[tuple[float, float] | None] | None,
    counts: Array,
) -> list[Rating]:
    """One row per model, best first; ``bounds`` are the bootstrap's."""
    # A rank is how many models are surely better, by intervals that do not overlap.
    low, high = rating - Z * errors, rating + Z * errors
    rows = [
        Rating(
            name,
            float(rating[k]),
            float(errors[k]),
            float(low[k]),
            float(high[k]),
            bounds[k] if bounds is not None else None,
            1 + int((low > high[k]).sum()),
            len(rating) - int((high < low[k]).sum()),
            float(counts[k]),
        )
        for k, name in enumerate(models)
    ]
    return sorted(rows, key=lambda row: (-row.rating, row.model))


def _percentiles(votes: Votes, fitted: Fit, draws: int, seed: int, index: int | None) -> tuple[Array, int]:
    """(2, K) bounds of the bootstrap, and how many draws failed.

    On the scale of ratings, before the level is added.
    """
    samples, lost = bootstrap(votes, fitted, draws, seed)
    return np.asarray(
        SCALE * np.percentile(np.array([_relative(one, index) for one in samples]), [2.5, 97.5], axis=0)
    ), lost


def _relative(theta: Array, index: int | None) -> Array:
    return theta - theta[index] if index is not None else theta


def _flat(errors: Array, index: int | None) -> Codes:
    """Models, the anchor apart, whose interval would have no width."""
    return np.flatnonzero((errors < 1e-6) & (np.arange(len(errors)) != (-1 if index is None else index)))


def _ties(fitted: Fit, flat: Codes) -> list[str]:
    if not len(flat):
        return []
    names = list_some([fitted.models[k] for k in flat], 8)
    return [
        f"Only ties tell {names} from the others: votes that all agree have no spread, so these"
        f" intervals are the model's (a tie counted "
        "like a win or a loss), which are too wide rather than too narrow; a bootstrap of them has"
        " no width and is left out."
    ]


def _errors(whole: Array, size: int, index: int | None) -> Array:
    covariance = whole[:size, :size]
    variance = np.diag(covariance).copy()

    # Var(θ_k − θ_anchor), since only the distance to the anchor is estimated.
    if index is not None:
        variance += covariance[index, index] - 2 * covariance[index]
        variance[index] = 0
    return np.asarray(np.sqrt(np.maximum(variance, 0)))


def _effects(fitted: Fit) -> tuple[Effect, ...]:
    size = len(fitted.models)
    errors = np.sqrt(np.diag(fitted.sandwich)[size:])
    triples = zip(fitted.features, SCALE * fitted.gamma, SCALE * Z * errors, strict=True)
    return tuple(
        Effect(name, float(value), float(value - half), float(value + half)) for name, value, half in triples
    )


def bootstrap(votes: Votes, fitted: Fit, draws: int, seed: int = SEED) -> tuple[Array, int]:
    """Strengths from resampled battles: (draws that could be fitted, K), and how many could not.

    A draw fails where a model won or lost nothing in it. A row's count is drawn, not its battles
    one by one: the same distribution, and memory by pairs. Raises DataError where more than one
    draw in twenty fails, since the percentiles would then say too little of the tails.
    """
    style, _ = scaled(votes)
    rng = np.random.default_rng(seed)
    whole = round(votes.battles)
    if abs(whole - votes.battles) > 1e-6:
        raise DataError(f"the bootstrap needs whole battles, got {votes.battles:g}; leave --bootstrap out")

    # Starting at the fitted strengths saves steps of Newton's method.
    share = votes.weight / votes.weight.sum()
    start = np.concatenate([fitted.theta, fitted.gamma])
    strengths, lost = [], 0
    for _ in range(draws):
        weight = rng.multinomial(whole, share).astype(np.float64)
        try:
            strengths.append(solve(votes, weight, style, start)[: len(votes.models)])
        except DataError:
            lost += 1

    if lost > draws / 20:
        raise DataError(
            f"{lost} of {draws} bootstrap samples determine no ratings: too few battles on a"
            f" model; use --min-battles"
        )
    return np.array(strengths), lost

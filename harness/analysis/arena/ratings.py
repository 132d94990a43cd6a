"""Fitted strengths on LMArena's scale, with intervals and ranks."""

from __future__ import annotations

import math
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
    """One model. ``low`` to ``high`` is the 95 % interval that ranks rest on; ``bootstrap`` the
    percentile one where it was asked for.

    ``rank``: 1 + models whose lower bound exceeds my upper one; ``rank_high``: n − models whose
    upper bound lies below my lower one.
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
    """What one standard deviation more of a style feature is worth, in rating points, with its 95 %
    interval.
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
    """Ratings θ·400/ln 10 + 1000 with sandwich intervals; mean 1000, or ``anchor`` (model, its
    rating).

    With an anchor every interval is that of the distance to it, and its own has no width. ``draws``
    > 0 adds percentile bootstrap intervals over battles. Where all votes that tell a model from the
    others are ties, the sandwich has no width; then the model's own standard error is taken, which
    counts a tie like a win, and the notes say so. Raises DataError as `fit` does, ConfigError for
    an anchor that is not there.
    """
    if anchor is not None:
        anchor = (tidy(anchor[0]), anchor[1])
    if anchor is not None and anchor[0] not in votes.models:
        raise ConfigError(f"--anchor {anchor[0]}: no votes on this model; it is named as in the file")
    found = fit(votes)
    place = found.models.index(anchor[0]) if anchor is not None else None
    level = anchor[1] if anchor is not None else LEVEL
    rating = level + SCALE * _relative(found.theta, place)
    errors = SCALE * _errors(found.sandwich, len(found.models), place)
    flat = _flat(errors, place)
    errors[flat] = SCALE * _errors(found.model_covariance, len(found.models), place)[flat]
    drawn, lost = _percentiles(votes, found, draws, seed, place) if draws else (None, 0)
    low, high = rating - Z * errors, rating + Z * errors
    counts = votes.counts()
    rows = [
        Rating(
            name,
            float(rating[k]),
            float(errors[k]),
            float(low[k]),
            float(high[k]),
            (level + float(drawn[0][k]), level + float(drawn[1][k]))
            if drawn is not None and k not in flat
            else None,
            1 + int((low > high[k]).sum()),
            len(rating) - int((high < low[k]).sum()),
            float(counts[k]),
        )
        for k, name in enumerate(found.models)
    ]
    rows.sort(key=lambda row: (-row.rating, row.model))
    return Ratings(
        tuple(rows),
        _effects(found),
        votes.battles,
        draws,
        lost,
        seed,
        anchor,
        (*votes.notes, *_ties(found, flat)),
    )


def _percentiles(votes: Votes, found: Fit, draws: int, seed: int, place: int | None) -> tuple[Array, int]:
    """(2, K) bounds of the bootstrap on the scale of ratings, before the level is added; how many
    draws were lost.
    """
    samples, lost = bootstrap(votes, found, draws, seed)
    return np.asarray(
        SCALE * np.percentile(np.array([_relative(one, place) for one in samples]), [2.5, 97.5], axis=0)
    ), lost


def _relative(theta: Array, place: int | None) -> Array:
    return theta - theta[place] if place is not None else theta


def _flat(errors: Array, place: int | None) -> Codes:
    """Models, the anchor apart, whose interval would have no width."""
    return np.flatnonzero((errors < 1e-6) & (np.arange(len(errors)) != (-1 if place is None else place)))


def _ties(found: Fit, flat: Codes) -> list[str]:
    if not len(flat):
        return []
    names = list_some([found.models[k] for k in flat], 8)
    return [
        f"Only ties tell {names} from the others: votes that all agree have no spread, so these intervals are the model's (a tie counted "
        "like a win or a loss), which are too wide rather than too narrow; a bootstrap of them has no width and is left out."
    ]


def _errors(whole: Array, size: int, place: int | None) -> Array:
    covariance = whole[:size, :size]
    variance = np.diag(covariance).copy()
    if place is not None:
        variance += covariance[place, place] - 2 * covariance[place]
        variance[place] = 0
    return np.asarray(np.sqrt(np.maximum(variance, 0)))


def _effects(found: Fit) -> tuple[Effect, ...]:
    size = len(found.models)
    errors = np.sqrt(np.diag(found.sandwich)[size:])
    triples = zip(found.features, SCALE * found.gamma, SCALE * Z * errors, strict=True)
    return tuple(
        Effect(name, float(value), float(value - half), float(value + half)) for name, value, half in triples
    )


def bootstrap(votes: Votes, found: Fit, draws: int, seed: int = SEED) -> tuple[Array, int]:
    """(draws that could be fitted, K) strengths from resampled battles, and how many could not: a
    model won or lost nothing in them.

    A row's count is drawn, not its battles one by one: the same distribution, and memory by pairs.
    Raises DataError where more than one draw in twenty fails, since the percentiles would then say
    too little of the tails.
    """
    style, _ = scaled(votes)
    rng = np.random.default_rng(seed)
    whole = round(votes.battles)
    if abs(whole - votes.battles) > 1e-6:
        raise DataError(f"the bootstrap needs whole battles, got {votes.battles:g}; leave --bootstrap out")
    share = votes.weight / votes.weight.sum()
    start = np.concatenate([found.theta, found.gamma])
    kept, lost = [], 0
    for _ in range(draws):
        weight = rng.multinomial(whole, share).astype(np.float64)
        try:
            kept.append(solve(votes, weight, style, start)[: len(votes.models)])
        except DataError:
            lost += 1
    if lost > draws / 20:
        raise DataError(
            f"{lost} of {draws} bootstrap samples determine no ratings: too few battles on a model; use --min-battles"
        )
    return np.array(kept), lost

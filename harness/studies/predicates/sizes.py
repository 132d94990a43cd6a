"""Predicates over what boards say of their models: medians of sizes, speeds and prices, and scores
at equal size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field

from harness.studies.board import BoardEntry, BoardSnapshot, Side
from harness.studies.data import Data
from harness.studies.families import newest_of_family
from harness.studies.finding import Outcome, StatementFinding, say, side_name, signed
from harness.studies.frontier import active as arch_active
from harness.studies.predicates.series import IMPORT, BoardSeries, absent, basis

DRAWS = 4000
SEED = 20260102
Measure = Literal["active", "parameters", "speed", "price"]
Size = Literal["active", "parameters"]
FEWEST = 5
"""Models on a side below which a median decides nothing."""


class Medians(BoardSeries):
    """The median of a measure over the best ``top`` of ``one`` is lower, or with ``higher`` higher,
    than over those of ``other``.
    """

    one: Side
    other: Side
    measure: Measure
    top: int = Field(10, ge=2)
    newest_of_family: bool = False
    higher: bool = False


class AtEqualSize(BoardSeries):
    """At equal size the models of ``country`` score higher than those of ``other``: a regression on
    log size and country.
    """

    side: Side = Side(open=True)
    country: str
    other: str
    size: Size = "parameters"


def value_of(entry: BoardEntry, measure: Measure) -> float | None:
    """A measure of one model, as its board says it.

    Active parameters equal to more than 200 billion in all are a slip of the board's.
    """
    found: float | None = getattr(entry, measure)
    if measure == "active" and found is not None and found > 200 and found == entry.parameters:
        return None
    return found


def ratio_of_medians(one: Sequence[float], other: Sequence[float]) -> tuple[float, float, float]:
    """Ratio of two medians and its 95 % interval by drawing the models anew (percentile bootstrap,
    fixed seed).
    """
    rng = np.random.default_rng(SEED)
    drawn = [np.median(rng.choice(np.array(side), (DRAWS, len(side))), axis=1) for side in (one, other)]
    low, high = np.quantile(drawn[0] / drawn[1], [0.025, 0.975])
    return float(np.median(one) / np.median(other)), float(low), float(high)


def medians(what: Medians, data: Data) -> StatementFinding:
    """Holds where the ratio of the medians surely lies on the claimed side of one, fails where
    surely on the other side.
    """
    found = what.last(what.of(data))
    if not found:
        return absent(what)
    snapshot = found[-1]
    sides = [_measured(snapshot, side, what) for side in (what.one, what.other)]
    if min(len(side) for side in sides) < FEWEST:
        return StatementFinding(
            "missing",
            "none",
            say("too_few", n=min(len(side) for side in sides)),
            say("add_ratings"),
            IMPORT,
            basis=basis(what, [snapshot]),
        )
    ratio, low, high = ratio_of_medians(*([value for _, value in side] for side in sides))
    surely_higher, surely_lower = low > 1, high < 1
    good, bad = (surely_higher, surely_lower) if what.higher else (surely_lower, surely_higher)
    outcome: Outcome = "holds" if good else "fails" if bad else "unclear"
    middles = [_number(float(np.median([value for _, value in side]))) for side in sides]
    measured = say(
        f"medians_{what.measure}",
        date=snapshot.date,
        n=len(sides[0]),
        m=len(sides[1]),
        one=middles[0],
        other=middles[1],
        ratio=f"{ratio:.2f}",
        low=f"{low:.2f}",
        high=f"{high:.2f}",
        which=say("newest_families" if what.newest_of_family else "best_models"),
    )
    figures: dict[str, Any] = {"ratio": ratio, "range": [low, high]}
    figures |= {name: dict(side) for name, side in zip(("one", "other"), sides, strict=True)}
    why = say("near_one") if outcome == "unclear" else None
    brief = say(f"brief_{what.measure}_median", one=middles[0], other=middles[1])
    return StatementFinding(
        outcome, "published", measured, why, figures=figures, basis=basis(what, [snapshot]), brief=brief
    )


def _measured(snapshot: BoardSnapshot, side: Side, what: Medians) -> list[tuple[str, float]]:
    entries: Sequence[BoardEntry] = [one for one in snapshot.entries if side.holds(one)]
    if what.newest_of_family:
        entries = newest_of_family(entries)
    values = [(one.name, value_of(one, what.measure)) for one in entries]
    return [(name, value) for name, value in values if value][: what.top]


def _size(entry: BoardEntry, size: Size) -> float | None:
    """The board's figure, else the architecture's, or what the name says of all parameters."""
    return value_of(entry, size) or (arch_active(entry) if size == "active" else entry.size)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 20 else f"{value:.1f}" if value >= 2 else f"{value:.2f}"


def regression(
    sizes: Sequence[float], scores: Sequence[float], mine: Sequence[bool], groups: Sequence[str]
) -> tuple[float, float, float, float]:
    """(points per doubling of size, points of being on the first side at equal size, its 95 %
    interval).

    Least squares of the score on log₂ size and side. The errors of one maker's models are not
    independent: the sandwich covariance is clustered by maker (Liang and Zeger, with the factor
    G/(G−1)·(n−1)/(n−k)), the interval Student's with G − 1 degrees of freedom.
    """
    from scipy.special import stdtrit

    x = np.column_stack([np.ones(len(sizes)), np.log2(np.array(sizes)), np.array(mine, dtype=float)])
    y = np.array(scores)
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ x.T @ y
    residual = y - x @ beta
    names = sorted(set(groups))
    meat = np.zeros((3, 3))
    for name in names:
        rows = np.array([one == name for one in groups])
        score = x[rows].T @ residual[rows]
        meat += np.outer(score, score)
    n, k, g = len(y), 3, len(names)
    covariance = bread @ meat @ bread * g / (g - 1) * (n - 1) / (n - k)
    half = float(stdtrit(g - 1, 0.975)) * math.sqrt(covariance[2, 2])
    return float(beta[1]), float(beta[2]), float(beta[2]) - half, float(beta[2]) + half


def at_equal_size(what: AtEqualSize, data: Data) -> StatementFinding:
    """Holds where the country's coefficient is surely above zero, fails where surely below."""
    found = what.last(what.of(data))
    if not found:
        return absent(what)
    snapshot = found[-1]
    both = (what.country, what.other)
    entries = [one for one in snapshot.entries if what.side.holds(one) and one.facts.country in both]
    rows = [(one, value) for one in entries if (value := _size(one, what.size))]
    makers = [one.facts.maker or "?" for one, _ in rows]
    if len(rows) < 4 * FEWEST or len(set(makers)) < FEWEST:
        return StatementFinding(
            "missing",
            "none",
            say("too_few", n=len(rows)),
            say("add_ratings"),
            IMPORT,
            basis=basis(what, [snapshot]),
        )
    slope, value, low, high = regression(
        [value for _, value in rows],
        [one.rating for one, _ in rows],
        [one.facts.country == what.country for one, _ in rows],
        makers,
    )
    outcome: Outcome = "holds" if low > 0 else "fails" if high < 0 else "unclear"
    measured = say(
        f"equal_{what.size}",
        date=snapshot.date,
        n=len(rows),
        k=sum(one.facts.country == what.country for one, _ in rows),
        makers=len(set(makers)),
        who=side_name(what.country),
        other=side_name(what.other),
        value=signed(value, 1),
        low=signed(low, 1),
        high=signed(high, 1),
        slope=f"{slope:.1f}",
    )
    why = say("near_zero") if outcome == "unclear" else None
    figures = {"points": value, "ci95": [low, high], "per_doubling": slope, "models": len(rows)}
    brief = say("brief", value=signed(value, 1), low=signed(low, 1), high=signed(high, 1))
    return StatementFinding(
        outcome, "published", measured, why, figures=figures, basis=basis(what, [snapshot]), brief=brief
    )

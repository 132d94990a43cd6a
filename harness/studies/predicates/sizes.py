"""Predicates over what boards say of their models.

Medians of sizes, speeds and prices, and scores at equal size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field

from harness.studies.board import BoardEntry, BoardSnapshot, Side
from harness.studies.claims import Text
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
    """The median of a measure is lower for ``one`` than for ``other``.

    Over the best ``top`` of either side; with ``higher``: higher.
    """

    one: Side
    other: Side
    measure: Measure
    top: int = Field(10, ge=2)
    newest_of_family: bool = False
    higher: bool = False


class AtEqualSize(BoardSeries):
    """At equal size the models of ``country`` score higher than those of ``other``.

    Tested by a regression on log size and country.
    """

    side: Side = Side(open=True)
    country: str
    other: str
    size: Size = "parameters"


def value_of(entry: BoardEntry, measure: Measure) -> float | None:
    """A measure of one model, as its board says it.

    Active parameters equal to more than 200 billion in all are a slip of the board's.
    """
    value: float | None = getattr(entry, measure)
    if measure == "active" and value is not None and value > 200 and value == entry.parameters:
        return None
    return value


def ratio_of_medians(one: Sequence[float], other: Sequence[float]) -> tuple[float, float, float]:
    """Ratio of two medians and its 95 % interval.

    By drawing the models anew (percentile bootstrap, fixed seed).
    """
    rng = np.random.default_rng(SEED)
    drawn = [np.median(rng.choice(np.array(side), (DRAWS, len(side))), axis=1) for side in (one, other)]
    low, high = np.quantile(drawn[0] / drawn[1], [0.025, 0.975])
    return float(np.median(one) / np.median(other)), float(low), float(high)


def medians(what: Medians, data: Data) -> StatementFinding:
    """Holds where the ratio of the medians surely lies on the claimed side of one.

    Fails where it surely lies on the other side.
    """
    snapshots = what.last(what.of(data))
    if not snapshots:
        return absent(what)
    snapshot = snapshots[-1]

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

    # The interval must leave one out: a bootstrap of few models is wide.
    ratio, low, high = ratio_of_medians(*([value for _, value in side] for side in sides))
    surely_higher, surely_lower = low > 1, high < 1
    good, bad = (surely_higher, surely_lower) if what.higher else (surely_lower, surely_higher)
    outcome: Outcome = "holds" if good else "fails" if bad else "unclear"
    middles = [_number(float(np.median([value for _, value in side]))) for side in sides]

    measured = _medians_words(what, snapshot, [len(side) for side in sides], middles, (ratio, low, high))
    figures: dict[str, Any] = {"ratio": ratio, "range": [low, high]}
    figures |= {name: dict(side) for name, side in zip(("one", "other"), sides, strict=True)}
    why = say("near_one") if outcome == "unclear" else None
    brief = say(f"brief_{what.measure}_median", one=middles[0], other=middles[1])
    return StatementFinding(
        outcome, "published", measured, why, figures=figures, basis=basis(what, [snapshot]), brief=brief
    )


def _medians_words(
    what: Medians,
    snapshot: BoardSnapshot,
    counts: list[int],
    middles: list[str],
    ends: tuple[float, float, float],
) -> Text:
    """Both medians and their ratio, as a sentence."""
    ratio, low, high = ends
    return say(
        f"medians_{what.measure}",
        date=snapshot.date,
        n=counts[0],
        m=counts[1],
        one=middles[0],
        other=middles[1],
        ratio=f"{ratio:.2f}",
        low=f"{low:.2f}",
        high=f"{high:.2f}",
        which=say("newest_families" if what.newest_of_family else "best_models"),
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
    """(points per doubling of size, points of the first side at equal size, its 95 % interval).

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

    # One term per maker: the sum of its models' scores, not each model's own.
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
    snapshots = what.last(what.of(data))
    if not snapshots:
        return absent(what)
    snapshot = snapshots[-1]

    both = (what.country, what.other)
    entries = [one for one in snapshot.entries if what.side.holds(one) and one.facts.country in both]
    rows = [(one, value) for one in entries if (value := _size(one, what.size))]
    makers = [one.facts.maker or "?" for one, _ in rows]

    # A clustered error needs several makers, a slope several sizes.
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

    measured = _equal_words(what, snapshot, rows, (slope, value, low, high))
    why = say("near_zero") if outcome == "unclear" else None
    figures = {"points": value, "ci95": [low, high], "per_doubling": slope, "models": len(rows)}
    brief = say("brief", value=signed(value, 1), low=signed(low, 1), high=signed(high, 1))
    return StatementFinding(
        outcome, "published", measured, why, figures=figures, basis=basis(what, [snapshot]), brief=brief
    )


def _equal_words(
    what: AtEqualSize,
    snapshot: BoardSnapshot,
    rows: list[tuple[BoardEntry, float]],
    fit: tuple[float, float, float, float],
) -> Text:
    """The coefficient of the country and the slope, as a sentence."""
    slope, value, low, high = fit
    makers = {one.facts.maker or "?" for one, _ in rows}
    return say(
        f"equal_{what.size}",
        date=snapshot.date,
        n=len(rows),
        k=sum(one.facts.country == what.country for one, _ in rows),
        makers=len(makers),
        who=side_name(what.country),
        other=side_name(what.other),
        value=signed(value, 1),
        low=signed(low, 1),
        high=signed(high, 1),
        slope=f"{slope:.1f}",
    )

"""The gap between two sides over time.

The difference of the best, when the lead changed hands, the share of the top, and the lag in
months.
"""

from __future__ import annotations

import datetime
import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from harness.analysis.intervals import Z95
from harness.errors import ConfigError
from harness.studies.board import (
    Board,
    BoardEntry,
    BoardSnapshot,
    RatingDifference,
    Side,
    difference,
    one_kind,
)

DRAWS = 2000
SEED = 20260101
HOLE = 60
"""Days without a snapshot that are a hole in the data."""
MONTH = 365.25 / 12


@dataclass(frozen=True)
class SideLead:
    """The best model of either side in one snapshot.

    ``difference`` is first side − second side.
    """

    snapshot: BoardSnapshot
    one: BoardEntry
    other: BoardEntry
    difference: RatingDifference

    @property
    def sign(self) -> int:
        """Who is ahead by the points alone: 1 the first side, −1 the second, 0 nobody."""
        return (self.difference.value > 0) - (self.difference.value < 0)

    @property
    def sure(self) -> int:
        """Who is surely ahead: 1, −1, or 0 where the interval holds zero."""
        return (self.difference.low > 0) - (self.difference.high < 0)


@dataclass(frozen=True)
class Bracket:
    """The lead changed hands after ``after`` and by ``by``.

    ``to`` is 1 where the first side took it. ``sure`` brackets leave out the snapshots at which
    nobody was surely ahead.
    """

    after: datetime.date
    by: datetime.date
    to: int
    sure: bool


def leads(snapshots: Sequence[BoardSnapshot], one: Side, other: Side) -> list[SideLead]:
    """One lead per snapshot that has models of both sides.

    Raises ConfigError for snapshots of different methods.
    """
    one_kind(snapshots)
    side_leads = []
    for snapshot in snapshots:
        a, b = snapshot.best(one), snapshot.best(other)
        if a is not None and b is not None:
            side_leads.append(SideLead(snapshot, a, b, difference(a, b)))
    return side_leads


def brackets(side_leads: Sequence[SideLead], *, sure: bool = False) -> list[Bracket]:
    """Changes of the lead, each between the last old and the first new snapshot.

    By the points alone, or with ``sure`` by the intervals: then snapshots where nobody is surely
    ahead belong to the bracket.
    """
    leaders = [(lead.snapshot.date, lead.sure if sure else lead.sign) for lead in side_leads]
    leaders = [(date, who) for date, who in leaders if who]
    return [
        Bracket(before, date, who, sure) for (before, old), (date, who) in pairwise(leaders) if old != who
    ]


def holes(snapshots: Sequence[BoardSnapshot]) -> list[tuple[datetime.date, datetime.date]]:
    """Spans of more than `HOLE` days between neighbouring snapshots."""
    return [(a.date, b.date) for a, b in pairwise(snapshots) if (b.date - a.date).days > HOLE]


def shares(snapshot: BoardSnapshot, count: int, side: Side) -> dict[str, float]:
    """Share of each country among the best ``count`` models of a side.

    ``?`` stands for makers whose country is unknown.
    """
    top = snapshot.top(count, side)
    counted = Counter(entry.facts.country or "?" for entry in top)
    return {country: number / len(top) for country, number in counted.most_common()} if top else {}


def drawn(entries: Sequence[BoardEntry]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Every rating drawn anew, (`DRAWS`, models).

    Normal, fixed seed, as wide as the published intervals, or as the margin says without. Raises
    ConfigError for online Elo ratings, which have no error that could be drawn.
    """
    if any(math.isinf(one.margin) and one.low is None for one in entries):
        raise ConfigError(
            "online Elo ratings have no known error: no share or frontier with an interval can be"
            " drawn from them"
        )

    # A margin is of a difference of two ratings: one rating has 1/√2 of it.
    spread = [
        one.margin / math.sqrt(2) if one.low is None or one.high is None else (one.high - one.low) / 2
        for one in entries
    ]

    rng = np.random.default_rng(SEED)
    ratings: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = (
        np.array([one.rating for one in entries])
        + rng.standard_normal((DRAWS, len(entries))) * np.array(spread) / Z95
    )
    return ratings


def share_range(snapshot: BoardSnapshot, count: int, side: Side, country: str) -> tuple[float, float, float]:
    """(low, published, high) share of a country among the best ``count``.

    ``low`` to ``high`` is the 95 % interval where every rating is drawn anew (`drawn`).
    """
    entries = [entry for entry in snapshot.entries if side.holds(entry)]
    if not entries:
        return 0.0, 0.0, 0.0

    mine = np.array([one.facts.country == country for one in entries])
    number = min(count, len(entries))
    shares_drawn = mine[np.argsort(-drawn(entries), axis=1)[:, :number]].mean(axis=1)

    # Shares of few models take few values, so the ends are values that occurred.
    low, high = np.quantile(shares_drawn, [0.025, 0.975], method="nearest")
    return float(low), float(mine[:number].mean()), float(high)


@dataclass(frozen=True)
class Lag:
    """Months by which ``behind``, the best of its side, comes after the other side.

    They count from the other side's first model at least as good. ``months``: from that model's
    release (``first``) to the snapshot's date; None where the other side has no such model: then
    the side is not behind. ``least`` and ``most`` take the models that surely, and that possibly,
    are at least as good. ``release`` counts from release to release. ``dated`` is False where a
    date is that of a first rating: the lag is then at least so much.
    """

    snapshot: BoardSnapshot
    behind: BoardEntry
    first: BoardEntry | None
    months: float | None
    least: float | None
    most: float | None
    release: float | None
    dated: bool


def lag(board: Board, snapshot: BoardSnapshot, behind: Side, other: Side) -> Lag | None:
    """The lag of one side at a snapshot; None where it has no model there."""
    mine = snapshot.best(behind)
    if mine is None:
        return None

    # Point, surest and most generous reading of "at least as good", by the difference's interval.
    rivals = [(entry, difference(entry, mine)) for entry in snapshot.entries if other.holds(entry)]
    point = _earliest(board, [entry for entry, gap_to in rivals if gap_to.value >= 0])
    sure = _earliest(board, [entry for entry, gap_to in rivals if gap_to.low >= 0])
    possible = _earliest(board, [entry for entry, gap_to in rivals if gap_to.high >= 0])

    released = [board.released(entry) for entry in (point,) if entry is not None]
    own = board.released(mine)

    return Lag(
        snapshot,
        mine,
        point,
        _months(board, point, snapshot.date),
        _months(board, sure, snapshot.date),
        _months(board, possible, snapshot.date),
        _months(board, point, own[0]),
        all(dated for _, dated in [*released, own]),
    )


def _earliest(board: Board, entries: Sequence[BoardEntry]) -> BoardEntry | None:
    return min(entries, key=lambda entry: (board.released(entry)[0], -entry.rating, entry.name), default=None)


def _months(board: Board, entry: BoardEntry | None, until: datetime.date) -> float | None:
    return (until - board.released(entry)[0]).days / MONTH if entry is not None else None


def within(
    snapshots: Sequence[BoardSnapshot], begin: datetime.date, end: datetime.date
) -> list[BoardSnapshot]:
    """The snapshots of a window, both ends included."""
    return [one for one in snapshots if begin <= one.date <= end]


def median_gap(side_leads: Sequence[SideLead]) -> tuple[float, float, float]:
    """Medians over snapshots of a difference and of the ends of its interval.

    Raises statistics.StatisticsError for no snapshot.
    """
    differences = [lead.difference for lead in side_leads]
    ends = ((one.value, one.low, one.high) for one in differences)
    value, low, high = (statistics.median(values) for values in zip(*ends, strict=True))
    return value, low, high

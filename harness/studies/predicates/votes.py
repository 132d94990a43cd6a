"""Predicates over boards: who leads, how close, since when.

And whether one gap closed faster than another.
"""

from __future__ import annotations

import math
from typing import Self

from pydantic import Field, model_validator

from harness.studies import gap
from harness.studies.board import Side
from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.finding import Outcome, StatementFinding, plain, say, side_name, signed
from harness.studies.predicates.series import BoardSeries, absent, basis, counted, how, span

Range = tuple[float, float, float]


class LeadKeys(BoardSeries):
    """The best of ``one`` is ahead of the best of ``other``."""

    one: Side
    other: Side


class Close(LeadKeys):
    """The best of ``one`` is close to the best of ``other``.

    It gets at least ``wins`` per cent of the votes (ties count half), or is at most ``points``
    behind.
    """

    points: float | None = Field(None, gt=0)
    wins: float | None = Field(None, gt=0, lt=50)

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if (self.points is None) == (self.wins is None):
            raise ValueError("give points or wins, and not both")
        return self

    @property
    def limit(self) -> float:
        """In rating points."""
        return (
            self.points
            if self.points is not None
            else 400 * math.log10((100 - (self.wins or 0)) / (self.wins or 1))
        )


def share_of_votes(points: float) -> str:
    """Expected share of votes, ties as half, of a model that is so many points ahead."""
    return f"{100 / (1 + 10 ** (-points / 400)):.0f}"


def lead(what: LeadKeys, data: Data) -> StatementFinding:
    """Whether the first side leads in every snapshot.

    Holds where it is ahead by points in every snapshot and the median's interval leaves zero out;
    fails where it is the other way round. Snapshots of one span share most of their votes, so that
    each need not be sure by itself.
    """
    leads = what.leads(data, what.one, what.other)
    if not leads:
        return absent(what)

    value, low, high = gap.median_gap(leads)

    # The points must agree in every snapshot, the interval only for the median of the span.
    if low > 0 and all(one.sign > 0 for one in leads):
        outcome: Outcome = "holds"
    else:
        outcome = "fails" if high < 0 and all(one.sign < 0 for one in leads) else "unclear"

    measured = _lead_words(what, leads, (value, low, high))
    return StatementFinding(
        outcome,
        "published",
        measured,
        say("lead_unclear") if outcome == "unclear" else None,
        figures={"median": value, "ci95": [low, high], "snapshots": len(leads)},
        limits=say("lead_limits", points=required_points(low)) if outcome == "holds" else None,
        basis=basis(what, [one.snapshot for one in leads]),
        brief=brief_difference(value, low, high),
    )


def _lead_words(what: LeadKeys, leads: list[gap.SideLead], ends: Range) -> Text:
    """The median difference and how many snapshots are sure, as a sentence."""
    value, low, high = ends
    last = leads[-1]
    return say(
        "lead" if len(leads) > 1 else "lead_one",
        span=span([one.snapshot for one in leads]),
        snapshots=counted(len(leads)),
        n=len(leads),
        **best_pair(last),
        **signed_ends(value, low, high),
        ahead=_times("first_count", sum(one.sure > 0 for one in leads)),
        behind=_times("second_count", sum(one.sure < 0 for one in leads)),
        how=how(what, leads),
    )


def required_points(low: float) -> Text:
    """The most points that could be required."""
    return say("one_point") if f"{low:.0f}" == "1" else say("points_of", n=f"{low:.0f}")


def _times(key: str, n: int) -> Text:
    """How many snapshots, or none."""
    return say(key, n=n) if n else say("none_of")


def minus(one: Side, other: Side) -> Text:
    """Which side is subtracted from which."""
    return say("minus", one=_named(one), other=_named(other))


def _named(side: Side) -> Text:
    """A side by its country, else by its makers or the expression for its names."""
    if side.country is not None:
        return side_name(side.country)
    makers = side.maker if isinstance(side.maker, str) or side.maker is None else ", ".join(side.maker)
    return plain(makers or side.name or "…")


def brief_difference(value: float, low: float, high: float) -> Text:
    return say("brief", value=signed(value), low=signed(low), high=signed(high))


def best_pair(last: gap.SideLead) -> dict[str, str]:
    return {
        "one": last.one.name,
        "other": last.other.name,
        "a": f"{last.one.rating:.0f}",
        "b": f"{last.other.rating:.0f}",
    }


def signed_ends(value: float, low: float, high: float) -> dict[str, str]:
    return {"value": signed(value), "low": signed(low), "high": signed(high)}


def close(what: Close, data: Data) -> StatementFinding:
    """Holds where the interval of the median difference lies above −limit, fails below."""
    leads = what.leads(data, what.one, what.other)
    if not leads:
        return absent(what)

    value, low, high = gap.median_gap(leads)
    outcome: Outcome = "holds" if low >= -what.limit else "fails" if high < -what.limit else "unclear"

    last = leads[-1]
    rank = 1 + last.snapshot.entries.index(last.one)
    measured = _close_words(what, leads, rank, (value, low, high))

    # The whole numbers of points for which the same figures would hold, and would fail.
    bounds = {"least": math.ceil(round(max(-low, 0), 6)), "most": math.ceil(round(max(-high, 0), 6))}
    limits = say("close_limits", **bounds, least_wins=share_of_votes(low), most_wins=share_of_votes(high))
    figures = {
        "median": value,
        "ci95": [low, high],
        "rank": rank,
        "holds_from_points": -low,
        "fails_below_points": -high,
    }
    why = say("near_limit") if outcome == "unclear" else None
    return StatementFinding(
        outcome,
        "published",
        measured,
        why,
        figures=figures,
        limits=limits,
        basis=basis(what, [one.snapshot for one in leads]),
        brief=brief_difference(value, low, high),
    )


def _close_words(what: Close, leads: list[gap.SideLead], rank: int, ends: Range) -> Text:
    """The median difference in points and in shares of votes, as a sentence."""
    value, low, high = ends
    last = leads[-1]
    return say(
        "close",
        span=span([one.snapshot for one in leads]),
        **best_pair(last),
        **signed_ends(value, low, high),
        rank=rank,
        all=len(last.snapshot.entries),
        points=f"{what.limit:.0f}",
        wins=share_of_votes(value),
        wins_low=share_of_votes(low),
        wins_high=share_of_votes(high),
        least=share_of_votes(-what.limit),
        how=how(what, leads),
    )

"""Predicates over boards: who leads, how close, since when, and whether one gap closed faster than
another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.studies import gap
from harness.studies.board import Side, one_kind
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
    """The best of ``one`` gets at least ``wins`` per cent of the votes against the best of
    ``other`` (ties count half), or is at most ``points`` behind.
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


class Narrowed(BaseModel):
    """``one`` has caught up on ``other`` from the ``early`` span to the ``late`` one, both of one
    board, style, category and method.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    one: Side
    other: Side
    early: BoardSeries
    late: BoardSeries


class Gained(BaseModel):
    """The gap between the sides ``small`` moved further in the first one's favour than that between
    the sides ``all``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    small: tuple[Side, Side]
    all: tuple[Side, Side]
    early: BoardSeries
    late: BoardSeries


def share_of_votes(points: float) -> str:
    """Expected share of votes, ties as half, of a model that is so many points ahead."""
    return f"{100 / (1 + 10 ** (-points / 400)):.0f}"


def lead(what: LeadKeys, data: Data) -> StatementFinding:
    """Holds where the first side is ahead by points in every snapshot and the median's interval
    leaves zero out; fails where it is the other way round. Snapshots of one span share most of
    their votes, so that each is not asked to be sure by itself.
    """
    found = what.leads(data, what.one, what.other)
    if not found:
        return absent(what)
    value, low, high = gap.median_gap(found)
    if low > 0 and all(one.sign > 0 for one in found):
        outcome: Outcome = "holds"
    else:
        outcome = "fails" if high < 0 and all(one.sign < 0 for one in found) else "unclear"
    last = found[-1]
    measured = say(
        "lead" if len(found) > 1 else "lead_one",
        span=span([one.snapshot for one in found]),
        snapshots=counted(len(found)),
        n=len(found),
        **_pair(last),
        **_signed(value, low, high),
        ahead=_times("first_count", sum(one.sure > 0 for one in found)),
        behind=_times("second_count", sum(one.sure < 0 for one in found)),
        how=how(what, found),
    )
    return StatementFinding(
        outcome,
        "published",
        measured,
        say("lead_unclear") if outcome == "unclear" else None,
        figures={"median": value, "ci95": [low, high], "snapshots": len(found)},
        limits=say("lead_limits", points=_required(low)) if outcome == "holds" else None,
        basis=basis(what, [one.snapshot for one in found]),
        brief=_brief(value, low, high),
    )


def _required(low: float) -> Text:
    """The most points that could be required."""
    return say("one_point") if f"{low:.0f}" == "1" else say("points_of", n=f"{low:.0f}")


def _times(key: str, n: int) -> Text:
    """How many snapshots, or none."""
    return say(key, n=n) if n else say("none_of")


def _sides(one: Side, other: Side) -> Text:
    """Which side is subtracted from which."""
    return say("minus", one=_named(one), other=_named(other))


def _named(side: Side) -> Text:
    """A side by its country, else by its makers or the expression for its names."""
    if side.country is not None:
        return side_name(side.country)
    makers = side.maker if isinstance(side.maker, str) or side.maker is None else ", ".join(side.maker)
    return plain(makers or side.name or "…")


def _brief(value: float, low: float, high: float) -> Text:
    return say("brief", value=signed(value), low=signed(low), high=signed(high))


def _pair(last: gap.SideLead) -> dict[str, str]:
    return {
        "one": last.one.name,
        "other": last.other.name,
        "a": f"{last.one.rating:.0f}",
        "b": f"{last.other.rating:.0f}",
    }


def _signed(value: float, low: float, high: float) -> dict[str, str]:
    return {"value": signed(value), "low": signed(low), "high": signed(high)}


def close(what: Close, data: Data) -> StatementFinding:
    """Holds where the interval of the median difference lies above −limit, fails where it lies
    below.
    """
    found = what.leads(data, what.one, what.other)
    if not found:
        return absent(what)
    value, low, high = gap.median_gap(found)
    outcome: Outcome = "holds" if low >= -what.limit else "fails" if high < -what.limit else "unclear"
    last = found[-1]
    rank = 1 + last.snapshot.entries.index(last.one)
    measured = say(
        "close",
        span=span([one.snapshot for one in found]),
        **_pair(last),
        **_signed(value, low, high),
        rank=rank,
        all=len(last.snapshot.entries),
        points=f"{what.limit:.0f}",
        wins=share_of_votes(value),
        wins_low=share_of_votes(low),
        wins_high=share_of_votes(high),
        least=share_of_votes(-what.limit),
        how=how(what, found),
    )
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
        outcome, "published", measured, why, figures=figures, limits=limits, basis=basis(what, [one.snapshot for one in found]),
        brief=_brief(value, low, high),
    )  # fmt: skip


def _spans(
    spans: Sequence[BoardSeries], data: Data, one: Side, other: Side
) -> list[list[gap.SideLead]] | StatementFinding:
    """The leads of each span; what is missing where one has none.

    Raises ConfigError where the spans differ in board or method.
    """
    found = [what.leads(data, one, other) for what in spans]
    for what, leads in zip(spans, found, strict=True):
        if not leads:
            return absent(what)
    one_kind([lead.snapshot for leads in found for lead in leads])
    return found


def change(early: Range, late: Range) -> Range:
    """late − early with the ends of its interval: √(h² + h²) of the two, which share no votes to
    speak of.
    """
    value = late[0] - early[0]
    return (
        value,
        value - math.hypot(late[0] - late[1], early[2] - early[0]),
        value + math.hypot(late[2] - late[0], early[0] - early[1]),
    )


def narrowed(what: Narrowed, data: Data) -> StatementFinding:
    """Holds where the change of the median gap is surely positive, fails where it is surely not.

    Ratings of two dates share no scale, but differences within a date do: a point is the same odds
    at both.
    """
    found = _spans((what.early, what.late), data, what.one, what.other)
    if isinstance(found, StatementFinding):
        return found
    early, late = (gap.median_gap(one) for one in found)
    value, low, high = change(early, late)
    outcome: Outcome = "holds" if low > 0 else "fails" if high < 0 else "unclear"
    measured = say(
        "narrowed",
        early_span=span([one.snapshot for one in found[0]]),
        late_span=span([one.snapshot for one in found[1]]),
        sides=_sides(what.one, what.other),
        early=signed(early[0]),
        late=signed(late[0]),
        change=signed(value),
        low=signed(low),
        high=signed(high),
        how=how(what.late, [*found[0], *found[1]]),
    )
    return StatementFinding(
        outcome,
        "published",
        measured,
        say("near_zero") if outcome == "unclear" else None,
        figures={"early": early[0], "late": late[0], "change": value, "range": [low, high]},
        limits=say("narrowed_limits", points=_required(low)) if outcome == "holds" else None,
        basis=basis(what.late, [one.snapshot for leads in found for one in leads]),
        brief=say("brief_change", early=signed(early[0]), late=signed(late[0])),
    )


def gained(what: Gained, data: Data) -> StatementFinding:
    """Holds where the small sides' gap surely changed by more than the others', fails where surely
    by less.
    """
    ranges: list[Range] = []
    snapshots = []
    for sides in (what.small, what.all):
        found = _spans((what.early, what.late), data, *sides)
        if isinstance(found, StatementFinding):
            return found
        ranges += [gap.median_gap(one) for one in found]
        snapshots += [one.snapshot for leads in found for one in leads]
    small, every = change(ranges[0], ranges[1]), change(ranges[2], ranges[3])
    value, low, high = change(every, small)
    outcome: Outcome = "holds" if low > 0 else "fails" if high < 0 else "unclear"
    measured = say(
        "gained",
        size=f"{what.small[0].at_most:g}",
        sides=_sides(*what.small),
        early_span=_when(what.early),
        late_span=_when(what.late),
        **{f"{name}_{when}": signed(one[0]) for (name, when), one in zip(NAMED, ranges, strict=True)},
        small=signed(small[0]),
        all=signed(every[0]),
        value=signed(value),
        low=signed(low),
        high=signed(high),
    )
    figures = {"small": small[0], "all": every[0], "difference": value, "range": [low, high]}
    days = sorted(snapshots, key=lambda one: one.date)
    return StatementFinding(
        outcome, "published", measured, say("near_zero") if outcome == "unclear" else None, figures=figures, basis=basis(what.late, days),
        brief=_brief(value, low, high),
    )  # fmt: skip


NAMED = (("small", "early"), ("small", "late"), ("all", "early"), ("all", "late"))


def _when(what: BoardSeries) -> Text:
    if what.released_by is not None:
        return say("released_by", date=what.released_by)
    return (
        say("newest")
        if what.begin is None or what.end is None
        else Text(en=f"{what.begin} – {what.end}", zh=f"{what.begin} – {what.end}")
    )

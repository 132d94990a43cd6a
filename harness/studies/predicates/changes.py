"""Predicates over how a gap changed: whether it closed, and whether one closed faster than another."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from harness.studies import gap
from harness.studies.board import Side, one_kind
from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.finding import Outcome, StatementFinding, say, signed
from harness.studies.predicates.series import BoardSeries, absent, basis, how, span
from harness.studies.predicates.votes import Range, brief_difference, minus, required_points


class Narrowed(BaseModel):
    """``one`` has caught up on ``other`` from the ``early`` span to the ``late`` one.

    Both spans are of one board, style, category and method.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    one: Side
    other: Side
    early: BoardSeries
    late: BoardSeries


class Gained(BaseModel):
    """The gap between the sides ``small`` moved further than that between the sides ``all``.

    In the first one's favour.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    small: tuple[Side, Side]
    all: tuple[Side, Side]
    early: BoardSeries
    late: BoardSeries


def _spans(
    spans: Sequence[BoardSeries], data: Data, one: Side, other: Side
) -> list[list[gap.SideLead]] | StatementFinding:
    """The leads of each span; what is missing where one has none.

    Raises ConfigError where the spans differ in board or method.
    """
    leads_by_span = [what.leads(data, one, other) for what in spans]
    for what, leads in zip(spans, leads_by_span, strict=True):
        if not leads:
            return absent(what)
    one_kind([lead.snapshot for leads in leads_by_span for lead in leads])
    return leads_by_span


def change(early: Range, late: Range) -> Range:
    """late − early with the ends of its interval.

    √(h² + h²) of the two, which share no votes to speak of.
    """
    value = late[0] - early[0]
    return (
        value,
        value - math.hypot(late[0] - late[1], early[2] - early[0]),
        value + math.hypot(late[2] - late[0], early[0] - early[1]),
    )


def narrowed(what: Narrowed, data: Data) -> StatementFinding:
    """Whether the gap surely closed.

    Holds where the change of the median gap is surely positive, fails where it is surely not.
    Ratings of two dates share no scale, but differences within a date do: a point is the same odds
    at both.
    """
    spans = _spans((what.early, what.late), data, what.one, what.other)
    if isinstance(spans, StatementFinding):
        return spans

    early, late = (gap.median_gap(one) for one in spans)
    value, low, high = change(early, late)
    outcome: Outcome = "holds" if low > 0 else "fails" if high < 0 else "unclear"

    measured = say(
        "narrowed",
        early_span=span([one.snapshot for one in spans[0]]),
        late_span=span([one.snapshot for one in spans[1]]),
        sides=minus(what.one, what.other),
        early=signed(early[0]),
        late=signed(late[0]),
        change=signed(value),
        low=signed(low),
        high=signed(high),
        how=how(what.late, [*spans[0], *spans[1]]),
    )

    return StatementFinding(
        outcome,
        "published",
        measured,
        say("near_zero") if outcome == "unclear" else None,
        figures={"early": early[0], "late": late[0], "change": value, "range": [low, high]},
        limits=say("narrowed_limits", points=required_points(low)) if outcome == "holds" else None,
        basis=basis(what.late, [one.snapshot for leads in spans for one in leads]),
        brief=say("brief_change", early=signed(early[0]), late=signed(late[0])),
    )


def gained(what: Gained, data: Data) -> StatementFinding:
    """Holds where the small sides' gap surely changed by more than the others'.

    Fails where surely by less.
    """
    ranges: list[Range] = []
    snapshots = []
    for sides in (what.small, what.all):
        spans = _spans((what.early, what.late), data, *sides)
        if isinstance(spans, StatementFinding):
            return spans
        ranges += [gap.median_gap(one) for one in spans]
        snapshots += [one.snapshot for leads in spans for one in leads]

    # A difference of differences: each of the four gaps is of votes of its own.
    small, every = change(ranges[0], ranges[1]), change(ranges[2], ranges[3])
    value, low, high = change(every, small)
    outcome: Outcome = "holds" if low > 0 else "fails" if high < 0 else "unclear"

    measured = _gained_words(what, ranges, (small, every, (value, low, high)))
    figures = {"small": small[0], "all": every[0], "difference": value, "range": [low, high]}
    days = sorted(snapshots, key=lambda one: one.date)
    return StatementFinding(
        outcome,
        "published",
        measured,
        say("near_zero") if outcome == "unclear" else None,
        figures=figures,
        basis=basis(what.late, days),
        brief=brief_difference(value, low, high),
    )


def _gained_words(what: Gained, ranges: list[Range], changes: tuple[Range, Range, Range]) -> Text:
    """The four gaps and their two changes, as a sentence."""
    small, every, (value, low, high) = changes
    return say(
        "gained",
        size=f"{what.small[0].at_most:g}",
        sides=minus(*what.small),
        early_span=_when(what.early),
        late_span=_when(what.late),
        **{f"{name}_{when}": signed(one[0]) for (name, when), one in zip(NAMED, ranges, strict=True)},
        small=signed(small[0]),
        all=signed(every[0]),
        value=signed(value),
        low=signed(low),
        high=signed(high),
    )


NAMED = (("small", "early"), ("small", "late"), ("all", "early"), ("all", "late"))


def _when(what: BoardSeries) -> Text:
    if what.released_by is not None:
        return say("released_by", date=what.released_by)
    return (
        say("newest")
        if what.begin is None or what.end is None
        else Text(en=f"{what.begin} – {what.end}", zh=f"{what.begin} – {what.end}")
    )

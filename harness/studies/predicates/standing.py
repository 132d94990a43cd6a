"""Predicates over boards: who stands where.

Which share of the best, who is first, who is there at all, and how far behind in months.
"""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Literal

from pydantic import Field

from harness.studies import gap
from harness.studies.board import Board, BoardSnapshot, Side, difference
from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.finding import Outcome, StatementFinding, country_name, joined, say, side_name, signed
from harness.studies.predicates.series import BoardSeries, absent, basis, counted, how, span


class ShareKeys(BoardSeries):
    """``country`` has at least ``least`` of the best ``top`` models of a side."""

    side: Side
    country: str
    top: int = Field(ge=1)
    least: float = Field(ge=0, le=1)


class TopKeys(BoardSeries):
    """The best of ``one`` is first among all of ``among``."""

    one: Side
    among: Side


class Present(BoardSeries):
    """``country`` makes at most, or at least, a share of a board's models.

    A count, without error.
    """

    side: Side = Side()
    country: str
    at_most: float | None = Field(None, ge=0, le=1)
    at_least: float | None = Field(None, ge=0, le=1)


class Behind(BoardSeries):
    """The best of ``one`` is at least ``months`` behind ``other``.

    Counted to the board's day or from release to release.
    """

    one: Side
    other: Side
    months: float = Field(gt=0)
    until: Literal["board", "release"] = "board"


def share(what: ShareKeys, data: Data) -> StatementFinding:
    """Holds where the lower end of the share's interval reaches the limit in every snapshot.

    Fails where the upper end does in none.
    """
    snapshots = what.last(what.of(data))
    if not snapshots:
        return absent(what)

    ranges = [gap.share_range(one, what.top, what.side, what.country) for one in snapshots]
    if all(low >= what.least for low, _, _ in ranges):
        outcome: Outcome = "holds"
    else:
        outcome = "fails" if all(high < what.least for *_, high in ranges) else "unclear"

    # A median that occurred, since a share of ten models is a whole number of tenths.
    middle = statistics.median_low(sorted(value for _, value, _ in ranges))
    least, most = min(low for low, _, _ in ranges), max(high for *_, high in ranges)

    measured = _share_words(what, snapshots, (least, middle, most))
    bounds = {"least": round(least * what.top), "most": round(most * what.top), "top": what.top}
    limits = say("share_limits" if most < 1 else "share_limits_open", **bounds) if least < 1 else None
    why = say("near_limit") if outcome == "unclear" else None
    brief = say("brief_of", k=round(middle * what.top), n=what.top, who=side_name(what.country))
    figures = {"median": middle, "range": [least, most]}

    return StatementFinding(
        outcome,
        "published",
        measured,
        why,
        figures=figures,
        limits=limits,
        basis=basis(what, snapshots),
        brief=brief,
    )


def _share_words(what: ShareKeys, snapshots: list[BoardSnapshot], ends: tuple[float, float, float]) -> Text:
    """How many of the best models are the country's, as a sentence."""
    least, middle, most = ends
    return say(
        "share_all" if least == 1 else "share" if len(snapshots) > 1 else "share_one",
        span=span(snapshots),
        snapshots=counted(len(snapshots)),
        top=what.top,
        who=side_name(what.country),
        least=round(least * what.top),
        median=round(middle * what.top),
        most=round(most * what.top),
        limit=round(what.least * what.top),
    )


def top(what: TopKeys, data: Data) -> StatementFinding:
    """Whether a side's best is surely ahead of everybody else's best.

    Holds where it is in every snapshot, fails where it is surely behind in every one.
    """
    snapshots = [one for one in what.last(what.of(data)) if one.best(what.one) is not None]
    if not snapshots:
        return absent(what)

    leads = _leads_over_rivals(what, snapshots)
    if not leads:
        return absent(what)

    outcome: Outcome = (
        "holds"
        if all(one.sure > 0 for one in leads)
        else "fails"
        if all(one.sure < 0 for one in leads)
        else "unclear"
    )

    listed = joined([_top_of(one) for one in leads])
    measured = say("top", listed=listed, how=how(what, leads))
    figures = {
        str(one.snapshot.date): [one.difference.value, one.difference.low, one.difference.high]
        for one in leads
    }

    # The brief figure is of the first snapshot; the sentence lists all.
    last = leads[0]
    brief = say("brief_against", one=f"{last.one.rating:.1f}", other=f"{last.other.rating:.1f}")
    why = say("near_zero") if outcome == "unclear" else None
    return StatementFinding(
        outcome, "published", measured, why, figures=figures, basis=basis(what, snapshots), brief=brief
    )


def _leads_over_rivals(what: TopKeys, snapshots: list[BoardSnapshot]) -> list[gap.SideLead]:
    """The side's best against everybody else's best in each snapshot that has both."""
    leads = []
    for one in snapshots:
        mine = one.best(what.one)
        rival = next(
            (entry for entry in one.entries if what.among.holds(entry) and not what.one.holds(entry)), None
        )
        if mine is not None and rival is not None:
            leads.append(gap.SideLead(one, mine, rival, difference(mine, rival)))
    return leads


def _top_of(one: gap.SideLead) -> Text:
    return say(
        "top_of",
        date=one.snapshot.date,
        one=one.one.name,
        a=f"{one.one.rating:.1f}",
        other=one.other.name,
        b=f"{one.other.rating:.1f}",
        value=signed(one.difference.value, 1),
        low=signed(one.difference.low, 1),
        high=signed(one.difference.high, 1),
    )


def present(what: Present, data: Data) -> StatementFinding:
    """Holds where the share keeps the limits in every snapshot, fails where it does in none."""
    snapshots = what.last(what.of(data))
    if not snapshots:
        return absent(what)

    counts = [
        Counter(entry.facts.country or "?" for entry in one.entries if what.side.holds(entry))
        for one in snapshots
    ]
    shares = [one[what.country] / max(1, sum(one.values())) for one in counts]

    # A count has no error, so each snapshot decides by itself.
    within = [
        (what.at_most is None or one <= what.at_most) and (what.at_least is None or one >= what.at_least)
        for one in shares
    ]
    outcome: Outcome = "holds" if all(within) else "unclear" if any(within) else "fails"

    number = counts[-1]
    measured = _present_words(what, snapshots, number)
    brief = say("brief_of", k=number[what.country], n=sum(number.values()), who=side_name(what.country))

    return StatementFinding(
        outcome,
        "published",
        measured,
        None,
        figures={"counts": dict(number)},
        basis=basis(what, snapshots),
        brief=brief,
    )


def _present_words(what: Present, snapshots: list[BoardSnapshot], number: Counter[str]) -> Text:
    """The countries of the last snapshot's models, as a sentence."""
    last = snapshots[-1]
    mine = next((entry for entry in last.entries if entry.facts.country == what.country), None)
    named = {name: country_name(name) if name != "?" else say("unknown_country") for name in number}
    rows = [say("country_count", country=named[name], n=n) for name, n in number.most_common()]
    return say(
        "present",
        span=span(snapshots),
        all=sum(number.values()),
        k=number[what.country],
        who=side_name(what.country),
        listed=joined(rows, ", ", "、"),
        best=say("present_best", name=mine.name, rank=1 + last.entries.index(mine))
        if mine is not None
        else say("nothing"),
    )


def behind(what: Behind, data: Data) -> StatementFinding:
    """Holds where the least lag of every snapshot reaches the months.

    Fails where the most of every one stays below.
    """
    snapshots = [one for one in what.of(data) if one.best(what.one) is not None]
    lags = [
        one
        for snapshot in what.last(snapshots)
        if (one := gap.lag(data.board_of(what.board), snapshot, what.one, what.other)) is not None
    ]
    if not lags:
        return absent(what)

    board = data.board_of(what.board)
    ranges = [_range(board, one, what.until) for one in lags]
    if all(least >= what.months for least, *_ in ranges):
        outcome: Outcome = "holds"
    else:
        outcome = "fails" if all(most < what.months for *_, most in ranges) else "unclear"

    # The figures shown are medians over the snapshots; the outcome needs every one of them.
    least, value, most = (statistics.median(column) for column in zip(*ranges, strict=True))
    measured = _behind_words(what, board, lags, (least, value, most))
    return StatementFinding(
        outcome,
        "published",
        measured,
        say("near_limit") if outcome == "unclear" else None,
        figures={"months": value, "range": [least, most], "dated": all(one.dated for one in lags)},
        limits=_months(min(one[0] for one in ranges), max(one[2] for one in ranges)),
        basis=basis(what, [one.snapshot for one in lags]),
        brief=say("brief_months", value=f"{value:.1f}"),
    )


def _behind_words(what: Behind, board: Board, lags: list[gap.Lag], ends: tuple[float, float, float]) -> Text:
    """The lag of the last snapshot's best models, as a sentence."""
    least, value, most = ends
    last = lags[-1]
    return say(
        "lag" if last.first is not None else "no_lag",
        span=span([one.snapshot for one in lags]),
        snapshots=counted(len(lags)),
        one=last.behind.name,
        own=board.released(last.behind)[0],
        other=last.first.name if last.first is not None else "",
        released=board.released(last.first)[0] if last.first is not None else "",
        value=f"{value:.1f}",
        least=f"{least:.1f}",
        most=f"{most:.1f}",
        until=say(f"until_{what.until}"),
        limit=f"{what.months:g}",
    )


def _range(board: Board, one: gap.Lag, until: str) -> tuple[float, float, float]:
    """Least, central and most months of one lag.

    To the board's day or to the release of the model that is behind.
    """
    shift = 0.0 if until == "board" else (one.snapshot.date - board.released(one.behind)[0]).days / gap.MONTH
    least, value, most = (max(0.0, (months or shift) - shift) for months in (one.least, one.months, one.most))
    return least, value, most


def _months(least: float, most: float) -> Text:
    return say("lag_limits", least=f"{int(least * 10) / 10:.1f}", most=f"{most:.1f}")

"""Predicates over published ratings: who leads, how close, since when, which share, how far behind."""

from __future__ import annotations

import datetime
import statistics
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from harness.studies import gap
from harness.studies.board import MARGIN, Side, Snapshot
from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.finding import Finding, Outcome, say, side_name

IMPORT = "harness published import FILE"
"""The command that brings ratings of other dates."""


class Series(BaseModel):
    """Which snapshots: LMArena's way of rating and category, within a span of days."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    style: str = "default"
    category: str = "full"
    begin: datetime.date
    end: datetime.date

    def of(self, data: Data) -> list[Snapshot]:
        """The snapshots."""
        return gap.within(data.board.series(self.style, self.category), self.begin, self.end)


class Lead(Series):
    """The best of ``one`` is ahead of the best of ``other``."""

    one: Side
    other: Side


class Close(Lead):
    """The best of ``one`` is at most ``points`` behind the best of ``other``."""

    points: float = Field(gt=0)


class Narrowed(BaseModel):
    """``one`` has caught up on ``other`` from the ``early`` span to the ``late`` one."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    one: Side
    other: Side
    early: Series
    late: Series


class Share(Series):
    """``country`` has at least ``least`` of the best ``top`` models of a side."""

    side: Side
    country: str
    top: int = Field(ge=1)
    least: float = Field(ge=0, le=1)


class Behind(Series):
    """The best of ``one`` is at least ``months`` behind ``other``."""

    one: Side
    other: Side
    months: float = Field(gt=0)


def _absent(what: Series) -> Finding:
    return Finding("missing", "none", say("no_snapshot", begin=what.begin, end=what.end), say("add_ratings"), IMPORT)


def _span(found: Sequence[gap.Lead]) -> str:
    dates = [lead.snapshot.date.isoformat() for lead in found]
    return dates[0] if dates[0] == dates[-1] else f"{dates[0]} – {dates[-1]}"


def _sure(published: bool) -> Text:
    return say("with_intervals") if published else say("as_points", margin=f"{MARGIN:g}")


def lead(what: Lead, data: Data) -> Finding:
    """Holds where the first side is ahead by points in every snapshot and the median's interval leaves zero out; fails where it is the
    other way round. Snapshots of one span share most of their votes, so that each is not asked to be sure by itself."""
    found = gap.leads(what.of(data), what.one, what.other)
    if not found:
        return _absent(what)
    value, low, high = gap.median_gap(found)
    if low > 0 and all(one.sign > 0 for one in found):
        outcome: Outcome = "holds"
    else:
        outcome = "fails" if high < 0 and all(one.sign < 0 for one in found) else "unclear"
    last = found[-1]
    measured = say(
        "lead",
        span=_span(found),
        n=len(found),
        one=last.one.name,
        other=last.other.name,
        value=f"{value:+.0f}",
        low=f"{low:+.0f}",
        high=f"{high:+.0f}",
        ahead=sum(one.sure > 0 for one in found),
        behind=sum(one.sure < 0 for one in found),
        how=_sure(last.difference.published),
    )
    why = say("lead_unclear") if outcome == "unclear" else None
    return Finding(outcome, "published", measured, why, figures={"median": value, "ci95": [low, high], "snapshots": len(found)})


def close(what: Close, data: Data) -> Finding:
    """Holds where the interval of the median difference lies above −points, fails where it lies below."""
    found = gap.leads(what.of(data), what.one, what.other)
    if not found:
        return _absent(what)
    value, low, high = gap.median_gap(found)
    outcome: Outcome = "holds" if low >= -what.points else "fails" if high < -what.points else "unclear"
    last = found[-1]
    measured = say(
        "close",
        span=_span(found),
        one=last.one.name,
        other=last.other.name,
        value=f"{value:+.0f}",
        low=f"{low:+.0f}",
        high=f"{high:+.0f}",
        points=f"{what.points:g}",
        wins=f"{100 / (1 + 10 ** (-value / 400)):.0f}",
        how=_sure(last.difference.published),
    )
    return Finding(outcome, "published", measured, say("near_limit") if outcome == "unclear" else None, figures={"median": value})


def narrowed(what: Narrowed, data: Data) -> Finding:
    """Holds where the change of the median gap is surely positive, fails where it is surely not."""
    sides = [gap.leads(span.of(data), what.one, what.other) for span in (what.early, what.late)]
    for span, found in zip((what.early, what.late), sides, strict=True):
        if not found:
            return _absent(span)
    (early, early_low, early_high), (late, late_low, late_high) = (gap.median_gap(found) for found in sides)
    low, high = late_low - early_high, late_high - early_low
    outcome: Outcome = "holds" if low > 0 else "fails" if high < 0 else "unclear"
    measured = say(
        "narrowed",
        early_span=_span(sides[0]),
        late_span=_span(sides[1]),
        early=f"{early:+.0f}",
        late=f"{late:+.0f}",
        change=f"{late - early:+.0f}",
        low=f"{low:+.0f}",
        high=f"{high:+.0f}",
        how=_sure(sides[1][-1].difference.published),
    )
    figures = {"early": early, "late": late, "change": late - early, "range": [low, high]}
    return Finding(outcome, "published", measured, say("near_limit") if outcome == "unclear" else None, figures=figures)


def share(what: Share, data: Data) -> Finding:
    """Holds where the lower end of the share's interval reaches the limit in every snapshot, fails where the upper end does in none."""
    found = what.of(data)
    if not found:
        return _absent(what)
    ranges = [gap.share_range(one, what.top, what.side, what.country) for one in found]
    if all(low >= what.least for low, _, _ in ranges):
        outcome: Outcome = "holds"
    else:
        outcome = "fails" if all(high < what.least for *_, high in ranges) else "unclear"
    middle = statistics.median_low(sorted(value for _, value, _ in ranges))
    measured = say(
        "share",
        span=f"{found[0].date} – {found[-1].date}",
        n=len(found),
        top=what.top,
        who=side_name(what.country),
        least=round(min(low for low, _, _ in ranges) * what.top),
        median=round(middle * what.top),
        most=round(max(high for *_, high in ranges) * what.top),
        limit=round(what.least * what.top),
    )
    return Finding(outcome, "published", measured, say("near_limit") if outcome == "unclear" else None, figures={"median": middle})


def behind(what: Behind, data: Data) -> Finding:
    """Holds where the least lag of every snapshot reaches the months, fails where the most of every one stays below."""
    lags = [one for snapshot in what.of(data) if (one := gap.lag(data.board, snapshot, what.one, what.other)) is not None]
    if not lags:
        return _absent(what)
    ranges = [(one.least or 0.0, one.months or 0.0, one.most or 0.0) for one in lags]
    if all(least >= what.months for least, *_ in ranges):
        outcome: Outcome = "holds"
    else:
        outcome = "fails" if all(most < what.months for *_, most in ranges) else "unclear"
    last = lags[-1]
    least, value, most = (statistics.median(column) for column in zip(*ranges, strict=True))
    measured = say(
        "lag" if last.first is not None else "no_lag",
        span=f"{lags[0].snapshot.date} – {last.snapshot.date}",
        n=len(lags),
        one=last.behind.name,
        other=last.first.name if last.first is not None else "",
        released=data.board.released(last.first)[0] if last.first is not None else "",
        value=f"{value:.1f}",
        least=f"{least:.1f}",
        most=f"{most:.1f}",
        release=f"{last.release:.1f}" if last.release is not None else "–",
        limit=f"{what.months:g}",
    )
    why = None if outcome != "unclear" else say("near_limit")
    return Finding(
        outcome, "published", measured, why, figures={"months": value, "range": [least, most], "dated": all(one.dated for one in lags)}
    )

"""Predicates over adoption: printed figures, likes of each organisation's most-liked model, shares
of downloads.
"""

from __future__ import annotations

import calendar
import dataclasses
import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.adoption.figures import DENOMINATORS, CountryShare, LikedOrganization, latest, most_liked, share
from harness.adoption.organizations import organizations
from harness.adoption.published import PublishedCount, find_figure
from harness.adoption.rows import LANGUAGE, TEXT, HubModel, Snapshot
from harness.adoption.words import selection
from harness.errors import ConfigError, DataError
from harness.studies.adoption_words import begun, number, of_models, per_cent, written
from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.finding import Basis, Outcome, StatementFinding, country_name, listed, say

PIPELINES = {"text": TEXT, "language": LANGUAGE}
Among = Literal["all", "language", "text", "first_party", "no_reuploads", "new"]
Place = Literal["CN", "US"]


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Printed(_Keys):
    """One printed figure is at least ``times`` the other, whatever was rounded away."""

    one: str = Field(description="Id of a figure of harness/data/adoption/figures.csv.")
    other: str
    times: float = Field(1.0, gt=0)


class _OfDays(_Keys):
    begin: datetime.date | None = Field(
        None, description="Lists of these days are read as one: the last figure of each model."
    )
    end: datetime.date | None = Field(None, description="Without days: the last wide list.")
    pipelines: Literal["text", "language"] = "text"

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.begin is None) != (self.end is None):
            raise ValueError("give begin and end, or neither for the last wide list")
        return self


class MostLiked(_OfDays):
    """The most-liked model of ``one`` has at least ``times`` the likes of that of ``other``."""

    one: str = Field(description="A namespace of the hub.")
    other: str
    times: float = Field(1.0, gt=0)


class LikedRank(_OfDays):
    """An organisation has this rank by the likes of its most-liked model."""

    organization: str
    rank: int = Field(ge=1)


class Downloads(_Keys):
    """Models of ``one`` have more downloads than those of ``other``, whoever the organisations are
    that no source places.
    """

    one: Place
    other: Place
    among: Among = "language"
    date: datetime.date = Field(
        datetime.date(9999, 12, 31), description="The last wide list up to this day is taken."
    )


def wide(data: Data, until: datetime.date = datetime.date(9999, 12, 31)) -> list[Snapshot]:
    """The lists that show the top of the whole hub, or all of it, up to a day; not those of single
    organisations, trends or newsletters.
    """
    return [one for one in data.adoption if one.selection.startswith(("top", "whole")) and one.date <= until]


def rows_of(data: Data, begin: datetime.date, end: datetime.date) -> list[HubModel]:
    """The last exact figure of each model in the lists of some days."""
    days = [one for one in data.adoption if begin <= one.date <= end]
    exact = [dataclasses.replace(one, rows=tuple(row for row in one.rows if row.exact)) for one in days]
    return latest(exact)


def of_figures(keys: tuple[str, ...]) -> list[PublishedCount]:
    """Printed figures by id. Raises ConfigError for an unknown one, or one that is no number."""
    try:
        found = [find_figure(key) for key in keys]
    except DataError as error:
        raise ConfigError(str(error)) from error
    if dates := [one.id for one in found if one.unit == "when"]:
        raise ConfigError(f"{dates[0]} is a date, not a number")
    return found


def printed(what: Printed, data: Data) -> StatementFinding:
    """Holds where the least ratio that the rounding allows reaches ``times``, fails where the
    greatest does not.
    """
    one, other = of_figures((what.one, what.other))
    ratio = one.value / other.value
    low, high = (
        (one.value - one.half) / (other.value + other.half),
        (one.value + one.half) / (other.value - other.half),
    )
    outcome: Outcome = "holds" if low >= what.times else "fails" if high < what.times else "unclear"
    about = {
        "what": begun(written(one.what)),
        "date": one.date,
        "kind": written(one.kind),
        "source": written(one.source.rstrip(".")),
    }
    sides = {
        "one": written(one.who),
        "value": number(one),
        "other": written(other.who),
        "against": number(other),
    }
    measured = say("printed", **about, **sides, ratio=f"{ratio:.2f}", low=f"{low:.2f}", high=f"{high:.2f}")
    brief = say(
        "brief_printed",
        value=number(one, short=True),
        against=number(other, short=True),
        ratio=f"{ratio:.2f}",
    )
    return StatementFinding(
        outcome,
        "published",
        measured,
        say("printed_unclear") if outcome == "unclear" else None,
        figures={"ratio": ratio, "low": low, "high": high},
        basis=Basis(say("by_print"), None, *month_of(one.date)),
        brief=brief,
    )


def month_of(date: str) -> tuple[datetime.date, datetime.date]:
    """First and last day of a printed figure's date: a day, a month or a year."""
    year, month, day = (int(part) for part in [*date.split("-"), "0", "0"][:3])
    if day:
        return (datetime.date(year, month, day),) * 2
    first, last = (month, month) if month else (1, 12)
    return datetime.date(year, first, 1), datetime.date(year, last, calendar.monthrange(year, last)[1])


def days_of(data: Data, what: _OfDays) -> tuple[datetime.date, datetime.date]:
    """The days asked for, else those of the last wide list; the last of all days where there is
    none.
    """
    if what.begin is not None and what.end is not None:
        return what.begin, what.end
    known = wide(data)
    last = known[-1].date if known else datetime.date.max
    return last, last


def ranked(data: Data, what: _OfDays) -> dict[str, tuple[int, LikedOrganization]]:
    """Organisation (in lower case) to its rank and its most-liked model."""
    rows = rows_of(data, *days_of(data, what))
    return {
        one.organization.lower(): (rank, one)
        for rank, one in enumerate(most_liked(rows, PIPELINES[what.pipelines]), 1)
    }


def _missing(names: tuple[str, ...], days: tuple[datetime.date, datetime.date]) -> StatementFinding:
    command = "harness adoption snapshot " + " ".join(f"--org {name}" for name in names)
    known = days[0] != datetime.date.max
    measured = say("no_likes", names=listed(names), span=_days(days)) if known else say("no_wide_list")
    return StatementFinding("missing", "none", measured, say("take_snapshot"), command)


def _days(days: tuple[datetime.date, datetime.date]) -> Text:
    """The days of the lists that were read."""
    return (
        say("list_day", date=days[0]) if days[0] == days[1] else say("list_days", begin=days[0], end=days[1])
    )


def _basis(days: tuple[datetime.date, datetime.date]) -> Basis:
    return Basis(say("by_hub"), None, *days)


def _pair(one: LikedOrganization, other: LikedOrganization) -> dict[str, str]:
    return {
        "one": one.model, "likes": f"{one.likes:,}", "other": other.model, "against": f"{other.likes:,}",
        "ratio": f"{one.likes / other.likes:.2f}", "total": f"{one.total:,}", "models": str(one.models), "all": f"{other.total:,}",
        "others": str(other.models),
    }  # fmt: skip


def liked_more(what: MostLiked, data: Data) -> StatementFinding:
    """Counts are exact: it holds or fails, and is missing where an organisation is on no list of
    these days.
    """
    found, days = ranked(data, what), days_of(data, what)
    lacking = tuple(name for name in (what.one, what.other) if name.lower() not in found)
    if lacking:
        return _missing(lacking, days)
    one, other = (found[name.lower()][1] for name in (what.one, what.other))
    pair = _pair(one, other)
    return StatementFinding(
        "holds" if one.likes >= what.times * other.likes else "fails",
        "published",
        say("most_liked", span=_days(days), **pair),
        figures={"one": one.likes, "other": other.likes, "date": str(days[1])},
        basis=_basis(days),
        brief=say("brief_liked", likes=pair["likes"], against=pair["against"], ratio=pair["ratio"]),
    )


def liked_rank(what: LikedRank, data: Data) -> StatementFinding:
    """Holds where the rank is the one given; the ranks above it are said."""
    found, days = ranked(data, what), days_of(data, what)
    if what.organization.lower() not in found:
        return _missing((what.organization,), days)
    rank, mine = found[what.organization.lower()]
    likes = f"{mine.likes:,}"
    measured = say(
        "liked_rank",
        span=_days(days),
        n=len(found),
        one=mine.model,
        likes=likes,
        rank=rank,
        before=_first(found, rank),
    )
    return StatementFinding(
        "holds" if rank == what.rank else "fails",
        "published",
        measured,
        figures={"rank": rank, "likes": mine.likes, "date": str(days[1])},
        basis=_basis(days),
        brief=say("brief_rank", rank=rank, likes=likes),
    )


def _first(found: dict[str, tuple[int, LikedOrganization]], rank: int) -> Text:
    """Who stands before a rank, with their likes, as the end of a sentence."""
    before = [f"{one.model} {one.likes:,}" for place, one in found.values() if place < rank][:8]
    return say("after_them", listed=listed(before)) if before else say("before_all")


def downloads(what: Downloads, data: Data) -> StatementFinding:
    """Holds where ``one`` is ahead even if all that no source places were the other's, fails where
    it is behind even with all of it.
    """
    known = wide(data, what.date)
    last = known[-1] if known else Snapshot(what.date, "", "whole", ())
    shares = {
        name: share(last.rows, "downloads_30d", name, organizations(), last.date) for name in DENOMINATORS
    }
    mine = shares[what.among]
    if not mine.total:
        return StatementFinding(
            "missing", "none", say("no_downloads"), say("take_snapshot"), "harness adoption snapshot"
        )
    ahead = lead(mine, what.one, what.other)
    outcome: Outcome = "holds" if ahead > 0 else "fails" if ahead < 0 else "unclear"
    rest = [name for name in DENOMINATORS if name != what.among]
    measured = say(
        "downloads", date=last.date, of=of_models(mine), where=Text(en=selection(last, "en"), zh=selection(last, "zh")),
        who=country_name(what.one), share=per_cent(mine, what.one), whom=country_name(what.other), other=per_cent(mine, what.other),
        open=per_cent(mine, "?"), rest=_listed([shares[name] for name in rest], what),
    )  # fmt: skip
    why = say("downloads_unclear") if outcome == "unclear" else None
    figures: dict[str, Any] = {"date": str(last.date)}
    for name, one in shares.items():
        if one.total:
            figures[name] = {place: one.share(place) for place in (what.one, what.other, "?")}
    brief = say("brief_shares", one=per_cent(mine, what.one), other=per_cent(mine, what.other))
    return StatementFinding(
        outcome,
        "published",
        measured,
        why,
        figures=figures,
        basis=_basis((last.date, last.date)),
        brief=brief,
    )


def lead(found: CountryShare, one: str, other: str) -> int:
    """1 where ``one`` is surely ahead, -1 where it is surely behind, 0 where the organisations that
    no source places decide.
    """
    mine, theirs = found.by_place.get(one, 0), found.by_place.get(other, 0)
    return 1 if mine > theirs + found.open else -1 if theirs > mine + found.open else 0


def _listed(shares: list[CountryShare], what: Downloads) -> Text:
    parts = [
        say(
            "downloads_of",
            of=of_models(one),
            share=per_cent(one, what.one),
            other=per_cent(one, what.other),
            open=per_cent(one, "?"),
        )
        for one in shares
        if one.total
    ]
    return Text(en="; ".join(part.en for part in parts), zh="；".join(part.zh for part in parts))

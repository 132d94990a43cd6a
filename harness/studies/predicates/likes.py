"""Predicates over the likes of each organisation's most-liked model."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from harness.adoption.figures import LikedOrganization, latest, most_liked
from harness.adoption.rows import LANGUAGE, TEXT, HubModel
from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.finding import StatementFinding, listed, say
from harness.studies.predicates.adoption import hub_basis, wide
from harness.studies.predicates.keys import PredicateKeys

PIPELINES = {"text": TEXT, "language": LANGUAGE}


class DayKeys(PredicateKeys):
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


class MostLiked(DayKeys):
    """The most-liked model of ``one`` has at least ``times`` the likes of that of ``other``."""

    one: str = Field(description="A namespace of the hub.")
    other: str
    times: float = Field(1.0, gt=0)


class LikedRank(DayKeys):
    """An organisation has this rank by the likes of its most-liked model."""

    organization: str
    rank: int = Field(ge=1)


def rows_of(data: Data, begin: datetime.date, end: datetime.date) -> list[HubModel]:
    """The last exact figure of each model in the lists of some days."""
    days = [one for one in data.adoption if begin <= one.date <= end]
    exact = [dataclasses.replace(one, rows=tuple(row for row in one.rows if row.exact)) for one in days]
    return latest(exact)


def days_of(data: Data, what: DayKeys) -> tuple[datetime.date, datetime.date]:
    """The days of the keys, else those of the last wide list.

    The last of all days where there is none.
    """
    if what.begin is not None and what.end is not None:
        return what.begin, what.end
    lists = wide(data)
    last = lists[-1].date if lists else datetime.date.max
    return last, last


def ranked(data: Data, what: DayKeys) -> dict[str, tuple[int, LikedOrganization]]:
    """Organisation (in lower case) to its rank and its most-liked model."""
    rows = rows_of(data, *days_of(data, what))
    return {
        one.organization.lower(): (rank, one)
        for rank, one in enumerate(most_liked(rows, PIPELINES[what.pipelines]), 1)
    }


def _no_lists(names: tuple[str, ...], days: tuple[datetime.date, datetime.date]) -> StatementFinding:
    command = "harness adoption snapshot " + " ".join(f"--org {name}" for name in names)
    has_list = days[0] != datetime.date.max
    measured = say("no_likes", names=listed(names), span=_days(days)) if has_list else say("no_wide_list")
    return StatementFinding("missing", "none", measured, say("take_snapshot"), command)


def _days(days: tuple[datetime.date, datetime.date]) -> Text:
    """The days of the lists that were read."""
    return (
        say("list_day", date=days[0]) if days[0] == days[1] else say("list_days", begin=days[0], end=days[1])
    )


def _pair(one: LikedOrganization, other: LikedOrganization) -> dict[str, str]:
    return {
        "one": one.model,
        "likes": f"{one.likes:,}",
        "other": other.model,
        "against": f"{other.likes:,}",
        "ratio": f"{one.likes / other.likes:.2f}",
        "total": f"{one.total:,}",
        "models": str(one.models),
        "all": f"{other.total:,}",
        "others": str(other.models),
    }


def liked_more(what: MostLiked, data: Data) -> StatementFinding:
    """Counts are exact: it holds or fails.

    It is missing where an organisation is on no list of these days.
    """
    ranks, days = ranked(data, what), days_of(data, what)
    lacking = tuple(name for name in (what.one, what.other) if name.lower() not in ranks)
    if lacking:
        return _no_lists(lacking, days)

    one, other = (ranks[name.lower()][1] for name in (what.one, what.other))
    pair = _pair(one, other)
    return StatementFinding(
        "holds" if one.likes >= what.times * other.likes else "fails",
        "published",
        say("most_liked", span=_days(days), **pair),
        figures={"one": one.likes, "other": other.likes, "date": str(days[1])},
        basis=hub_basis(days),
        brief=say("brief_liked", likes=pair["likes"], against=pair["against"], ratio=pair["ratio"]),
    )


def liked_rank(what: LikedRank, data: Data) -> StatementFinding:
    """Holds where the rank is the claimed one; the ranks above it are named."""
    ranks, days = ranked(data, what), days_of(data, what)
    if what.organization.lower() not in ranks:
        return _no_lists((what.organization,), days)

    rank, mine = ranks[what.organization.lower()]
    likes = f"{mine.likes:,}"
    measured = say(
        "liked_rank",
        span=_days(days),
        n=len(ranks),
        one=mine.model,
        likes=likes,
        rank=rank,
        before=_first(ranks, rank),
    )

    return StatementFinding(
        "holds" if rank == what.rank else "fails",
        "published",
        measured,
        figures={"rank": rank, "likes": mine.likes, "date": str(days[1])},
        basis=hub_basis(days),
        brief=say("brief_rank", rank=rank, likes=likes),
    )


def _first(ranks: dict[str, tuple[int, LikedOrganization]], rank: int) -> Text:
    """Who stands before a rank, with their likes, as the end of a sentence."""
    before = [f"{one.model} {one.likes:,}" for position, one in ranks.values() if position < rank][:8]
    return say("after_them", listed=listed(before)) if before else say("before_all")

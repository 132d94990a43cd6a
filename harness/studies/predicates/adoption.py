"""Predicates over adoption.

Printed figures, likes of each organisation's most-liked model, shares of downloads.
"""

from __future__ import annotations

import calendar
import datetime
from typing import Any, Literal

from pydantic import Field

from harness.adoption.figures import DENOMINATORS, CountryShare, share
from harness.adoption.organizations import organizations
from harness.adoption.published import PublishedCount, find_figure
from harness.adoption.rows import Snapshot
from harness.adoption.words import selection
from harness.errors import ConfigError, DataError
from harness.studies.adoption_words import begun, number, of_models, per_cent, written
from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.finding import Basis, Outcome, StatementFinding, country_name, say
from harness.studies.predicates.keys import PredicateKeys

Among = Literal["all", "language", "text", "first_party", "no_reuploads", "new"]
CountryCode = Literal["CN", "US"]


class Printed(PredicateKeys):
    """One printed figure is at least ``times`` the other, whatever was rounded away."""

    one: str = Field(description="Id of a figure of harness/data/adoption/figures.csv.")
    other: str
    times: float = Field(1.0, gt=0)


class Downloads(PredicateKeys):
    """Models of ``one`` have more downloads than those of ``other``.

    Whoever the organisations are that no source places.
    """

    one: CountryCode
    other: CountryCode
    among: Among = "language"
    date: datetime.date = Field(
        datetime.date(9999, 12, 31), description="The last wide list up to this day is taken."
    )


def wide(data: Data, until: datetime.date = datetime.date(9999, 12, 31)) -> list[Snapshot]:
    """The lists that show the top of the whole hub, or all of it, up to a day.

    Not those of single organisations, trends or newsletters.
    """
    return [one for one in data.adoption if one.selection.startswith(("top", "whole")) and one.date <= until]


def of_figures(keys: tuple[str, ...]) -> list[PublishedCount]:
    """Printed figures by id. Raises ConfigError for an unknown one, or one that is no number."""
    try:
        counts = [find_figure(key) for key in keys]
    except DataError as error:
        raise ConfigError(str(error)) from error
    if dates := [one.id for one in counts if one.unit == "when"]:
        raise ConfigError(f"{dates[0]} is a date, not a number")
    return counts


def printed(what: Printed, data: Data) -> StatementFinding:
    """Whether one printed figure is ``times`` the other.

    Holds where the least ratio that the rounding allows reaches ``times``, fails where the greatest
    does not.
    """
    one, other = of_figures((what.one, what.other))
    ratio = one.value / other.value

    # A printed figure stands for every value that rounds to it.
    low, high = (
        (one.value - one.half) / (other.value + other.half),
        (one.value + one.half) / (other.value - other.half),
    )

    outcome: Outcome = "holds" if low >= what.times else "fails" if high < what.times else "unclear"
    measured = _printed_words(one, other, ratio, low, high)
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


def _printed_words(one: PublishedCount, other: PublishedCount, ratio: float, low: float, high: float) -> Text:
    """Two printed figures and their ratio, as a sentence."""
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

    return say("printed", **about, **sides, ratio=f"{ratio:.2f}", low=f"{low:.2f}", high=f"{high:.2f}")


def month_of(date: str) -> tuple[datetime.date, datetime.date]:
    """First and last day of a printed figure's date: a day, a month or a year."""
    year, month, day = (int(part) for part in [*date.split("-"), "0", "0"][:3])
    if day:
        return (datetime.date(year, month, day),) * 2
    first, last = (month, month) if month else (1, 12)
    return datetime.date(year, first, 1), datetime.date(year, last, calendar.monthrange(year, last)[1])


def hub_basis(days: tuple[datetime.date, datetime.date]) -> Basis:
    return Basis(say("by_hub"), None, *days)


def downloads(what: Downloads, data: Data) -> StatementFinding:
    """Whether ``one`` has more downloads than ``other``.

    Holds where ``one`` is ahead even if all that no source places were the other's, fails where it
    is behind even with all of it.
    """
    lists = wide(data, what.date)
    last = lists[-1] if lists else Snapshot(what.date, "", "whole", ())

    # Every denominator is counted: the claim is tested by one, the others show what that choice
    # decides.
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
    measured = _downloads_words(what, last, mine, shares)
    why = say("downloads_unclear") if outcome == "unclear" else None

    figures = _downloads_figures(what, last, shares)
    brief = say("brief_shares", one=per_cent(mine, what.one), other=per_cent(mine, what.other))

    return StatementFinding(
        outcome,
        "published",
        measured,
        why,
        figures=figures,
        basis=hub_basis((last.date, last.date)),
        brief=brief,
    )


def _downloads_figures(what: Downloads, last: Snapshot, shares: dict[str, CountryShare]) -> dict[str, Any]:
    """The same for programs."""
    figures: dict[str, Any] = {"date": str(last.date)}
    for name, one in shares.items():
        if one.total:
            figures[name] = {country: one.share(country) for country in (what.one, what.other, "?")}
    return figures


def _downloads_words(
    what: Downloads, last: Snapshot, mine: CountryShare, shares: dict[str, CountryShare]
) -> Text:
    """The shares of both countries under each denominator, as a sentence."""
    return say(
        "downloads",
        date=last.date,
        of=of_models(mine),
        where=Text(en=selection(last, "en"), zh=selection(last, "zh")),
        who=country_name(what.one),
        share=per_cent(mine, what.one),
        whom=country_name(what.other),
        other=per_cent(mine, what.other),
        open=per_cent(mine, "?"),
        rest=_listed([one for name, one in shares.items() if name != what.among], what),
    )


def lead(country_shares: CountryShare, one: str, other: str) -> int:
    """1 where ``one`` is surely ahead, −1 where it is surely behind.

    0 where the organisations that no source places decide.
    """
    mine, theirs = country_shares.by_place.get(one, 0), country_shares.by_place.get(other, 0)
    return 1 if mine > theirs + country_shares.open else -1 if theirs > mine + country_shares.open else 0


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

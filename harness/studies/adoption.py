"""Exhibits of likes and downloads.

Shares of downloads under each denominator, printed figures, most-liked models, likes over time.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from harness.adoption.figures import DENOMINATORS, CountryShare, share
from harness.adoption.figures import LikedOrganization as MostLiked
from harness.adoption.organizations import PLACES, organizations
from harness.adoption.published import PublishedCount, figures, list_sources
from harness.adoption.report import TOP, percent
from harness.adoption.rows import Snapshot
from harness.adoption.words import selection
from harness.studies.adoption_words import both, number, of_models, written
from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.exhibited import Cell, Exhibit
from harness.studies.finding import country_name, listed, say
from harness.studies.predicates import adoption as predicates
from harness.studies.predicates.likes import LikedRank, days_of, ranked
from harness.texts import catalogue

COUNTED = ("CN", "US")


class Shares(BaseModel):
    """Shares of downloads.

    ``printed``: pairs of figures (China's, America's) beside those of the lists.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    printed: tuple[tuple[str, str], ...] = ()


class Figures(BaseModel):
    """Every printed figure of a claim."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    claim: str


class Liked(BaseModel):
    """Organisations by their most-liked model. Without days: the last wide list."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    begin: datetime.date | None = None
    end: datetime.date | None = None
    pipelines: str = Field("text", pattern="^(text|language)$")


class Likes(BaseModel):
    """Some models' likes over time."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    models: tuple[str, ...] = Field(min_length=1)


def shares(title: Text, keys: Shares, data: Data) -> Exhibit:
    """A row for each day and denominator, the printed ones first.

    The plot shows the last day's and the printed ones.
    """
    lists = predicates.wide(data)
    rows, points = [], list[dict[str, Any]]()
    for pair in keys.printed:
        one, other = predicates.of_figures(pair)
        label = say("printed_row", what=written(one.what))
        rows.append(_printed_row(one, other, label))
        if one.unit == "per cent":
            points += [
                _point(_short(one, label), one.date, country, figure.value / 100, 0.0)
                for country, figure in zip(COUNTED, (one, other), strict=True)
            ]

    # The table has every day; a plot of all would hide the newest, which the claim is about.
    for day in lists:
        for name in DENOMINATORS:
            country_shares = share(day.rows, "downloads_30d", name, organizations(), day.date)
            if country_shares.total:
                rows.append(_share_row(day, country_shares))
                if day is lists[-1]:
                    points += _share_points(day, country_shares)

    headers = [
        say("h_date"),
        say("h_of"),
        *(_place(country) for country in PLACES),
        _word("h_hhi"),
        say("h_ahead"),
    ]
    return Exhibit("downloads", title, tuple(headers), tuple(rows), tuple(points), _said(lists), arena=False)


def _share_points(day: Snapshot, country_shares: CountryShare) -> list[dict[str, Any]]:
    label, open_share = _brief(country_shares), country_shares.share("?")
    return [
        _point(label, str(day.date), country, country_shares.share(country), open_share)
        for country in COUNTED
    ]


def _short(one: PublishedCount, label: Text) -> Text:
    """What a printed figure is called beside a plot."""
    return written(f"short: {one.what}") if f"short: {one.what}" in catalogue("adoption") else label


def _brief(country_shares: CountryShare) -> Text:
    """A denominator beside a plot; the table says it in full."""
    return both(f"k_{country_shares.denominator}", n=country_shares.models)


def _place(country: str) -> Text:
    return country_name(country) if country in COUNTED else _word(f"p_{country}")


def _word(key: str) -> Text:
    return both(key)


def _point(label: Text, date: str, country: str, value: float, more: float) -> dict[str, Any]:
    label = Text(en=f"{date}: {label.en}", zh=f"{date}：{label.zh}")
    return {
        "en": label.en,
        "zh": label.zh,
        "country": country,
        "share": value,
        "high": min(1.0, value + more),
    }


def _printed_row(one: PublishedCount, other: PublishedCount, label: Text) -> tuple[Cell, ...]:
    ahead = say("ahead_one" if one.value > other.value else "ahead_other")
    return (one.date, label, number(one), number(other), *("–",) * (len(PLACES) - 2), "–", ahead)


def _share_row(day: Snapshot, country_shares: CountryShare) -> tuple[Cell, ...]:
    key = {1: "ahead_one", -1: "ahead_other", 0: "ahead_open"}[predicates.lead(country_shares, *COUNTED)]
    values = [country_shares.share(country) for country in PLACES]
    cells = [Text(en=percent(value), zh=percent(value, "zh")) for value in values]
    return (str(day.date), of_models(country_shares), *cells, f"{country_shares.hhi:.3f}", say(key))


def _said(lists: list[Snapshot]) -> tuple[Text, ...]:
    """Which lists these are, where they were read, and how models were sorted."""
    lines = []
    for last in {one.series: one for one in lists}.values():
        words = Text(en=selection(last, "en"), zh=selection(last, "zh"))
        lines += [both("of_list", selection=words, source=last.source), *_read_at([last.source])]
    return (*lines, *(_word(key) for key in ("n_lists", "n_reuploads", "n_untagged", "n_hhi")))


def _read_at(sources: Iterable[str]) -> list[Text]:
    """Where packaged lists were read; a user's own have their hub as their source already."""
    named_sources = [
        (name, list_sources()[name]) for name in dict.fromkeys(sources) if name in list_sources()
    ]
    return [
        say("list_source", name=name, title=written(one.title), url=one.url, commit=one.commit)
        for name, one in named_sources
    ]


def printed(title: Text, keys: Figures, data: Data) -> Exhibit:
    """The figures that were printed, with where each was read."""
    rows = tuple(
        (
            one.date,
            written(one.who),
            written(one.what),
            _value(one),
            written(one.kind),
            written(one.source),
        )
        for one in figures().values()
        if one.claim == keys.claim
    )
    headers = (say("h_date"), say("h_who"), say("h_what"), say("h_value"), say("w_rests"), say("h_read_at"))
    return Exhibit("printed_figures", title, headers, rows, ())


def _value(one: PublishedCount) -> Cell:
    return written(one.printed) if one.unit == "when" else number(one)


def liked(title: Text, keys: Liked, data: Data) -> Exhibit:
    """Organisations by their most-liked model.

    The likes of all their models on the lists stand beside it.
    """
    lists = predicates.wide(data)
    if keys.begin is None and not lists:
        return Exhibit("liked", title, (), (), ())

    what = LikedRank(begin=keys.begin, end=keys.end, pipelines=keys.pipelines, organization="?", rank=1)
    begin, end = days_of(data, what)
    ranked_models = list(ranked(data, what).values())[:TOP]
    rows, points = (
        tuple(_liked_row(rank, one) for rank, one in ranked_models),
        tuple(_liked_point(one) for _, one in ranked_models),
    )

    names = ("rank", "organization", "place", "model", "likes", "total", "models")
    days = [one for one in data.adoption if begin <= one.date <= end and any(row.exact for row in one.rows)]
    line = say("likes_source", names=listed(dict.fromkeys(one.source for one in days)))
    source_lines = _read_at(one.source for one in days)
    wins = [say("wins_liked", model=one.model, likes=f"{one.likes:,}") for _, one in ranked_models[:1]]
    span = say("counted_on", date=f"{begin} – {end}" if begin != end else begin)

    return Exhibit(
        "liked",
        title,
        tuple(_word(f"h_{name}") for name in names),
        rows,
        points,
        (*wins, span, line, *source_lines, _word("n_untagged")),
    )


def _liked_row(rank: int, one: MostLiked) -> tuple[Cell, ...]:
    country = _place(organizations().place(one.organization))
    return (
        str(rank),
        one.organization,
        country,
        one.model,
        f"{one.likes:,}",
        f"{one.total:,}",
        str(one.models),
    )


def _liked_point(one: MostLiked) -> dict[str, Any]:
    return {"model": one.model, "country": organizations().place(one.organization), "likes": one.likes}


def likes(title: Text, keys: Likes, data: Data) -> Exhibit:
    """A point for each day on which a list has an exact count.

    The table has a row for each model and quarter's last count.
    """
    points, rows, sources = [], {}, list[str]()

    # Rounded counts ("12.3k") would draw steps that nobody's likes made.
    for one in data.adoption:
        for row in one.rows:
            if row.model in keys.models and row.likes is not None and row.exact:
                points.append({"date": one.date, "model": row.model, "likes": row.likes})
                sources.append(one.source)
                quarter = (row.model, one.date.year, (one.date.month - 1) // 3)
                rows[quarter] = (row.model, str(one.date), f"{row.likes:,}", one.source)

    headers = (say("h_model"), say("h_date"), _word("h_likes"), say("h_read_at"))
    return Exhibit(
        "likes",
        title,
        headers,
        tuple(rows[key] for key in sorted(rows)),
        tuple(points),
        tuple(_read_at(sources)),
    )

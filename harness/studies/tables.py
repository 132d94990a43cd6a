"""Exhibits that are tables alone: boards of scores, published speeds, training tokens, releases."""

from __future__ import annotations

import datetime
import re
from collections import Counter

from pydantic import BaseModel, ConfigDict, Field

from harness.published.scoreboards import ANALYSIS, analysed
from harness.published.sources import source_url
from harness.studies.board import Side
from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.exhibited import Cell, Exhibit
from harness.studies.finding import country_name, maker_name, say
from harness.studies.predicates.counts import release_days, trained
from harness.studies.predicates.speed import speeds


class Standing(BaseModel):
    """The best of a side at each date of a board of scores.

    With ``names`` the models that match, of every version of the index.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    board: str
    begin: datetime.date = datetime.date.min
    end: datetime.date = datetime.date.max
    side: Side = Side()
    top: int = Field(5, ge=1)
    names: tuple[str, ...] = ()


class Nothing(BaseModel):
    """No keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Span(BaseModel):
    """A span of days."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    begin: datetime.date
    end: datetime.date


def board(title: Text, keys: Standing, data: Data) -> Exhibit:
    """A table row per model and date."""
    return _index(title, keys) if keys.board == ANALYSIS else _standing(title, keys, data)


def _standing(title: Text, keys: Standing, data: Data) -> Exhibit:
    rows: list[tuple[Cell, ...]] = []

    # A board of scores has few dates, so every one is a group of table rows.
    for one in data.board_of(keys.board).series(method="score"):
        if keys.begin <= one.date <= keys.end:
            for rank, entry in enumerate(one.top(keys.top, keys.side), 1):
                span = (
                    f"{entry.low:.1f} … {entry.high:.1f}"
                    if entry.low is not None and entry.high is not None
                    else "–"
                )
                rows.append(
                    (
                        str(one.date),
                        str(rank),
                        entry.name,
                        country_name(entry.facts.country),
                        f"{entry.rating:.2f}",
                        span,
                    )
                )

    headers = tuple(say(f"h_{name}") for name in ("date", "rank", "model", "country", "score", "interval"))
    return Exhibit("board", title, headers, tuple(rows), (), (say("from_items_line"),))


def _index(title: Text, keys: Standing) -> Exhibit:
    """Values of all versions with the version beside each.

    The mean of the parts where the version is that mean.
    """
    rows: list[tuple[Cell, ...]] = []
    keys_listed: set[tuple[datetime.date, str]] = set()

    for row in analysed():
        key = (row.date, row.model.lower())
        if (
            row.index is None
            or key in keys_listed
            or not any(re.search(name, row.model.lower()) for name in keys.names)
        ):
            continue

        keys_listed.add(key)

        # Only version 2.2 is a plain mean of its parts, so only there can the index be checked.
        index: Cell = say("estimated", value=f"{row.index:g}") if row.estimated else f"{row.index:g}"
        mean = f"{row.recomputed:.1f}" if row.recomputed is not None and row.version == "2.2" else "–"
        rows.append((str(row.date), f"v{row.version}", row.model, country_name(row.country), index, mean))

    headers = tuple(
        say(f"h_{name}") for name in ("date", "version", "model", "country", "index", "recomputed")
    )
    return Exhibit("board", title, headers, tuple(rows), (), (say("versions_differ"),))


def measured_speeds(title: Text, keys: Nothing, data: Data) -> Exhibit:
    """Every published measurement, per chip, with what differs between them."""
    rows = tuple(
        (
            one.chip,
            say(f"phase_{one.phase}"),
            f"{one.per_chip:,.0f}",
            one.engine,
            str(one.input_tokens or "?"),
            one.precision,
            str(one.date),
            source_url(one.source),
        )
        for one in speeds()
    )

    headers = tuple(
        say(f"h_{name}")
        for name in ("chip", "phase", "per_chip", "engine", "input", "precision", "day", "source")
    )
    return Exhibit("speeds", title, headers, rows, (), (say("speeds_differ"),))


def training(title: Text, keys: Nothing, data: Data) -> Exhibit:
    """Every published number of training tokens."""
    rows = tuple(
        (
            str(one.released),
            one.model,
            maker_name(one.maker),
            country_name(one.country),
            f"{one.trillions:g}",
            source_url(one.source),
            say("cited" if one.unread else "read"),
        )
        for one in trained()
    )
    headers = tuple(
        say(f"h_{name}")
        for name in ("released", "model", "maker", "country", "trillions", "source", "looked_up")
    )
    return Exhibit("trained", title, headers, rows, ())


def releases(title: Text, keys: Span, data: Data) -> Exhibit:
    """Days with a release by quarter and country."""
    by_country = release_days(keys.begin, keys.end)
    counts = {
        country: Counter(f"{day.year} Q{(day.month + 2) // 3}" for _, day in release_list)
        for country, release_list in by_country.items()
    }
    # Makers outside the two countries are one column, so that every release is counted.
    quarters = sorted({quarter for one in counts.values() for quarter in one})
    named = ("CN", "US")
    rows = tuple(
        (
            quarter,
            *(str(counts.get(country, Counter())[quarter]) for country in named),
            str(sum(one[quarter] for country, one in counts.items() if country not in named)),
        )
        for quarter in quarters
    )

    headers = (say("h_quarter"), *(country_name(country) for country in named), say("other_countries"))
    total = [sum(one.values()) for one in (counts.get(country, Counter()) for country in named)]
    return Exhibit("releases", title, headers, rows, (), (say("gap_total", one=total[0], other=total[1]),))

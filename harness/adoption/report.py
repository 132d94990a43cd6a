"""Adoption as tables and records: shares by country and organisation over time, concentration,
most-liked models, what is not listed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from harness import texts
from harness.adoption.figures import DENOMINATORS, CountryShare, most_liked, share
from harness.adoption.organizations import PLACES, Organizations
from harness.adoption.rows import LANGUAGE, TEXT, Snapshot, in_pipelines
from harness.adoption.words import denominator, say, selection
from harness.reporting.document import NONE, Column, Document, Table, TableCell

SMALL = 100
"""Lists with fewer models say little of shares."""
TOP = 12
"""Organisations in a table."""
COLUMNS = 5
"""Dates side by side in a table of organisations."""
FIELDS = (
    "date",
    "source",
    "selection",
    "measure",
    "denominator",
    "models",
    "kind",
    "name",
    "model",
    "value",
    "share",
)
SHOWN = ("all", "language", "first_party", "no_reuploads", "new")
"""Denominators of the tables; `records` has all of DENOMINATORS."""


def chosen(snapshots: Sequence[Snapshot], source: str | None = None) -> tuple[list[Snapshot], list[str]]:
    """The lists to show and the names of the sources left out: those of one source, or all of those
    with SMALL models on a day, and of snapshots of our own.
    """
    large = {one.source for one in snapshots if len(one.rows) >= SMALL or one.header} or {
        one.source for one in snapshots
    }
    wanted = {source} if source is not None else large
    lists = [one for one in snapshots if one.source in wanted]
    return lists, sorted({one.source for one in snapshots} - wanted)


def adoption_document(
    snapshots: Sequence[Snapshot],
    measure: str,
    seats: Organizations,
    language: str = "en",
    left_out: Sequence[str] = (),
) -> Document:
    """All tables of one measure in a language, and every figure as flat records."""
    sentences = notes(left_out, language)
    return Document(
        title(snapshots, language),
        tuple(tables(snapshots, measure, seats, language)),
        tuple(sentences),
        data=lambda: {"schema_version": 1, "figures": records(snapshots, measure, seats), "notes": sentences},
        records=lambda: (FIELDS, records(snapshots, measure, seats)),
        language=language,
    )


def tables(
    snapshots: Sequence[Snapshot], measure: str, seats: Organizations, language: str = "en"
) -> list[Table]:
    """All tables of one measure, source by source; every title says its denominator."""
    shown = []
    for series in dict.fromkeys(one.series for one in snapshots):
        lists = [one for one in snapshots if one.series == series]
        for name in SHOWN:
            shares = [share(one.rows, measure, name, seats, one.date) for one in lists]
            if any(one.total for one in shares):
                shown += [_places(lists, shares, language), _organizations(lists, shares, seats, language)]
        shown += list(_liked(lists[-1], seats, language))
        shown += list(_not_listed(lists[-1], measure, seats, language))
    return shown


def _columns(language: str, texts: Sequence[str], figures: Sequence[str]) -> list[Column]:
    """Columns by their words' keys; texts name the rows."""
    columns = [Column(say(key, language), key=True) for key in texts]
    return columns + [Column(say(key, language), number=True) for key in figures]


def _title(key: str, one: CountryShare, language: str, **more: Any) -> str:
    return say(
        key, language, measure=say(f"m_{one.measure}", language), models=denominator(one, language), **more
    )


def _notes(one: Snapshot, shared: CountryShare, language: str) -> tuple[str, ...]:
    notes = [say("of_list", language, selection=selection(one, language), source=one.source)]
    notes += [say("n_without", language, n=shared.without)] if shared.without else []
    notes += [say("n_rounded", language)] if any(not row.exact for row in one.rows) else []
    return tuple(notes)


def _places(lists: Sequence[Snapshot], shares: Sequence[CountryShare], language: str) -> Table:
    """One row per day: the share of each place, and the concentration of organisations."""
    rows = [
        [
            TableCell(str(one.date)),
            *(_percent_cell(shared.share(place), language) for place in PLACES),
            TableCell(f"{shared.models:,}", shared.models),
            TableCell(f"{shared.total:,}", shared.total),
            TableCell(_three(shared.hhi), _finite(shared.hhi)),
        ]
        for one, shared in zip(lists, shares, strict=True)
        if shared.total
    ]
    columns = _columns(
        language, ["h_date"], [*(f"p_{place}" for place in PLACES), "h_models", "h_sum", "h_hhi"]
    )
    notes = _notes(lists[-1], shares[-1], language)
    return Table.of(_title("by_place", shares[-1], language), columns, rows, notes)


def _organizations(
    lists: Sequence[Snapshot], shares: Sequence[CountryShare], seats: Organizations, language: str
) -> Table:
    """The largest organisations of the last day, with their shares on days before it."""
    last = shares[-1]
    step = max(1, math.ceil(len(lists) / COLUMNS))
    picked = list(range(len(lists) - 1, -1, -step))[::-1]
    names = sorted(last.by_organization, key=lambda name: (-last.by_organization[name], name))[:TOP]

    rows = [
        [
            TableCell(name),
            TableCell(say(f"p_{seats.place(name)}", language)),
            *(_percent_cell(_part(shares[position], name), language) for position in picked),
        ]
        for name in names
    ]
    columns = _columns(language, ["h_organization", "h_place"], [])
    columns += [Column(str(lists[position].date), number=True) for position in picked]
    notes = _notes(lists[-1], last, language)
    return Table.of(_title("by_organization", last, language), columns, rows, notes)


def _part(shared: CountryShare, name: str) -> float:
    return shared.by_organization.get(name, 0) / shared.total if shared.total else math.nan


def _liked(one: Snapshot, seats: Organizations, language: str) -> Iterator[Table]:
    """The most-liked model of each organisation, and the likes of all its models beside it."""
    columns = _columns(
        language, ["h_rank", "h_organization", "h_place", "h_model"], ["h_likes", "h_total", "h_models"]
    )
    columns[0] = Column(columns[0].heading, number=True)
    for name, pipelines in (("text", TEXT), ("language", LANGUAGE)):
        shared = share(one.rows, "likes", name, seats, one.date)
        rows = [
            [
                TableCell(str(rank), rank),
                TableCell(best.organization),
                TableCell(say(f"p_{seats.place(best.organization)}", language)),
                TableCell(best.model),
                *(TableCell(f"{value:,}", value) for value in (best.likes, best.total)),
                TableCell(str(best.models), best.models),
            ]
            for rank, best in enumerate(most_liked(one.rows, pipelines)[:TOP], 1)
        ]
        if rows:
            title = _title("liked", shared, language, date=one.date)
            yield Table.of(title, columns, rows, _notes(one, shared, language))


def _not_listed(one: Snapshot, measure: str, seats: Organizations, language: str) -> Iterator[Table]:
    for name in ("all", "language"):
        shared = share(one.rows, measure, name, seats, one.date)

        # A large organisation without a place would move the shares of all places: they are named.
        sums = {who: value for who, value in shared.by_organization.items() if seats.place(who) == "?"}
        names = sorted(sums, key=lambda who: (-sums[who], who))[:TOP]
        rows = [
            [
                TableCell(who),
                TableCell(f"{sums[who]:,}", sums[who]),
                _percent_cell(sums[who] / shared.total, language),
            ]
            for who in names
            if shared.total
        ]
        if rows:
            columns = _columns(language, ["h_organization"], ["h_sum", "h_share"])
            title = _title("not_listed", shared, language, date=one.date)
            yield Table.of(title, columns, rows, _notes(one, shared, language))


def _percent_cell(value: float, language: str) -> TableCell:
    return TableCell(percent(value, language), _finite(value))


def percent(value: float, language: str = "en") -> str:
    """A share in per cent to a tenth; a dash for NaN. Chinese has no space before the sign."""
    return NONE if math.isnan(value) else f"{100 * value:.1f}{' ' if language == 'en' else ''}%"


def _three(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:.3f}"


def title(snapshots: Sequence[Snapshot], language: str) -> str:
    """How many lists, from when to when."""
    days = [one.date for one in snapshots]
    return say("title", language, n=len(snapshots), first=min(days), last=max(days))


def notes(left_out: Sequence[str], language: str) -> list[str]:
    """What a reader must know of all tables."""
    sentences = [say(key, language) for key in ("n_lists", "n_listed", "n_untagged", "n_reuploads", "n_hhi")]
    names = texts.say("common.comma", language).join(left_out)
    return sentences + ([say("n_small", language, least=SMALL, names=names)] if left_out else [])


def records(snapshots: Sequence[Snapshot], measure: str, seats: Organizations) -> list[dict[str, Any]]:
    """One row per figure under FIELDS: places, organisations, concentration, most-liked models (their
    own measure: likes).
    """
    figures = []
    for one in snapshots:
        common = {"date": str(one.date), "source": one.source, "selection": one.selection}
        for name in DENOMINATORS:
            shared = share(one.rows, measure, name, seats, one.date)
            mine = common | {"measure": measure, "denominator": name, "models": shared.models, "model": ""}
            figures += [
                mine
                | {
                    "kind": "country",
                    "name": place,
                    "value": shared.by_place.get(place, 0),
                    "share": _finite(shared.share(place)),
                }
                for place in PLACES
            ]
            figures += [
                mine
                | {"kind": "organization", "name": who, "value": value, "share": _finite(_part(shared, who))}
                for who, value in sorted(shared.by_organization.items(), key=lambda pair: (-pair[1], pair[0]))
            ]
            figures.append(mine | {"kind": "hhi", "name": "", "value": _finite(shared.hhi), "share": None})

        # Most-liked models are ranked by likes, whatever the report counts.
        figures += [
            common
            | {
                "measure": "likes",
                "denominator": name,
                "models": sum(in_pipelines(row, pipelines) for row in one.rows),
                "kind": "most_liked",
                "name": best.organization,
                "model": best.model,
                "value": best.likes,
                "share": None,
            }
            for name, pipelines in (("text", TEXT), ("language", LANGUAGE))
            for best in most_liked(one.rows, pipelines)
        ]
    return figures


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else value

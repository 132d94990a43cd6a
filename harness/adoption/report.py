"""Adoption as sheets and records: shares by country and organisation over time, concentration,
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
from harness.reporting.sheets import Sheet

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
    found = [one for one in snapshots if one.source in wanted]
    return found, sorted({one.source for one in snapshots} - wanted)


def sheets(
    snapshots: Sequence[Snapshot], measure: str, known: Organizations, language: str = "en"
) -> list[Sheet]:
    """All tables of one measure, source by source; every title says its denominator."""
    made = []
    for series in dict.fromkeys(one.series for one in snapshots):
        lists = [one for one in snapshots if one.series == series]
        for name in SHOWN:
            shares = [share(one.rows, measure, name, known, one.date) for one in lists]
            if any(one.total for one in shares):
                made += [_places(lists, shares, language), _organizations(lists, shares, known, language)]
        made += list(_liked(lists[-1], known, language))
        made += list(_not_listed(lists[-1], measure, known, language))
    return made


def _title(key: str, one: CountryShare, language: str, **more: Any) -> str:
    return say(
        key, language, measure=say(f"m_{one.measure}", language), models=denominator(one, language), **more
    )


def _notes(one: Snapshot, found: CountryShare, language: str) -> tuple[str, ...]:
    notes = [say("of_list", language, selection=selection(one, language), source=one.source)]
    notes += [say("n_without", language, n=found.without)] if found.without else []
    notes += [say("n_rounded", language)] if any(not row.exact for row in one.rows) else []
    return tuple(notes)


def _places(lists: Sequence[Snapshot], shares: Sequence[CountryShare], language: str) -> Sheet:
    """A row a day: the share of each place, and the concentration of organisations."""
    rows = tuple(
        (
            str(one.date),
            *(percent(found.share(place), language) for place in PLACES),
            f"{found.models:,}",
            f"{found.total:,}",
            _three(found.hhi),
        )
        for one, found in zip(lists, shares, strict=True)
        if found.total
    )
    headers = (say("h_date", language), *(say(f"p_{place}", language) for place in PLACES))
    headers += tuple(say(f"h_{key}", language) for key in ("models", "sum", "hhi"))
    return Sheet(
        _title("by_place", shares[-1], language), headers, rows, notes=_notes(lists[-1], shares[-1], language)
    )


def _organizations(
    lists: Sequence[Snapshot], shares: Sequence[CountryShare], known: Organizations, language: str
) -> Sheet:
    """The largest organisations of the last day, with their shares on days before it."""
    last = shares[-1]
    step = max(1, math.ceil(len(lists) / COLUMNS))
    picked = list(range(len(lists) - 1, -1, -step))[::-1]
    names = sorted(last.by_organization, key=lambda name: (-last.by_organization[name], name))[:TOP]
    rows = tuple(
        (
            name,
            say(f"p_{known.place(name)}", language),
            *(percent(_part(shares[place], name), language) for place in picked),
        )
        for name in names
    )
    headers = (
        say("h_organization", language),
        say("h_place", language),
        *(str(lists[place].date) for place in picked),
    )
    return Sheet(
        _title("by_organization", last, language),
        headers,
        rows,
        frozenset({0, 1}),
        _notes(lists[-1], last, language),
    )


def _part(found: CountryShare, name: str) -> float:
    return found.by_organization.get(name, 0) / found.total if found.total else math.nan


def _liked(one: Snapshot, known: Organizations, language: str) -> Iterator[Sheet]:
    """The most-liked model of each organisation, and the likes of all its models beside it."""
    for name, pipelines in (("text", TEXT), ("language", LANGUAGE)):
        found = share(one.rows, "likes", name, known, one.date)
        best = most_liked(one.rows, pipelines)[:TOP]
        places = [say(f"p_{known.place(each.organization)}", language) for each in best]
        rows = tuple(
            (
                str(rank),
                each.organization,
                place,
                each.model,
                f"{each.likes:,}",
                f"{each.total:,}",
                str(each.models),
            )
            for rank, (each, place) in enumerate(zip(best, places, strict=True), 1)
        )
        headers = tuple(
            say(f"h_{key}", language)
            for key in ("rank", "organization", "place", "model", "likes", "total", "models")
        )
        if rows:
            notes = _notes(one, found, language)
            yield Sheet(
                _title("liked", found, language, date=one.date), headers, rows, frozenset({1, 2, 3}), notes
            )


def _not_listed(one: Snapshot, measure: str, known: Organizations, language: str) -> Iterator[Sheet]:
    for name in ("all", "language"):
        found = share(one.rows, measure, name, known, one.date)
        sums = {who: value for who, value in found.by_organization.items() if known.place(who) == "?"}
        names = sorted(sums, key=lambda who: (-sums[who], who))[:TOP]
        rows = tuple(
            (who, f"{sums[who]:,}", percent(sums[who] / found.total, language))
            for who in names
            if found.total
        )
        headers = tuple(say(f"h_{key}", language) for key in ("organization", "sum", "share"))
        if rows:
            yield Sheet(
                _title("not_listed", found, language, date=one.date),
                headers,
                rows,
                notes=_notes(one, found, language),
            )


def percent(value: float, language: str = "en") -> str:
    """A share in per cent to a tenth; a dash for NaN. Chinese has no space before the sign."""
    return "–" if math.isnan(value) else f"{100 * value:.1f}{' ' if language == 'en' else ''}%"


def _three(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def title(snapshots: Sequence[Snapshot], language: str) -> str:
    """How many lists, from when to when."""
    days = [one.date for one in snapshots]
    return say("title", language, n=len(snapshots), first=min(days), last=max(days))


def notes(left_out: Sequence[str], language: str) -> list[str]:
    """What a reader must know of all tables."""
    found = [say(key, language) for key in ("n_lists", "n_listed", "n_untagged", "n_reuploads", "n_hhi")]
    names = texts.say("common.comma", language).join(left_out)
    return found + ([say("n_small", language, least=SMALL, names=names)] if left_out else [])


def records(snapshots: Sequence[Snapshot], measure: str, known: Organizations) -> list[dict[str, Any]]:
    """One row a figure under FIELDS: places, organisations, concentration, most-liked models (their
    own measure: likes).
    """
    made = []
    for one in snapshots:
        shared = {"date": str(one.date), "source": one.source, "selection": one.selection}
        for name in DENOMINATORS:
            found = share(one.rows, measure, name, known, one.date)
            mine = shared | {"measure": measure, "denominator": name, "models": found.models, "model": ""}
            made += [
                mine
                | {
                    "kind": "country",
                    "name": place,
                    "value": found.by_place.get(place, 0),
                    "share": _finite(found.share(place)),
                }
                for place in PLACES
            ]
            made += [
                mine
                | {"kind": "organization", "name": who, "value": value, "share": _finite(_part(found, who))}
                for who, value in sorted(found.by_organization.items(), key=lambda pair: (-pair[1], pair[0]))
            ]
            made.append(mine | {"kind": "hhi", "name": "", "value": _finite(found.hhi), "share": None})
        made += [
            shared | {"measure": "likes", "denominator": name, "models": sum(in_pipelines(row, pipelines) for row in one.rows)}
            | {"kind": "most_liked", "name": best.organization, "model": best.model, "value": best.likes, "share": None}
            for name, pipelines in (("text", TEXT), ("language", LANGUAGE))
            for best in most_liked(one.rows, pipelines)
        ]  # fmt: skip
    return made


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else value

"""What follows from a snapshot.

Shares by place and by organisation under a denominator, concentration, most-liked models.
"""

from __future__ import annotations

import datetime
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.adoption.organizations import Organizations
from harness.adoption.rows import LANGUAGE, MEASURES, TEXT, HubModel, Snapshot, in_pipelines, named_quantized

DENOMINATORS = ("all", "language", "text", "first_party", "no_reuploads", "new")
"""What shares are of.

All models; language models (LANGUAGE); text models (TEXT); language models of listed makers;
language models without re-uploads; models of every pipeline that were created in the YEAR before
the list.
"""
YEAR = datetime.timedelta(days=365)


@dataclass(frozen=True)
class CountryShare:
    """Sums of one measure over the models of a denominator.

    ``total`` and ``by_place`` count downloads or likes, ``models`` those that have a figure,
    ``without`` those that have none. ``hhi``: the Herfindahl–Hirschman index of organisations, Σ
    sᵢ², 0 to 1 (1: one has all).
    """

    measure: str
    denominator: str
    total: int
    models: int
    without: int
    by_place: dict[str, int]
    by_organization: dict[str, int]
    hhi: float

    def share(self, place: str) -> float:
        """0 to 1; NaN where nothing was counted."""
        return self.by_place.get(place, 0) / self.total if self.total else math.nan

    @property
    def open(self) -> int:
        """What belongs to organisations that are not in the table: it may be anybody's."""
        return self.by_place.get("?", 0)


@dataclass(frozen=True)
class LikedOrganization:
    """An organisation, its most-liked model, and the sum over all its models that count."""

    organization: str
    model: str
    likes: int
    total: int
    models: int


def reupload(row: HubModel, listed: Organizations) -> bool:
    """Whether a model is another's in fewer bits.

    Where the hub has the base model: quantised, and its organisation is another one. Where it has
    none: the name shows fewer bits and the organisation is not one of the listed makers.
    """
    quantized = named_quantized(row.model) if row.quantized is None else row.quantized
    if not quantized:
        return False
    if row.base_model:
        other = row.base_model.split("/")[0].lower() != row.organization.lower()
        return other and row.relation in (None, "quantized")
    return row.organization not in listed


def counts(row: HubModel, denominator: str, listed: Organizations, day: datetime.date | None = None) -> bool:
    """Whether a model belongs to a denominator.

    Raises KeyError for one that is not of DENOMINATORS.
    """
    if denominator == "all":
        return True
    if denominator == "text":
        return in_pipelines(row, TEXT)
    if denominator == "new":
        return day is not None and row.created is not None and day - YEAR <= row.created <= day

    language = in_pipelines(row, LANGUAGE)
    return {
        "language": language,
        "first_party": language and row.organization in listed and not reupload(row, listed),
        "no_reuploads": language and not reupload(row, listed),
    }[denominator]


def share(
    rows: Iterable[HubModel],
    measure: str,
    denominator: str,
    listed: Organizations,
    day: datetime.date | None = None,
) -> CountryShare:
    """Sums by place and organisation.

    A model without an organisation counts as one of its own that is not in the table.
    """
    value = MEASURES[measure]
    places, names = Counter[str](), Counter[str]()
    models = without = 0

    for row in rows:
        if not counts(row, denominator, listed, day):
            continue

        # A list of likes has no downloads: such models are counted as having no figure, not as
        # zero.
        count = value(row)
        if count is None:
            without += 1
            continue
        models += 1
        places[listed.place(row.organization)] += count
        names[row.organization or row.model] += count

    return CountryShare(
        measure, denominator, sum(names.values()), models, without, dict(places), dict(names), hhi(names)
    )


def hhi(sums: Mapping[str, int]) -> float:
    """The Herfindahl–Hirschman index Σ sᵢ² of shares sᵢ; NaN where there is nothing to share.

    Source: Herfindahl 1950; Hirschman 1964, *The Paternity of an Index*. From 0.18 on the US merger
    guidelines of 2023 speak of a highly concentrated market.
    """
    total = sum(sums.values())
    return math.fsum((value / total) ** 2 for value in sums.values()) if total else math.nan


def most_liked(rows: Iterable[HubModel], pipelines: frozenset[str] = TEXT) -> list[LikedOrganization]:
    """Organisations by the likes of their most-liked model of these pipelines, most first.

    Equal ones by name.
    """
    mine: dict[str, list[HubModel]] = defaultdict(list)
    for row in rows:
        if row.likes is not None and in_pipelines(row, pipelines):
            mine[row.organization or row.model].append(row)

    by_likes = []
    for name, several in mine.items():
        best = max(several, key=lambda row: (row.likes or 0, row.model))
        by_likes.append(
            LikedOrganization(
                name, best.model, best.likes or 0, sum(row.likes or 0 for row in several), len(several)
            )
        )
    return sorted(by_likes, key=lambda one: (-one.likes, one.organization))


def latest(snapshots: Iterable[Snapshot]) -> list[HubModel]:
    """The last figure of each model over several lists: later lists win."""
    rows: dict[str, HubModel] = {}
    for one in sorted(snapshots, key=lambda one: one.date):
        rows |= {row.model: row for row in one.rows}
    return list(rows.values())

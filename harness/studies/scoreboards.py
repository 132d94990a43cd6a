"""Boards of scores as the same snapshots that boards of votes have.

The Open LLM Leaderboard 2 and Artificial Analysis.
"""

from __future__ import annotations

import datetime
import math
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any

from harness.analysis.intervals import Z95
from harness.published import RatedModel
from harness.published.scoreboards import (
    ANALYSIS,
    ITEMS,
    OPEN_LLM,
    PARTS,
    Analysed,
    OpenLLM,
    analysed,
    open_llm,
)
from harness.studies.board import Board, BoardEntry, BoardSnapshot

REGIONS = {"china": "CN", "us": "US", "eu": "EU"}
"""Regions of the Open LLM Leaderboard's namespaces (the list of the ATOM project).

Others stay without a country.
"""
CHANCE = {"ifeval": 0.0, "bbh": 0.3, "math": 0.0, "gpqa": 0.25, "musr": 0.35, "mmlu_pro": 0.1}
"""Share of right answers of blind guessing.

BBH's and MuSR's are rough means over their tasks and serve the interval's width only.
"""
STATED = 1.0
"""Half the width of the 95 % interval of its index as Artificial Analysis states it.

Methodology, v2.2 to v4.1: less than ±1.
"""
NAMES = (OPEN_LLM, *(f"{ANALYSIS}-v{version}" for version in ("2.2", "4.0", "4.1")))


def half_width(row: OpenLLM) -> float | None:
    """Half the 95 % interval of the average, from the numbers of items; None without a part.

    1.96·√Σ(100·√(p(1−p)/n)/(1−chance))²/6. It is the error of drawing the items, which models that
    answered the same ones share: their difference is surer than this says.
    """
    if any(value is None for value in row.raw):
        return None

    # A part with all or no items right keeps the variance of one item: no score is certain.
    variances = [
        (100 / (1 - CHANCE[part])) ** 2
        * max(value, 1 / ITEMS[part])
        * max(1 - value, 1 / ITEMS[part])
        / ITEMS[part]
        for part, value in zip(PARTS, row.raw, strict=True)
        if value is not None
    ]
    return Z95 * math.sqrt(sum(variances)) / len(PARTS)


@cache
def scoreboard(name: str) -> Board:
    """A board by name, one of `NAMES`; each version of an index is a board of its own.

    Raises KeyError for another.
    """
    if name not in NAMES:
        raise KeyError(name)

    entries: dict[tuple[datetime.date, str], list[BoardEntry]] = defaultdict(list)
    for date, source, entry in _open_llm() if name == OPEN_LLM else _analysed(name.rpartition("-v")[2]):
        entries[date, source].append(entry)

    # Boards of scores have one style and one category, and no votes: their method is "score".
    snapshots = [
        BoardSnapshot(
            date,
            source,
            "default",
            "full",
            tuple(sorted(rows, key=lambda one: (-one.rating, one.name))),
            "score",
            name,
        )
        for (date, source), rows in sorted(entries.items())
    ]
    return Board(tuple(snapshots))


def _open_llm() -> Iterable[tuple[datetime.date, str, BoardEntry]]:
    for row in open_llm():
        half = half_width(row)
        low, high = (None, None) if half is None else (row.average - half, row.average + half)
        facts = _facts(
            row.model, row.model.partition("/")[0], REGIONS.get(row.region), True, row.uploaded, OPEN_LLM
        )
        size = row.parameters if row.parameters and row.parameters > 0 else None
        yield (
            row.date,
            OPEN_LLM,
            BoardEntry(row.model, row.average, low, high, facts, 0.0, size, size, row.official),
        )


def _analysed(version: str) -> Iterable[tuple[datetime.date, str, BoardEntry]]:
    """What was measured.

    An estimated index (after a new version, most of the older models) is no measurement.
    """
    for row in analysed():
        if row.version == version and row.index is not None and not row.estimated:
            yield row.date, ANALYSIS, entry_of(row)


def entry_of(row: Analysed) -> BoardEntry:
    """A row of Artificial Analysis as an entry. Raises ValueError where it has no index."""
    if row.index is None:
        raise ValueError(f"{row.model} has no index on {row.date}")
    facts = _facts(row.model, row.creator, row.country, row.open, row.released, ANALYSIS)
    return BoardEntry(
        row.model,
        row.index,
        row.index - STATED,
        row.index + STATED,
        facts,
        0.0,
        row.parameters,
        row.active,
        True,
        row.price or None,
        row.speed or None,
    )


def _facts(
    name: str,
    maker: str,
    country: str | None,
    is_open: bool | None,
    released: datetime.date | None,
    source: str,
) -> RatedModel:
    nothing: dict[str, Any] = dict.fromkeys(("licence", "made_from", "base_country", "base_source", "note"))
    nothing |= {"also": (), "released_source": source if released else None}
    return RatedModel(
        name=name,
        maker=maker or None,
        country=country,
        open=is_open,
        source=source,
        released=released,
        **nothing,
    )

"""Ratings from votes as a document: tables, records and data."""

from __future__ import annotations

import dataclasses
from typing import Any

from harness.analysis.arena import Ratings
from harness.reporting.document import NONE, Document, Table, TableCell, keys, numbers
from harness.reporting.texts import Phrase

CAUTION = Phrase(
    "Votes say what voters prefer among the answers they were shown, not what is correct. "
    "Private testing of variants, unequal sampling "
    "and silent removal of models can move such ratings by more than their intervals: The "
    "Leaderboard Illusion, arXiv 2504.20879."
)
FIELDS = (
    "rank",
    "rank_high",
    "model",
    "rating",
    "se",
    "low",
    "high",
    "bootstrap_low",
    "bootstrap_high",
    "battles",
)


def arena_document(ratings: Ratings, name: str) -> Document:
    """All of it, under the name of the votes' file."""
    return Document(
        Phrase("{name}: {n} models", name=name, n=len(ratings.rows)),
        tuple(tables(ratings)),
        tuple(notes(ratings)),
        data=lambda: as_data(ratings),
        records=lambda: (FIELDS, records(ratings)),
    )


def tables(ratings: Ratings) -> list[Table]:
    """The table of ratings, and with style control one of what style is worth."""
    drawn = ratings.draws > 0
    rows = []
    for row in ratings.rows:
        ranks = str(row.rank) if row.rank == row.rank_high else f"{row.rank}–{row.rank_high}"
        cells = [TableCell(ranks, row.rank), TableCell(row.model), TableCell(f"{row.rating:.1f}", row.rating)]
        cells.append(TableCell(f"{row.low:.1f} – {row.high:.1f}"))
        if drawn:
            ends = row.bootstrap
            cells.append(TableCell(f"{ends[0]:.1f} – {ends[1]:.1f}" if ends is not None else NONE))
        rows.append([*cells, TableCell(f"{row.battles:,.0f}", row.battles)])

    # Ranks are intervals; a single number would claim more than the votes say.
    figures = ["rating", "95 % interval", *(["bootstrap"] if drawn else []), "battles"]
    columns = [*numbers("rank"), *keys("model"), *numbers(*figures)]
    shown = [Table.of(Phrase("Ratings"), columns, rows)]
    if ratings.style:
        effects = [
            [
                TableCell(one.feature),
                TableCell(f"{one.points:+.1f}", one.points),
                TableCell(f"{one.low:+.1f} – {one.high:+.1f}"),
            ]
            for one in ratings.style
        ]
        title = Phrase("What one standard deviation more of it is worth")
        shown.append(Table.of(title, [*keys("feature"), *numbers("points", "95 % interval")], effects))
    return shown


def notes(ratings: Ratings) -> list[str]:
    """What a reader must know; the last one is what to keep in mind of any arena."""
    anchor = ratings.anchor
    level = f"{anchor[0]} = {anchor[1]:g}" if anchor is not None else Phrase("mean 1000")
    features = ", ".join(one.feature for one in ratings.style)
    controlled = Phrase(", {features} held constant", features=features) if features else ""

    lines = [
        Phrase(
            "Bradley–Terry on {battles:,.0f} battles{controlled}; ties, also of two bad answers, are half "
            "a win each; θ·400/ln 10, {level}. Intervals: sandwich. rank: 1 + models whose lower bound "
            "exceeds this one's upper, to n − models whose upper lies below this one's lower.",
            battles=ratings.battles,
            controlled=controlled,
            level=level,
        ),
        *ratings.notes,
    ]

    if ratings.draws:
        lost = (
            Phrase("; {n} of them determined no ratings and are left out", n=ratings.lost_draws)
            if ratings.lost_draws
            else ""
        )
        lines.append(
            Phrase(
                "Bootstrap: percentiles of {draws:,} resamples of battles, seed {seed}{lost}.",
                draws=ratings.draws,
                seed=ratings.seed,
                lost=lost,
            )
        )
    return [*lines, CAUTION]


def records(ratings: Ratings) -> list[dict[str, Any]]:
    """One row per model under `FIELDS`."""
    rows = []
    for row in ratings.rows:
        plain = dataclasses.asdict(row)
        low, high = plain.pop("bootstrap") or ("", "")
        rows.append(plain | {"bootstrap_low": low, "bootstrap_high": high})
    return rows


def as_data(ratings: Ratings) -> dict[str, Any]:
    """Everything, for JSON."""
    plain = dataclasses.asdict(ratings)
    return {"schema_version": 1, "ratings": plain.pop("rows"), **plain, "notes": notes(ratings)}

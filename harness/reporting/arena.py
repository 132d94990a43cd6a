"""Ratings from votes as sheets, records and data."""

from __future__ import annotations

import dataclasses
from typing import Any

from harness.analysis.arena import Ratings
from harness.reporting.sheets import Sheet

CAUTION = (
    "Votes say what voters prefer among the answers they were shown, not what is correct. Private testing of variants, unequal sampling "
    "and silent removal of models can move such ratings by more than their intervals: The Leaderboard Illusion, arXiv 2504.20879."
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


def sheets(ratings: Ratings) -> list[Sheet]:
    """The table of ratings, and with style control one of what style is worth."""
    drawn = ratings.draws > 0
    rows = []
    for row in ratings.rows:
        more = (
            [f"{row.bootstrap[0]:.1f} – {row.bootstrap[1]:.1f}" if row.bootstrap is not None else "–"]
            if drawn
            else []
        )
        ranks = str(row.rank) if row.rank == row.rank_high else f"{row.rank}–{row.rank_high}"
        rows.append(
            (
                ranks,
                row.model,
                f"{row.rating:.1f}",
                f"{row.low:.1f} – {row.high:.1f}",
                *more,
                f"{row.battles:,.0f}",
            )
        )
    headers = ("rank", "model", "rating", "95 % interval", *(["bootstrap"] if drawn else []), "battles")
    made = [Sheet("Ratings", headers, tuple(rows), frozenset({1}))]
    if ratings.style:
        effects = tuple(
            (one.feature, f"{one.points:+.1f}", f"{one.low:+.1f} – {one.high:+.1f}") for one in ratings.style
        )
        made.append(
            Sheet(
                "What one standard deviation more of it is worth",
                ("feature", "points", "95 % interval"),
                effects,
            )
        )
    return made


def notes(ratings: Ratings) -> list[str]:
    """What a reader must know; the last one is what to keep in mind of any arena."""
    level = f"{ratings.anchor[0]} = {ratings.anchor[1]:g}" if ratings.anchor is not None else "mean 1000"
    controlled = f", {', '.join(one.feature for one in ratings.style)} held constant" if ratings.style else ""
    found = [
        f"Bradley–Terry on {ratings.battles:,.0f} battles{controlled}; ties, also of two bad answers, are half a win each; θ·400/ln 10, "
        f"{level}. Intervals: sandwich. rank: 1 + models whose lower bound exceeds this one's upper, to n − models whose upper lies below "
        "this one's lower.",
        *ratings.notes,
    ]
    if ratings.draws:
        lost = (
            f"; {ratings.lost_draws} of them determined no ratings and are left out"
            if ratings.lost_draws
            else ""
        )
        found.append(
            f"Bootstrap: percentiles of {ratings.draws:,} resamples of battles, seed {ratings.seed}{lost}."
        )
    return [*found, CAUTION]


def records(ratings: Ratings) -> list[dict[str, Any]]:
    """One row a model under `FIELDS`."""
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

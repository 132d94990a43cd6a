"""The first line under a plot: who is ahead, and by how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.studies.board import BoardEntry
from harness.studies.claims import Text
from harness.studies.finding import country_name, joined, percent, say, side_name, signed
from harness.studies.gap import SideLead

Points = Sequence[Mapping[str, Any]]
"""The rows of a plot."""


def of_gap(leads: Sequence[SideLead]) -> tuple[Text, ...]:
    """The best of both sides in the last snapshot, and their difference."""
    if not leads:
        return ()

    last = leads[-1]
    facts = {"date": last.snapshot.date, "one": last.one.name, "other": last.other.name}
    ratings = {
        "a": f"{last.one.rating:.0f}",
        "b": f"{last.other.rating:.0f}",
        "value": signed(last.difference.value),
    }

    if not last.difference.published:
        return (say("wins_gap_point", **facts, **ratings),)
    return (
        say(
            "wins_gap", **facts, **ratings, low=signed(last.difference.low), high=signed(last.difference.high)
        ),
    )


def of_shares(points: Points, top: int) -> tuple[Text, ...]:
    """Shares of the countries in the last snapshot."""
    last = [row for row in points if row["date"] == points[-1]["date"]] if points else []
    named = {"other": say("other_countries")}
    listed = [
        say(
            "share_of",
            who=named.get(row["country"]) or country_name(row["country"]),
            share=percent(row["share"]),
        )
        for row in last
    ]

    return (
        (say("wins_share", date=last[0]["date"], top=top, listed=joined(listed, ", ", "，")),) if last else ()
    )


def of_lags(points: Points, names: Sequence[Text]) -> tuple[Text, ...]:
    """Who is behind in the last snapshot, and by how many months."""
    last = [row for row in points if row["date"] == points[-1]["date"]] if points else []
    texts = [
        say("lag_of", who=names[row["side"]], months=f"{row['months']:.1f}")
        if row["months"]
        else say("lag_none", who=names[row["side"]])
        for row in last
    ]
    return (say("wins_lag", date=last[0]["date"], listed=joined(texts, ", ", "，")),) if last else ()


def of_ranking(top: Sequence[BoardEntry]) -> tuple[Text, ...]:
    """The first, and the best of China or the United States where that is another."""
    if not top:
        return ()

    first = top[0]
    lines = [
        say(
            "wins_ranking",
            first=first.name,
            country=country_name(first.facts.country),
            rating=f"{first.rating:.0f}",
        )
    ]

    # The other country's best is news only where the first model is not its own.
    for country in ("CN", "US"):
        rank, best = next(
            ((rank, one) for rank, one in enumerate(top, 1) if one.facts.country == country), (0, None)
        )
        if best is not None and best is not first:
            lines.append(
                say(
                    "wins_ranking_other",
                    who=side_name(country),
                    best=best.name,
                    rank=rank,
                    rating=f"{best.rating:.0f}",
                )
            )

    return tuple(lines)


def of_tokens(points: Points) -> tuple[Text, ...]:
    """The tokenizers that need the fewest tokens for a page of Chinese and of English."""
    best = [
        min(
            (row for row in points if row["language"] == language),
            key=lambda row: row["tokens"],
            default=None,
        )
        for language in ("zh", "en")
    ]

    if best[0] is None or best[1] is None:
        return ()
    return (
        say(
            "wins_tokens",
            zh=best[0]["model"],
            a=f"{best[0]['tokens']:.0f}",
            en=best[1]["model"],
            b=f"{best[1]['tokens']:.0f}",
        ),
    )

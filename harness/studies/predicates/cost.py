"""Predicates over what models cost.

Published prices, tokens per page, and what a datasheet allows.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

import numpy as np
from pydantic import Field

from harness.analysis.intervals import wilson
from harness.published.ratings import LMARENA
from harness.studies import gap
from harness.studies.board import Board, BoardEntry, BoardSnapshot, Side
from harness.studies.claims import Text
from harness.studies.costs import priced
from harness.studies.data import Data
from harness.studies.families import newest_of_family
from harness.studies.finding import Basis, Outcome, StatementFinding, listed, say
from harness.studies.predicates.keys import PredicateKeys
from harness.studies.predicates.series import IMPORT, BoardSeries

Priced = list[tuple[BoardEntry, float]]
"""Models with $ per million tokens."""


class Cheaper(BoardSeries):
    """Most priced models of ``one`` are beaten by no model of ``other``.

    Beaten by one that costs no more and is rated no lower. The last snapshot of the span is taken.
    ``newest_of_family``: only the newest model of each family. Beaten or not is asked with every
    rating drawn anew within its error.
    """

    one: Side
    other: Side
    newest_of_family: bool = False


class TokensKeys(PredicateKeys):
    """A page takes every tokenizer of ``one`` fewer tokens than every one of ``other``."""

    one: tuple[str, ...] = Field(min_length=1)
    other: tuple[str, ...] = Field(min_length=1)
    also: dict[str, float] = Field(
        default_factory=dict,
        description="More of `other`, counted elsewhere: tokens of a page of the first text.",
    )
    language: Literal["zh", "en"] = "zh"


def cheaper(what: Cheaper, data: Data) -> StatementFinding:
    """Holds where the share of unbeaten models is surely above one half, fails where surely below.

    The interval joins Wilson's, for how few models there are, with the share's range when the
    ratings are drawn anew.
    """
    snapshots = what.of(data)
    snapshot = snapshots[-1] if snapshots else None
    mine, theirs = _priced_sides(what, data, snapshot) if snapshot else ([], [])
    if snapshot is None or not mine or not theirs:
        return StatementFinding("missing", "none", say("no_prices"), say("add_ratings"), IMPORT)

    unbeaten = [
        entry.name
        for entry, price in mine
        if not any(r.rating >= entry.rating and cost <= price for r, cost in theirs)
    ]
    low, high = _share_unbeaten(mine, theirs, len(unbeaten))

    # The claim is about most models, so one half decides.
    outcome: Outcome = "holds" if low > 0.5 else "fails" if high < 0.5 else "unclear"
    ends = {"low": f"{100 * low:.0f}", "high": f"{100 * high:.0f}"}
    measured = _cheaper_words(what, data, snapshot, (mine, theirs), len(unbeaten), ends)
    return StatementFinding(
        outcome,
        "published",
        measured,
        say("near_half") if outcome == "unclear" else None,
        figures={"unbeaten": unbeaten, "priced": [entry.name for entry, _ in mine], "ci95": [low, high]},
        limits=say("cheaper_limits", **ends),
        basis=Basis(
            say("by_price" if snapshot.board == LMARENA else "by_provider"),
            None,
            snapshot.date,
            snapshot.date,
        ),
        brief=say("brief_unmatched", k=len(unbeaten), n=len(mine)),
    )


def _cheaper_words(
    what: Cheaper,
    data: Data,
    snapshot: BoardSnapshot,
    sides: tuple[Priced, Priced],
    count: int,
    ends: dict[str, str],
) -> Text:
    """How many of the priced models are unbeaten, as a sentence."""
    mine, theirs = sides
    return say(
        "cheaper_newest" if what.newest_of_family else "cheaper",
        date=snapshot.date,
        k=count,
        n=len(mine),
        **ends,
        others=len(theirs),
        against=say("american_open" if what.other.open else "american_all"),
        prices=_whose(data, snapshot, [entry for entry, _ in (*mine, *theirs)]),
    )


def _priced_sides(what: Cheaper, data: Data, snapshot: BoardSnapshot) -> tuple[Priced, Priced]:
    """The models of both sides with their prices."""
    mine, theirs = (priced(data, snapshot, side) for side in (what.one, what.other))
    # Old models stay for sale: a maker's price policy shows in its newest models.
    if what.newest_of_family:
        dated = _dated(data.board_of(what.board), [entry for entry, _ in mine])
        names = {one.name for one in newest_of_family(dated)}
        mine = [row for row in mine if row[0].name in names]
    return mine, theirs


def _whose(data: Data, snapshot: BoardSnapshot, entries: list[BoardEntry]) -> Text:
    """Whose prices these are."""
    if snapshot.board != LMARENA:
        return say("prices_median")
    return say("prices_listed", resold=sum(data.prices[one.name].resold for one in entries), n=len(entries))


def _dated(board: Board, entries: list[BoardEntry]) -> list[BoardEntry]:
    """The entries with the day of release, or of the first rating where none is sourced."""
    return [
        dataclasses.replace(one, facts=dataclasses.replace(one.facts, released=board.released(one)[0]))
        for one in entries
    ]


def _share_unbeaten(mine: Priced, theirs: Priced, count: int) -> tuple[float, float]:
    """The ends of the share of ``mine`` that none of ``theirs`` beats.

    Wilson's interval widened by the rating error's own.
    """
    ratings = gap.drawn([entry for entry, _ in (*mine, *theirs)])
    ours, rivals = ratings[:, : len(mine)], ratings[:, len(mine) :]
    costs = np.array([cost for _, cost in theirs])
    free = np.zeros(gap.DRAWS)
    for index, (_, price) in enumerate(mine):
        affordable = rivals[:, costs <= price]
        free += np.all(affordable < ours[:, [index]], axis=1)

    # Two independent sources of error: how few models there are, and how uncertain their ratings.
    low, high = (float(value) for value in np.quantile(free / len(mine), [0.025, 0.975]))
    share = count / len(mine)
    wilson_low, wilson_high = wilson(count, len(mine))
    down = math.hypot(share - wilson_low, max(share - low, 0.0))
    up = math.hypot(wilson_high - share, max(high - share, 0.0))
    return max(0.0, share - down), min(1.0, share + up)


def page_tokens(data: Data, language: str) -> dict[str, list[float]]:
    """Hub id to the tokens of a page on each parallel text that was counted."""
    pages: dict[str, list[float]] = {}
    for one in (data.tokens or {}).get("tokenizers", []):
        for name in one["names"]:
            pages[name] = [counts[language]["page_tokens"] for counts in one["texts"].values()]
    return pages


def tokens(what: TokensKeys, data: Data) -> StatementFinding:
    """Whether the tokenizers of one side need fewer tokens.

    Holds where they do on every text that was counted, else fails: counts are exact, and one
    tokenizer that crosses over is enough.
    """
    pages = page_tokens(data, what.language)
    lacking = [name for name in (*what.one, *what.other) if name not in pages]
    if lacking:
        return _uncounted(what, data, lacking)

    # The worst of one side against the best of the other, text by text.
    texts = range(min(len(pages[name]) for name in (*what.one, *what.other)))
    worst = [max(pages[name][k] for name in what.one) for k in texts]
    best = [min(pages[name][k] for name in what.other) for k in texts]
    best[0] = min(best[0], *what.also.values()) if what.also else best[0]
    fewer = all(mine < theirs for mine, theirs in zip(worst, best, strict=True))
    outcome: Outcome = "holds" if fewer else "fails"

    ones = {name: pages[name][0] for name in what.one}
    others = {name: pages[name][0] for name in what.other} | what.also
    measured = _tokens_words(what, ones, others, len(texts))

    # What crossed over is named, since it is why the statement fails.
    why = _crossed(ones, others)
    ranges = [f"{min(side.values()):.0f}–{max(side.values()):.0f}" for side in (ones, others)]
    brief = say("brief_tokens", one=ranges[0], other=ranges[1])

    return StatementFinding(
        outcome,
        "measured",
        measured,
        why,
        figures={"one": ones, "other": others},
        basis=Basis(say("by_count")),
        brief=brief,
    )


def _uncounted(what: TokensKeys, data: Data, lacking: list[str]) -> StatementFinding:
    names = " ".join((*what.one, *what.other))
    command = f"harness tokenizers {names} --parallel xquad --parallel mgsm --out {data.tokenizers}"
    absent = say("no_tokens", names=listed(lacking))
    return StatementFinding("missing", "none", absent, say("count_tokens"), command)


def _crossed(ones: dict[str, float], others: dict[str, float]) -> Text | None:
    """The tokenizers of one side that need no fewer tokens than one of the other; None for none."""
    pairs = [(a, b) for a in ones for b in others if ones[a] >= others[b]]
    crossed = [f"{a.split('/')[-1]} {ones[a]:.0f} > {b.split('/')[-1]} {others[b]:.0f}" for a, b in pairs]
    return say("tokens_crossed", listed=listed(crossed)) if crossed else None


def _tokens_words(what: TokensKeys, ones: dict[str, float], others: dict[str, float], count: int) -> Text:
    """The ranges of both sides on the first text, as a sentence."""
    return say(
        f"tokens_{what.language}",
        low=f"{min(ones.values()):.0f}",
        high=f"{max(ones.values()):.0f}",
        other_low=f"{min(others.values()):.0f}",
        other_high=f"{max(others.values()):.0f}",
        texts=count,
        n=len(ones),
        m=len(others),
    )

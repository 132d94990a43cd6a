"""Predicates over what models cost: published prices, tokens a page, and what a datasheet
allows.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from harness.analysis.intervals import wilson
from harness.published.ratings import LMARENA
from harness.studies import gap
from harness.studies.board import Board, BoardEntry, BoardSnapshot, Side
from harness.studies.claims import Text
from harness.studies.costs import priced
from harness.studies.data import Data
from harness.studies.families import newest_of_family
from harness.studies.finding import Basis, Outcome, StatementFinding, listed, say
from harness.studies.predicates.series import BoardSeries


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cheaper(BoardSeries):
    """Most priced models of ``one`` are beaten by no model of ``other`` that costs no more and is
    rated no lower.

    The last snapshot of the span is taken. ``newest_of_family``: only the newest model of each
    family. Beaten or not is asked with every rating drawn anew within its error.
    """

    one: Side
    other: Side
    newest_of_family: bool = False


class TokensKeys(_Keys):
    """A page of a language takes every tokenizer of ``one`` fewer tokens than every one of
    ``other``.
    """

    one: tuple[str, ...] = Field(min_length=1)
    other: tuple[str, ...] = Field(min_length=1)
    also: dict[str, float] = Field(
        default_factory=dict,
        description="More of `other`, counted elsewhere: tokens of a page of the first text.",
    )
    language: Literal["zh", "en"] = "zh"


class Chips(_Keys):
    """Every chip of ``chips`` needs longer than ``reference``, by datasheet: for ``what`` its
    arithmetic, reading or writing allows.
    """

    chips: tuple[str, ...] = Field(min_length=1)
    reference: str = "H100"
    what: Literal["arithmetic", "reading", "writing"]
    model: str = "qwen2.5-7b-instruct"
    prompt: int = Field(2048, ge=1)
    context: int = Field(2048, ge=1)
    batch: int = Field(8, ge=1)
    upto: dict[str, float] = Field(
        default_factory=dict,
        description="TFLOP/s (bf16) of the best variant, where figures of a chip differ.",
    )


def cheaper(what: Cheaper, data: Data) -> StatementFinding:
    """Holds where the share of unbeaten models is surely above one half, fails where surely below.

    The interval joins Wilson's, for how few models there are, with the share's range when the
    ratings are drawn anew.
    """
    found = what.of(data)
    snapshot = found[-1] if found else None
    mine, theirs = (priced(data, snapshot, side) if snapshot else [] for side in (what.one, what.other))
    if what.newest_of_family:
        kept = {
            one.name
            for one in newest_of_family(_dated(data.board_of(what.board), [entry for entry, _ in mine]))
        }
        mine = [row for row in mine if row[0].name in kept]
    if snapshot is None or not mine or not theirs:
        return StatementFinding(
            "missing", "none", say("no_prices"), say("add_ratings"), "harness published import FILE"
        )
    unbeaten = [
        entry.name
        for entry, price in mine
        if not any(r.rating >= entry.rating and cost <= price for r, cost in theirs)
    ]
    low, high = _share_unbeaten(mine, theirs, len(unbeaten))
    outcome: Outcome = "holds" if low > 0.5 else "fails" if high < 0.5 else "unclear"
    ends = {"low": f"{100 * low:.0f}", "high": f"{100 * high:.0f}"}
    measured = say(
        "cheaper_newest" if what.newest_of_family else "cheaper",
        date=snapshot.date,
        k=len(unbeaten),
        n=len(mine),
        **ends,
        others=len(theirs),
        against=say("american_open" if what.other.open else "american_all"),
        prices=_whose(data, snapshot, [entry for entry, _ in (*mine, *theirs)]),
    )
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


def _share_unbeaten(
    mine: list[tuple[BoardEntry, float]], theirs: list[tuple[BoardEntry, float]], count: int
) -> tuple[float, float]:
    """The ends of the share of ``mine`` that none of ``theirs`` beats: Wilson's interval widened by
    the rating error's own.
    """
    drawn = gap.drawn([entry for entry, _ in (*mine, *theirs)])
    ours, rivals = drawn[:, : len(mine)], drawn[:, len(mine) :]
    costs = np.array([cost for _, cost in theirs])
    free = np.zeros(gap.DRAWS)
    for place, (_, price) in enumerate(mine):
        affordable = rivals[:, costs <= price]
        free += np.all(affordable < ours[:, [place]], axis=1)
    low, high = (float(value) for value in np.quantile(free / len(mine), [0.025, 0.975]))
    share = count / len(mine)
    wilson_low, wilson_high = wilson(count, len(mine))
    down = math.hypot(share - wilson_low, max(share - low, 0.0))
    up = math.hypot(wilson_high - share, max(high - share, 0.0))
    return max(0.0, share - down), min(1.0, share + up)


def page_tokens(data: Data, language: str) -> dict[str, list[float]]:
    """Hub id to the tokens of a page on each parallel text that was counted."""
    found: dict[str, list[float]] = {}
    for one in (data.tokens or {}).get("tokenizers", []):
        for name in one["names"]:
            found[name] = [counts[language]["page_tokens"] for counts in one["texts"].values()]
    return found


def tokens(what: TokensKeys, data: Data) -> StatementFinding:
    """Holds where it does on every text that was counted, else fails: counts are exact, and one
    tokenizer that crosses over is enough.
    """
    pages = page_tokens(data, what.language)
    lacking = [name for name in (*what.one, *what.other) if name not in pages]
    if lacking:
        command = f"harness tokenizers {' '.join((*what.one, *what.other))} --parallel xquad --parallel mgsm --out {data.tokenizers}"
        return StatementFinding(
            "missing", "none", say("no_tokens", names=listed(lacking)), say("count_tokens"), command
        )
    texts = range(min(len(pages[name]) for name in (*what.one, *what.other)))
    worst = [max(pages[name][k] for name in what.one) for k in texts]
    best = [min(pages[name][k] for name in what.other) for k in texts]
    best[0] = min(best[0], *what.also.values()) if what.also else best[0]
    outcome: Outcome = (
        "holds" if all(mine < theirs for mine, theirs in zip(worst, best, strict=True)) else "fails"
    )
    ones = {name: pages[name][0] for name in what.one}
    others = {name: pages[name][0] for name in what.other} | what.also
    measured = say(
        f"tokens_{what.language}",
        low=f"{min(ones.values()):.0f}",
        high=f"{max(ones.values()):.0f}",
        other_low=f"{min(others.values()):.0f}",
        other_high=f"{max(others.values()):.0f}",
        texts=len(texts),
        n=len(ones),
        m=len(others),
    )
    pairs = [(a, b) for a in ones for b in others if ones[a] >= others[b]]
    crossed = [f"{a.split('/')[-1]} {ones[a]:.0f} > {b.split('/')[-1]} {others[b]:.0f}" for a, b in pairs]
    why = say("tokens_crossed", listed=listed(crossed)) if crossed else None
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


def ratio(what: Chips, chip: str) -> float:
    """How much longer a chip needs than the reference at least, by datasheet.

    Raises ConfigError for an unknown chip or figure.
    """
    from harness.config.presets import find_preset
    from harness.meter import work
    from harness.meter.hardware import find_chip
    from harness.meter.roofline import datasheet

    mine, reference = datasheet(find_chip(chip), "bf16"), datasheet(find_chip(what.reference), "bf16")
    if what.what == "arithmetic":
        return reference.flops / mine.flops
    arch = find_preset(what.model).arch
    assert arch is not None
    job = (
        work.prefill(arch, what.prompt)
        if what.what == "reading"
        else work.decode_step(arch, [what.context] * what.batch)
    )
    return mine.t_min(job) / reference.t_min(job)


def chips(what: Chips, data: Data) -> StatementFinding:
    """Holds where every chip needs longer, fails where none does; a bound from datasheets, never a
    measured speed.
    """
    ratios = {name: ratio(what, name) for name in what.chips}
    slower = [name for name, value in ratios.items() if value > 1.001]
    outcome: Outcome = "holds" if len(slower) == len(ratios) else "fails" if not slower else "unclear"
    rest = listed(name for name in ratios if name not in slower)
    values: dict[str, Any] = {
        "listed": listed(f"{_range(what, name, value)}×" for name, value in ratios.items()),
        "reference": what.reference,
        "prompt": what.prompt,
        "context": what.context,
        "batch": what.batch,
    }
    measured: Text = say(f"chips_{what.what}", model=what.model, **values)
    why = say("chips_unclear", names=rest) if outcome == "unclear" else None
    least = min(_least(what, name, value) for name, value in ratios.items())
    kind: Literal["published", "projected"] = "published" if what.what == "arithmetic" else "projected"
    return StatementFinding(
        outcome,
        kind,
        measured,
        why,
        figures=dict(ratios),
        basis=Basis(say("by_datasheet")),
        brief=say(
            "brief_longer", low=f"{least:.1f}", high=f"{max(ratios.values()):.1f}", reference=what.reference
        ),
    )


def _range(what: Chips, chip: str, value: float) -> str:
    """A chip's ratio, down to that of its best variant where the sources differ."""
    least = _least(what, chip, value)
    return f"{chip} {value:.2f}" if least == value else f"{chip} {least:.2f}–{value:.2f}"


def _least(what: Chips, chip: str, value: float) -> float:
    """The ratio of a chip's best variant."""
    from harness.meter.hardware import find_chip
    from harness.meter.roofline import datasheet

    if what.what != "arithmetic" or chip not in what.upto:
        return value
    return datasheet(find_chip(what.reference), "bf16").flops / (what.upto[chip] * 1e12)

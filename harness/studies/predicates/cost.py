"""Predicates over what models cost: published prices, tokens a page, and what a datasheet allows."""

from __future__ import annotations

import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.analysis.intervals import wilson
from harness.studies.board import Entry, Side, Snapshot
from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.finding import Finding, Outcome, say


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cheaper(_Keys):
    """Most priced models of ``one`` are beaten by no model of ``other`` that costs no more and is rated no lower."""

    one: Side
    other: Side
    style: str = "default"
    category: str = "full"
    date: datetime.date = Field(description="The last snapshot up to this day is taken.")


class Tokens(_Keys):
    """A page of a language costs every tokenizer of ``one`` fewer tokens than every one of ``other``."""

    one: tuple[str, ...] = Field(min_length=1)
    other: tuple[str, ...] = Field(min_length=1)
    language: Literal["zh", "en"] = "zh"


class Chips(_Keys):
    """Every chip of ``chips`` needs longer than ``reference``, by datasheet: for ``what`` its arithmetic, reading or writing allows."""

    chips: tuple[str, ...] = Field(min_length=1)
    reference: str = "H100"
    what: Literal["arithmetic", "reading", "writing"]
    model: str = "qwen2.5-7b-instruct"
    prompt: int = Field(2048, ge=1)
    context: int = Field(2048, ge=1)
    batch: int = Field(8, ge=1)


def blended(data: Data, entry: Entry) -> float | None:
    """(3·input + output)/4 $ per million tokens, as Artificial Analysis blends; None where no price is published."""
    price = data.prices.get(entry.name)
    return (3 * price.input + price.output) / 4 if price is not None else None


def priced(data: Data, snapshot: Snapshot, side: Side | None = None) -> list[tuple[Entry, float]]:
    """The models of a snapshot with a published price above zero, best first."""
    found = []
    for entry in snapshot.entries:
        price = blended(data, entry)
        if price and (side is None or side.holds(entry)):
            found.append((entry, price))
    return found


def dominated(rows: list[tuple[Entry, float]]) -> dict[str, str]:
    """Model to a model that is rated no lower and costs no more (and is better in one of the two)."""
    found: dict[str, str] = {}
    for entry, price in rows:
        for rival, cost in rows:
            if rival.rating >= entry.rating and cost <= price and (rival.rating, -cost) != (entry.rating, -price):
                found[entry.name] = rival.name
                break
    return found


def latest(data: Data, style: str, category: str, date: datetime.date) -> Snapshot | None:
    """The last snapshot up to a day."""
    known = [one for one in data.board.series(style, category) if one.date <= date]
    return known[-1] if known else None


def cheaper(what: Cheaper, data: Data) -> Finding:
    """Holds where Wilson's interval of the share of unbeaten models lies above one half, fails where it lies below."""
    snapshot = latest(data, what.style, what.category, what.date)
    mine, theirs = (priced(data, snapshot, side) if snapshot else [] for side in (what.one, what.other))
    if snapshot is None or not mine or not theirs:
        return Finding("missing", "none", say("no_prices"), say("add_ratings"), "harness published import FILE")
    unbeaten = [entry.name for entry, price in mine if not any(r.rating >= entry.rating and cost <= price for r, cost in theirs)]
    low, high = wilson(len(unbeaten), len(mine))
    outcome: Outcome = "holds" if low > 0.5 else "fails" if high < 0.5 else "unclear"
    measured = say(
        "cheaper", date=snapshot.date, k=len(unbeaten), n=len(mine), low=f"{100 * low:.0f}", high=f"{100 * high:.0f}", others=len(theirs)
    )
    why = say("near_limit") if outcome == "unclear" else None
    return Finding(outcome, "published", measured, why, figures={"unbeaten": unbeaten, "priced": len(mine)})


def page_tokens(data: Data, language: str) -> dict[str, list[float]]:
    """Hub id to the tokens of a page on each parallel text that was counted."""
    found: dict[str, list[float]] = {}
    for one in (data.tokens or {}).get("tokenizers", []):
        for name in one["names"]:
            found[name] = [counts[language]["page_tokens"] for counts in one["texts"].values()]
    return found


def tokens(what: Tokens, data: Data) -> Finding:
    """Holds where it does on every text that was counted, fails where the cheapest of ``other`` is below all of ``one`` on every text."""
    pages = page_tokens(data, what.language)
    lacking = [name for name in (*what.one, *what.other) if name not in pages]
    if lacking:
        command = f"harness tokenizers {' '.join((*what.one, *what.other))} --parallel xquad --parallel mgsm --out {data.tokenizers}"
        return Finding("missing", "none", say("no_tokens", names=", ".join(lacking)), say("count_tokens"), command)
    texts = range(min(len(pages[name]) for name in (*what.one, *what.other)))
    worst = [max(pages[name][k] for name in what.one) for k in texts]
    best = [min(pages[name][k] for name in what.other) for k in texts]
    if all(mine < theirs for mine, theirs in zip(worst, best, strict=True)):
        outcome: Outcome = "holds"
    else:
        outcome = "fails" if all(min(pages[n][k] for n in what.one) > best[k] for k in texts) else "unclear"
    ones = [pages[name][0] for name in what.one]
    others = [pages[name][0] for name in what.other]
    measured = say(
        f"tokens_{what.language}",
        low=f"{min(ones):.0f}",
        high=f"{max(ones):.0f}",
        other_low=f"{min(others):.0f}",
        other_high=f"{max(others):.0f}",
        texts=len(texts),
        n=len(ones),
        m=len(others),
    )
    return Finding(
        outcome, "measured", measured, say("tokens_unclear") if outcome == "unclear" else None, figures={"one": ones, "other": others}
    )


def ratio(what: Chips, chip: str) -> float:
    """How much longer a chip needs than the reference at least, by datasheet. Raises ConfigError for an unknown chip or figure."""
    from harness.config.presets import find_preset
    from harness.meter import work
    from harness.meter.hardware import find_chip
    from harness.meter.roofline import datasheet

    mine, reference = datasheet(find_chip(chip), "bf16"), datasheet(find_chip(what.reference), "bf16")
    if what.what == "arithmetic":
        return reference.flops / mine.flops
    arch = find_preset(what.model).arch
    assert arch is not None
    job = work.prefill(arch, what.prompt) if what.what == "reading" else work.decode_step(arch, [what.context] * what.batch)
    return mine.t_min(job) / reference.t_min(job)


def chips(what: Chips, data: Data) -> Finding:
    """Holds where every chip needs longer, fails where none does; a bound from datasheets, never a measured speed."""
    ratios = {name: ratio(what, name) for name in what.chips}
    slower = [name for name, value in ratios.items() if value > 1.001]
    outcome: Outcome = "holds" if len(slower) == len(ratios) else "fails" if not slower else "unclear"
    listed = ", ".join(f"{name} {value:.2f}×" for name, value in ratios.items())
    rest = ", ".join(name for name in ratios if name not in slower)
    values: dict[str, Any] = {
        "listed": listed,
        "reference": what.reference,
        "prompt": what.prompt,
        "context": what.context,
        "batch": what.batch,
    }
    measured: Text = say(f"chips_{what.what}", model=what.model, **values)
    why = say("chips_unclear", names=rest) if outcome == "unclear" else None
    kind: Literal["published", "projected"] = "published" if what.what == "arithmetic" else "projected"
    return Finding(outcome, kind, measured, why, figures=dict(ratios))

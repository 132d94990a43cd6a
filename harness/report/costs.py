"""What answers cost, for reading: three figures a model for the table, a sheet with a row a (model, task) or (model, language)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.sheets import Sheet
from harness.results.cost import CostRow, Spread
from harness.results.schema import Results

NONE = "–"
FIELDS = (
    "computed_tokens_per_second",
    "decode_tokens_per_second",
    "characters_per_second",
    "tokens_per_answer",
    "ttft_ms_p50",
    "e2e_ms_p50",
    "mfu",
    "joules_per_item",
    "joules_per_correct",
    "usd_per_item",
    "usd_per_correct",
)
"""The main figures as flat columns of the CSV."""


@dataclass(frozen=True)
class Totals:
    """A model over all its metered tasks; None where nothing is known."""

    characters_per_second: float | None = None
    joules_per_correct: float | None = None
    usd_per_correct: float | None = None


def totals(rows: Iterable[CostRow]) -> Totals:
    """From the rows of one model's tasks; a right answer's cost over the tasks that count answers."""
    rows = [row for row in rows if row.task is not None]
    timed = [row for row in rows if row.rate.characters is not None]
    return Totals(
        _ratio(((row.rate.characters or 0.0) * row.seconds, row.seconds) for row in timed),
        _per_correct((row.energy.joules_per_correct, row.quality.correct) for row in rows),
        _per_correct((row.money.usd_per_correct, row.quality.correct) for row in rows),
    )


def flat(row: CostRow | None) -> dict[str, Any]:
    """The main figures of a cell, `FIELDS`; all None where it was not metered."""
    if row is None:
        return dict.fromkeys(FIELDS)
    latency, mean = row.latency_ms, row.answer_tokens
    values = (
        row.rate.computed_tokens,
        row.rate.decode_tokens,
        row.rate.characters,
        mean.mean if mean else None,
        latency.ttft.p50 if latency.ttft else None,
        latency.e2e.p50 if latency.e2e else None,
        row.limit.mfu,
        row.energy.joules_per_item,
        row.energy.joules_per_correct,
        row.money.usd_per_item,
        row.money.usd_per_correct,
    )
    return dict(zip(FIELDS, values, strict=True))


def costs_sheet(results: Sequence[Results], every: bool = False) -> Sheet:
    """A row a (model, language); with ``every`` also a row a (model, task)."""
    rows = [row for result in results for row in result.costs if every or row.task is None]
    headers = ("model", "of", "items/s", "prefill tok/s", "computed", "decode tok/s", "chars/s", "read chars/tok", "written chars/tok")
    headers += ("tok/answer", "TTFT ms", "TPOT ms", "e2e ms", "MFU", "J/item", "J/correct", "$/1k items", "$/1k correct")
    reasons = [reason for row in rows for reason in _reasons(row)]
    notes = [f"{what}: {reason}" for what, reason in dict.fromkeys(reasons)]
    notes.append("Latencies: median and 99th percentile. Every figure and its definition: results.json (`costs`, `definitions`).")
    return Sheet("What it cost", headers, tuple(_line(row) for row in rows), frozenset({0, 1}), tuple(notes))


def _line(row: CostRow) -> tuple[str, ...]:
    rate, tokens, latency = row.rate, row.tokens, row.latency_ms
    thousand = [None if value is None else 1000 * value for value in (row.money.usd_per_item, row.money.usd_per_correct)]
    figures = (rate.items, rate.prefill_tokens, rate.prefill_computed_tokens, rate.decode_tokens, rate.characters)
    figures += (tokens.read_characters_per_token, tokens.written_characters_per_token)
    spreads = (row.answer_tokens, latency.ttft, latency.tpot, latency.e2e)
    mfu = NONE if row.limit.mfu is None else f"{100 * row.limit.mfu:.2g} %"
    costs = (row.energy.joules_per_item, row.energy.joules_per_correct, *thousand)
    label = row.model if row.weights != "random" else f"{row.model} (random weights)"
    where = row.task or {"zh": "all Chinese", "en": "all English"}.get(row.language or "", "all others")
    return (label, where, *map(text, figures), *map(_spread, spreads), mfu, *map(text, costs))


def text(value: float | None) -> str:
    """Three digits, thousands apart; a dash for None."""
    if value is None:
        return NONE
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _spread(spread: Spread | None) -> str:
    return NONE if spread is None else f"{text(spread.p50)} / {text(spread.p99)}"


def _reasons(row: CostRow) -> list[tuple[str, str]]:
    found = [("MFU", row.limit.reason), ("joules", row.energy.reason), ("dollars", row.money.reason)]
    return [(what, reason) for what, reason in found if reason]


def _per_correct(pairs: Iterable[tuple[float | None, float | None]]) -> float | None:
    return _ratio((each * correct, correct) for each, correct in pairs if each is not None and correct)


def _ratio(parts: Iterable[tuple[float, float]]) -> float | None:
    known = list(parts)
    below = math.fsum(count for _, count in known)
    return math.fsum(value for value, _ in known) / below if below else None

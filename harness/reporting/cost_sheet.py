"""What answers cost, for reading: a sheet with a row a (model, language) or (model, task)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.reporting.sheets import Sheet
from harness.results.cost import CostRow
from harness.results.records import Spread
from harness.results.schema import Results

NONE = "–"


SPEED = ("items", "prefill", "computed", "decode", "chars", "read", "written")
COST = (
    "tok/answer",
    "TTFT ms",
    "TPOT ms",
    "e2e ms",
    "MFU",
    "J/item",
    "J/correct",
    "$/1k items",
    "$/1k correct",
)


def costs_sheets(results: Sequence[Results], every: bool = False) -> list[Sheet]:
    """How fast, and what an answer took: two sheets of a row a (model, language), with ``every``
    also a row a (model, task).

    Figures that no row has are left out, and the notes say why. Empty where the runs hold no costs.
    """
    rows = [row for result in results for row in result.costs if every or row.task is None]
    if not rows:
        return []
    lines = [_line(row) for row in rows]
    reasons = [reason for row in rows for reason in _reasons(row)]
    notes = [f"{what}: {reason}" for what, reason in dict.fromkeys(reasons)]
    notes.append(
        "Latencies: median / 99th percentile. Every figure and its definition: results.json (`costs`, `definitions`)."
    )
    unit = "Items, tokens (read, read by the model, written) and characters a second; characters a token, read and written."
    fast = _sheet("How fast", SPEED, [line[: 2 + len(SPEED)] for line in lines], (unit,))
    return [
        fast,
        _sheet(
            "What an answer took",
            COST,
            [(*line[:2], *line[2 + len(SPEED) :]) for line in lines],
            tuple(notes),
        ),
    ]


def _sheet(
    title: str, headers: tuple[str, ...], lines: Sequence[tuple[str, ...]], notes: tuple[str, ...]
) -> Sheet:
    """A sheet with the columns that say something."""
    kept = [
        place for place in range(len(headers) + 2) if place < 2 or any(line[place] != NONE for line in lines)
    ]
    shown = ("model", "of", *headers)
    return Sheet(
        title,
        tuple(shown[place] for place in kept),
        tuple(tuple(line[place] for place in kept) for line in lines),
        frozenset({0, 1}),
        notes,
    )


def _line(row: CostRow) -> tuple[str, ...]:
    rate, tokens, latency = row.rate, row.tokens, row.latency_ms
    thousand = [
        None if value is None else 1000 * value
        for value in (row.money.usd_per_item, row.money.usd_per_correct)
    ]
    figures: tuple[float | None, ...] = (
        rate.items,
        rate.prefill_tokens,
        rate.prefill_computed_tokens,
        rate.decode_tokens,
        rate.characters,
    )
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

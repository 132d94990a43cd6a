"""What answers cost, for reading: tables with one row per (model, language) or (model, task)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.reporting.document import NONE, Document, Table, TableCell, keys, numbers
from harness.reporting.texts import Message, Phrase
from harness.results.cost import CostRow
from harness.results.records import Distribution
from harness.results.schema import Results

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


def costs_document(results: Sequence[Results], every: bool = False) -> Document | None:
    """How fast, and what an answer took; JSON and CSV hold every record of the costs. None where
    the runs hold none.
    """
    shown = costs_tables(results, every)
    rows = [row.model_dump(mode="json") for result in results for row in result.costs]
    names = ", ".join(dict.fromkeys(result.name for result in results))
    return Document(names, tuple(shown), data=lambda: rows) if shown else None


def costs_tables(results: Sequence[Results], every: bool = False) -> list[Table]:
    """Two tables with one row per (model, language), with ``every`` also per (model, task).

    Figures that no row has are left out, and the notes say why. Empty where the runs hold no costs.
    """
    rows = [row for result in results for row in result.costs if every or row.task is None]
    if not rows:
        return []
    reasons = [reason for row in rows for reason in _reasons(row)]
    notes: list[str] = [
        Phrase("{what}: {reason}", what=Phrase(what), reason=Message(reason))
        for what, reason in dict.fromkeys(reasons)
    ]
    notes.append(
        Phrase(
            "Latencies: median / 99th percentile. Every figure and its definition: results.json "
            "(`costs`, `definitions`)."
        )
    )

    unit = Phrase(
        "Items, tokens (read, read by the model, written) and characters per second; "
        "characters per token, read and written."
    )
    fast = [[*_names(row), *_speed_cells(row)] for row in rows]
    took = [[*_names(row), *_cost_cells(row)] for row in rows]
    names = keys("model", "of")
    return [
        Table.of(Phrase("How fast"), [*names, *numbers(*SPEED)], fast, (unit,)).without_empty(),
        Table.of(Phrase("What an answer took"), [*names, *numbers(*COST)], took, notes).without_empty(),
    ]


def _names(row: CostRow) -> list[TableCell]:
    label = row.model if row.weights != "random" else Phrase("{model} (random weights)", model=row.model)
    languages = {"zh": Phrase("all Chinese"), "en": Phrase("all English")}
    return [TableCell(label), TableCell(row.task or languages.get(row.language or "", Phrase("all others")))]


def _speed_cells(row: CostRow) -> list[TableCell]:
    rate, tokens = row.rate, row.tokens
    figures = (
        rate.items,
        rate.prefill_tokens,
        rate.prefill_computed_tokens,
        rate.decode_tokens,
        rate.characters,
        tokens.read_characters_per_token,
        tokens.written_characters_per_token,
    )
    return [TableCell(text(value), value) for value in figures]


def _cost_cells(row: CostRow) -> list[TableCell]:
    latency, energy, money = row.latency_ms, row.energy, row.money
    spreads = (row.answer_tokens, latency.ttft, latency.tpot, latency.e2e)
    mfu = NONE if row.limit.mfu is None else f"{100 * row.limit.mfu:.2g} %"
    dollars = [
        None if value is None else 1000 * value for value in (money.usd_per_item, money.usd_per_correct)
    ]

    # Dollars are per thousand: per item they would be zeros to the third digit.
    costs = (energy.joules_per_item, energy.joules_per_correct, *dollars)
    return [
        *(TableCell(_spread(spread), spread and spread.p50) for spread in spreads),
        TableCell(mfu, row.limit.mfu),
        *(TableCell(text(value), value) for value in costs),
    ]


def text(value: float | None) -> str:
    """Three digits, thousands apart; a dash for None."""
    if value is None:
        return NONE
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _spread(spread: Distribution | None) -> str:
    return NONE if spread is None else f"{text(spread.p50)} / {text(spread.p99)}"


def _reasons(row: CostRow) -> list[tuple[str, str]]:
    reasons = [("MFU", row.limit.reason), ("joules", row.energy.reason), ("dollars", row.money.reason)]
    return [(what, reason) for what, reason in reasons if reason]

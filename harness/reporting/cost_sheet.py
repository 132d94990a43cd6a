"""What answers cost, for reading: tables with one row per (model, language) or (model, task)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from harness.reporting.cost_money import interval_text, money_text, price_note
from harness.reporting.document import NONE, Document, Table, TableCell, keys, numbers, texts
from harness.reporting.speed import flattened
from harness.reporting.texts import Message, Phrase
from harness.results.cost import CostRow, RequestFigures
from harness.results.schema import Results

SPEED = ("items", "prefill", "computed", "decode", "chars", "read", "written")
COST = ("tok/answer", "MFU", "J/item", "J/correct", "cost", "cost/1k items", "cost/1k correct")
PERCENTILES = ("p50", "p90", "p95", "p99", "max")
REQUESTS = ("requests", "req/s", "output tok/s", "failed", "repeated", "given up")
KINDS = {
    "timeout": "timeout",
    "connection": "connection",
    "dropped": "dropped",
    "unreadable": "unreadable",
    "error_in_answer": "error in answer",
}
"""Failures without a status, as tables name them."""
SHOWN_KINDS = 4
"""Kinds of failures that a row names."""


def costs_document(results: Sequence[Results], every: bool = False) -> Document | None:
    """How fast, and what an answer took; JSON and CSV hold every record of the costs. None where
    the runs hold none.
    """
    shown = costs_tables(results, every)
    rows = [row.model_dump(mode="json") for result in results for row in result.costs]
    names = ", ".join(dict.fromkeys(result.name for result in results))
    if not shown:
        return None
    return Document(names, tuple(shown), data=lambda: rows, records=lambda: _records(rows))


def _records(rows: Sequence[dict[str, Any]]) -> tuple[list[str], list[dict[str, Any]]]:
    """(columns, rows): every figure by its path in results.json, so that a currency stands beside
    its amounts.
    """
    flat = [dict(flattened(row, "")) for row in rows]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    return columns, [{name: row.get(name) for name in columns} for row in flat]


def costs_tables(results: Sequence[Results], every: bool = False) -> list[Table]:
    """Rates, latencies, endpoints' requests, and what an answer took: one row per (model,
    language), with ``every`` also per (model, task).

    Figures that no row has are left out, and the notes say why. Empty where the runs hold no costs.
    """
    rows = [row for result in results for row in _shown(result.costs, every)]
    if not rows:
        return []
    reasons = [reason for row in rows for reason in _reasons(row)]
    notes: list[str] = [
        Phrase("{what}: {reason}", what=Phrase(what), reason=Message(reason))
        for what, reason in dict.fromkeys(reasons)
    ]
    notes += dict.fromkeys(note for row in rows if (note := price_note(row.money)))
    notes.append(Phrase("Every figure and its definition: results.json (`costs`, `definitions`)."))

    unit = Phrase(
        "Items, tokens (read, read by the model, written) and characters per second; "
        "characters per token, read and written."
    )
    names = keys("model", "of")
    fast = [[*_names(row), *_speed_cells(row)] for row in rows]
    took = [[*_names(row), *_cost_cells(row)] for row in rows]
    return [
        Table.of(Phrase("How fast"), [*names, *numbers(*SPEED)], fast, (unit,)).without_empty(),
        *_latency_table(rows),
        *_request_table(rows),
        Table.of(Phrase("What an answer took"), [*names, *numbers(*COST)], took, notes).without_empty(),
    ]


def _shown(rows: Sequence[CostRow], every: bool) -> list[CostRow]:
    """Languages, then tasks where asked for; all of a model's tasks where it has several languages."""
    languages = Counter(row.model for row in rows if row.scope == "language")
    return [
        row
        for row in rows
        if row.scope == "language"
        or (every and row.scope == "task")
        or (row.scope == "model" and languages[row.model] > 1)
    ]


def _names(row: CostRow) -> list[TableCell]:
    label = row.model if row.weights != "random" else Phrase("{model} (random weights)", model=row.model)
    languages = {"zh": Phrase("all Chinese"), "en": Phrase("all English")}
    whole = Phrase("all") if row.scope == "model" else Phrase("all others")
    return [TableCell(label), TableCell(row.task or languages.get(row.language or "", whole))]


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


def _latency_table(rows: Sequence[CostRow]) -> list[Table]:
    """Percentiles of each kind of latency, as far as so many answers carry them."""
    body = []
    for row in rows:
        for name, spread in (
            ("TTFT ms", row.latency_ms.ttft),
            ("TPOT ms", row.latency_ms.tpot),
            ("e2e ms", row.latency_ms.e2e),
        ):
            if spread is None:
                continue
            values = [getattr(spread, percentile) for percentile in PERCENTILES]
            cells = [TableCell(text(value), value) for value in (*values, spread.n)]
            body.append([*_names(row), TableCell(Phrase(name)), *cells])
    if not body:
        return []

    notes = [
        Phrase("A percentile stands where so many answers carry it: p90 from 36, p95 from 72, p99 from 368.")
    ]
    if any(row.latency_ms.since == "request" for row in rows):
        notes.append(
            Phrase("Of endpoints from the request that was answered; tries before it are counted apart.")
        )
    if any(row.latency_ms.since == "batch" and row.latency_ms.e2e for row in rows):
        notes.append(
            Phrase("Of engines in process from the start of the batch, waiting for a place included.")
        )
    columns = [*keys("model", "of", "latency"), *numbers(*PERCENTILES, "n")]
    return [Table.of(Phrase("Latencies"), columns, body, notes)]


def _request_table(rows: Sequence[CostRow]) -> list[Table]:
    body = []
    for row in rows:
        if row.requests is not None:
            requests = row.requests
            rates = (requests.per_second, row.rate.output_tokens)
            values = (requests.sent, *rates, requests.failures, requests.repeated, requests.unanswered)
            cells = [TableCell(text(value), value) for value in values]
            body.append([*_names(row), *cells, TableCell(failure_kinds(requests))])
    if not body:
        return []
    columns = [*keys("model", "of"), *numbers(*REQUESTS), *texts("kinds")]
    return [Table.of(Phrase("Requests"), columns, body)]


def failure_kinds(requests: RequestFigures) -> str:
    """``HTTP 429 ×3, timeout ×1``, the most frequent first."""
    ordered = sorted(requests.failed.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = ""
    for name, times in ordered[:SHOWN_KINDS]:
        # A status is the server's own number; anything else has a name in both languages.
        kind = Phrase(KINDS[name]) if name in KINDS else name.replace("http_", "HTTP ")
        one = Phrase("{kind} ×{times}", kind=kind, times=times)
        shown = Phrase("{first}, {rest}", first=shown, rest=one) if shown else one
    return shown


def _cost_cells(row: CostRow) -> list[TableCell]:
    energy, money = row.energy, row.money
    length = None if row.answer_tokens is None else row.answer_tokens.p50
    mfu = NONE if row.limit.mfu is None else f"{100 * row.limit.mfu:.2g} %"
    joules = (energy.joules_per_item, energy.joules_per_correct)
    return [
        TableCell(text(length), length),
        TableCell(mfu, row.limit.mfu),
        *(TableCell(text(value), value) for value in joules),
        TableCell(money_text(money.total, money.currency), money.total),
        TableCell(money_text(money.per_1000_items, money.currency), money.per_1000_items),
        TableCell(interval_text(money), money.per_right and 1000 * money.per_right),
    ]


def text(value: float | None) -> str:
    """Three digits, thousands apart; a dash for None."""
    if value is None:
        return NONE
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _reasons(row: CostRow) -> list[tuple[str, str]]:
    """What is missing and why, in the order of the tables."""
    reasons = [("latency", row.latency_ms.reason)] if row.latency_ms.e2e is None or row.requests else []
    # Nobody expects an endpoint's FLOPs or joules to be known here.
    if row.requests is None:
        reasons += [("MFU", row.limit.reason), ("joules", row.energy.reason)]
    if row.money.total is None and row.requests is not None:
        advice = "no price of {model} is known; say price: {{input: …, output: …}} per million tokens"
        return [
            *((what, reason) for what, reason in reasons if reason),
            ("cost", Phrase(advice, model=row.model)),
        ]
    return [(what, reason) for what, reason in [*reasons, ("cost", _money_reason(row))] if reason]


def _money_reason(row: CostRow) -> str | None:
    """Why there is no amount, or what is missing in it."""
    broken = row.requests.lost_uncounted if row.requests is not None else 0
    if row.money.total is None:
        return row.money.reason
    gaps: list[str] = []
    if row.money.uncounted:
        gaps.append(Phrase("without {n} answers that came without token counts", n=row.money.uncounted))
    if broken:
        text = "without {n} tries that broke off before their token counts, which the seller may charge"
        gaps.append(Phrase(text, n=broken))
    return (
        Phrase("{first}, {rest}", first=gaps[0], rest=gaps[1]) if len(gaps) == 2 else next(iter(gaps), None)
    )

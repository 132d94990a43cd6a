"""What answers cost: three figures per model for the table, and the main figures of a cell as flat
columns.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.results.cost import CostRow

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
    "ttft_ms_p95",
    "tpot_ms_p50",
    "e2e_ms_p95",
    "requests_sent",
    "requests_per_second",
    "requests_failed",
    "requests_repeated",
    "cost_total",
    "cost_per_right",
    "currency",
)
"""The main figures as flat columns of the CSV."""


@dataclass(frozen=True)
class Totals:
    """A model over all its metered tasks; None where nothing is known."""

    characters_per_second: float | None = None
    joules_per_correct: float | None = None
    usd_per_correct: float | None = None
    cost_per_right: float | None = None
    currency: str | None = None


def totals(rows: Iterable[CostRow]) -> Totals:
    """From the rows of one model's tasks; a right answer's cost over the tasks that count
    answers.
    """
    rows = [row for row in rows if row.task is not None]
    timed = [row for row in rows if row.rate.characters is not None]
    return Totals(
        _ratio(((row.rate.characters or 0.0) * row.seconds, row.seconds) for row in timed),
        _per_correct((row.energy.joules_per_correct, row.quality.correct) for row in rows),
        _per_correct((row.money.usd_per_correct, row.quality.correct) for row in rows),
        _per_correct((row.money.per_right, row.quality.correct) for row in rows),
        next((row.money.currency for row in rows if row.money.currency), None),
    )


def flat(row: CostRow | None) -> dict[str, Any]:
    """The main figures of a cell, `FIELDS`; all None where it was not metered."""
    if row is None:
        return dict.fromkeys(FIELDS)

    # In the order of FIELDS, which is that of the CSV's columns.
    latency, mean, money, requests = row.latency_ms, row.answer_tokens, row.money, row.requests
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
        money.usd_per_item,
        money.usd_per_correct,
        latency.ttft.p95 if latency.ttft else None,
        latency.tpot.p50 if latency.tpot else None,
        latency.e2e.p95 if latency.e2e else None,
        requests.sent if requests else None,
        requests.per_second if requests else None,
        requests.failures if requests else None,
        requests.repeated if requests else None,
        money.total,
        money.per_right,
        money.currency,
    )
    return dict(zip(FIELDS, values, strict=True))


def _per_correct(pairs: Iterable[tuple[float | None, float | None]]) -> float | None:
    return _ratio((each * correct, correct) for each, correct in pairs if each is not None and correct)


def _ratio(parts: Iterable[tuple[float, float]]) -> float | None:
    pairs = list(parts)
    below = math.fsum(count for _, count in pairs)
    return math.fsum(value for value, _ in pairs) / below if below else None

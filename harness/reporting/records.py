"""The tidy form of results: one flat record per (model, task or group, metric, filter), for CSV, JSON
and data frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.analysis.intervals import normal, possible
from harness.analysis.primary import primary
from harness.analysis.selection import Selection
from harness.reporting.cost_totals import FIELDS as COSTS
from harness.reporting.cost_totals import flat
from harness.results.query import flat_row
from harness.results.schema import GroupRow, Results, Row

EXTRA = ("kind", "weights", "primary", "items_per_second", "tokens_per_second", *COSTS)


def fields() -> tuple[str, ...]:
    """The columns, in order."""
    return (*flat_row(Row(cell_id="", model="", task="", status="ok"), ""), *EXTRA)


def records(results: Sequence[Results], selection: Selection) -> tuple[dict[str, Any], ...]:
    """Every row of the runs, then their groups (``kind`` says which)."""
    shown = {task: primary(task, selection.of(task)) for task in selection.tasks}
    flat_records: list[dict[str, Any]] = []
    for result in results:
        weights = {row.model: row.weights for row in result.models}
        costs = {(row.model, row.task): row for row in result.costs}

        for row in result.rows:
            cost = flat(costs.get((row.model, row.task)))
            flat_records.append(
                _task_record(row, result.name, weights.get(row.model), shown[row.task]) | cost
            )
        for group in result.groups:
            flat_records.append(_group_record(group, result, weights.get(group.model)))
    return tuple(flat_records)


def _task_record(row: Row, run: str, weights: str | None, shown: tuple[str, str] | None) -> dict[str, Any]:
    tokens = row.tokens.prompt + row.tokens.output
    return {
        **flat_row(row, run),
        "kind": "task",
        "weights": weights,
        "primary": (row.metric, row.filter or "none") == shown,
        "items_per_second": row.n / row.seconds if row.seconds else None,
        "tokens_per_second": tokens / row.seconds if row.seconds else None,
    }


def _group_record(group: GroupRow, result: Results, weights: str | None) -> dict[str, Any]:
    mine = [row for row in result.groups if row.group == group.group]
    low, high = group.ci95 if group.ci95 is not None else (None, None)

    # Runs of version 1 kept no interval of a group
    if group.ci95 is None and group.stderr:
        ends = normal(group.value, group.stderr)
        low, high = possible(ends, group.metric, group.value, higher_is_better=True) or (None, None)

    facts = {
        "run": result.name,
        "model": group.model,
        "task": group.group,
        "language": group.language,
        "metric": group.metric,
        "filter": group.filter,
        "value": group.value,
        "stderr": group.stderr,
        "ci95_lo": low,
        "ci95_hi": high,
        "n": group.n,
        "chance": group.chance,
        "corrected": group.corrected,
        "status": "partial" if group.missing else "ok",
        "reason": f"without {', '.join(group.missing)}" if group.missing else None,
        "kind": "group",
        "weights": weights,
        "primary": (group.metric, group.filter) == primary(group.group, mine),
    }
    return {name: facts.get(name) for name in fields()}

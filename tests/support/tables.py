"""Rows of made-up results, and a line of a table by its name."""

from __future__ import annotations

from typing import Any

from harness.reporting.table import ScoreTable
from harness.results.schema import GroupRow, Row


def line(table: ScoreTable, name: str) -> Any:
    return next(one for one in table.lines if one.name == name)


def row(model: str, task: str, value: float | None, **more: Any) -> Row:
    fields: dict[str, Any] = {
        "cell_id": f"{model}-{task}",
        "model": model,
        "task": task,
        "language": task[:2],
        "status": "ok",
    }
    fields |= (
        {"metric": "acc", "filter": "none", "value": value, "higher_is_better": True, "n": 100}
        if value is not None
        else {}
    )
    return Row(**(fields | more))


def group(
    model: str, value: float, tasks: list[str], missing: list[str] | None = None, name: str = "zh_group"
) -> GroupRow:
    kept = {
        "group": name,
        "model": model,
        "language": "zh",
        "metric": "acc",
        "filter": "none",
        "value": value,
        "stderr": 0.01,
        "n": 200,
    }
    return GroupRow(**kept, tasks=tasks, missing=missing or [])

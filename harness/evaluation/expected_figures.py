"""Figures of what answers cost, by name: those that an expectation may be about.

Their names are the paths of numbers in a row of ``costs`` in results.json, so whatever is kept
there can be expected; and the shares of bad answers, which stand in a task's rows.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from harness.analysis.intervals import wilson
from harness.results.cost import CostRow
from harness.results.schema import Results, Row

SHARES = {"truncated": "truncated", "empty": "empty", "unread": "unparsable"}
"""Shares of bad answers, and how rows call them."""


@dataclass(frozen=True)
class FigureValue:
    """A value with its 95 % interval, and, where there is none, why."""

    value: float | None = None
    ci95: tuple[float, float] | None = None
    reason: str | None = None
    metric: str | None = None
    filter: str | None = None


@cache
def figure_names() -> tuple[str, ...]:
    """Every name that ``figure:`` may say."""
    return (*SHARES, *_numbers(CostRow))


def _numbers(record: type[BaseModel], before: str = "") -> Iterator[str]:
    """Paths of a record's numbers, those of the records in it included."""
    for name, field in record.model_fields.items():
        kinds = set(_members(field.annotation))
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _numbers(kind, f"{before}{name}.")
        if kinds & {int, float}:
            yield f"{before}{name}"


def _members(annotation: Any) -> tuple[Any, ...]:
    union = get_origin(annotation) in (Union, types.UnionType)
    return get_args(annotation) if union else (annotation,)


def figure_of(
    results: Results,
    name: str,
    model: str,
    rows: Sequence[Row],
    task: str | None,
    language: str | None = None,
) -> FigureValue:
    """A model's figure on a task, of which ``rows`` are, or on a whole language."""
    if name in SHARES:
        if language is not None:
            rows = [row for row in results.rows if (row.model, row.language) == (model, language)]
        return _share(SHARES[name], rows)

    costs = [
        row
        for row in results.costs
        if row.model == model and row.task == task and (task is not None or row.language == language)
    ]
    if not costs:
        failed = next((row.reason for row in rows if row.status != "ok" and row.reason), None)
        return FigureValue(reason=failed or "nothing was metered here")
    return _number(costs[0], name)


def _share(kind: str, rows: Sequence[Row]) -> FigureValue:
    """Bad answers by all marked documents. Of several filters the one that reads the most counts."""
    by_task: dict[str, list[tuple[int, int]]] = {}
    for row in rows:
        count = getattr(row, f"n_{kind}")
        if row.value is not None and row.n and count is not None:
            by_task.setdefault(row.task, []).append((count, row.n))

    if not by_task:
        failed = next((row.reason for row in rows if row.status != "ok" and row.reason), None)
        return FigureValue(reason=failed or "the run does not say how answers ended")
    least = [min(pairs) for pairs in by_task.values()]
    count, n = sum(one for one, _ in least), sum(n for _, n in least)
    return FigureValue(count / n, wilson(count, n))


def _number(row: CostRow, path: str) -> FigureValue:
    """The number at a path, or the reason that stands beside it."""
    node: Any = row
    reason: str | None = None
    for step in path.split("."):
        if node is None:
            break
        reason = getattr(node, "reason", None) or reason
        node = getattr(node, step)
    if isinstance(node, int | float):
        return FigureValue(float(node))
    return FigureValue(reason=reason or "not measured here")

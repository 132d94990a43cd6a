"""Thresholds for CI: each expectation with the value it met, and whether it held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.config.schema import Expectation
from harness.results.sanity import is_clean
from harness.results.schema import GroupRow, Row, SanityRow


def check(
    expectation: Expectation, rows: Sequence[Row], groups: Sequence[GroupRow], sanity: Sequence[SanityRow]
) -> dict[str, Any]:
    """An expectation with what it met; a missing value does not hold."""
    if expectation.sanity is not None:
        return _check_sanity(expectation, sanity)
    candidates: list[Row | GroupRow] = [
        row for row in rows if row.task == expectation.task and row.status == "ok"
    ]
    candidates += [row for row in groups if row.group == expectation.task]

    value = None
    for row in candidates:
        fits = row.model == expectation.model and row.metric == expectation.metric
        if fits and expectation.filter in (None, row.filter) and value is None:
            value = row.value

    # A bound that is not named holds; a value that is missing does not, whatever the bounds.
    low = expectation.min is None or (value is not None and value >= expectation.min)
    high = expectation.max is None or (value is not None and value <= expectation.max)
    return {
        **expectation.model_dump(exclude_none=True),
        "value": value,
        "held": value is not None and low and high,
    }


def _check_sanity(expectation: Expectation, sanity: Sequence[SanityRow]) -> dict[str, Any]:
    """Clean: no warning about the model and task named, or about any where none is named."""
    mine = [
        row
        for row in sanity
        if expectation.model in (None, row.model)
        and (expectation.task is None or row.task in (None, expectation.task))
    ]

    value = "clean"
    warnings = [row for row in mine if row.level == "warning"]
    if warnings:
        value = f"{len(warnings)} warnings, the first: {warnings[0].model}: {warnings[0].text}"
    threshold = expectation.model_dump(exclude_none=True, exclude={"metric"})
    return {**threshold, "value": value, "held": is_clean(mine)}

"""Hand-made results: two models, a task in each language, a group, perplexity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.results.schema import GroupRow, ModelRow, Results, Row, TokenCounts

Make = Callable[..., Results]


def row(model: str, task: str, value: float | None, **more: Any) -> Row:
    """A row of 100 documents in 10 s with 1,000 tokens; no value means a failed cell."""
    fields: dict[str, Any] = {
        "cell_id": f"{model}-{task}",
        "model": model,
        "task": task,
        "language": task[:2],
        "status": "ok",
    }
    if value is None:
        return Row(**(fields | {"status": "failed", "reason": "no space"} | more))
    fields |= {
        "metric": "acc",
        "filter": "none",
        "value": value,
        "ci95": (value - 0.05, value + 0.05),
        "higher_is_better": True,
        "n": 100,
    }
    fields |= {"fewshot": 0, "seconds": 10.0, "tokens": TokenCounts(prompt=900, output=100)}
    return Row(**(fields | more))


def group_row(
    model: str, value: float, tasks: list[str], missing: list[str] | None = None, **more: Any
) -> GroupRow:
    fields: dict[str, Any] = {
        "group": "zh_group",
        "model": model,
        "language": "zh",
        "metric": "acc",
        "filter": "none",
        "value": value,
    }
    return GroupRow(**(fields | {"stderr": 0.01, "n": 200, "tasks": tasks, "missing": missing or []} | more))


@pytest.fixture
def make() -> Make:
    """Builds `Results` of the given rows; models in order of appearance."""

    def build(
        rows: list[Row], groups: list[GroupRow] | None = None, name: str = "sample", **weights: str
    ) -> Results:
        labels = dict.fromkeys(one.model for one in rows)
        models = [
            ModelRow(model=label, id=f"org/{label}", weights=weights.get(label, "pretrained"), status="ok")
            for label in labels
        ]
        return Results(
            name=name,
            harness_version="0",
            created="2026-01-01T00:00:00+00:00",
            config_hash="0",
            models=models,
            rows=rows,
            groups=groups or [],
        )

    return build


@pytest.fixture
def full(make: Make) -> Results:
    """Two models on five tasks, all done."""
    rows = []
    for model, lift in (("a", 0.0), ("b", 0.1)):
        rows += [
            row(model, "en_one", 0.5 + lift),
            row(model, "zh_one", 0.6 + lift),
            row(model, "zh_two", 0.8 + lift),
        ]
        rows += [
            row(model, "en_two", 0.7, n_truncated=3, n_unparsable=1),
            row(model, "en_two", 0.9, metric="f1", n_truncated=3),
        ]
        rows.append(
            row(
                model,
                "zh_text",
                12.3456,
                metric="word_perplexity",
                higher_is_better=False,
                ci95=None,
                fewshot=None,
            )
        )
    return make(rows)

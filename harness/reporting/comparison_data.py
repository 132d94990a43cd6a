"""A comparison as data for JSON; its tidy records for CSV are `harness.analysis.comparison_rows`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from harness.analysis.comparison import Comparison
from harness.analysis.comparison_rows import flat_pair
from harness.analysis.scopes import Scope


def as_data(comparison: Comparison) -> dict[str, Any]:
    """Everything: models with their runs, scopes with scores, ranks and pairs, notes.

    Numbers are not rounded.
    """
    labels = [model.label for model in comparison.models]
    models = [
        {"label": one.label, "runs": one.runs, **one.model.model_dump(mode="json")}
        for one in comparison.models
    ]
    return {
        "name": comparison.name,
        "models": models,
        "scopes": [_scope(scope, labels) for scope in comparison.scopes],
        "notes": comparison.notes,
    }


def _scope(scope: Scope, labels: Sequence[str]) -> dict[str, Any]:
    facts = {
        name: getattr(scope, name)
        for name in ("name", "kind", "language", "metric", "filter", "chance", "higher_is_better", "parts")
    }

    pairs = [{"a": labels[a], "b": labels[b], **flat_pair(pair)} for (a, b), pair in scope.pairs.items()]
    return {
        **facts,
        "scores": {labels[place]: dataclasses.asdict(score) for place, score in scope.scores.items()},
        "ranks": {labels[place]: dataclasses.asdict(rank) for place, rank in scope.ranks.items()},
        "missing": {labels[place]: reason for place, reason in scope.missing.items()},
        "apart": {labels[place]: reason for place, reason in scope.apart.items()},
        "pairs": pairs,
    }

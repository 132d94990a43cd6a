"""A comparison as tidy records for CSV (`records`) and as data for JSON (`as_data`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from harness.analysis.comparison import Comparison
from harness.analysis.paired import Difference
from harness.analysis.scopes import Scope


def records(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """One flat row per scope and pair, in `record_fields`' order."""
    for scope in comparison.scopes:
        for (a, b), pair in scope.pairs.items():
            labels = {"model_a": comparison.models[a].label, "model_b": comparison.models[b].label}
            facts = {
                "scope": scope.name,
                "kind": scope.kind,
                "language": scope.language,
                "metric": scope.metric,
                "filter": scope.filter,
            }
            yield {**facts, **labels, **_flat(pair)}


def _flat(pair: Difference) -> dict[str, Any]:
    data = dataclasses.asdict(pair)
    low, high = data.pop("ci95") or (None, None)
    for inner in ("variances", "tosses", "worth"):
        del data[inner]
    return {**data, "ci95_lo": low, "ci95_hi": high}


def record_fields() -> tuple[str, ...]:
    """The columns of `records`."""
    empty = Difference(0, 0.0, None, 0.0, None, None)
    return ("scope", "kind", "language", "metric", "filter", "model_a", "model_b", *_flat(empty))


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

    pairs = [{"a": labels[a], "b": labels[b], **_flat(pair)} for (a, b), pair in scope.pairs.items()]
    return {
        **facts,
        "scores": {labels[place]: dataclasses.asdict(score) for place, score in scope.scores.items()},
        "ranks": {labels[place]: dataclasses.asdict(rank) for place, rank in scope.ranks.items()},
        "missing": {labels[place]: reason for place, reason in scope.missing.items()},
        "apart": {labels[place]: reason for place, reason in scope.apart.items()},
        "pairs": pairs,
    }

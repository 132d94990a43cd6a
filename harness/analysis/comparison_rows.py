"""A comparison as flat rows, for CSV and data frames: its pairs, and who stands where."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from harness.analysis.paired import Difference

if TYPE_CHECKING:
    from harness.analysis.comparison import Comparison

RANKING = (
    *("scope", "kind", "language", "metric", "filter", "model", "value", "stderr", "ci95_lo", "ci95_hi"),
    *("n", "chance", "corrected", "rank_best", "rank_worst", "tie", "reason"),
)
"""Columns of `ranking_rows`."""


def pair_rows(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """One flat row per scope and pair, in `pair_fields`' order."""
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
            yield {**facts, **labels, **flat_pair(pair)}


def flat_pair(pair: Difference) -> dict[str, Any]:
    """A difference as plain values; ``ci95`` becomes ci95_lo and ci95_hi."""
    data = dataclasses.asdict(pair)
    low, high = data.pop("ci95") or (None, None)
    for inner in ("variances", "tosses", "worth"):
        del data[inner]
    return {**data, "ci95_lo": low, "ci95_hi": high}


def pair_fields() -> tuple[str, ...]:
    """The columns of `pair_rows`."""
    empty = Difference(0, 0.0, None, 0.0, None, None)
    return ("scope", "kind", "language", "metric", "filter", "model_a", "model_b", *flat_pair(empty))


def ranking_rows(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """One flat row per scope and model, best first; models without a score last, with the reason.

    ``rank_best`` to ``rank_worst`` is the rank with what is sure of it, empty where a model was
    asked otherwise than the others (``reason`` says how).
    """
    labels = [model.label for model in comparison.models]
    for scope in comparison.scopes:
        facts = {name: getattr(scope, name) for name in ("kind", "language", "metric", "filter", "chance")}
        for place in scope.order:
            score, rank = scope.scores[place], scope.ranks.get(place)
            figures = dataclasses.asdict(score)
            low, high = figures.pop("ci95") or (None, None)
            sure = {"rank_best": rank.low, "rank_worst": rank.high, "tie": rank.tie} if rank else {}
            names = {"scope": scope.name, "model": labels[place], "reason": scope.apart.get(place)}
            yield {**facts, **figures, **names, "ci95_lo": low, "ci95_hi": high, **sure}
        for place, reason in sorted(scope.missing.items()):
            yield {**facts, "scope": scope.name, "model": labels[place], "reason": reason}

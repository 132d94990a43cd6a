"""Everything that `harness compare` shows: the comparison, and beside it index, language gap and
published figures.
"""

from __future__ import annotations

from typing import Any

from harness.analysis.comparison import Comparison
from harness.analysis.comparison_rows import pair_fields, pair_rows
from harness.analysis.gap import gaps
from harness.analysis.index import Weights, indices
from harness.analysis.index import as_data as index_data
from harness.analysis.published import matches
from harness.errors import ConfigError
from harness.reporting import extras
from harness.reporting.comparison import LEGEND, tables
from harness.reporting.comparison_data import as_data
from harness.reporting.document import Document, Table
from harness.reporting.texts import Phrase


def comparison_document(
    comparison: Comparison,
    *,
    weights: Weights | None = None,
    baseline: int | None = None,
    tasks: str | None = None,
    every: bool = False,
) -> Document:
    """The comparison for people and for machines.

    Raises ConfigError where ``tasks`` fits no task or group; for JSON and CSV, which hold all
    tasks, it is not asked.
    """
    count = len(comparison.models)
    title = "{name}: {n} models" if count != 1 else "{name}: {n} model"
    return Document(
        Phrase(title, name=comparison.name, n=count),
        tuple(_tables(comparison, weights, baseline, tasks, every=every)),
        (*comparison.notes, *LEGEND),
        data=lambda: _data(comparison, weights),
        records=lambda: (pair_fields(), pair_rows(comparison)),
    )


def _tables(
    comparison: Comparison, weights: Weights | None, baseline: int | None, tasks: str | None, *, every: bool
) -> list[Table]:
    """The comparison's tables, then index, language gap and published figures (not with ``tasks``,
    which asks for these alone).
    """
    shown = tables(comparison, baseline=baseline, tasks=tasks, every=every)
    if not shown:
        raise ConfigError(
            f"--task {tasks}: no such task or group in these runs; without --task all are listed"
        )

    if weights is not None:
        shown += extras.index_tables(comparison, indices(comparison, weights), weights)
    if tasks is None:
        if parallel := gaps(comparison.contests):
            shown.append(extras.gap_table(comparison, parallel))
        if claims := matches(comparison):
            shown.append(extras.published_table(comparison, claims))
    return shown


def _data(comparison: Comparison, weights: Weights | None) -> dict[str, Any]:
    labels = [model.label for model in comparison.models]
    index = index_data(indices(comparison, weights), labels, weights) if weights is not None else None
    return as_data(comparison) | extras.as_data(
        comparison, gaps(comparison.contests), matches(comparison), index
    )

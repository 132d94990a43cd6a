"""The scores that marking again has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.reporting.document import Document, Table, TableCell, keys, numbers, texts

if TYPE_CHECKING:
    from harness.rescoring.rescore import Change


def changes_document(changes: Sequence[Change]) -> Document:
    """One row per score, before and after."""
    columns = [*keys("model", "task"), *texts("metric"), *numbers("before", "after")]
    return Document("", (Table.of("", columns, [_row(change) for change in changes]),))


def _row(change: Change) -> list[TableCell]:
    metric = change.metric if change.filter == "none" else f"{change.metric} ({change.filter})"
    values = [
        TableCell(f"{value:.4f}" if value is not None else "none", value)
        for value in (change.before, change.after)
    ]
    return [TableCell(change.model), TableCell(change.task), TableCell(metric), *values]

"""Reading a run's cells with their single answers, for comparisons item by item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import RunFolderError
from harness.items import Answer
from harness.results.folder import RunFolder
from harness.results.journal import CellRecord, Journal
from harness.results.query import find_results
from harness.results.schema import Row, Status


@dataclass(frozen=True)
class AnsweredCell:
    """A cell as it was left.

    ``prompt`` and ``engine`` are the parts of its identity ({} where it never began).
    """

    model: str
    task: str
    status: Status
    reason: str | None
    prompt_id: str | None
    prompt: Mapping[str, Any]
    engine: Mapping[str, Any]
    rows: tuple[Row, ...]
    answers: Mapping[str, Answer]


Cells = dict[tuple[str, str], AnsweredCell]
"""Cells by (model, task), in the order in which they ended."""


def read_cells(path: str | Path) -> Cells:
    """Every cell of a run folder (or of a run in results/, by name).

    Raises ConfigError, RunFolderError where there is no journal.
    """
    folder = RunFolder(find_results(path).parent)
    if not folder.journal.is_file():
        raise RunFolderError(
            f"{folder.path} holds no journal, which has the single answers: compare folders that "
            "`harness run` wrote"
        )

    journal = Journal(folder.journal)
    try:
        return {
            key: _cell(record, journal.answers(record.cell_id)) for key, record in journal.cells().items()
        }
    finally:
        journal.close()


def _cell(record: CellRecord, answers: Mapping[str, Answer]) -> AnsweredCell:
    rows = tuple(Row.model_validate(row) for row in record.rows)
    identity = record.identity

    return AnsweredCell(
        model=record.model,
        task=record.task,
        # the rows' word is typed; the record's is the same
        status=rows[0].status if rows else "failed",
        reason=record.reason,
        prompt_id=identity.get("prompt_id"),
        prompt=identity.get("prompt") or {},
        engine=identity.get("engine") or {},
        rows=rows,
        answers=answers,
    )

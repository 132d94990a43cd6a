"""All runs below a folder: one line per run, or all their rows joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from harness.reporting.document import Document, Table, TableCell, keys, numbers, texts
from harness.reporting.texts import Message, Phrase
from harness.results.query import Run, flat_row
from harness.results.schema import Row
from harness.wording import list_some


@dataclass(frozen=True)
class Filter:
    """What is listed: globs or parts of names; ``since`` and ``until`` are dates (YYYY-MM-DD, of
    the run's end, both included).
    """

    model: str | None = None
    task: str | None = None
    language: str | None = None
    since: str | None = None
    until: str | None = None

    def dated(self, run: Run) -> bool:
        """Whether the run's date lies within."""
        day = run.results.created[:10]
        return (self.since is None or day >= self.since) and (self.until is None or day <= self.until)

    def fits(self, row: Row) -> bool:
        """Whether a row is of the model, task and language asked for."""
        return (
            _named(self.model, row.model)
            and _named(self.task, row.task)
            and self.language in (None, row.language)
        )

    def rows(self, run: Run) -> list[Row]:
        """The run's rows that fit."""
        return [row for row in run.results.rows if self.fits(row)] if self.dated(run) else []


def _named(wanted: str | None, name: str) -> bool:
    if wanted is None:
        return True
    return fnmatchcase(name, wanted) if set(wanted) & set("*?[") else wanted.lower() in name.lower()


def runs_document(runs: Sequence[Run], chosen: Filter, top: Path, *, rows: bool = False) -> Document:
    """The list of runs, or (``rows``) their scores; JSON and CSV hold all joined rows."""
    table = rows_table(runs, chosen) if rows else listing(runs, chosen, top)
    return Document(
        str(top),
        (table,),
        data=lambda: list(joined(runs, chosen)),
        records=lambda: (joined_fields(), joined(runs, chosen)),
    )


def listing(runs: Sequence[Run], chosen: Filter, top: Path) -> Table:
    """One line per run with a row that fits: folder, date, models, tasks, how its cells ended, on
    what it ran.
    """
    lines: list[list[TableCell]] = []
    for run in runs:
        rows = chosen.rows(run)
        if rows:
            lines.append(_line(run, rows, top))

    columns = [
        *keys("run"),
        *texts("date", "models"),
        *numbers("tasks", "cells"),
        *texts("not done", "machine"),
    ]
    title = "{n} runs below {folder}" if len(lines) != 1 else "{n} run below {folder}"
    lines.sort(key=lambda line: line[1].text)
    return Table.of(Phrase(title, n=len(lines), folder=str(top)), columns, lines)


def _line(run: Run, rows: Sequence[Row], top: Path) -> list[TableCell]:
    models, tasks = list(dict.fromkeys(row.model for row in rows)), {row.task for row in rows}
    cells = {(row.model, row.task): row.status for row in rows}

    bad: dict[str, int] = {}
    for status in cells.values():
        if status != "ok":
            bad[status] = bad.get(status, 0) + 1
    named = list_some(models, 3)

    # A run that an older version or an import left has no manifest, or one without hardware.
    hardware = run.manifest.get("hardware") or {}
    gpus = hardware.get("gpus") or []
    machine = f"{len(gpus)} × {gpus[0]['name']}" if gpus else str(hardware.get("cpu") or "")
    where = run.folder.path.relative_to(top) if run.folder.path.is_relative_to(top) else run.folder.path
    faults = ", ".join(f"{count} {status}" for status, count in bad.items())
    counts = [TableCell(str(len(tasks)), len(tasks)), TableCell(str(len(cells)), len(cells))]
    day = run.results.created[:10]
    return [
        TableCell(str(where)),
        TableCell(day),
        TableCell(named),
        *counts,
        TableCell(Message(faults)),
        TableCell(machine),
    ]


def joined(runs: Iterable[Run], chosen: Filter) -> Iterator[dict[str, Any]]:
    """Every row that fits, of all runs, flat, with its run's folder and date."""
    for run in runs:
        for row in chosen.rows(run):
            yield {
                "folder": str(run.folder.path),
                "created": run.results.created,
                **flat_row(row, run.results.name),
            }


def joined_fields() -> tuple[str, ...]:
    """The columns of `joined`."""
    return ("folder", "created", *flat_row(Row(cell_id="", model="", task="", status="ok"), ""))


def rows_table(runs: Iterable[Run], chosen: Filter) -> Table:
    """The joined rows that have a value, for reading."""
    lines = [_score(row) for row in joined(runs, chosen) if row["value"] is not None]
    columns = [*keys("run", "model", "task"), *texts("metric")]
    columns += [*numbers("value", "95 % interval", "n", "shots"), *texts("date")]
    return Table.of(Phrase("{n} scores", n=len(lines)), columns, lines)


def _score(row: dict[str, Any]) -> list[TableCell]:
    ends = f"{row['ci95_lo']:.3f} … {row['ci95_hi']:.3f}" if row["ci95_lo"] is not None else ""
    shots = "" if row["fewshot"] is None else str(row["fewshot"])
    name = row["metric"] if row["filter"] in (None, "none") else f"{row['metric']} ({row['filter']})"
    names = (row["run"], row["model"], row["task"], name)
    figures = [
        TableCell(f"{row['value']:.3f}", row["value"]),
        TableCell(ends),
        TableCell(f"{row['n']:,}", row["n"]),
        TableCell(shots, row["fewshot"]),
    ]
    return [*map(TableCell, names), *figures, TableCell(row["created"][:10])]

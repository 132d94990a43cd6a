"""Who is compared: the models of several runs, each once, with their cells.

A model is the same in two runs where its name, its weights (``model_id``) and its engine are: then
its cells are joined, whatever machine or day they are from, and of a cell that several runs hold
the one with most documents counts. Otherwise the run's name tells the two apart. A model without
any score stays, too, with the reason: whoever looks for it must not think that it was never asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.analysis.notes import note
from harness.results.query import Run
from harness.results.schema import ModelRow, Row
from harness.wording import shorten

Place = tuple[str, str | None]
"""(task, prompt_id): what was asked."""
LONGEST = 240
"""Characters of a reason that are shown."""


@dataclass(frozen=True)
class Cell:
    """One model on one task under one prompt: its rows (one a metric and filter) and the run that
    holds its samples.
    """

    run: Run
    rows: tuple[Row, ...]

    @property
    def n(self) -> int:
        """Marked documents."""
        return max(row.n for row in self.rows)

    def row(self, metric: str, filter_name: str) -> Row | None:
        """The row of a metric under a filter, if it has a value."""
        return next(
            (
                row
                for row in self.rows
                if (row.metric, row.filter or "none") == (metric, filter_name) and row.value is not None
            ),
            None,
        )


@dataclass
class Contestant:
    """A model with every cell that gave a value, by what was asked."""

    label: str
    model: ModelRow
    runs: list[str] = field(default_factory=list)
    cells: dict[Place, Cell] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    """Why a task gave no value, by task."""

    def lacks(self, task: str, metric: str | None = None) -> str:
        """Why there is no score of a task (under a metric)."""
        if self.model.weights == "random":
            return note("random_weights")
        if metric is not None and self.asked(task):
            return note("no_metric", metric=metric)
        return self.faults.get(task) or note("not_asked")

    def asked(self, task: str) -> list[Cell]:
        """The cells of a task: usually one; more where it was asked in several ways."""
        return [cell for (name, _), cell in self.cells.items() if name == task]


def contestants(runs: Sequence[Run]) -> list[Contestant]:
    """The models of the runs in order of appearance.

    Models with random weights have no accuracy: they have no cells, as those whose every cell
    failed.
    """
    by_identity: dict[tuple[str, str | None, str | None], Contestant] = {}
    for run in runs:
        rows = _rows(run)
        for model in run.results.models:
            mine = rows.get(model.model, []) if model.weights != "random" else []

            # Not every run says a model's engine; the rows of its scores do.
            identity = (model.model, model.model_id, model.engine or (mine[0].engine if mine else None))
            one = by_identity.setdefault(identity, Contestant(model.model, model))
            one.runs.append(run.results.name)
            _add(one, run, mine)
            one.faults = _faults(run, model.model) | one.faults

    # A model that failed in one run and was asked in another one is the same, although the failed
    # run may not know its weights.
    scored = {one.model.model for one in by_identity.values() if one.cells}
    models = [one for one in by_identity.values() if one.cells or one.model.model not in scored]
    labels = distinct_labels([(one.label, one.runs[0]) for one in models])
    for one, label in zip(models, labels, strict=True):
        one.label = label
    return models


def _rows(run: Run) -> dict[str, list[Row]]:
    """Rows with a value by model."""
    rows: dict[str, list[Row]] = {}
    for row in run.results.rows:
        if row.value is not None and row.metric is not None:
            rows.setdefault(row.model, []).append(row)
    return rows


def _faults(run: Run, model: str) -> dict[str, str]:
    """Why a model's tasks gave no value, by task; that of the model itself where it has one."""
    faults: dict[str, str] = {}
    for row in run.results.rows:
        if row.model == model and row.value is None:
            twin = note("asked_as", task=row.asked_as) if row.asked_as else None
            faults[row.task] = twin or note(
                "gave_none", status=note(f"status_{row.status}"), why=shorten(row.reason or "–", LONGEST)
            )
    return faults


def _add(one: Contestant, run: Run, rows: Sequence[Row]) -> None:
    by_place: dict[Place, list[Row]] = {}
    for row in rows:
        by_place.setdefault((row.task, row.prompt_id), []).append(row)
    for place, mine in by_place.items():
        cell = Cell(run, tuple(mine))
        if place not in one.cells or cell.n > one.cells[place].n:
            one.cells[place] = cell


def distinct_labels(models: Sequence[tuple[str, str]]) -> list[str]:
    """A label for every (model, run): the model's name; with its run's where several share it, and
    a number where those are equal, too.
    """
    names = [name for name, _ in models]
    labels: list[str] = []
    used: dict[str, int] = {}
    for name, run in models:
        label = name if names.count(name) == 1 else f"{name} ({run})"
        used[label] = used.get(label, 0) + 1
        labels.append(label if used[label] == 1 else f"{label} #{used[label]}")
    return labels

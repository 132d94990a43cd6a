"""The results table as typed data: models × tasks, with what every figure rests on;
`score_document` lays it out.

Rules, so that two people read the same table:

- A task shows one metric, the *primary* one (`harness.analysis.primary`). All metrics are in the
  CSV and in results.json. Where other filters extract other answers from the same texts, each has
  a line of its own below; averages leave these out.
- ± is half the width of the 95 % interval: the row's own (Wilson for counted metrics), else 1.96
  standard errors (groups).
- A group is one line; its subjects stand below it only when asked for, or where they are a few
  categories of a file of one's own.
- Averages are unweighted means over the tasks and groups of one language, never over both
  languages. A model gets one only where it has every value that another model has; else the
  average says how many are missing; unfinished values count and mark it. Perplexities and metrics
  above 1 are left out. A task's generative form, asked only of the models that think, stands in
  their average for the form that the others were asked, and marks it.
- Items and tokens a second count marked documents and logical tokens (prompt and output) by engine
  seconds, over a model's cells.
- A model with random weights has speed but no accuracy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.analysis.apart import twin_lines, with_apart
from harness.analysis.averages import with_averages
from harness.analysis.contestants import distinct_labels
from harness.analysis.lines import Line
from harness.analysis.notes import named, note
from harness.analysis.selection import Selection
from harness.reporting.cost_totals import Totals, totals
from harness.reporting.failures import failures
from harness.reporting.forms import form_notes, with_forms
from harness.reporting.records import records
from harness.reporting.sanity import lines_of
from harness.reporting.texts import Phrase
from harness.results.cost import CostRow
from harness.results.sanity import SanityLine
from harness.results.schema import ExpectationRow, ModelRow, Results, Row

FEW = 8
"""Most categories of a file that are shown without being asked for."""


@dataclass(frozen=True)
class ModelColumn:
    """One model of one run."""

    label: str
    run: str
    row: ModelRow
    items_per_second: float | None
    tokens_per_second: float | None
    seconds: float | None
    cost: Totals = field(default_factory=Totals)

    @property
    def random(self) -> bool:
        """Whether its weights are random: honest for speed, never for accuracy."""
        return self.row.weights == "random"


@dataclass(frozen=True)
class ScoreTable:
    """Everything that is shown of runs.

    ``records`` is the tidy form: one flat row per (model, task or group, metric, filter).
    """

    name: str
    columns: tuple[ModelColumn, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    failures: tuple[str, ...]
    records: tuple[dict[str, Any], ...]
    costs: tuple[CostRow, ...] = ()
    sanity: tuple[SanityLine, ...] = ()
    """What may make a number wrong, and what was done so that it is not."""
    expectations: tuple[ExpectationRow, ...] = ()
    """Thresholds of the runs' configs, and what they met."""
    breakdowns: Mapping[str, str] = field(default_factory=dict)
    """Subjects that are shown without being asked for, and how they are called below their group:
    categories of a file, where they are few.
    """

    def shown(self, every: bool = False) -> tuple[Line, ...]:
        """The lines to print: subjects only with ``every`` or in a breakdown; nothing for a line that
        no model was asked or that all skipped.
        """
        empty = {None, "skipped"}
        lines = (
            line for line in self.lines if every or line.kind != "subject" or line.name in self.breakdowns
        )
        return tuple(
            line for line in lines if any(f.value is not None or f.status not in empty for f in line.figures)
        )


def _breakdowns(results: Sequence[Results]) -> dict[str, str]:
    """Categories of files of one's own that have at most `FEW`, which a screen has room for.

    By the task's name, as what stands below the file's own name.
    """
    groups = [group for result in results for group in result.groups if group.categories]
    parts = [(group.group, [*group.tasks, *group.missing]) for group in groups]
    return {
        name: name.removeprefix(f"{group}_") for group, names in parts if len(names) <= FEW for name in names
    }


def make_table(results: Sequence[Results]) -> ScoreTable:
    """The table of one run, or of several joined: one column per model and run."""
    selection = Selection(results)
    columns = make_columns(results, selection)
    marked = with_apart(with_forms(selection.lines(), selection), selection)
    lines = with_averages(marked, twin_lines(selection))
    names = ", ".join(dict.fromkeys(result.name for result in results))
    labels = tuple(column.label for column in columns)
    costs = tuple(row for result in results for row in result.costs)
    breakdowns = _breakdowns(results)

    return ScoreTable(
        names,
        columns,
        lines,
        _notes(columns, lines, breakdowns),
        failures(selection, labels),
        records(results, selection),
        costs,
        lines_of(results),
        tuple(row for result in results for row in result.expectations),
        breakdowns,
    )


def make_columns(results: Sequence[Results], selection: Selection) -> tuple[ModelColumn, ...]:
    """One column per model and run. A label that several runs share has its run's name added."""
    models = [(result, row) for result in results for row in result.models]
    labels = distinct_labels([(row.model, result.name) for result, row in models])
    columns = []
    for position, (label, (result, row)) in enumerate(zip(labels, models, strict=True)):
        costs = totals(cost for cost in result.costs if cost.model == row.model)
        rates = speed(selection.cells(position))
        columns.append(ModelColumn(label, result.name, row, *rates, costs))
    return tuple(columns)


def speed(cells: Sequence[Row]) -> tuple[float | None, float | None, float | None]:
    """(items a second, logical tokens a second, seconds) over cells, each cell once; None where no
    cell says its seconds.
    """
    timed = [row for row in cells if row.seconds]
    seconds = math.fsum(row.seconds or 0.0 for row in timed)
    if not seconds:
        return None, None, None
    return (
        sum(row.n for row in timed) / seconds,
        sum(row.tokens.prompt + row.tokens.output for row in timed) / seconds,
        seconds,
    )


def _notes(
    columns: Sequence[ModelColumn], lines: Sequence[Line], breakdowns: Mapping[str, str]
) -> tuple[str, ...]:
    """What a reader must know to read the figures right."""
    notes: list[str] = [Phrase("± is half the 95 % interval; n counts marked documents; 0-shot unless said.")]
    if any(column.items_per_second for column in columns):
        notes.append(
            Phrase("items/s and tokens/s: documents and logical tokens (prompt + output) by engine seconds.")
        )
    if any(column.cost.characters_per_second for column in columns):
        notes.append(
            Phrase(
                "chars/s: characters read and written. J and $ of 1,000 right answers, "
                "where joules and prices are known: --costs."
            )
        )
    if any(line.kind == "average" for line in lines):
        notes.append(Phrase("Averages: unweighted over the tasks of a language; perplexities are left out."))

    if any(figure.skewed for line in lines for figure in line.figures):
        notes.append(
            Phrase("Near 0 and 1 an interval is longer on one side; -f csv and -f json have both ends.")
        )

    notes += _filters(lines)
    notes += form_notes(lines)

    # The marks of subjects that are not shown would be explained to nobody.
    figures = [
        figure
        for line in lines
        if line.kind != "subject" or line.name in breakdowns
        for figure in line.figures
    ]
    if any(figure.faults for figure in figures):
        notes.append(Phrase("Answers: t truncated, e empty, u unparsable."))
    if any("*" in figure.mark and figure.value is not None for figure in figures):
        notes.append(Phrase("* fewer documents or subjects than asked, or than another model has."))
    notes += _apart_notes(columns, lines)
    notes += [
        Phrase("{model}: random weights: no accuracy.", model=column.label)
        for column in columns
        if column.random
    ]

    return tuple(notes)


def _apart_notes(columns: Sequence[ModelColumn], lines: Sequence[Line]) -> list[str]:
    """Who was asked otherwise than most, on what and how: one line per way."""
    tasks: dict[str, dict[str, None]] = {}
    models: dict[str, dict[str, None]] = {}
    for line in (line for line in lines if line.kind in ("task", "group")):
        for column, figure in zip(columns, line.figures, strict=True):
            if figure.apart is not None:
                tasks.setdefault(figure.apart, {})[line.name] = None
                models.setdefault(figure.apart, {})[column.label] = None
    return [
        note("table_apart", models=named([*models[why]], 4), tasks=named([*names], 4), why=why)
        for why, names in tasks.items()
    ]


def _filters(lines: Sequence[Line]) -> list[str]:
    """Which of several extractions of the same answers is the headline, and why."""
    others_of: dict[tuple[str, str], list[str]] = {}
    main: dict[str, str] = {}
    for line in lines:
        if line.kind in ("task", "group"):
            main[line.name] = line.filter or "none"
        elif line.kind == "filter":
            others_of.setdefault((line.name, main[line.name]), []).append(line.filter or "none")

    return [
        Phrase(
            "{task}: the same answers extracted by {filters}; {first} is the headline (averages and "
            "comparisons use it) because the task defines it first, as published figures do.",
            task=name,
            filters=", ".join((first, *others)),
            first=first,
        )
        for (name, first), others in others_of.items()
    ]

"""The results table as typed data: models × tasks, with what every figure rests on. Renderers only
lay it out.

Rules, so that two people read the same table:

- A task shows one metric, the *primary* one (`harness.analysis.primary`). All metrics are in the
  CSV and in
  results.json. Where other
  filters extract other answers from the same texts, each has a line of its own below; averages leave these out.
- ± is half the width of the 95 % interval: the row's own (Wilson for counted metrics), else 1.96
  standard
  errors (groups).
- A group is one line; its subjects stand below it only when asked for.
- Averages are unweighted means over the tasks and groups of one language, never over both
  languages. A model
  gets one only where it
  has every value that another model has; else the average says how many are missing. Perplexities and metrics above 1 are left out, and
  so is the generative form of a task that only the models that think were asked: no average mixes the two forms.
- Items and tokens a second count marked documents and logical tokens (prompt and output) by engine
  seconds,
  over a model's cells.
- A model with random weights has speed but no accuracy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.analysis.strata import mixture, share_interval
from harness.reporting.cost_totals import Totals, totals
from harness.reporting.failures import failures
from harness.reporting.forms import form_notes, with_forms
from harness.reporting.lines import LANGUAGES, Line, ScoreFigure
from harness.reporting.records import records
from harness.reporting.sanity import lines_of
from harness.reporting.select import Selection
from harness.results.cost import CostRow
from harness.results.sanity import SanityLine
from harness.results.schema import ModelRow, Results, Row
from harness.wording import list_some


@dataclass(frozen=True)
class Column:
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
class Table:
    """Everything a renderer shows.

    ``records`` is the tidy form: one flat row a (model, task or group, metric, filter).
    """

    name: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    failures: tuple[str, ...]
    records: tuple[dict[str, Any], ...]
    costs: tuple[CostRow, ...] = ()
    sanity: tuple[SanityLine, ...] = ()
    """What may make a number wrong, and what was done so that it is not."""

    def shown(self, every: bool = False) -> tuple[Line, ...]:
        """The lines to print: subjects only with ``every``; nothing for a line that no model was
        asked or that all skipped.
        """
        empty = {None, "skipped"}
        lines = (line for line in self.lines if every or line.kind != "subject")
        return tuple(
            line for line in lines if any(f.value is not None or f.status not in empty for f in line.figures)
        )


def make_table(results: Sequence[Results]) -> Table:
    """The table of one run, or of several joined: one column a model a run."""
    selection = Selection(results)
    columns = make_columns(results, selection)
    lines = ordered(with_forms(selection.lines(), selection))
    names = ", ".join(dict.fromkeys(result.name for result in results))
    labels = tuple(column.label for column in columns)
    costs = tuple(row for result in results for row in result.costs)
    return Table(
        names,
        columns,
        lines,
        _notes(columns, lines),
        failures(selection, labels),
        records(results, selection),
        costs,
        lines_of(results),
    )


def make_columns(results: Sequence[Results], selection: Selection) -> tuple[Column, ...]:
    """One column a model a run. A label that several runs share has its run's name added."""
    models = [(result.name, row) for result in results for row in result.models]
    labels = [row.model for _, row in models]
    costs = [
        totals(cost for cost in result.costs if cost.model == row.model)
        for result in results
        for row in result.models
    ]
    made: list[Column] = []
    for place, (run, row) in enumerate(models):
        label = row.model if labels.count(row.model) == 1 else f"{row.model} ({run})"
        taken = sum(column.label.startswith(label) and column.row.model == row.model for column in made)
        label = f"{label} #{taken + 1}" if any(column.label == label for column in made) else label
        made.append(Column(label, run, row, *speed(selection.cells(place)), costs[place]))
    return tuple(made)


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


def ordered(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Chinese lines and their average, English lines and theirs, then the rest; inside a language
    the config's order.
    """
    found: list[Line] = []
    for language in LANGUAGES:
        mine = [line for line in lines if line.language == language]
        found += mine
        average = make_average(language, mine)
        found += [average] if average is not None else []
    return (*found, *(line for line in lines if line.language not in LANGUAGES))


def make_average(language: str, lines: Sequence[Line]) -> Line | None:
    """The unweighted mean of a language's lines, or None for fewer than two.

    Its interval takes the tasks as independent.
    """
    parts = [line for line in lines if line.averaged]
    if len(parts) < 2:
        return None
    figures = tuple(_mean(figures) for figures in zip(*(line.figures for line in parts), strict=True))
    return Line(f"{LANGUAGES[language]} average", "average", language, None, None, None, None, True, figures)


def _mean(figures: Sequence[ScoreFigure]) -> ScoreFigure:
    if any(figure.status == "random" for figure in figures):
        return ScoreFigure(status="random")
    whole = [figure for figure in figures if figure.value is not None and figure.status == "ok"]
    if len(whole) < len(figures):
        return ScoreFigure(status="partial", n=len(whole), missing=len(figures) - len(whole))
    strata = mixture([figure.strata for figure in whole], [1 / len(whole)] * len(whole))
    halves = [figure.half for figure in whole if figure.half is not None]
    half = (
        math.sqrt(math.fsum(half**2 for half in halves)) / len(whole) if len(halves) == len(whole) else None
    )
    if strata:
        low, high = share_interval(strata)
        half = (high - low) / 2
    return ScoreFigure(
        math.fsum(figure.value or 0.0 for figure in whole) / len(whole), half, len(whole), "ok"
    )


def _notes(columns: Sequence[Column], lines: Sequence[Line]) -> tuple[str, ...]:
    """What a reader must know to read the figures right."""
    notes = ["± is half the 95 % interval; n counts marked documents; 0-shot unless said."]
    if any(column.items_per_second for column in columns):
        notes.append(
            "items/s and tokens/s: documents and logical tokens (prompt + output) by engine seconds."
        )
    if any(column.cost.characters_per_second for column in columns):
        notes.append(
            "chars/s: characters read and written. J and $ of 1,000 right answers, where joules and prices are known: --costs."
        )
    if any(line.kind == "average" for line in lines):
        notes.append("Averages: unweighted over the tasks of a language; perplexities are left out.")
    notes += _filters(lines)
    notes += form_notes(lines)
    figures = [figure for line in lines if line.kind != "subject" for figure in line.figures]
    if any(figure.faults for figure in figures):
        notes.append("Answers: t truncated, e empty, u unparsable.")
    if any(figure.status == "partial" and figure.value is not None for figure in figures):
        notes.append("* fewer documents or subjects than asked; not averaged.")
    notes += [f"{column.label}: random weights: no accuracy." for column in columns if column.random]
    differ = [line.name for line in lines if line.kind == "task" and _asked_differently(line)]
    if differ:
        notes.append(
            f"Models were not asked the same (template, shots, data or settings) on {list_some(differ, 4)}."
        )
    return tuple(notes)


def _filters(lines: Sequence[Line]) -> list[str]:
    """Which of several extractions of the same answers is the headline, and why."""
    found: dict[tuple[str, str], list[str]] = {}
    main: dict[str, str] = {}
    for line in lines:
        if line.kind in ("task", "group"):
            main[line.name] = line.filter or "none"
        elif line.kind == "filter":
            found.setdefault((line.name, main[line.name]), []).append(line.filter or "none")
    return [
        f"{name}: the same answers extracted by {' and '.join((first, *others))}; {first} is the headline (averages and comparisons use it)"
        " because the task defines it first, as published figures do."
        for (name, first), others in found.items()
    ]


def _asked_differently(line: Line) -> bool:
    return (
        len({figure.prompt_id for figure in line.figures if figure.value is not None and figure.prompt_id})
        > 1
    )

"""The results table as a document: tasks as rows and models as columns, or the other way round where
there are more models than tasks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from functools import reduce
from typing import Any

from harness.analysis.lines import Line, ScoreFigure
from harness.reporting.best import sure_best
from harness.reporting.cost_money import money_text
from harness.reporting.document import (
    NONE,
    Column,
    Document,
    Points,
    Records,
    Table,
    TableCell,
    keys,
    numbers,
    texts,
)
from harness.reporting.expectations import expectation_points
from harness.reporting.records import fields
from harness.reporting.sanity import sanity_text
from harness.reporting.table import ModelColumn, ScoreTable
from harness.reporting.texts import Phrase
from harness.results.cost import DEFINITIONS

FORMS = {"logprobs": "log-prob.", "generated": "generated"}
"""How a task was asked, said beside the metric where a table holds a task in both forms."""


def score_document(table: ScoreTable, *, every: bool = False, language: str = "en") -> Document:
    """The table, what its figures mean, and why cells failed; ``every`` also shows the subjects of
    groups. CSV and JSON hold every metric.
    """
    lines = table.shown(every)
    wide = len(table.columns) > max(len(lines), 1)
    shown = _models_as_rows(table, lines) if wide else _tasks_as_rows(table, lines)

    sanity = tuple(sanity_text(line, language) for line in table.sanity)
    warnings = frozenset(position for position, line in enumerate(table.sanity) if line.level == "warning")
    lists = [Points("", sanity, warnings)] if sanity else []
    lists += [Points(Phrase("Not done:"), table.failures)] if table.failures else []
    expectations = expectation_points(table.expectations)
    lists += [expectations] if expectations is not None else []
    return Document(
        table.name,
        (shown,),
        table.notes,
        tuple(lists),
        data=lambda: _data(table),
        records=lambda: _records(table),
    ).in_language(language)


def _records(table: ScoreTable) -> Records:
    return fields(), table.records


def _tasks_as_rows(table: ScoreTable, lines: Sequence[Line]) -> Table:
    chances = any(line.chance is not None for line in lines)
    columns = [*keys("task"), *texts("metric"), *numbers("n", *(["chance"] if chances else []))]
    rows: list[list[TableCell]] = [
        [
            _name(line, table),
            TableCell(metric_text(line)),
            n_cell(line),
            *([chance_cell(line)] if chances else []),
        ]
        for line in lines
    ]
    foot = [(title, cells) for title, cells in _speeds(table.columns) if any(cell.text for cell in cells)]
    rows += [[TableCell(Phrase(title)), *[TableCell("")] * (len(columns) - 1)] for title, _ in foot]

    for position, column in enumerate(table.columns):
        figures = [line.figures[position] for line in lines]
        best = {row for row, line in enumerate(lines) if sure_best(line) == position}
        block, cells = _block(header(column), figures, [speeds[position] for _, speeds in foot], best)
        columns += block
        for row, more in zip(rows, cells, strict=True):
            row += more

    languages = [line.language for line in lines]
    breaks = {row for row in range(1, len(lines)) if languages[row] != languages[row - 1]}
    breaks |= {len(lines)} if foot and lines else set()
    strong = frozenset(row for row, line in enumerate(lines) if line.kind == "average")
    return Table.of("", columns, rows, breaks=frozenset(breaks), strong=strong, caption=_caption(table))


def _models_as_rows(table: ScoreTable, lines: Sequence[Line]) -> Table:
    columns = keys("model")
    rows: list[list[TableCell]] = [[TableCell(header(column))] for column in table.columns]
    for line in lines:
        count, chance = n_cell(line).text, chance_cell(line).text
        parts = [line.name if line.kind == "subject" else _name(line, table).text, metric_text(line)]
        parts += [Phrase("n {count}", count=count)] if count else []
        parts += [Phrase("chance {chance}", chance=chance)] if chance else []
        heading = reduce(
            lambda text, part: Phrase("{text} {part}", text=text, part=part), filter(None, parts)
        )
        best = {sure_best(line)}
        block, cells = _block(heading, line.figures, (), best)
        columns += block
        for row, more in zip(rows, cells, strict=True):
            row += more

    for title, speeds in _speeds(table.columns):
        if any(cell.text for cell in speeds):
            columns += numbers(title)
            for row, cell in zip(rows, speeds, strict=True):
                row.append(cell if cell.text else TableCell(NONE))
    return Table.of("", columns, rows, caption=_caption(table))


def _joined(parts: Sequence[str]) -> str:
    """Texts with spaces between them, each of which can still be said in another language."""
    texts = [part for part in parts if part]
    return reduce(lambda text, part: Phrase("{text} {part}", text=text, part=part), texts)


def _caption(table: ScoreTable) -> Phrase:
    return Phrase("{name}: scores ± half the 95 % interval; n: marked documents.", name=table.name)


def _block(
    title: str, figures: Sequence[ScoreFigure], more: Sequence[TableCell], best: Collection[int | None]
) -> tuple[list[Column], list[list[TableCell]]]:
    """A column of scores and its cells; with one of bad answers beside it where there are any."""
    scores = [dataclasses.replace(score_cell(figure), best=row in best) for row, figure in enumerate(figures)]
    scores += [cell if cell.text else TableCell(NONE) for cell in more]
    column = Column(title, number=True, group=title)
    if not any(figure.faults for figure in figures):
        return [column], [[score] for score in scores]

    faults = [figure.faults for figure in figures] + [""] * len(more)
    bad = Column(Phrase("bad"), number=True, group=title)
    return [column, bad], [[score, TableCell(fault)] for score, fault in zip(scores, faults, strict=True)]


def _speeds(columns: Sequence[ModelColumn]) -> list[tuple[str, list[TableCell]]]:
    return [
        ("items/s", [_rate(column.items_per_second) for column in columns]),
        ("tokens/s", [_rate(column.tokens_per_second) for column in columns]),
        ("chars/s", [_rate(column.cost.characters_per_second) for column in columns]),
        ("J/1k correct", [_thousand(column.cost.joules_per_correct) for column in columns]),
        ("cost/1k correct", [_money(column) for column in columns]),
    ]


def _rate(value: float | None) -> TableCell:
    return TableCell(rate_text(value), value)


def _thousand(value: float | None) -> TableCell:
    return TableCell("") if value is None else TableCell(f"{1000 * value:,.3g}", 1000 * value)


def _money(column: ModelColumn) -> TableCell:
    """The price of a thousand right answers, in the run's own currency."""
    cost = column.cost
    # Runs of earlier versions knew dollars alone.
    each = cost.usd_per_correct if cost.cost_per_right is None else cost.cost_per_right
    if each is None:
        return TableCell("")
    return TableCell(money_text(1000 * each, cost.currency), 1000 * each)


def header(column: ModelColumn) -> str:
    """A model's name as a heading."""
    return (
        Phrase("{model} (random weights: no accuracy)", model=column.label) if column.random else column.label
    )


def _name(line: Line, table: ScoreTable) -> TableCell:
    """A task's or group's name is data, an average's a phrase of ours."""
    if line.kind == "subject" and line.name in table.breakdowns:
        return TableCell(f"  {table.breakdowns[line.name]}", line.name)
    if line.kind == "average":
        return TableCell(Phrase(line.name))
    return TableCell(f"  {line.name}" if line.kind in ("subject", "filter") else line.name)


def metric_text(line: Line) -> str:
    """The metric with its filter and examples where there are any, ↓ where lower is better; for an
    average how many tasks it is of.
    """
    if line.kind == "average":
        return Phrase("mean of {n}", n=max(figure.n + figure.missing for figure in line.figures))
    if line.metric is None:
        return ""
    name = line.metric if line.filter in (None, "none") else f"{line.metric} ({line.filter})"
    text = f"{name}{'' if line.higher_is_better else ' ↓'}"
    if line.fewshot:
        text = Phrase("{metric} {n}-shot", metric=text, n=line.fewshot)
    if line.form in FORMS and line.apart:
        text = Phrase("{metric}, {form}", metric=text, form=Phrase(FORMS[line.form]))
    return text


def n_cell(line: Line) -> TableCell:
    """Documents behind the figures, as a range where models differ."""
    counts = {figure.n for figure in line.figures if figure.value is not None and line.kind != "average"}
    if not counts:
        return TableCell("")
    low, high = min(counts), max(counts)
    return TableCell(str(low), low) if low == high else TableCell(f"{low}–{high}")


def chance_cell(line: Line) -> TableCell:
    """The score of blind guessing, where it is known and one for all."""
    return TableCell("") if line.chance is None else TableCell(number(line.chance), line.chance)


def score_cell(figure: ScoreFigure) -> TableCell:
    """``0.850 ±0.040``, with its marks (†, *); the status where there is no value."""
    if figure.value is None:
        if figure.missing:
            return TableCell(Phrase("{n} missing", n=figure.missing))
        return TableCell(
            figure.status if figure.status not in (None, "random", "ok") and figure.status else NONE
        )
    text = number(figure.value)
    if figure.half is not None:
        text += f" ±{number(figure.half, like=figure.value)}"
    return TableCell(text + figure.mark, figure.value)


def number(value: float, *, like: float | None = None) -> str:
    """Three decimals for shares, fewer for larger numbers; ``like`` gives the size that decides."""
    size = abs(value if like is None else like)
    if size >= 1e5:
        return f"{value:.3g}"
    return f"{value:.3f}" if size < 10 else f"{value:.2f}" if size < 1000 else f"{value:.0f}"


def rate_text(value: float | None) -> str:
    """A rate in three digits, thousands apart; nothing for None."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _data(table: ScoreTable) -> dict[str, Any]:
    """The table as data: models with their speed, lines with one figure per model, notes, failures,
    and the tidy rows.
    """
    labels = [column.label for column in table.columns]

    return {
        "name": table.name,
        "models": [_model(column) for column in table.columns],
        "lines": [_line(line, labels) for line in table.lines],
        "notes": table.notes,
        "failures": table.failures,
        "expectations": [row.model_dump(mode="json") for row in table.expectations],
        "sanity": [{**dataclasses.asdict(line), "text": line.text()} for line in table.sanity],
        "rows": table.records,
        "costs": [row.model_dump(mode="json") for row in table.costs],
        "definitions": DEFINITIONS if table.costs else {},
    }


def _model(column: ModelColumn) -> dict[str, Any]:
    speed = {
        "items_per_second": column.items_per_second,
        "tokens_per_second": column.tokens_per_second,
        "seconds": column.seconds,
    }
    costs = dataclasses.asdict(column.cost)
    return {"label": column.label, "run": column.run, **column.row.model_dump(mode="json"), **speed, **costs}


def _line(line: Line, labels: Sequence[str]) -> dict[str, Any]:
    data = dataclasses.asdict(line)
    data["figures"] = dict(zip(labels, data["figures"], strict=True))
    return data

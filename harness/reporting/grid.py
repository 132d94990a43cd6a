"""Lays a table out as text: tasks as rows and models as columns, or the other way round where there
are more models than tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.reporting.lines import Line, ScoreFigure
from harness.reporting.table import Column, Table

NONE = "–"
FORMS = {"logprobs": "log-prob.", "generated": "generated"}
"""How a task was asked, said beside the metric where a table holds a task in both forms."""


@dataclass(frozen=True)
class Block:
    """Columns that stay together (a model's score and its bad answers): headers, and one cell a row
    for each header.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: bool = True


@dataclass(frozen=True)
class Grid:
    """``fixed`` columns name the rows and are repeated where a wide table is cut; ``breaks`` are
    rows that begin a new section.
    """

    fixed: Block
    blocks: tuple[Block, ...]
    breaks: frozenset[int] = field(default_factory=frozenset)
    strong: frozenset[int] = field(default_factory=frozenset)
    """Rows that sum up others."""


def make_grid(table: Table, *, every: bool = False) -> Grid:
    """The text of every cell."""
    lines = table.shown(every)
    return (
        _models_as_rows(table, lines)
        if len(table.columns) > max(len(lines), 1)
        else _tasks_as_rows(table, lines)
    )


def _tasks_as_rows(table: Table, lines: Sequence[Line]) -> Grid:
    chances = any(line.chance is not None for line in lines)
    names = [
        (_name(line), metric_text(line), n_text(line), *([chance_text(line)] if chances else []))
        for line in lines
    ]
    foot = [title for title, values in _speeds(table.columns) if any(values)]
    headers = ("task", "metric", "n", *(["chance"] if chances else []))
    fixed = Block(headers, tuple(names) + tuple((title, *[""] * (len(headers) - 1)) for title in foot))
    blocks = []
    for place, column in enumerate(table.columns):
        figures = [line.figures[place] for line in lines]
        speeds = [values[place] for title, values in _speeds(table.columns) if title in foot]
        blocks.append(_block(header(column), figures, speeds))
    languages = [line.language for line in lines]
    breaks = {row for row in range(1, len(lines)) if languages[row] != languages[row - 1]} | (
        {len(lines)} if foot and lines else set()
    )
    strong = frozenset(row for row, line in enumerate(lines) if line.kind == "average")
    return Grid(fixed, tuple(blocks), frozenset(breaks), strong)


def _models_as_rows(table: Table, lines: Sequence[Line]) -> Grid:
    fixed = Block(("model",), tuple((header(column),) for column in table.columns))
    blocks = []
    for line in lines:
        count = n_text(line)
        parts = [
            _name(line),
            metric_text(line),
            f"n {count}" if count else "",
            f"chance {blind}" if (blind := chance_text(line)) else "",
        ]
        blocks.append(_block(" ".join(part for part in parts if part), line.figures, ()))
    for title, values in _speeds(table.columns):
        if any(values):
            blocks.append(Block((title,), tuple((value or NONE,) for value in values)))
    return Grid(fixed, tuple(blocks))


def _block(title: str, figures: Sequence[ScoreFigure], more: Sequence[str]) -> Block:
    """A column of scores; with one of bad answers beside it where there are any."""
    scores = [score_text(figure) for figure in figures] + [value or NONE for value in more]
    if not any(figure.faults for figure in figures):
        return Block((title,), tuple((score,) for score in scores))
    faults = [figure.faults for figure in figures] + [""] * len(more)
    return Block((title, "bad"), tuple(zip(scores, faults, strict=True)))


def _speeds(columns: Sequence[Column]) -> list[tuple[str, list[str]]]:
    return [
        ("items/s", [rate_text(column.items_per_second) for column in columns]),
        ("tokens/s", [rate_text(column.tokens_per_second) for column in columns]),
        ("chars/s", [rate_text(column.cost.characters_per_second) for column in columns]),
        ("J/1k correct", [_thousand(column.cost.joules_per_correct) for column in columns]),
        ("$/1k correct", [_thousand(column.cost.usd_per_correct) for column in columns]),
    ]


def _thousand(value: float | None) -> str:
    return "" if value is None else f"{1000 * value:,.3g}"


def header(column: Column) -> str:
    """A model's name as a heading."""
    return f"{column.label} (random weights: no accuracy)" if column.random else column.label


def _name(line: Line) -> str:
    return f"  {line.name}" if line.kind in ("subject", "filter") else line.name


def metric_text(line: Line) -> str:
    """The metric with its filter and examples where there are any, ↓ where lower is better; for an
    average how many tasks it is of.
    """
    if line.kind == "average":
        return f"mean of {max(figure.n + figure.missing for figure in line.figures)}"
    if line.metric is None:
        return ""
    name = line.metric if line.filter in (None, "none") else f"{line.metric} ({line.filter})"
    shots = f" {line.fewshot}-shot" if line.fewshot else ""
    form = f", {FORMS[line.form]}" if line.form in FORMS and line.apart else ""
    return f"{name}{'' if line.higher_is_better else ' ↓'}{shots}{form}"


def n_text(line: Line) -> str:
    """Documents behind the figures, as a range where models differ."""
    counts = {figure.n for figure in line.figures if figure.value is not None and line.kind != "average"}
    if not counts:
        return ""
    return str(counts.pop()) if len(counts) == 1 else f"{min(counts)}–{max(counts)}"


def chance_text(line: Line) -> str:
    """The score of blind guessing, where it is known and one for all."""
    return "" if line.chance is None else number(line.chance)


def score_text(figure: ScoreFigure) -> str:
    """``0.850 ±0.040``, with * where incomplete; the status where there is no value."""
    if figure.value is None:
        if figure.missing:
            return f"{figure.missing} missing"
        return figure.status if figure.status not in (None, "random", "ok") and figure.status else NONE
    text = number(figure.value)
    if figure.half is not None:
        text += f" ±{number(figure.half, like=figure.value)}"
    return text + ("*" if figure.status == "partial" else "")


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

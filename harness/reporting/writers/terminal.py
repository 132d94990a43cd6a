"""Tables for a terminal. Nothing is ever cropped: what is too wide stands in further tables, in
further lines or in blocks (`harness.reporting.fitting`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.cells import cell_len

from harness.reporting.document import Document, Emphasis, Points, Screen, Table
from harness.reporting.fitting import STEP, FittedColumn, TablePart, blocks, fit, fit_heading, fitted
from harness.reporting.folding import HANG, clean, folded

SUFFIXES = (".txt",)
GAP = 2
"""Blanks between two columns."""
CODES = {"bold": "1", "dim": "2", "bad": "31", "good": "32", "warn": "33"}
"""Styles and colours as terminals know them (ECMA-48, SGR)."""


def write(document: Document, screen: Screen) -> str:
    """Title, tables, notes and lists, as wide as the terminal."""
    lines: list[str] = []
    if document.title:
        lines += [*_sentence(document.title, screen, "bold"), ""]
    for table in document.tables:
        lines += [*_table(table, screen), ""]
    for note in document.notes:
        lines += _sentence(note, screen, "dim")

    apart = bool(document.notes)
    for points in document.lists:
        # Sentences without a heading go on with the notes above them.
        if apart and points.title:
            lines.append("")
        lines += _points(points, screen)
        apart = True
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _sentence(text: str, screen: Screen, style: str) -> list[str]:
    lines = folded(clean(text), max(screen.width, 1), HANG).split("\n")
    return [_styled(line, screen, style) for line in lines]


def _points(points: Points, screen: Screen) -> Iterator[str]:
    if points.title:
        yield from _sentence(points.title, screen, "bold")
    for position, item in enumerate(points.items):
        style = "warn" if position in points.warnings else "" if points.title else "dim"
        yield from _sentence(item, screen, style)


def _table(table: Table, screen: Screen) -> Iterator[str]:
    if table.title:
        yield from _sentence(table.title, screen, "bold")
    columns = _fitted_columns(table, screen.width)
    layout = fitted(columns, screen.width, GAP)

    if layout.stacked:
        yield from _stacked(table, columns, layout.parts, screen)
    else:
        for number, part in enumerate(layout.parts):
            yield from [""] if number else []
            yield from _grid(table, columns, part, screen)
    if not layout.parts:
        yield from blocks(columns, screen.width)

    for note in table.notes:
        yield from _sentence(note, screen, "dim")


def _fitted_columns(table: Table, width: int) -> list[FittedColumn]:
    columns = [
        FittedColumn(
            clean(column.heading),
            tuple(clean(row[position].text).rstrip() for row in table.rows),
            column.number,
            column.key,
            column.group,
        )
        for position, column in enumerate(table.columns)
    ]
    if sum(column.natural + GAP for column in columns) - GAP <= width:
        return columns
    return [replace(column, compact=True) for column in columns]


def _grid(table: Table, columns: Sequence[FittedColumn], part: TablePart, screen: Screen) -> Iterator[str]:
    """One table of the columns of a part."""
    yield from _heading(columns, part, screen)
    yield "─" * (sum(part.widths) + GAP * (len(part.widths) - 1))
    for number in range(len(table.rows)):
        yield from [""] if number in table.breaks else []
        yield from _row(table, columns, part, number, screen)


def _stacked(
    table: Table, columns: Sequence[FittedColumn], parts: Sequence[TablePart], screen: Screen
) -> Iterator[str]:
    """One table whose rows go on in further, indented lines."""

    def below(position: int, lines: Iterator[str]) -> Iterator[str]:
        return (" " * (STEP if position else 0) + line for line in lines)

    for position, part in enumerate(parts):
        yield from below(position, _heading(columns, part, screen))
    yield "─" * screen.width
    for number in range(len(table.rows)):
        yield from [""] if number in table.breaks else []
        for position, part in enumerate(parts):
            yield from below(position, _row(table, columns, part, number, screen))


def _heading(columns: Sequence[FittedColumn], part: TablePart, screen: Screen) -> Iterator[str]:
    cells = [
        fit_heading(columns[position].heading, width)
        for position, width in zip(part.columns, part.widths, strict=True)
    ]
    # Headings stand on the rule, whatever their heights.
    tall = max(map(len, cells))
    cells = [[""] * (tall - len(lines)) + lines for lines in cells]
    yield from _side_by_side(cells, columns, part, ["bold"] * len(cells), screen)


def _row(
    table: Table, columns: Sequence[FittedColumn], part: TablePart, number: int, screen: Screen
) -> Iterator[str]:
    cells = [
        fit(columns[position].cells[number], width)
        for position, width in zip(part.columns, part.widths, strict=True)
    ]
    emphases: list[Emphasis] = [table.rows[number][position].emphasis for position in part.columns]
    styles = [emphasis or ("bold" if number in table.strong else "") for emphasis in emphases]
    yield from _side_by_side(cells, columns, part, styles, screen)


def _side_by_side(
    cells: Sequence[Sequence[str]],
    columns: Sequence[FittedColumn],
    part: TablePart,
    styles: Sequence[str],
    screen: Screen,
) -> Iterator[str]:
    """Cells of several lines as lines; figures are set to the right."""
    for height in range(max(map(len, cells))):
        texts = []
        for position, width, lines, style in zip(part.columns, part.widths, cells, styles, strict=True):
            text = lines[height] if height < len(lines) else ""
            blanks = " " * (width - cell_len(text))
            text = _styled(text, screen, style)
            texts.append(blanks + text if columns[position].figures else text + blanks)
        yield (" " * GAP).join(texts)


def _styled(text: str, screen: Screen, style: str) -> str:
    return f"\x1b[{CODES[style]}m{text}\x1b[0m" if screen.colour and style and text else text

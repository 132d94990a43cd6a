"""Tables for a terminal, by rich. Nothing is ever cropped: what is too wide stands in further
tables or in blocks (`harness.reporting.fitting`).
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from harness.reporting.document import Document, Points, Screen, Table
from harness.reporting.fitting import FittedColumn, TablePart, blocks, folded, parts

SUFFIXES = (".txt",)
HEADER = 14
"""A longer heading of figures is wrapped rather than widen its column."""
GAP = 2
"""Blanks between two columns."""
COLOURS = {"": None, "good": "green", "warn": "yellow", "bad": "red"}


def write(document: Document, screen: Screen) -> str:
    """Title, tables, notes and lists, as wide as the terminal."""
    console = _console(screen)
    if document.title:
        console.print(Text(clean(document.title), style="bold"), end="\n\n")
    for table in document.tables:
        _print_table(console, table)
    for note in document.notes:
        console.print(Text(clean(note), style="dim"))

    apart = bool(document.notes)
    for points in document.lists:
        # Sentences without a heading go on with the notes above them.
        if apart and points.title:
            console.print()
        _print_points(console, points)
        apart = True
    return _text(console)


def _print_table(console: Console, table: Table) -> None:
    if table.title:
        console.print(Text(clean(table.title), style="bold"))
    columns = _fitted_columns(table, console.width)

    chosen = parts(columns, console.width, GAP)
    for number, part in enumerate(chosen):
        if number:
            console.print()
        _print_part(console, table, columns, part)
    if not chosen:
        console.print(Text("\n".join(blocks(columns, console.width))), soft_wrap=True)

    for note in table.notes:
        console.print(Text(clean(note), style="dim"))
    console.print()


def _fitted_columns(table: Table, width: int) -> list[FittedColumn]:
    columns = [
        FittedColumn(
            clean(column.heading),
            tuple(clean(row[position].text) for row in table.rows),
            column.number,
            column.key,
            column.group,
        )
        for position, column in enumerate(table.columns)
    ]
    if sum(column.natural + GAP for column in columns) - GAP <= width:
        return columns

    # Long headings over short figures are what makes most tables too wide.
    return [
        replace(column, heading=wrapped(column.heading)) if column.figures else column for column in columns
    ]


def _print_part(console: Console, table: Table, columns: list[FittedColumn], part: TablePart) -> None:
    grid = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    for position, width in zip(part.columns, part.widths, strict=True):
        column = columns[position]
        justify: Literal["left", "right"] = "right" if column.figures else "left"
        grid.add_column(Text(_fitted(column.heading, width)), justify=justify, width=width, no_wrap=True)

    # The widths are settled, and every cell is folded to them: rich has nothing left to crop.
    for number, row in enumerate(table.rows):
        if number in table.breaks:
            grid.add_section()
        texts = [
            Text(_fitted(columns[position].cells[number], width), style=COLOURS[row[position].emphasis] or "")
            for position, width in zip(part.columns, part.widths, strict=True)
        ]
        grid.add_row(*texts, style="bold" if number in table.strong else None)
    console.print(grid)


def _print_points(console: Console, points: Points) -> None:
    if points.title:
        console.print(Text(clean(points.title), style="bold"))
    for position, item in enumerate(points.items):
        style = "yellow" if position in points.warnings else "" if points.title else "dim"
        console.print(Text(clean(item), style=style), soft_wrap=bool(points.title))


def _fitted(text: str, width: int) -> str:
    """The text as it is where it fits, else folded."""
    if all(cell_len(line) <= width for line in text.split("\n")):
        return text
    return folded(text.replace("\n", " "), width)


def wrapped(name: str) -> str:
    """A heading in lines of at most HEADER columns, broken after dashes and spaces where it can
    be.
    """
    lines = [""]
    for char in name:
        if cell_len(lines[-1] + char) > HEADER:
            at = max(lines[-1].rfind(mark) for mark in "- _/") + 1
            rest = lines[-1][at:] if at > 1 else ""
            lines[-1] = lines[-1][: len(lines[-1]) - len(rest)]
            lines.append(rest)
        lines[-1] += char
    return "\n".join(line.strip() for line in lines)


def clean(text: str) -> str:
    """Text without control characters: names and reasons are data, and a terminal obeys escape
    sequences.
    """
    return "".join(char if char.isprintable() else " " for char in text)


def _console(screen: Screen) -> Console:
    return Console(
        file=io.StringIO(),
        width=screen.width,
        force_terminal=screen.colour,
        no_color=not screen.colour,
        color_system="standard" if screen.colour else None,
        highlight=False,
    )


def _text(console: Console) -> str:
    """What was printed, without the blanks that fill lines up."""
    file = console.file
    assert isinstance(file, io.StringIO)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"

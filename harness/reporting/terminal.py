"""Tables for a terminal, by rich.

A table wider than the terminal is cut into several, each with the row names; no cell ever is.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from harness.reporting.fitting import FittedColumn, blocks, folded, parts
from harness.reporting.grid import Block, Grid, make_grid
from harness.reporting.sanity import sanity_text
from harness.reporting.table import Table

if TYPE_CHECKING:
    from harness.reporting.sheets import Sheet

HEADER = 14
"""A longer heading is wrapped rather than widen its column."""


def render_rich(table: Table, *, width: int = 100, colour: bool = False, every: bool = False) -> str:
    """The table, what its figures mean, and why cells failed."""
    console = _console(width, colour)
    console.print(Text(clean(table.name), style="bold"), end="\n\n")
    grid = make_grid(table, every=every)
    for group in cut(grid, width):
        _draw(
            console,
            _columns(grid, group),
            keys=len(grid.fixed.headers),
            pad=1,
            breaks=grid.breaks,
            strong=grid.strong,
        )
        console.print()
    for note in table.notes:
        console.print(Text(clean(note), style="dim"))
    for line in table.sanity:
        console.print(Text(clean(sanity_text(line)), style="yellow" if line.level == "warning" else "dim"))
    if table.failures:
        console.print()
        console.print(Text("Not done:", style="bold"))
        for failure in table.failures:
            console.print(Text(clean(failure)), soft_wrap=True)
    return _text(console)


def print_sheets(
    title: str, sheets: Sequence[Sheet], notes: Sequence[str], *, width: int = 100, colour: bool = False
) -> str:
    """Sheets one below the other under a title; headings and texts may be wrapped, figures are
    not.
    """
    console = _console(width, colour)
    console.print(Text(clean(title), style="bold"), end="\n\n")
    for sheet in sheets:
        console.print(Text(clean(sheet.title), style="bold"), soft_wrap=True)
        cells = list(zip(*sheet.rows, strict=True)) or [()] * len(sheet.headers)
        columns = [
            FittedColumn(wrapped(clean(name)), tuple(map(clean, column)), place not in sheet.left)
            for place, (name, column) in enumerate(zip(sheet.headers, cells, strict=True))
        ]
        _draw(console, columns, keys=min(sheet.left, default=0) + 1, pad=1)
        for note in sheet.notes:
            console.print(Text(clean(note), style="dim"))
        console.print()
    for note in notes:
        console.print(Text(clean(note), style="dim"))
    return _text(console)


def print_list(
    title: str,
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Sequence[int] = (),
    width: int = 100,
    colour: bool = False,
) -> str:
    """Plain rows under headers; columns numbered in ``right`` are figures. The first column names
    the rows, and what comes first matters most (`fitting`).
    """
    console = _console(width, colour)
    if title:
        console.print(Text(clean(title), style="italic"))
    cells = list(zip(*rows, strict=True)) or [()] * len(headers)
    columns = [
        FittedColumn(clean(name), tuple(map(clean, column)), place in right)
        for place, (name, column) in enumerate(zip(headers, cells, strict=True))
    ]
    _draw(console, columns, keys=1, pad=2)
    console.print()
    return _text(console)


def _draw(
    console: Console,
    columns: Sequence[FittedColumn],
    *,
    keys: int,
    pad: int,
    breaks: Collection[int] = (),
    strong: Collection[int] = (),
) -> None:
    """Prints columns as one table, as several below each other, or as blocks, whatever the
    console's width holds.
    """
    made = parts(columns, keys, console.width, pad + 1)
    for number, part in enumerate(made):
        if number:
            console.print()
        table = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, pad, 0, 0))
        chosen = [columns[place] for place in part.columns]
        for column, width in zip(chosen, part.widths, strict=True):
            justify: Literal["left", "right"] = "right" if column.figures else "left"
            table.add_column(Text(_fitted(column.heading, width)), justify=justify, width=width, no_wrap=True)
        for row in range(len(columns[0].cells)):
            if row in breaks:
                table.add_section()
            cells = (
                _fitted(column.cells[row], width) for column, width in zip(chosen, part.widths, strict=True)
            )
            table.add_row(*map(Text, cells), style="bold" if row in strong else None)
        console.print(table)
    if not made:
        console.print(Text("\n".join(blocks(columns, console.width))), soft_wrap=True)


def _fitted(text: str, width: int) -> str:
    """The text as it is where it fits, else folded."""
    return (
        text
        if all(cell_len(line) <= width for line in text.split("\n"))
        else folded(text.replace("\n", " "), width)
    )


def cut(grid: Grid, width: int) -> list[list[Block]]:
    """The blocks in as few tables as the width allows, at least one block a table."""
    base = _width(grid.fixed)
    tables: list[list[Block]] = [[]]
    used = base
    for block in grid.blocks:
        need = _width(block)
        if tables[-1] and used + need > width:
            tables.append([])
            used = base
        tables[-1].append(block)
        used += need
    return tables


def _width(block: Block) -> int:
    """Terminal columns of a block: its widest cells, its headings as far as they are not wrapped,
    two for padding each.

    Metrics may be wrapped, too.
    """
    cells = zip(*block.rows, strict=True) if block.rows else ((),) * len(block.headers)
    total = 0
    for title, column in zip(block.headers, cells, strict=True):
        widest = max((cell_len(cell) for cell in column), default=0)
        total += 2 + max(min(widest, HEADER) if title == "metric" else widest, min(cell_len(title), HEADER))
    return total


def _columns(grid: Grid, group: Sequence[Block]) -> list[FittedColumn]:
    fixed = zip(grid.fixed.headers, _cells(grid.fixed), strict=True)
    columns = [FittedColumn(clean(name), cells, name in ("n", "chance")) for name, cells in fixed]
    for block in group:
        columns += [
            FittedColumn(wrapped(clean(name)), cells, True)
            for name, cells in zip(block.headers, _cells(block), strict=True)
        ]
    return columns


def _cells(block: Block) -> list[tuple[str, ...]]:
    return [tuple(map(clean, column)) for column in zip(*block.rows, strict=True)] or [()] * len(
        block.headers
    )


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


def _console(width: int, colour: bool) -> Console:
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        highlight=False,
    )


def _text(console: Console) -> str:
    """What was printed, without the blanks that fill lines up."""
    file = console.file
    assert isinstance(file, io.StringIO)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"

"""Tables for a terminal, by rich. A table wider than the terminal is cut into several, each with the row names."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from harness.report.grid import Block, Grid, make_grid
from harness.report.sanity import sanity_text
from harness.report.table import Table

if TYPE_CHECKING:
    from harness.report.sheets import Sheet

HEADER = 14
"""A longer heading is wrapped rather than widen its column."""


def render_rich(table: Table, *, width: int = 100, colour: bool = False, every: bool = False) -> str:
    """The table, what its figures mean, and why cells failed."""
    console = _console(width, colour)
    console.print(Text(clean(table.name), style="bold"), end="\n\n")
    grid = make_grid(table, every=every)
    for blocks in cut(grid, width):
        console.print(_rich_table(grid, blocks))
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


def print_sheets(title: str, sheets: Sequence[Sheet], notes: Sequence[str], *, width: int = 100, colour: bool = False) -> str:
    """Sheets one below the other under a title; headings and texts may be wrapped, figures are not."""
    console = _console(width, colour)
    console.print(Text(clean(title), style="bold"), end="\n\n")
    for sheet in sheets:
        console.print(Text(clean(sheet.title), style="bold"), soft_wrap=True)
        table = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        for place, name in enumerate(sheet.headers):
            table.add_column(
                Text(wrapped(clean(name))),
                justify="left" if place in sheet.left else "right",
                no_wrap=place not in sheet.left or place == min(sheet.left),
                overflow="fold",
            )
        for row in sheet.rows:
            table.add_row(*(Text(clean(cell)) for cell in row))
        console.print(table)
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
    fold: Sequence[int] = (),
    width: int = 100,
    colour: bool = False,
) -> str:
    """Plain rows under headers. Only columns in ``fold`` may be wrapped."""
    console = _console(width, colour)
    table = RichTable(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        title=Text(clean(title)) if title else None,
        title_justify="left",
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for place, name in enumerate(headers):
        table.add_column(Text(clean(name)), justify="right" if place in right else "left", no_wrap=place not in fold, overflow="fold")
    for row in rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    console.print(table)
    console.print()
    return _text(console)


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
    """Terminal columns of a block: its widest cells, its headings as far as they are not wrapped, two for padding each.

    Metrics may be wrapped, too.
    """
    cells = zip(*block.rows, strict=True) if block.rows else ((),) * len(block.headers)
    total = 0
    for title, column in zip(block.headers, cells, strict=True):
        widest = max((cell_len(cell) for cell in column), default=0)
        total += 2 + max(min(widest, HEADER) if title == "metric" else widest, min(cell_len(title), HEADER))
    return total


def _rich_table(grid: Grid, blocks: Sequence[Block]) -> RichTable:
    table = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in grid.fixed.headers:
        table.add_column(Text(name), no_wrap=name != "metric", overflow="fold", justify="right" if name in ("n", "chance") else "left")
    for block in blocks:
        for name in block.headers:
            table.add_column(Text(wrapped(clean(name))), justify="right", no_wrap=True)
    for row, names in enumerate(grid.fixed.rows):
        if row in grid.breaks:
            table.add_section()
        cells = [*names, *(cell for block in blocks for cell in block.rows[row])]
        table.add_row(*(Text(clean(cell)) for cell in cells), style="bold" if row in grid.strong else None)
    return table


def wrapped(name: str) -> str:
    """A heading in lines of at most HEADER columns, broken after dashes and spaces where it can be."""
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
    """Text without control characters: names and reasons are data, and a terminal obeys escape sequences."""
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

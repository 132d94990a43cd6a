"""How commands print: tables as wide as the terminal, colour only where someone looks at it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from harness.reporting import Table

WIDTH = 100
"""Columns where standard output is no terminal."""


def width() -> int:
    """Columns to fill."""
    return (
        shutil.get_terminal_size((WIDTH, 24)).columns
        if sys.stdout.isatty() or "COLUMNS" in os.environ
        else WIDTH
    )


PIPE = 1000
"""Columns of a list in a pipe."""


def list_width() -> int:
    """Columns for lists: in a pipe every entry stays on one line, so that grep finds it."""
    return width() if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE


def colour() -> bool:
    """Whether someone looks at standard output and wants colour (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def show_table(table: Table, *, every: bool = False) -> None:
    """Prints a results table."""
    from harness.reporting.terminal import render_rich

    typer.echo(render_rich(table, width=width(), colour=colour(), every=every), nl=False, color=True)


def show_list(
    title: str, headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()
) -> None:
    """Prints rows of plain text under headers; columns numbered in ``right`` are figures. Nothing
    is cropped: what does not fit stands in further tables or in blocks, the first columns first.

    Names and descriptions are data: nothing in them is read as markup.
    """
    from harness.reporting.terminal import print_list

    typer.echo(
        print_list(title, headers, rows, right=right, width=list_width(), colour=colour()),
        nl=False,
        color=True,
    )


def chosen_form(**asked: bool) -> str:
    """The one format asked for by its flag, else ``rich``. Raises ConfigError for two."""
    names = [name for name, wanted in asked.items() if wanted]
    if len(names) > 1:
        from harness.errors import ConfigError

        raise ConfigError(f"choose one of --{', --'.join(asked)}; got --{' and --'.join(names)}")
    return names[0] if names else "rich"


def csv_text(fields: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows under a header line, as CSV."""
    import csv
    import io

    file = io.StringIO()
    writer = csv.DictWriter(file, fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def write_or_print(text: str, out: Path | None) -> None:
    """Prints text, or writes it to a file, whole or not at all.

    Raises RunFolderError where that cannot be written.
    """
    if out is None:
        typer.echo(text, nl=False, color=True)
        return
    from harness.results.files import write_text

    write_text(out, text)
    typer.echo(f"written to {out}", err=True)

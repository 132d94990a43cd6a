"""``harness report``: the table of runs that are done."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.output import colour, width, write_or_print


class Format(StrEnum):
    """How to write the table."""

    rich = "rich"
    markdown = "markdown"
    csv = "csv"
    json = "json"


def report(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN", help="Run folders, results.json files, or names of runs in results/.", show_default=False),
    ],
    form: Annotated[Format, typer.Option("--format", "-f", help="csv and json hold every metric.")] = Format.rich,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write to this file.  [default: the terminal]", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show the subjects of groups, too.")] = False,
) -> None:
    """Show the table of one run, or of several joined."""
    from harness.report import make_table, render
    from harness.results.query import read_results

    table = make_table([read_results(run) for run in runs])
    write_or_print(render(table, form.value, every=every, width=width(), colour=colour() and out is None), out)

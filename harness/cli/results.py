"""``harness results``: all runs below a folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.output import chosen_form, colour, csv_text, width, write_or_print

if TYPE_CHECKING:
    from harness.results.query import Run

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def results(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that holds runs.")] = Path("results"),
    model: Annotated[
        str | None, typer.Option("--model", help="Part of a model's name, or a glob.", show_default=False)
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", help="Part of a task's name, or a glob.", show_default=False)
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", "-l", help="zh or en.", show_default=False)
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DATE", help="Runs of this day or later.", show_default=False),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="DATE", help="Runs of this day or before.", show_default=False),
    ] = None,
    rows: Annotated[
        bool, typer.Option("--rows", help="Every score of all runs, joined, not a line a run.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="All joined rows, as JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="All joined rows, as CSV.")] = False,
) -> None:
    """List, filter and join all runs below a folder."""
    from harness.reporting.runs import Filter, joined, joined_fields, listing, rows_sheet
    from harness.reporting.sheets import write

    form = chosen_form(json=as_json, csv=as_csv)
    chosen = Filter(model, task, language, _day("--since", since), _day("--until", until))
    found = _runs(folder)
    if form == "json":
        text = json.dumps(list(joined(found, chosen)), ensure_ascii=False, indent=1) + "\n"
    elif form == "csv":
        text = csv_text(joined_fields(), joined(found, chosen))
    else:
        sheet = rows_sheet(found, chosen) if rows else listing(found, chosen, folder)
        text = write(str(folder), [sheet], [], form, width=width(), colour=colour())
    write_or_print(text, None)


def _runs(folder: Path) -> list[Run]:
    """Every run that can be read; the others are told on standard error."""
    from harness.errors import RunFolderError
    from harness.results.query import find_runs, read_run

    found = []
    for path in find_runs(folder):
        try:
            found.append(read_run(path))
        except RunFolderError as error:
            typer.echo(f"left out: {error}", err=True)
    return found


def _day(option: str, text: str | None) -> str | None:
    if text is not None and not DAY.fullmatch(text):
        raise typer.BadParameter(f"expected a day as YYYY-MM-DD, got {text!r}", param_hint=option)
    return text

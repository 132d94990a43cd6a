"""``harness results``: all runs below a folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.output import ShortLanguage, Show, notify, shows

if TYPE_CHECKING:
    from harness.results.query import Run

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@shows(language=ShortLanguage)
def results(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that holds runs.")] = Path("results"),
    model: Annotated[
        str | None, typer.Option("--model", help="Part of a model's name, or a glob.", show_default=False)
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", help="Part of a task's name, or a glob.", show_default=False)
    ] = None,
    language: Annotated[
        str | None,
        typer.Option("--language", "-l", help="Only rows in this language: zh or en.", show_default=False),
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
        bool, typer.Option("--rows", help="Every score of all runs, joined, not one line per run.")
    ] = False,
    *,
    show: Show,
) -> None:
    """List, filter and join all runs below a folder.

    -f csv and -f json hold all joined rows.
    """
    from harness.reporting.runs import Filter, runs_document

    chosen = Filter(model, task, language, _day("--since", since), _day("--until", until))
    show(runs_document(_runs(folder), chosen, folder, rows=rows))


def _runs(folder: Path) -> list[Run]:
    """Every run that can be read; the others are named on standard error."""
    from harness.errors import RunFolderError
    from harness.results.query import find_runs, read_run

    runs = []
    for path in find_runs(folder):
        try:
            runs.append(read_run(path))
        except RunFolderError as error:
            notify(f"left out: {error}")
    return runs


def _day(option: str, text: str | None) -> str | None:
    if text is not None and not DAY.fullmatch(text):
        raise typer.BadParameter(f"expected a day as YYYY-MM-DD, got {text!r}", param_hint=option)
    return text

"""``harness rescore``: marks kept answers again, without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import completion
from harness.cli.output import Show, shows


@shows(out=False)
def rescore(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="Run folder, or name of a run in results/.",
            autocompletion=completion.runs,
            show_default=False,
        ),
    ],
    filters: Annotated[
        Path | None,
        typer.Option("--filters", help="YAML: filter_list or metric_list by task name.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="New run folder.  [default: RUN-rescored]", show_default=False),
    ] = None,
    *,
    show: Show,
) -> None:
    """Mark kept answers again, without a model.

    After an extractor was fixed, or with other filters. The old run stays as it is.
    """
    from harness.reporting.changes import changes_document
    from harness.rescoring.rescore import rescore as again
    from harness.rescoring.settings import read_changes

    done = again(run, changes=read_changes(filters) if filters is not None else None, out=out)
    if done.changes:
        show(changes_document(done.changes), wide=True)
    else:
        typer.echo("no score changed", err=show.form != "terminal")
    for failure in done.failed:
        typer.echo(f"not marked again: {failure}", err=True)

    # Another form than the terminal's is for a file or a program, and ends with itself.
    message = f"Kept in {done.folder}; side by side: harness report {run} {done.folder}"
    typer.echo(message, err=show.form != "terminal")
    if done.failed:
        raise typer.Exit(1)

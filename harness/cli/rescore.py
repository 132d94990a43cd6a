"""``harness rescore``: marks kept answers again, without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import completion
from harness.cli.output import Show, notify, shows, tell


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
    # Another form than the terminal's is for a file or a program, and ends with itself.
    say = tell if show.form == "terminal" else notify
    if done.changes:
        show(changes_document(done.changes), wide=True)
    else:
        say("no score changed")
    for failure in done.failed:
        notify(f"not marked again: {failure}")

    say(f"Kept in {done.folder}; side by side: `harness report {run} {done.folder}`")
    if done.failed:
        raise typer.Exit(1)

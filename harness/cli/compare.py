"""``harness compare``: which differences between models are real."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import completion
from harness.cli.output import Show, shows

Runs = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN...",
        help="Run folders, results.json files, or names of runs in results/.",
        autocompletion=completion.runs,
        show_default=False,
    ),
]


@shows()
def compare(
    runs: Runs,
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", "-b", metavar="MODEL", help="Compare all with it.", show_default=False),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option("--task", "-t", help="Only this task (or glob), in detail.", show_default=False),
    ] = None,
    index: Annotated[
        str | None,
        typer.Option(
            "--index",
            metavar="NAME",
            help="Composite index: bilingual, open-llm-v2, smoke, or a YAML of weights.",
            show_default=False,
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All pairs, and the subjects of groups.")] = False,
    *,
    show: Show,
) -> None:
    """Compare models on the items they share.

    Paired differences, tie groups, rank intervals. Only equal prompts are paired; runs may be of
    several machines and dates.
    """
    from harness.analysis.comparison import compare as compared
    from harness.analysis.index import load_weights
    from harness.reporting.comparison_document import comparison_document
    from harness.results.query import read_run

    # A wrong name of an index is refused before any samples are read.
    weights = load_weights(index) if index is not None else None
    comparison = compared([read_run(run) for run in runs])
    place = comparison.place(baseline) if baseline is not None else None
    show(comparison_document(comparison, weights=weights, baseline=place, tasks=task, every=every))

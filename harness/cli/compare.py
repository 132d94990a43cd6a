"""``harness compare``: which differences between models are real."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.output import chosen_form, colour, csv_text, width, write_or_print
from harness.wording import plural

if TYPE_CHECKING:
    from harness.analysis.comparison import Comparison
    from harness.analysis.index import Weights
    from harness.reporting.sheets import Sheet

Runs = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN...",
        help="Run folders, results.json files, or names of runs in results/.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Everything, as JSON.")]
Csv = Annotated[bool, typer.Option("--csv", help="One row a task and pair.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Tables in Markdown.")]
Latex = Annotated[bool, typer.Option("--latex", help="Tables in LaTeX (booktabs).")]


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
    as_json: Json = False,
    as_csv: Csv = False,
    as_markdown: Markdown = False,
    as_latex: Latex = False,
) -> None:
    """Compare models on the items they share.

    Paired differences, tie groups, rank intervals. Only equal prompts are paired; runs may be of
    several machines and dates.
    """
    from harness.analysis.comparison import compare as compared
    from harness.analysis.index import load_weights
    from harness.results.query import read_run

    form = chosen_form(json=as_json, csv=as_csv, markdown=as_markdown, latex=as_latex)
    weights = load_weights(index) if index is not None else None
    comparison = compared([read_run(run) for run in runs])
    place = comparison.place(baseline) if baseline is not None else None
    if form == "json":
        text = _data(comparison, weights)
    elif form == "csv":
        text = _rows(comparison)
    else:
        made = _sheets(comparison, weights, place, task, every=every)
        text = _tables(comparison, made, form, colour=colour())
    write_or_print(text, None)


def _data(comparison: Comparison, weights: Weights | None) -> str:
    from harness.analysis.gap import gaps
    from harness.analysis.index import as_data, indices
    from harness.analysis.published import matches
    from harness.reporting import comparison as shown
    from harness.reporting import extras

    labels = [model.label for model in comparison.models]
    found = as_data(indices(comparison, weights), labels, weights) if weights is not None else None
    data = shown.as_data(comparison) | extras.as_data(
        comparison, gaps(comparison.contests), matches(comparison), found
    )
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def _rows(comparison: Comparison) -> str:
    from harness.reporting import comparison as shown

    return csv_text(shown.record_fields(), shown.records(comparison))


def _sheets(
    comparison: Comparison, weights: Weights | None, baseline: int | None, task: str | None, *, every: bool
) -> list[Sheet]:
    """The comparison's sheets, then index, language gap and published figures (not with ``task``,
    which asks for one alone).
    """
    from harness.analysis.gap import gaps
    from harness.analysis.index import indices
    from harness.analysis.published import matches
    from harness.reporting import comparison as shown
    from harness.reporting import extras

    made = shown.sheets(comparison, baseline=baseline, tasks=task, every=every)
    if not made:
        from harness.errors import ConfigError

        raise ConfigError(
            f"--task {task}: no such task or group in these runs; without --task all are listed"
        )
    if weights is not None:
        made += extras.index_sheets(comparison, indices(comparison, weights), weights)
    if task is None:
        more = (
            extras.gap_sheet(comparison, gaps(comparison.contests)),
            extras.published_sheet(comparison, matches(comparison)),
        )
        made += [sheet for sheet in more if sheet is not None]
    return made


def _tables(comparison: Comparison, made: list[Sheet], form: str, *, colour: bool) -> str:
    from harness.reporting.comparison import LEGEND
    from harness.reporting.sheets import write

    count = len(comparison.models)
    title = f"{comparison.name}: {plural(count, 'model')}"
    return write(title, made, [*comparison.notes, *LEGEND], form, width=width(), colour=colour)

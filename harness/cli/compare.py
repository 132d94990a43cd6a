"""``harness compare``: which differences between models are real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.output import chosen_form, colour, csv_text, width, write_or_print

if TYPE_CHECKING:
    from harness.analysis.comparison import Comparison

Runs = Annotated[
    list[str],
    typer.Argument(metavar="RUN...", help="Run folders, results.json files, or names of runs in results/.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Everything, as JSON.")]
Csv = Annotated[bool, typer.Option("--csv", help="One row a task and pair.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Tables in Markdown.")]
Latex = Annotated[bool, typer.Option("--latex", help="Tables in LaTeX (booktabs).")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Write to this file.  [default: the terminal]", show_default=False)]


def compare(
    runs: Runs,
    baseline: Annotated[
        str | None, typer.Option("--baseline", "-b", metavar="MODEL", help="Compare all with it.", show_default=False)
    ] = None,
    task: Annotated[str | None, typer.Option("--task", "-t", help="Only this task (or glob), in detail.", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="All pairs, and the subjects of groups.")] = False,
    as_json: Json = False,
    as_csv: Csv = False,
    as_markdown: Markdown = False,
    as_latex: Latex = False,
    out: Out = None,
) -> None:
    """Compare models on the items they share: paired differences, tie groups, ranks.

    Only equal prompts are paired; runs may be of several machines and dates.
    """
    from harness.analysis.comparison import compare as compared
    from harness.results.query import read_run

    form = chosen_form(json=as_json, csv=as_csv, markdown=as_markdown, latex=as_latex)
    comparison = compared([read_run(run) for run in runs])
    place = comparison.place(baseline) if baseline is not None else None
    write_or_print(_text(comparison, form, place, task, every=every, colour=colour() and out is None), out)


def _text(comparison: Comparison, form: str, baseline: int | None, task: str | None, *, every: bool, colour: bool) -> str:
    from harness.report import comparison as shown
    from harness.report.sheets import write

    if form == "json":
        return json.dumps(shown.as_data(comparison), ensure_ascii=False, indent=1) + "\n"
    if form == "csv":
        return csv_text(shown.record_fields(), shown.records(comparison))
    made = shown.sheets(comparison, baseline=baseline, tasks=task, every=every)
    if not made:
        from harness.errors import ConfigError

        raise ConfigError(f"--task {task}: no such task or group in these runs; without --task all are listed")
    title = f"{comparison.name}: {len(comparison.models)} models"
    options: dict[str, Any] = {"width": width(), "colour": colour}
    return write(title, made, [*comparison.notes, *shown.LEGEND], form, **options)  # type: ignore[arg-type]

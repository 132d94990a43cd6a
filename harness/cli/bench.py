"""``harness bench``: the speed of shapes, with error bars, limits, energy and cost."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import ConfigFile, Device, Overrides, load
from harness.cli.output import chosen_form, colour, csv_text, list_width, write_or_print

if TYPE_CHECKING:
    from harness.benchmark.runner import BenchOutcome


def bench(
    config: ConfigFile,
    overrides: Overrides = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Run folder.  [default: results/<name>]", show_default=False)
    ] = None,
    device: Annotated[
        Device | None, typer.Option("--device", help="auto takes CUDA where present.", show_default=False)
    ] = None,
    project: Annotated[
        list[str] | None,
        typer.Option(
            "--project",
            metavar="CHIP",
            help="Project to a catalogue chip (H20, … or all). May be repeated.",
            show_default=False,
        ),
    ] = None,
    usd: Annotated[
        float | None,
        typer.Option(
            "--usd-per-hour", help="Your price of one device.  [default: the table's]", show_default=False
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Move the old run aside and begin anew.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress: only the tables and what went wrong.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As data: speed.json.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV: one row a cell.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown.")] = False,
) -> None:
    """Measure the speed of fixed shapes: input x output x concurrency, or Poisson arrivals.

    Repeats each cell until its median is known to 3 % or its time is up, the models in turn. The
    same command again goes on. Exit code 1 where a cell could not be measured.
    """
    import json

    from harness.benchmark.runner import bench_config

    form = chosen_form(json=as_json, csv=as_csv, markdown=markdown)
    chips = [f"speed.project={json.dumps(project)}"] if project else []
    loaded = load(config, [*(overrides or ()), *chips], None, device)
    outcome = bench_config(
        loaded, out=out, fresh=fresh, usd=usd, say=None if quiet else lambda text: typer.echo(text, err=True)
    )
    _show(outcome, form)
    raise typer.Exit(outcome.exit_code)


def _show(outcome: BenchOutcome, form: str) -> None:
    from harness.reporting.sheets import write
    from harness.reporting.speed import NOTES, csv_rows, failures, speed_sheets

    if form == "json":
        write_or_print(outcome.results.model_dump_json(indent=1) + "\n", None)
    elif form == "csv":
        write_or_print(csv_text(*csv_rows(outcome.results)), None)
    else:
        text = write(
            outcome.results.name,
            speed_sheets(outcome.results),
            NOTES,
            form,
            width=list_width(),
            colour=colour(),
        )
        typer.echo(text, nl=False, color=True)
    for failure in failures(outcome.results):
        typer.echo(failure, err=True)
    relative = os.path.relpath(outcome.folder)
    typer.echo(
        f"Kept in {outcome.folder if relative.startswith('..') else relative}: speed.json, speed-manifest.json.",
        err=True,
    )

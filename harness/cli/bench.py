"""``harness bench``: the speed of shapes, with error bars, limits, energy and cost."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import ConfigFile, DeviceOption, Overrides, load
from harness.cli.output import Show, shows

if TYPE_CHECKING:
    from harness.benchmark.runner import BenchOutcome


@shows(out=False)
def bench(
    config: ConfigFile,
    overrides: Overrides = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Run folder.  [default: results/<name>]", show_default=False)
    ] = None,
    device: Annotated[
        DeviceOption | None,
        typer.Option("--device", help="auto takes CUDA where present.", show_default=False),
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
    *,
    show: Show,
) -> None:
    """Measure the speed of fixed shapes: input x output x concurrency, or Poisson arrivals.

    Repeats each cell until its median is known to 3 % or its time is up, the models in turn. The
    same command again goes on. Exit code 1 where a cell could not be measured.
    """
    import json

    from harness.benchmark.runner import bench_config

    # The chips are part of the config, so that a bench that goes on projects to the same ones.
    chips = [f"speed.project={json.dumps(project)}"] if project else []
    loaded = load(config, [*(overrides or ()), *chips], None, device)
    outcome = bench_config(
        loaded, out=out, fresh=fresh, usd=usd, say=None if quiet else lambda text: typer.echo(text, err=True)
    )
    _show(outcome, show)
    raise typer.Exit(outcome.exit_code)


def _show(outcome: BenchOutcome, show: Show) -> None:
    from harness.reporting.speed import failures, speed_document
    from harness.reporting.texts import Message, translated

    show(speed_document(outcome.results), wide=True)
    for failure in failures(outcome.results):
        typer.echo(translated(Message(failure), show.language), err=True)
    relative = os.path.relpath(outcome.folder)
    typer.echo(
        f"Kept in {outcome.folder if relative.startswith('..') else relative}: speed.json, "
        f"speed-manifest.json.",
        err=True,
    )

"""``harness bench``: the speed of shapes, with error bars, limits, energy and cost."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import ConfigFile, DeviceOption, Overrides, load, same_command
from harness.cli.output import Show, notify, shows

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
    shared: Annotated[
        bool,
        typer.Option(
            "--shared", help="The machine is shared: use every repeat, and mark figures that are doubtful."
        ),
    ] = False,
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
    from harness.progress.bench import bench_progress

    # The chips are part of the config, so that a bench that goes on projects to the same ones.
    chips = [f"speed.project={json.dumps(project)}"] if project else []
    mode = ["speed.shared=true"] if shared else []
    loaded = load(config, [*(overrides or ()), *chips, *mode], None, device)
    with bench_progress(sys.stderr, quiet=quiet) as progress:
        outcome = bench_config(loaded, out=out, fresh=fresh, usd=usd, progress=progress)
    _show(outcome, show)
    raise typer.Exit(outcome.exit_code)


def _show(outcome: BenchOutcome, show: Show) -> None:
    from harness.reporting.speed import speed_document
    from harness.reporting.speed_notes import failures

    show(speed_document(outcome.results), wide=True)
    for failure in failures(outcome.results, show.language):
        notify(failure)
    if outcome.exit_code:
        notify(f"To measure what is missing: {same_command()}")
    relative = os.path.relpath(outcome.folder)
    notify(
        f"Kept in {outcome.folder if relative.startswith('..') else relative}: speed.json, "
        f"speed-manifest.json."
    )

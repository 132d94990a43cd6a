"""``harness parity``: whether another engine or number format gives the same answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import completion
from harness.cli.options import Limit, Overrides, load
from harness.cli.output import Show, notify, shows
from harness.errors import ConfigError

if TYPE_CHECKING:
    from harness.config import LoadedConfig


@shows(out=False)
def parity(
    first: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG",
            help="YAML file or packed config, or the folder or name of a run.",
            autocompletion=completion.configs,
            show_default=False,
        ),
    ],
    second: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="Another run, instead of --against.", show_default=False),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            metavar="KEY=VALUE",
            help="A model's setting for the second side. May be repeated.",
            show_default=False,
        ),
    ] = None,
    limit: Limit = None,
    overrides: Overrides = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="For both runs.  [default: results/parity/<name>]", show_default=False),
    ] = None,
    within: Annotated[
        float | None,
        typer.Option("--within", min=0, help="Nats a token.  [default: by dtype]", show_default=False),
    ] = None,
    items: Annotated[
        int, typer.Option("--items", min=0, help="Differing items to show for each cell; -f json has all.")
    ] = 5,
    *,
    show: Show,
) -> None:
    """Ask the same of two engines or dtypes, and say whether the second can be trusted.

    A config with --against KEY=VALUE, or two runs. Exit code 0 for yes and within noise, 3 for no.
    """
    from harness.analysis.parity import compare
    from harness.reporting.parity import parity_document
    from harness.results.cells import read_cells

    if (second is None) == (not against):
        raise ConfigError("name a config and what to set it --against (e.g. dtype=bfloat16), or two runs")

    # A config in the place of a run is the usual mistake; "no such run" would not explain it.
    if second is not None:
        for run in (first, second):
            if run.endswith((".yaml", ".yml")):
                raise ConfigError(
                    f"{run} is a config, not a run: run it first and name its folder, or use "
                    f"--against KEY=VALUE"
                )
        folders: tuple[str | Path, str | Path] = (first, second)
    else:
        folders = _run_both(load(first, overrides, limit), list(against or ()), out)

    outcome = compare(read_cells(folders[0]), read_cells(folders[1]), within)
    show(parity_document(outcome, items=items), wide=True)
    raise typer.Exit(3 if outcome.verdict == "no" else 0)


def _run_both(loaded: LoadedConfig, against: list[str], out: Path | None) -> tuple[Path, Path]:
    from harness.evaluation.parity import run_sides
    from harness.progress.display import reporter_for

    sides = run_sides(loaded, against, out, reporter_for)
    if sides.interrupted:
        notify("interrupted: everything answered is kept; run the same command again to go on")
        raise typer.Exit(130)
    return sides.first, sides.second

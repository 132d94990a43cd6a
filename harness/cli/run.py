"""``harness run``: runs what is missing of a config and shows the table."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.config_options import ConfigOptions, selects
from harness.cli.output import Show, shows

if TYPE_CHECKING:
    from harness.config import LoadedConfig
    from harness.evaluation import RunOutcome


@shows(out=False)
@selects()
def run(
    selection: ConfigOptions,
    out: Annotated[
        Path | None, typer.Option("--out", help="Run folder.  [default: results/<name>]", show_default=False)
    ] = None,
    price: Annotated[
        float | None,
        typer.Option(
            "--usd-per-hour",
            help="Price of an hour of one accelerator (on the CPU: of the machine).",
            show_default=False,
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Move the old run aside and begin anew.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress: only the table and what went wrong.")
    ] = False,
    *,
    show: Show,
) -> None:
    """Run every model on every task: of a config, or of --model and --task.

    The same command again does only what is missing; Ctrl-C once stops cleanly.
    """
    from harness.evaluation import run_config
    from harness.progress.display import reporter_for

    # A price is a key of the config: the manifest must say by which one dollars were counted.
    loaded = selection.load([f"usd_per_hour={price}"] if price is not None else [])
    _announce_name(loaded, out)
    with reporter_for(quiet=quiet) as reporter:
        outcome = run_config(loaded, out=out, fresh=fresh, reporter=reporter)
    _show(outcome, show)
    raise typer.Exit(outcome.exit_code)


def _announce_name(loaded: LoadedConfig, out: Path | None) -> None:
    """Where results of models and tasks without a file will be, and what runs them again."""
    if loaded.plain is not None:
        folder = out or Path("results") / loaded.config.name
        typer.echo(f"{loaded.config.name}: kept in {folder}, its config as {folder}/config.yaml", err=True)


def _show(outcome: RunOutcome, show: Show) -> None:
    from harness.reporting import make_table
    from harness.reporting.score_document import score_document

    show(score_document(make_table([outcome.results]), language=show.language))
    for expectation in outcome.results.expectations:
        if not expectation.get("held", True):
            typer.echo(_broken(expectation), err=True)
    for note in outcome.notes:
        typer.echo(note, err=True)
    relative = os.path.relpath(outcome.folder)
    folder = outcome.folder if relative.startswith("..") else relative
    # Another form than the terminal's is for a file or a program, and ends with itself.
    typer.echo(
        f"\nKept in {folder}: results.json, manifest.json, samples/, logs/. Again: harness report {folder}",
        err=show.form != "terminal",
    )


def _broken(expectation: dict[str, object]) -> str:
    value = expectation.get("value")
    if expectation.get("sanity"):
        return f"expected sanity: clean, got {value}"
    got = f"{value:.4g}" if isinstance(value, float | int) else "no value"
    bounds = ", ".join(
        f"{bound} {expectation[bound]}" for bound in ("min", "max") if expectation.get(bound) is not None
    )
    where = f"{expectation.get('model')} on {expectation.get('task')}"
    return f"expectation failed: {where}: {expectation.get('metric')} is {got}, expected {bounds}"

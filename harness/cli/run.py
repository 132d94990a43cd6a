"""``harness run``: runs what is missing of a config and shows the table."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.config_options import ConfigOptions, selects
from harness.cli.options import same_command
from harness.cli.output import Show, notify, shows, tell
from harness.cli.testing import Annotations, Junit, check_junit, publish
from harness.wording import plural

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
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="One line per cell: subjects of groups are not folded.")
    ] = False,
    junit: Junit = None,
    annotate: Annotations = None,
    *,
    show: Show,
) -> None:
    """Run every model on every task: of a config, or of --model and --task.

    The same command again does only what is missing; Ctrl-C once stops cleanly.
    """
    from harness.evaluation import run_config
    from harness.progress.display import reporter_for
    from harness.reporting.testcases import run_testcases

    # A price is a key of the config: the manifest must say by which one dollars were counted.
    loaded = selection.load([f"usd_per_hour={price}"] if price is not None else [])
    check_junit(junit)
    _announce_name(loaded, out)
    with reporter_for(quiet=quiet, every=verbose) as reporter:
        outcome = run_config(loaded, out=out, fresh=fresh, reporter=reporter)
    _show(outcome, show)
    publish(run_testcases([outcome.results]), outcome.results.name, junit, annotate)
    raise typer.Exit(outcome.exit_code)


def _announce_name(loaded: LoadedConfig, out: Path | None) -> None:
    """Where results of models and tasks without a file will be, and what runs them again."""
    if loaded.plain is not None:
        folder = out or Path("results") / loaded.config.name
        notify(f"{loaded.config.name}: kept in {folder}, its config as {folder}/config.yaml")


def _show(outcome: RunOutcome, show: Show) -> None:
    from harness.reporting import make_table
    from harness.reporting.expectations import outcome_text
    from harness.reporting.score_document import score_document
    from harness.reporting.texts import translated

    show(score_document(make_table([outcome.results]), language=show.language))
    # Forms for machines go into a file: the person who waits gets what failed all the same.
    for row in outcome.results.expectations if show.form != "terminal" else ():
        if not row.held:
            notify(f"expectation {translated(outcome_text(row), show.language)}")
    for note in outcome.notes:
        notify(note)
    step = _next_step(outcome)
    if step:
        notify(step)
    relative = os.path.relpath(outcome.folder)
    folder = outcome.folder if relative.startswith("..") else relative
    # Another form than the terminal's is for a file or a program, and ends with itself.
    say = tell if show.form == "terminal" else notify
    say(f"\nKept in {folder}: results.json, manifest.json, samples/, logs/. Again: `harness report {folder}`")


def _next_step(outcome: RunOutcome) -> str | None:
    """What to do after a run that is not whole, with its exit code and the command."""
    if outcome.exit_code not in (1, 130):
        return None
    again = same_command()
    if outcome.exit_code == 130:
        return f"To go on: {again}"

    cells = {(row.model, row.task): row.status for row in outcome.results.rows}
    bad = sum(status in ("failed", "oom", "partial") for status in cells.values())
    what = f"{bad} of {plural(len(cells), 'cell')} failed (exit code 1)"
    return f"{what}: logs in {outcome.folder / 'logs'}. To try only those again: {again}"

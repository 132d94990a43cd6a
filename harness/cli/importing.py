"""``harness import``: results of lm-eval as run folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.output import notify, tell
from harness.wording import list_first, plural

if TYPE_CHECKING:
    from harness.exchange.imported import Import


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="lm-eval's results_*.json, a folder that holds it, or a text with its table.",
            show_default=False,
        ),
    ],
    model: Annotated[
        str | None, typer.Option("--model", help="The model's name in tables.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Run folder; of several evaluations the folder above.  [default: results/MODEL-lm-eval]",
            show_default=False,
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Older results of a model, too, not only its newest.")
    ] = False,
) -> None:
    """Import results of lm-eval 0.4.

    They join reports and comparisons. Samples (samples_*.jsonl or .json) are looked for beside the
    results. A folder with several models becomes one run folder for each.
    """
    from harness.exchange.imported import import_all

    imports = import_all(file, model=model, out=out, every=every)
    for done in imports:
        _say(done)
    if len(imports) > 1:
        tell(f"together: `harness report {' '.join(str(done.folder) for done in imports)}`")


def _say(done: Import) -> None:
    tasks = len({row.task for row in done.results.rows})
    tell(
        f"{plural(tasks, 'task')} of {done.results.models[0].model} in {done.folder}; harness report "
        f"{done.folder}"
    )
    for note in done.notes:
        notify(note)

    # Without samples a table has the model, and a comparison silently has not: say so here.
    if done.without_samples:
        notify(f"without samples, so not paired in comparisons: {list_first(done.without_samples, 4)}")

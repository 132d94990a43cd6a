"""``harness import``: results of lm-eval as a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.output import notify, tell
from harness.wording import list_first, plural


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
        typer.Option("--out", help="Run folder.  [default: results/MODEL-lm-eval]", show_default=False),
    ] = None,
) -> None:
    """Import results of lm-eval 0.4.

    They join reports and comparisons. Samples (samples_*.jsonl or .json) are looked for beside the
    results.
    """
    from harness.exchange.imported import import_lm_eval

    done = import_lm_eval(file, model=model, out=out)
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

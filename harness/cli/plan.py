"""``harness plan``: what a run would cost, before paying."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.config_options import ConfigOptions, selects
from harness.cli.output import Show, notify, shows


@shows()
@selects()
def plan(
    selection: ConfigOptions,
    every: Annotated[bool, typer.Option("--all", help="Show the subjects of groups, too.")] = False,
    chips: Annotated[
        bool, typer.Option("--chips", help="Show on which accelerators each model fits, and at which batch.")
    ] = False,
    *,
    show: Show,
) -> None:
    """Show what a run would cost, before paying.

    Cells, items, tokens, memory, downloads, and the smallest gap each task can detect. Loads no
    weights, asks no network.
    """
    from harness.evaluation import make_plan
    from harness.reporting.plan import plan_document

    outline = make_plan(selection.load(), notify)
    show(plan_document(outline, every=every, chips=chips), wide=True)
    for warning in outline.warnings:
        notify(f"warning: {warning}")

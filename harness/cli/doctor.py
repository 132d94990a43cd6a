"""``harness doctor``: what this machine can run, and what to do where it cannot."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import Mirror

if TYPE_CHECKING:
    from harness.doctor.findings import Check

COLOURS = {"ok": "green", "warn": "yellow", "bad": "red"}


def doctor(
    mirror: Mirror = None,
    out: Annotated[Path, typer.Option("--out", help="Where runs will be kept.")] = Path("results"),
    as_json: Annotated[bool, typer.Option("--json", help="As data.")] = False,
) -> None:
    """Check this machine, and say what to do.

    Python, torch, CUDA, vLLM, disk, hub, mirror. Exit code 1 where no run can work.
    """
    from harness.doctor.checks import examine

    checks = examine(mirror, out)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(check) for check in checks], ensure_ascii=False, indent=2))
    else:
        for check in checks:
            _show(check)
    raise typer.Exit(1 if any(check.level == "bad" for check in checks) else 0)


def _show(check: Check) -> None:
    typer.secho(f"{check.level:4}", fg=COLOURS[check.level], nl=False)
    typer.echo(f"  {check.name:<18}  {check.found}")
    if check.advice:
        typer.echo(f"{'':26}→ {check.advice}")

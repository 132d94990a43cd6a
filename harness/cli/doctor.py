"""``harness doctor``: what this machine can run, and what to do where it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Mirror
from harness.cli.output import Show, shows


@shows(out=False)
def doctor(
    mirror: Mirror = None,
    out: Annotated[Path, typer.Option("--out", help="Where runs will be kept.")] = Path("results"),
    *,
    show: Show,
) -> None:
    """Check this machine, and say what to do.

    Python, torch, CUDA, vLLM, disk, hub, mirror. Exit code 1 where no run can work.
    """
    from harness.doctor.checks import examine
    from harness.reporting.doctor import doctor_document

    checks = examine(mirror, out)
    show(doctor_document(checks))
    raise typer.Exit(1 if any(check.level == "bad" for check in checks) else 0)

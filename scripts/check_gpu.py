"""Whether everything is right on a GPU, and how fast: nine minutes, one table, JSON stage by stage.

usage: python scripts/check_gpu.py [--device cuda|pretend] [--out FOLDER] [--only STAGE,…] [--minutes N]

Runs from a bare checkout with torch, transformers, accelerate, datasets, lm-eval, pydantic, typer, rich,
pandas and pyarrow. Each stage stands alone: what one of them breaks does not stop the others, and
``check-gpu.json`` under ``--out`` (default: $OUT, else results/recorded) is written anew as each ends.
``--device pretend`` walks every stage on the CPU, at small sizes (tests/support/pretended_cuda).
Exit code 1 where a bound is not kept.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts"), str(ROOT / "tests")]

from gpu_check import agreement, kernel, machine, pressure, product, shapes, writing  # noqa: E402
from gpu_check.common import Record, Setting  # noqa: E402

Work = Callable[[Setting, Record], None]
STAGES: dict[str, tuple[Work, int]] = {
    "machine": (machine.describe, 40),
    "kernel": (kernel.check, 40),
    "agreement": (agreement.check, 60),
    "shapes": (shapes.check, 160),
    "writing": (writing.check, 110),
    "pressure": (pressure.check, 50),
    "product": (product.check, 100),
    "energy": (machine.energy, 50),
}
"""Name to (what it does, seconds that it may take)."""


class OutOfTime(Exception):
    """A stage took longer than it may."""


@contextlib.contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raises OutOfTime in the middle of the work, so that what was noted down before is kept."""

    def stop(*_: Any) -> None:
        raise OutOfTime(f"stopped after {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(1.0, seconds))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run_stage(name: str, setting: Setting, seconds: float) -> Record:
    """One stage; whatever goes wrong in it is part of its record."""
    work, _ = STAGES[name]
    record, begin = Record(name), time.perf_counter()
    try:
        with _within(seconds):
            work(setting, record)
    except Exception as error:
        first = (str(error).splitlines() or [""])[0]
        record.error = f"{type(error).__name__}: {first[:300]}"
    record.seconds = round(time.perf_counter() - begin, 1)
    return record


def run_all(names: list[str], setting: Setting, minutes: float, out: Path) -> list[Record]:
    """The stages in order, each written down as it ends, until the time is up."""
    end = time.monotonic() + 60 * minutes
    records: list[Record] = []
    for name in names:
        left = end - time.monotonic()
        if left < 5:
            records.append(Record(name, error="no time left"))
        else:
            records.append(run_stage(name, setting, min(left, STAGES[name][1])))
        _write(out / "check-gpu.json", records, setting)
        print(_line(records[-1]), flush=True)
    return records


def _write(path: Path, records: list[Record], setting: Setting) -> None:
    data = {"pretended": setting.pretended, "stages": [record.to_dict() for record in records]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def _line(record: Record) -> str:
    kept = sum(check.passed is True for check in record.checks)
    broken = [check for check in record.checks if check.passed is False]
    words = record.error or (f"{kept} bounds kept" if not broken else f"{len(broken)} bounds not kept")
    return f"{record.stage:10} {'ok' if record.passed else 'FAILED':6} {record.seconds:6.1f} s  {words}"


def show(records: list[Record]) -> None:
    """The table: every stage, then every bound that was not kept."""
    print("\nstage      passed seconds  what")
    for record in records:
        print(_line(record))
        for check in record.checks:
            if check.passed is False:
                print(f"    {check.name}: {check.figure} (bound: {check.bound})")


def main(arguments: list[str] | None = None) -> int:
    """Runs the stages that were asked for; the exit code says whether all bounds were kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", choices=["cuda", "pretend"], default="cuda")
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", ROOT / "results/recorded")))
    parser.add_argument("--mirror", type=Path, default=None)
    parser.add_argument("--only", default=",".join(STAGES), help="stages with commas between them")
    parser.add_argument("--minutes", type=float, default=9.0)
    options = parser.parse_args(arguments)
    names = options.only.split(",")
    if unknown := [name for name in names if name not in STAGES]:
        parser.error(f"--only: no stage {unknown[0]!r}; there are {', '.join(STAGES)}")

    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cuda = None
        if options.device == "pretend":
            from support.pretended_cuda import pretended_cuda

            cuda = stack.enter_context(pretended_cuda())
        records = run_all(names, Setting(folder, options.mirror, cuda), options.minutes, options.out)
    show(records)
    return 0 if all(record.passed for record in records) else 1


if __name__ == "__main__":
    sys.exit(main())

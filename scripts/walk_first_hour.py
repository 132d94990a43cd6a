"""Walks a student, an engineer and an analyst through their first hour: every step's seconds, and what it
did not show that it should have.

usage: python scripts/walk_first_hour.py [--harness COMMAND] [--model NAME …] [--endpoint MODEL URL]
                                         [--only JOURNEY …] [--json FILE]

``--harness`` is the command to walk with, such as that of an installed wheel. Without ``--endpoint`` a server
of the tests answers, with a packaged model. Exit code 1 where a step did not show what it should.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts"), str(ROOT / "tests")]

from first_hour import analyst, engineer, student  # noqa: E402
from first_hour.steps import Outcome, Step, walk  # noqa: E402

PLAIN = [sys.executable, "-m", "harness"]
JOURNEYS = ("student", "engineer", "analyst")


def main() -> None:
    """Walks, prints one line per step and writes JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--harness", type=shlex.split, default=PLAIN)
    parser.add_argument("--model", nargs="+", default=["tiny-qwen", "tiny-llama"])
    parser.add_argument("--endpoint", nargs=2, metavar=("MODEL", "URL"))
    parser.add_argument("--only", nargs="+", choices=JOURNEYS, default=JOURNEYS)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    record: dict[str, Any] = {}
    for name in options.only:
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            endpoint = options.endpoint or (stack.enter_context(served()) if name == "engineer" else None)
            steps = journey(name, Path(folder), options.model, endpoint)
            outcomes = walk(steps, options.harness, Path(folder), environment())
        show(name, outcomes)
        record[name] = [outcome.record() for outcome in outcomes]
        if options.json:
            options.json.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.exit(any(step["missing"] for steps in record.values() for step in steps))


def journey(name: str, folder: Path, models: Sequence[str], endpoint: Sequence[str] | None) -> list[Step]:
    """The steps of one user, in a folder of their own."""
    if name == "student":
        return student.steps(models, folder)
    if name == "engineer":
        assert endpoint is not None, "the engineer has an endpoint"
        return engineer.steps(endpoint[0], endpoint[1], folder)
    return analyst.steps(folder)


def environment() -> dict[str, str]:
    """The environment of the steps: this checkout's package where no wheel is asked for."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


@contextlib.contextmanager
def served() -> Iterator[tuple[str, str]]:
    """A server of the tests on loopback, with a packaged model: its name and URL."""
    from support.endpoint import Behaviour, Server, load

    with Server(load("tiny-deepseek-distill"), "served", Behaviour(streams=True)) as server:
        yield "served", server.url


def show(name: str, outcomes: Sequence[Outcome]) -> None:
    """One line per step, and what it lacked."""
    print(f"{name}: {len(outcomes)} steps, {sum(outcome.seconds for outcome in outcomes):.0f} s")
    for outcome in outcomes:
        print(f"  {outcome.seconds:6.1f} s  exit {outcome.exit}  {outcome.lines:3} lines  {outcome.name}")
        for fault in outcome.missing:
            print(f"           {fault}")


if __name__ == "__main__":
    main()

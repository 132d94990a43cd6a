"""What continuous integration reads of a run or a comparison: testcases, which JUnit's XML and
GitHub's annotations are two forms of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.reporting.expectations import outcome_text, subject_text
from harness.results.schema import ExpectationRow, Results, Row

Outcome = Literal["passed", "failed", "error", "skipped"]
"""failed: a threshold does not hold; error: there is nothing to hold against it."""


@dataclass(frozen=True)
class Testcase:
    """One question that a CI asks, and its answer."""

    __test__ = False  # pytest collects classes by this name
    suite: str
    name: str
    outcome: Outcome
    message: str = ""
    seconds: float | None = None
    source: str | None = None
    """Where it is written: file:line:column."""


def run_testcases(runs: Sequence[Results]) -> list[Testcase]:
    """The expectations of runs, their models, and their cells: what failed there is an error."""
    cases: list[Testcase] = []
    for results in runs:
        cases += [_expectation(results, row) for row in results.expectations]
        cases += [
            Testcase(f"{results.name}: models", model.model, "error", model.reason or model.status)
            for model in results.models
            if model.status != "ok"
        ]
        cases += _cells(results)
    return cases


def _expectation(results: Results, row: ExpectationRow) -> Testcase:
    outcome: Outcome = "passed" if row.held else "error" if row.value is None else "failed"
    message = "" if row.held else outcome_text(row)
    seconds = [
        one.seconds
        for one in _first_rows(results)
        if one.seconds is not None and one.model == row.model and row.task in (one.task, one.group)
    ]
    bounds = [f"min {row.min:g}"] if row.min is not None else []
    bounds += [f"max {row.max:g}"] if row.max is not None else []
    name = f"{subject_text(row)} {' '.join(bounds) or row.sanity or ''}".strip()
    time = sum(seconds) if seconds else None
    return Testcase(f"{results.name}: expectations", name, outcome, message, time, row.source)


def _first_rows(results: Results) -> Iterator[Row]:
    """One row per cell: its others share its seconds and its status."""
    cells: set[tuple[str, str]] = set()
    for row in results.rows:
        if (row.model, row.task) not in cells:
            cells.add((row.model, row.task))
            yield row


def _cells(results: Results) -> Iterator[Testcase]:
    for row in _first_rows(results):
        # What was asked in its generative form instead is no gap: the twin's cell stands for it.
        if row.asked_as is not None:
            continue
        outcome: Outcome = "passed" if row.status == "ok" else "error"
        if row.status == "skipped":
            outcome = "skipped"
        message = "" if outcome == "passed" else f"{row.status}: {row.reason or 'no reason given'}"
        yield Testcase(f"{results.name}: {row.model}", row.task, outcome, message, row.seconds)

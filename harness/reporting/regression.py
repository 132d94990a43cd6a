"""The regression gate for people, and as the testcases of a CI."""

from __future__ import annotations

import dataclasses
from typing import Any

from harness.analysis.regression import GateRow, RegressionGate
from harness.reporting.document import NONE, Document, Points, Table, TableCell, keys, numbers, texts
from harness.reporting.score_document import number
from harness.reporting.testcases import Outcome, Testcase
from harness.reporting.texts import Phrase
from harness.reporting.writers.json import finite

OUTCOMES: dict[str, Outcome] = {
    "holds": "passed",
    "worse": "failed",
    "missing": "error",
    "not comparable": "error",
}


def regression_document(gate: RegressionGate) -> Document:
    """One row per model and task, the rule, and what the gate could not have seen."""
    columns = [*keys("model", "task"), *texts("verdict"), *numbers("before", "now", "change", "95 %", "p")]
    columns += [*numbers("n", "sees from"), *texts("metric")]
    table = Table.of("", columns, [_cells(row) for row in gate.rows])
    failed = gate.failed
    title = Phrase("Not worse than {baseline}: all {n} hold", baseline=gate.baseline, n=len(gate.rows))
    if failed:
        title = Phrase(
            "Worse than {baseline}, or not shown: {n} of {of}",
            baseline=gate.baseline,
            n=len(failed),
            of=len(gate.rows),
        )
    lists = [Points("", tuple(_sentence(row) for row in failed), frozenset(range(len(failed))))]
    return Document(
        title,
        (table,),
        tuple(_notes(gate)),
        tuple(lists if failed else ()),
        data=lambda: regression_data(gate),
    )


def _cells(row: GateRow) -> list[TableCell]:
    bad = row.verdict != "holds"
    change = None if row.drop is None else -row.drop
    interval = None if row.ci95 is None else (-row.ci95[1], -row.ci95[0])
    return [
        TableCell(row.model),
        TableCell(row.task),
        TableCell(Phrase(row.verdict), emphasis="bad" if bad else "good"),
        _figure(row.before, number),
        _figure(row.now, number),
        _figure(change, lambda value: _points(value, row)),
        TableCell("" if interval is None else " … ".join(_points(end, row) for end in interval)),
        _figure(row.p, lambda value: "<0.001" if value < 0.001 else f"{value:.3f}"),
        TableCell(str(row.n), row.n),
        _sees(row),
        TableCell(row.metric or ""),
    ]


def _figure(value: float | None, write: Any) -> TableCell:
    return TableCell(NONE) if value is None else TableCell(write(value), value)


def _sees(row: GateRow) -> TableCell:
    """The smallest drop that shows; none where it would be more than there was to lose."""
    if row.sees is None or (row.share and row.sees > (row.before or 0.0)):
        return TableCell(NONE, row.sees)
    return _figure(row.sees, lambda value: _points(-value, row))


def _points(value: float, row: GateRow) -> str:
    """A change in points for shares of right answers, in the metric's own unit for others."""
    text = f"{100 * value:+.1f}" if row.share else f"{value:+.3g}"
    return "0" if not text.strip("+-0.") else text


def _sentence(row: GateRow) -> str:
    return (
        f"{row.model} on {row.task}: {row.verdict}: {row.reason}"
        if (row.verdict != "worse")
        else f"{row.model} on {row.task}: {row.reason}{'' if row.p is None else f' (p {row.p:.2g})'}"
    )


def _notes(gate: RegressionGate) -> list[str]:
    notes: list[str] = []
    if gate.strict:
        notes.append(Phrase("strict: any drop of the score by more than {by:g} points fails.", by=gate.by))
    else:
        notes.append(
            Phrase(
                "A drop fails where the 95 % interval of the paired difference lies beyond {by:g} points and "
                "p (Holm, over all tests here) is below 0.05. change, 95 %: new − baseline in points.",
                by=gate.by,
            )
        )
        blind = [row for row in gate.rows if row.sees is not None and row.share]
        if blind:
            coarsest = max(blind, key=lambda row: row.sees or 0.0)
            notes.append(_blindness(coarsest))
    if gate.ungated:
        notes.append(Phrase("Not in the baseline, so not held: {tasks}.", tasks=", ".join(gate.ungated)))
    return notes


def _blindness(row: GateRow) -> str:
    """What the gate could not have seen on a task."""
    if (row.sees or 0.0) > (row.before or 0.0):
        return Phrase(
            "This gate could not have seen any drop on {task}: {n} items are too few.", task=row.task, n=row.n
        )
    return Phrase(
        "This gate could not have seen a drop smaller than {points:.1f} points on {task} (n {n}, "
        "80 % power); sees from: the same for each.",
        points=100 * (row.sees or 0.0),
        task=row.task,
        n=row.n,
    )


def regression_data(gate: RegressionGate) -> dict[str, Any]:
    """Plain data for JSON."""
    data: dict[str, Any] = finite(dataclasses.asdict(gate))
    return {**data, "held": not gate.failed}


def regression_testcases(gate: RegressionGate) -> list[Testcase]:
    """One testcase per model and task: worse is a failure, what cannot be compared an error."""
    suite = f"not worse than {gate.baseline}"
    return [
        Testcase(
            suite,
            f"{row.model} on {row.task}",
            OUTCOMES[row.verdict],
            "" if row.verdict == "holds" else _sentence(row),
            row.seconds,
        )
        for row in gate.rows
    ]

"""Why cells gave no value, one line per reason: a model that cannot load fails every task for one
reason, said once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.selection import Selection
from harness.wording import list_some

NAMED = 3
"""Tasks named in one line; of more the first ones and a count."""


@dataclass(frozen=True)
class _Fault:
    tasks: tuple[str, ...]
    status: str
    reason: str
    others: int = 0
    """Further reasons that were left out."""


def failures(selection: Selection, labels: Sequence[str]) -> tuple[str, ...]:
    """One line per reason: ``MODELS: TASKS: status: reason``. ``labels`` name the columns."""
    by_fault: dict[_Fault, list[str]] = {}
    for place in selection.places:
        for fault in _merged(_faults(selection, place), selection):
            by_fault.setdefault(fault, []).append(labels[place])

    lines = []
    for fault, models in by_fault.items():
        who = "all models" if len(models) == len(labels) > 1 else ", ".join(models)
        more = f" (and {fault.others} other reasons)" if fault.others else ""
        lines.append(f"{who}: {_what(fault.tasks, selection)}: {fault.status}: {fault.reason}{more}")
    return tuple(lines)


def _faults(selection: Selection, place: int) -> list[_Fault]:
    """A column's failures, tasks with the same status and reason together."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for task in selection.tasks:
        for row in selection.rows.get((place, task), [])[:1]:
            # what was asked in another form is no failure
            if row.status != "ok" and row.asked_as is None:
                by_reason.setdefault(
                    (row.status, " ".join((row.reason or "no reason given").split())), []
                ).append(task)
    return [_Fault(tuple(tasks), status, reason) for (status, reason), tasks in by_reason.items()]


def _merged(faults: Sequence[_Fault], selection: Selection) -> list[_Fault]:
    """Failures inside one group with one status, each with a reason of its own (a subject not in
    the mirror), become one.
    """
    merged: list[_Fault] = []
    for fault in faults:
        group = _group(fault.tasks, selection)

        # Fifty subjects that a mirror lacks are one fact, not fifty.
        twin = next(
            (
                one
                for one in merged
                if group and one.status == fault.status and _group(one.tasks, selection) == group
            ),
            None,
        )
        if twin is None:
            merged.append(fault)
        else:
            merged[merged.index(twin)] = _Fault(
                (*twin.tasks, *fault.tasks), twin.status, twin.reason, twin.others + 1
            )
    return merged


def _group(tasks: Sequence[str], selection: Selection) -> str | None:
    """The group that holds all of the tasks, if there is one."""
    groups = {selection.owner.get(task) for task in tasks}
    return groups.pop() if len(groups) == 1 else None


def _what(tasks: Sequence[str], selection: Selection) -> str:
    if len(tasks) == len(selection.tasks) > 1:
        return f"all {len(tasks)} tasks"
    group = _group(tasks, selection)
    if group is not None:
        return f"{group}: {len(tasks)} of {len(selection.members[group])} subjects"
    return list_some(tasks, NAMED, "tasks")

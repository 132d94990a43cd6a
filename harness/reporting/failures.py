"""Why cells gave no value, one line per reason: a model that cannot load fails every task for one
reason, said once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.selection import Selection
from harness.reporting.speed_notes import STATUS as _STATUS
from harness.reporting.texts import Message, Phrase
from harness.wording import list_some

NAMED_MODELS = 4
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
    """One line per reason: ``MODELS: TASKS: status: reason``. ``labels`` name the columns.

    Each line is a phrase, so that its frame is shown in the reader's language.
    """
    by_fault: dict[_Fault, list[str]] = {}
    for place in selection.places:
        for fault in _merged(_faults(selection, place, labels[place]), selection):
            by_fault.setdefault(fault, []).append(labels[place])

    lines = []
    for fault, models in by_fault.items():
        lines.append(
            Phrase(
                "{who}: {what}: {status}: {reason}{more}",
                who=_who(models, labels),
                what=_what(fault.tasks, selection),
                status=_STATUS.get(fault.status, fault.status),
                reason=Message(fault.reason),
                more=Phrase(" (and {n} alike)", n=fault.others) if fault.others else "",
            )
        )
    return tuple(lines)


def _who(models: Sequence[str], labels: Sequence[str]) -> str:
    """The models of one reason: by name, with their number where there are several."""
    if len(models) == len(labels) > 1:
        return Phrase("all models")
    if len(models) == 1:
        return models[0]
    return Phrase("{n} models ({names})", n=len(models), names=list_some(models, NAMED_MODELS))


def _faults(selection: Selection, place: int, label: str) -> list[_Fault]:
    """A column's failures, tasks with the same status and reason together.

    Many reasons begin with the model that they are about, and are the same for the next one.
    """
    by_reason: dict[tuple[str, str], list[str]] = {}
    for task in selection.tasks:
        for row in selection.rows.get((place, task), [])[:1]:
            # what was asked in another form is no failure
            if row.status != "ok" and row.asked_as is None:
                reason = " ".join((row.reason or "no reason given").split())
                reason = reason.removeprefix(f"{label}: ")
                by_reason.setdefault((row.status, reason), []).append(task)
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
                (*twin.tasks, *fault.tasks),
                twin.status,
                twin.reason.partition("; nearest: ")[0],
                twin.others + 1,
            )
    return merged


def _group(tasks: Sequence[str], selection: Selection) -> str | None:
    """The group that holds all of the tasks, if there is one."""
    groups = {selection.owner.get(task) for task in tasks}
    return groups.pop() if len(groups) == 1 else None


def _what(tasks: Sequence[str], selection: Selection) -> str:
    if len(tasks) == len(selection.tasks) > 1:
        return Phrase("all {n} tasks", n=len(tasks))
    group = _group(tasks, selection)
    if group is not None:
        return Phrase(
            "{group}: {n} of {of} subjects", group=group, n=len(tasks), of=len(selection.members[group])
        )
    return list_some(tasks, NAMED, "tasks")

"""What a reader of a comparison must know: whose scores are held against nobody's, who has none,
what could not be paired, what is read otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.analysis.contests import Contest
from harness.analysis.notes import named, note
from harness.analysis.primary import disagreeing

if TYPE_CHECKING:
    from harness.analysis.comparison import Comparison


def comparison_notes(comparison: Comparison) -> list[str]:
    """What a reader must know: who was asked differently, what could not be paired."""
    notes = [*_apart_notes(comparison), *_lacking_notes(comparison)]

    # One missing file explains many pairs, so only the first is shown in full.
    unread = [note for contest in comparison.contests for note in contest.notes]
    if unread:
        more = note("not_paired_more", n=len(unread) - 1) if len(unread) > 1 else ""
        notes.append(note("not_paired", why=unread[0], more=more))

    otherwise = [contest.task for contest in comparison.contests if _marked_otherwise(contest)]
    if otherwise:
        notes.append(note("marked_otherwise", tasks=named(otherwise, 4)))

    filters = [line for contest in comparison.contests if (line := _other_filters(comparison, contest))]
    notes += filters[:4] + ([note("other_filters_more", n=len(filters) - 4)] if len(filters) > 4 else [])

    graded = [
        scope.name
        for scope in comparison.scopes
        if scope.kind == "task" and len(scope.compared) > 1 and not scope.pairs
    ]
    if graded and not unread:
        notes.append(note("untested", tasks=named(graded, 4)))
    return notes


def _apart_notes(comparison: Comparison) -> list[str]:
    """Whose scores are not held against the others', and why."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for contest in comparison.contests:
        for index, reason in contest.others.items():
            by_reason.setdefault((comparison.models[index].label, reason), []).append(contest.task)
    return [
        note("asked_otherwise", model=label, tasks=named(tasks, 3), why=reason)
        for (label, reason), tasks in by_reason.items()
    ]


def _lacking_notes(comparison: Comparison) -> list[str]:
    """Who has no score, or one of fewer documents; models of one reason share a line."""
    tasks = [scope for scope in comparison.scopes if scope.kind in ("task", "subject") and scope.parts == 1]
    whole = sum(scope.name not in comparison.twins for scope in tasks)
    models: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    fewer: list[str] = []
    for index, model in enumerate(comparison.models):
        by_reason: dict[str, list[str]] = {}
        for scope in tasks:
            # That a task's other form was not asked goes without saying.
            if index in scope.missing and scope.name not in comparison.twins:
                by_reason.setdefault(scope.missing[index], []).append(scope.name)
        for why, names in by_reason.items():
            models.setdefault((why, tuple(names)), []).append(model.label)

        short = [scope for scope in tasks if index in scope.fewer]
        if short:
            names, why = [scope.name for scope in short], short[0].fewer[index]
            fewer.append(note("fewer", model=model.label, tasks=named(names, 3), why=why))

    notes = [_no_score(named(labels, 4), why, names, whole) for (why, names), labels in models.items()]
    return [*notes, *fewer, *_nobodys(comparison)]


def _no_score(models: str, why: str, tasks: Sequence[str], of: int) -> str:
    if len(tasks) == of:
        return note("no_score", model=models, why=why)
    return note("no_score_on", model=models, tasks=named(tasks, 3), why=why)


def _nobodys(comparison: Comparison) -> list[str]:
    """Tasks without any score: they are in no table, and nobody would know that they were asked."""
    scored = {contest.task for contest in comparison.contests}
    reasons: dict[str, str] = {}
    for model in comparison.models:
        reasons = {task: why for task, why in model.faults.items() if task not in scored} | reasons

    by_reason: dict[str, list[str]] = {}
    for task, why in reasons.items():
        by_reason.setdefault(why, []).append(task)
    return [note("nobody", task=named(names, 3), why=why) for why, names in by_reason.items()]


def _marked_otherwise(contest: Contest) -> bool:
    """Whether the answers of two contestants were read or marked by different rules.

    As far as their runs say it.
    """
    rules = {contest.row(index).marking_id for index in contest.cells}
    return len(rules - {None}) > 1


def _other_filters(comparison: Comparison, contest: Contest) -> str:
    """Where other filters read the same answers otherwise: what they give."""
    key = (contest.metric, contest.filter)
    rows = {index: cell.rows for index, cell in contest.cells.items()}
    others = disagreeing(key, [row for mine in rows.values() for row in mine])

    # Equal values under another filter tell nothing new, so only differing ones are shown.
    others_shown = []
    for other in others:
        values = [
            f"{row.value:.3f} ({comparison.models[index].label})"
            for index, mine in rows.items()
            for row in mine
            if (row.metric, row.filter or "none") == other and row.value is not None
        ]
        others_shown.append(f"{other[1]}: {named(values, 4)}")
    return (
        note("other_filters", task=contest.task, filter=contest.filter, others="; ".join(others_shown))
        if others_shown
        else ""
    )

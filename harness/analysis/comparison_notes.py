"""What a reader of a comparison must know: whose scores are held against nobody's, who has none, what
could not be paired, what is read otherwise.
"""

from __future__ import annotations

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
    """Who has no score, or one of fewer documents, and on what."""
    tasks = [scope for scope in comparison.scopes if scope.kind in ("task", "subject") and scope.parts == 1]
    notes: list[str] = []
    for index, model in enumerate(comparison.models):
        by_reason: dict[str, list[str]] = {}
        for scope in tasks:
            if index in scope.missing:
                by_reason.setdefault(scope.missing[index], []).append(scope.name)
        for why, names in by_reason.items():
            whole = len(names) == len(tasks)
            notes.append(
                note("no_score", model=model.label, why=why)
                if whole
                else note("no_score_on", model=model.label, tasks=named(names, 3), why=why)
            )

        fewer = [scope for scope in tasks if index in scope.fewer]
        if fewer:
            names, why = [scope.name for scope in fewer], fewer[0].fewer[index]
            notes.append(note("fewer", model=model.label, tasks=named(names, 3), why=why))

    # A task without any score is in no table: nobody would know that it was asked.
    scored = {contest.task for contest in comparison.contests}
    for task in dict.fromkeys(task for model in comparison.models for task in model.faults):
        if task not in scored:
            why = next(model.faults[task] for model in comparison.models if task in model.faults)
            notes.append(note("nobody", task=task, why=why))
    return notes


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

"""The comparison of several runs' models: every task, group and average with paired differences,
and what could not be compared.

Tables of single scores are made by `harness.reporting`; this room says which differences are real.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.analysis.contestants import Contestant, contestants
from harness.analysis.contests import Contest, contests
from harness.analysis.lines import LANGUAGES
from harness.analysis.notes import named, note
from harness.analysis.primary import disagreeing
from harness.analysis.scopes import Scope, average_scope, group_scope, task_scope
from harness.errors import ConfigError
from harness.results.query import Run


@dataclass
class Comparison:
    """``models`` by place; ``scopes`` in the config's order: tasks and groups, each group's
    subjects after it, then averages.
    """

    name: str
    models: list[Contestant]
    contests: list[Contest]
    scopes: list[Scope]
    members: dict[str, list[str]] = field(default_factory=dict)
    """Tasks of each group."""
    weighted: dict[str, bool] = field(default_factory=dict)
    """Whether a group's tasks count by their items."""
    notes: list[str] = field(default_factory=list)

    def place(self, label: str) -> int:
        """A model's place by its label, or by the part before the run's name.

        Raises ConfigError.
        """
        labels = [model.label for model in self.models]
        if label in labels:
            return labels.index(label)
        near = [place for place, model in enumerate(self.models) if model.model.model == label]
        if len(near) == 1:
            return near[0]
        raise ConfigError(f"no model is called {label!r}: these runs compare {', '.join(labels)}")

    def scope(self, name: str) -> Scope | None:
        """The scope of a task, group or average by its name."""
        return next((scope for scope in self.scopes if scope.name == name), None)


def compare(runs: Sequence[Run]) -> Comparison:
    """Compares all models of the runs. Raises ConfigError where no run holds a score."""
    known = contestants(runs)
    if not known:
        names = ", ".join(dict.fromkeys(run.results.name for run in runs))
        raise ConfigError(f"{names}: no model has a score here: nothing to compare")
    found = contests(known)
    members, weighted = _groups(runs)
    tree = _Tree(found, members, weighted)
    twins = _twins(runs)
    apart = [scope for scope in tree.top if (members.get(scope.name) or {scope.name}) <= twins]
    # The generative form of a task, asked only of the models that think, is in no average with the
    # form that the others were asked.
    alone = [scope for scope in apart if set(range(len(known))) - set(scope.scores)]
    averaged = [scope for scope in tree.top if scope not in alone]
    averages = (average_scope(language, averaged, range(len(known))) for language in LANGUAGES)
    scopes = tree.scopes + [scope for scope in averages if scope is not None]
    name = ", ".join(dict.fromkeys(run.results.name for run in runs))
    comparison = Comparison(
        name, known, found, scopes, {group: sorted(tasks) for group, tasks in members.items()}, weighted
    )
    forms = [note("forms", tasks=named([scope.name for scope in apart], 4))] if apart else []
    comparison.notes = [
        *forms,
        *_notes(comparison),
        *(note("mixed_group", group=group) for group in tree.mixed),
    ]
    return comparison


class _Tree:
    """Tasks and groups in order. A group that others of its tasks' groups lie within
    (``leaderboard``, ``mmlu``) is followed by them.

    Every group is made of all its tasks, however many groups share one. A group whose tasks have
    different metrics has no score of its own (``mixed``): its parts stand for themselves.
    """

    def __init__(
        self, found: Sequence[Contest], members: dict[str, set[str]], weighted: dict[str, bool]
    ) -> None:
        self.weighted = weighted
        metric = {contest.task: contest.metric for contest in found}
        known = {group: [task for task in metric if task in tasks] for group, tasks in members.items()}
        self.mixed = [group for group, tasks in known.items() if len({metric[task] for task in tasks}) > 1]
        self.tasks = {group: tasks for group, tasks in known.items() if tasks and group not in self.mixed}
        inside = {task for tasks in self.tasks.values() for task in tasks}
        self.singles = {
            contest.task: task_scope(contest, "subject" if contest.task in inside else "task")
            for contest in found
        }
        self.top: list[Scope] = []
        self.scopes: list[Scope] = []
        self._placed: set[str] = set()
        self._asked: set[str] = set()
        outer = self._outermost(list(self.tasks))
        for task in self.singles:
            for group in (group for group in outer if task in self.tasks[group]):
                self._group(group, "group")
            self._single(task)

    def _outermost(self, groups: Sequence[str]) -> list[str]:
        """Those of the groups that lie in no other of them (of equal ones the first)."""
        sets = [set(self.tasks[group]) for group in groups]
        return [
            group
            for place, group in enumerate(groups)
            if not any(
                sets[place] < other or (sets[place] == other and at < place) for at, other in enumerate(sets)
            )
        ]

    def _group(self, group: str, kind: Literal["group", "subject"]) -> None:
        if group in self._placed:
            return
        self._placed.add(group)
        mine = self.tasks[group]
        scope = group_scope(
            group, [self.singles[task] for task in mine], weighted=self.weighted[group], kind=kind
        )
        self.scopes.append(scope)
        if kind == "group":
            self.top.append(scope)
        within = [
            name for name, tasks in self.tasks.items() if name not in self._placed and set(tasks) <= set(mine)
        ]
        for inner in self._outermost(within):
            self._group(inner, "subject")
        for task in mine:
            self._single(task)

    def _single(self, task: str) -> None:
        if task not in self._asked:
            self._asked.add(task)
            self.scopes.append(self.singles[task])
            if self.singles[task].kind == "task":
                self.top.append(self.singles[task])


def _twins(runs: Sequence[Run]) -> set[str]:
    """Tasks that some model was asked in another task's place."""
    return {row.asked_as for run in runs for row in run.results.rows if row.asked_as}


def _groups(runs: Sequence[Run]) -> tuple[dict[str, set[str]], dict[str, bool]]:
    """Tasks of every group that has a score, and whether they count by items."""
    members: dict[str, set[str]] = {}
    weighted: dict[str, bool] = {}
    for run in runs:
        for row in run.results.groups:
            members.setdefault(row.group, set()).update(row.tasks)
            weighted[row.group] = row.weighted
    return members, weighted


def _notes(comparison: Comparison) -> list[str]:
    """What a reader must know: who was asked differently, what could not be paired."""
    notes: list[str] = []
    by_reason: dict[tuple[str, str], list[str]] = {}
    for contest in comparison.contests:
        for place, reason in contest.others.items():
            by_reason.setdefault((comparison.models[place].label, reason), []).append(contest.task)
    for (label, reason), tasks in by_reason.items():
        notes.append(note("asked_otherwise", model=label, tasks=named(tasks, 3), why=reason))
    unread = [note for contest in comparison.contests for note in contest.notes]
    if unread:
        more = note("not_paired_more", n=len(unread) - 1) if len(unread) > 1 else ""
        notes.append(note("not_paired", why=unread[0], more=more))
    otherwise = [contest.task for contest in comparison.contests if _marked_otherwise(contest)]
    if otherwise:
        notes.append(note("marked_otherwise", tasks=named(otherwise, 4)))
    filters = [told for contest in comparison.contests if (told := _other_filters(comparison, contest))]
    notes += filters[:4] + ([note("other_filters_more", n=len(filters) - 4)] if len(filters) > 4 else [])
    graded = [
        scope.name
        for scope in comparison.scopes
        if scope.kind == "task" and len(scope.scores) > 1 and not scope.pairs
    ]
    if graded and not unread:
        notes.append(note("untested", tasks=named(graded, 4)))
    return notes


def _marked_otherwise(contest: Contest) -> bool:
    """Whether the answers of two contestants were read or marked by different rules, as far as
    their runs say it.
    """
    rules = {contest.row(place).marking_id for place in contest.cells}
    return len(rules - {None}) > 1


def _other_filters(comparison: Comparison, contest: Contest) -> str:
    """Where other filters read the same answers otherwise: what they give."""
    key = (contest.metric, contest.filter)
    rows = {place: cell.rows for place, cell in contest.cells.items()}
    others = disagreeing(key, [row for mine in rows.values() for row in mine])
    said = []
    for other in others:
        values = [
            f"{row.value:.3f} ({comparison.models[place].label})"
            for place, mine in rows.items()
            for row in mine
            if (row.metric, row.filter or "none") == other and row.value is not None
        ]
        said.append(f"{other[1]}: {named(values, 4)}")
    return (
        note("other_filters", task=contest.task, filter=contest.filter, others="; ".join(said))
        if said
        else ""
    )

"""The comparison of several runs' models.

Every task, group and average with paired differences, and what could not be compared. Tables of
single scores are made by `harness.reporting`; this room says which differences are real.
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
    """Models, and what they were compared on.

    ``scopes`` in the config's order: tasks and groups, each group's subjects after it, then
    averages.
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
        """A model's index by its label, or by the part before the run's name.

        Raises ConfigError.
        """
        labels = [model.label for model in self.models]
        if label in labels:
            return labels.index(label)
        near = [index for index, model in enumerate(self.models) if model.model.model == label]
        if len(near) == 1:
            return near[0]
        raise ConfigError(f"no model is called {label!r}: these runs compare {', '.join(labels)}")

    def scope(self, name: str) -> Scope | None:
        """The scope of a task, group or average by its name."""
        return next((scope for scope in self.scopes if scope.name == name), None)


def compare(runs: Sequence[Run]) -> Comparison:
    """Compares all models of the runs. Raises ConfigError where no run holds a score."""
    return compare_models(contestants(runs), runs)


def compare_models(models: list[Contestant], runs: Sequence[Run]) -> Comparison:
    """`compare` for contestants that were chosen already: two of one name and the same weights, say.

    ``runs``: where they come from.
    """
    if not models:
        names = ", ".join(dict.fromkeys(run.results.name for run in runs))
        raise ConfigError(f"{names}: no model has a score here: nothing to compare")

    task_contests = contests(models)
    members, weighted = _groups(runs)
    tree = _Tree(task_contests, members, weighted)

    # A twin is the generative form of a task, asked only of the models that think: it is in no
    # average with the form that the others were asked.
    twins = _twins(runs)
    apart = [scope for scope in tree.top if (members.get(scope.name) or {scope.name}) <= twins]
    alone = [scope for scope in apart if set(range(len(models))) - set(scope.scores)]
    averaged = [scope for scope in tree.top if scope not in alone]

    averages = (average_scope(language, averaged, range(len(models))) for language in LANGUAGES)
    scopes = tree.scopes + [scope for scope in averages if scope is not None]
    name = ", ".join(dict.fromkeys(run.results.name for run in runs))
    comparison = Comparison(
        name,
        models,
        task_contests,
        scopes,
        {group: sorted(tasks) for group, tasks in members.items()},
        weighted,
    )

    forms = [note("forms", tasks=named([scope.name for scope in apart], 4))] if apart else []
    comparison.notes = [
        *forms,
        *_notes(comparison),
        *(note("mixed_group", group=group) for group in tree.mixed),
    ]
    return comparison


class _Tree:
    """Tasks and groups in order.

    A group that others of its tasks' groups lie within (``leaderboard``, ``mmlu``) is followed by
    them. Every group is made of all its tasks, however many groups share one. A group whose tasks
    have different metrics has no score of its own (``mixed``): its parts stand for themselves.
    """

    def __init__(
        self, task_contests: Sequence[Contest], members: dict[str, set[str]], weighted: dict[str, bool]
    ) -> None:
        self.weighted = weighted

        # The mean of an accuracy and a perplexity means nothing.
        metric = {contest.task: contest.metric for contest in task_contests}
        tasks_of = {group: [task for task in metric if task in tasks] for group, tasks in members.items()}
        self.mixed = [group for group, tasks in tasks_of.items() if len({metric[task] for task in tasks}) > 1]
        self.tasks = {group: tasks for group, tasks in tasks_of.items() if tasks and group not in self.mixed}

        inside = {task for tasks in self.tasks.values() for task in tasks}
        self.singles = {
            contest.task: task_scope(contest, "subject" if contest.task in inside else "task")
            for contest in task_contests
        }

        self.top: list[Scope] = []
        self.scopes: list[Scope] = []
        self._placed: set[str] = set()
        self._listed: set[str] = set()

        outer = self._outermost(list(self.tasks))
        # A group stands where its first task stands in the config.
        for task in self.singles:
            for group in (group for group in outer if task in self.tasks[group]):
                self._group(group, "group")
            self._single(task)

    def _outermost(self, groups: Sequence[str]) -> list[str]:
        """Those of the groups that lie in no other of them (of equal ones the first)."""
        sets = [set(self.tasks[group]) for group in groups]
        return [
            group
            for index, group in enumerate(groups)
            if not any(
                sets[index] < other or (sets[index] == other and other_index < index)
                for other_index, other in enumerate(sets)
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

        # Parts of a group (mmlu's four fields) follow it before its own tasks.
        within = [
            name for name, tasks in self.tasks.items() if name not in self._placed and set(tasks) <= set(mine)
        ]
        for inner in self._outermost(within):
            self._group(inner, "subject")
        for task in mine:
            self._single(task)

    def _single(self, task: str) -> None:
        if task not in self._listed:
            self._listed.add(task)
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
        for index, reason in contest.others.items():
            by_reason.setdefault((comparison.models[index].label, reason), []).append(contest.task)
    for (label, reason), tasks in by_reason.items():
        notes.append(note("asked_otherwise", model=label, tasks=named(tasks, 3), why=reason))

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
        if scope.kind == "task" and len(scope.scores) > 1 and not scope.pairs
    ]
    if graded and not unread:
        notes.append(note("untested", tasks=named(graded, 4)))
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

"""The comparison of several runs' models: every task, group and average with paired differences, and what could not be compared.

Tables of single scores are made by `harness.report`; this room says which differences are real.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.analysis.contestants import Contestant, contestants
from harness.analysis.contests import Contest, contests
from harness.analysis.notes import named, note
from harness.analysis.scopes import LANGUAGES, Scope, average_scope, group_scope, task_scope
from harness.errors import ConfigError
from harness.results.query import Run


@dataclass
class Comparison:
    """``models`` by place; ``scopes`` in the config's order: tasks and groups, each group's subjects after it, then averages."""

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
        """A model's place by its label, or by the part before the run's name. Raises ConfigError."""
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
    twins = _twins(runs)
    scopes = _scopes(found, members, weighted, range(len(known)), twins)
    name = ", ".join(dict.fromkeys(run.results.name for run in runs))
    comparison = Comparison(name, known, found, scopes, {group: sorted(tasks) for group, tasks in members.items()}, weighted)
    apart = [scope.name for scope in scopes if scope.kind != "subject" and (members.get(scope.name) or {scope.name}) <= twins]
    comparison.notes = [*([note("forms", tasks=named(apart, 4))] if apart else []), *_notes(comparison)]
    return comparison


def _scopes(
    found: Sequence[Contest], members: dict[str, set[str]], weighted: dict[str, bool], places: Sequence[int], twins: set[str]
) -> list[Scope]:
    owner = {task: group for group, tasks in sorted(members.items(), key=lambda item: len(item[1])) for task in tasks}
    singles = {contest.task: task_scope(contest, "subject" if contest.task in owner else "task") for contest in found}
    top: list[Scope] = []
    scopes: list[Scope] = []
    for contest in found:
        group = owner.get(contest.task)
        if group is None:
            top.append(singles[contest.task])
            scopes.append(singles[contest.task])
        elif all(scope.name != group for scope in top):
            mine = [singles[name] for name in singles if owner.get(name) == group]
            top.append(group_scope(group, mine, weighted=weighted[group]))
            scopes += [top[-1], *mine]
    # The generative form of a task, asked only of the models that think, is in no average with the form that the others were asked.
    alone = [part for part in top if (members.get(part.name) or {part.name}) <= twins and set(places) - set(part.scores)]
    averages = (average_scope(language, [part for part in top if part not in alone], places) for language in LANGUAGES)
    return scopes + [scope for scope in averages if scope is not None]


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
    graded = [scope.name for scope in comparison.scopes if scope.kind == "task" and len(scope.scores) > 1 and not scope.pairs]
    if graded and not unread:
        notes.append(note("untested", tasks=named(graded, 4)))
    return notes

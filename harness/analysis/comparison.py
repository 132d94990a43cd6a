"""The comparison of several runs' models.

Every task, group and average with paired differences, and what could not be compared. Tables of
single scores are made by `harness.reporting`; this room says which differences are real.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from harness.analysis.comparison_notes import comparison_notes
from harness.analysis.contestants import Contestant, contestants
from harness.analysis.contests import Contest, contests
from harness.analysis.lines import LANGUAGES
from harness.analysis.notes import named, note
from harness.analysis.scopes import Scope, average_scope, group_scope, task_scope
from harness.errors import ConfigError
from harness.notebook import NotebookTables
from harness.results.query import Run
from harness.wording import list_first

if TYPE_CHECKING:
    import pandas


@dataclass
class Comparison(NotebookTables):
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
    twins: frozenset[str] = frozenset()
    """Tasks and groups that only the models that think were asked, in another one's place."""

    def __repr__(self) -> str:
        """Models and scopes, the first few of each."""
        models = list_first([model.label for model in self.models], 4)
        scopes = list_first([scope.name for scope in self.scopes], 4)
        return f"Comparison of {self.name}\n  models: {models}\n  scopes: {scopes}"

    def pairs(self) -> pandas.DataFrame:
        """One row per scope and pair of models: the difference a − b, interval and p."""
        import pandas

        from harness.analysis.comparison_rows import pair_fields, pair_rows

        return pandas.DataFrame(list(pair_rows(self)), columns=list(pair_fields()))

    def ranking(self) -> pandas.DataFrame:
        """One row per scope and model, best first: score, interval, and the ranks that are possible.

        ``kind`` says what a scope is (task, subject, group, average).
        """
        import pandas

        from harness.analysis.comparison_rows import RANKING, ranking_rows

        return pandas.DataFrame(list(ranking_rows(self)), columns=list(RANKING))

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
    if not any(one.cells for one in models):
        names = ", ".join(dict.fromkeys(run.results.name for run in runs))
        raise ConfigError(f"{names}: no model has a score here: nothing to compare")

    task_contests = contests(models)
    members, weighted = _groups(runs)
    tree = _Tree(task_contests, members, weighted)

    # A twin is the generative form of a task, asked only of the models that think: it is no part
    # of an average, but stands there for the form that those models cannot be asked.
    twins = _twins(runs)
    apart = [scope for scope in tree.top if (members.get(scope.name) or {scope.name}) <= {*twins.values()}]
    alone = [scope for scope in apart if set(range(len(models))) - set(scope.scores)]
    averaged = [
        _with_twin(scope, members.get(scope.name) or {scope.name}, alone, members, twins)
        for scope in tree.top
        if scope not in alone
    ]

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
        twins=frozenset(name for scope in alone for name in (scope.name, *members.get(scope.name, ()))),
    )

    forms = [note("forms", tasks=named([scope.name for scope in apart], 4))] if apart else []
    comparison.notes = [
        *forms,
        *comparison_notes(comparison),
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


def _twins(runs: Sequence[Run]) -> dict[str, str]:
    """Task to the one that some model was asked in its place."""
    return {row.task: row.asked_as for run in runs for row in run.results.rows if row.asked_as}


def _with_twin(
    scope: Scope,
    tasks: set[str],
    alone: Sequence[Scope],
    members: Mapping[str, set[str]],
    twins: Mapping[str, str],
) -> Scope:
    """A task or group, as part of an average, with the scores of the models that were asked its
    twin: apart from the others.
    """
    names = {twins.get(task, "") for task in tasks}
    twin = next((one for one in alone if (members.get(one.name) or {one.name}) == names), None)
    places = sorted(set(twin.scores) - set(scope.scores)) if twin is not None else []
    if twin is None or not places:
        return scope
    return replace(
        scope,
        scores=scope.scores | {place: twin.scores[place] for place in places},
        strata=scope.strata | {place: twin.strata.get(place) for place in places},
        apart=scope.apart | {place: note("asked_as", task=twin.name) for place in places},
        missing={place: why for place, why in scope.missing.items() if place not in places},
    )


def _groups(runs: Sequence[Run]) -> tuple[dict[str, set[str]], dict[str, bool]]:
    """Tasks of every group that has a score, and whether they count by items."""
    members: dict[str, set[str]] = {}
    weighted: dict[str, bool] = {}
    for run in runs:
        for row in run.results.groups:
            members.setdefault(row.group, set()).update(row.tasks)
            weighted[row.group] = row.weighted
    return members, weighted

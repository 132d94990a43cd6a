"""Thresholds for CI: every expectation of a config with the value it met, and whether it held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from harness.analysis.intervals import Z95
from harness.analysis.means import weighted_mean
from harness.analysis.primary import primary
from harness.analysis.selection import Selection
from harness.config.schema import Expectation
from harness.evaluation.expected_figures import FigureValue, figure_of
from harness.results.sanity import is_clean
from harness.results.schema import ExpectationRow, GroupRow, Results, Row
from harness.wording import list_first, one_line

if TYPE_CHECKING:
    from harness.config import LoadedConfig
    from harness.tasks.api import Expansion


def outcomes(loaded: LoadedConfig, results: Results, expansion: Expansion) -> list[ExpectationRow]:
    """Every expectation of the config, one row per model and task that it matches.

    ``expansion``: the config's own tasks and groups, without the generative forms in their place.
    """
    rows = []
    for position, expectation in enumerate(loaded.config.expect):
        source = loaded.where("expect", position) or None
        rows += [row.model_copy(update={"source": source}) for row in check(expectation, results, expansion)]
    return rows


def check(
    expectation: Expectation, results: Results, expansion: Expansion | None = None
) -> list[ExpectationRow]:
    """An expectation with what it met; a missing value does not hold.

    Without ``expansion`` a glob of tasks is held against the rows' own names.
    """
    if expectation.sanity is not None:
        return [_check_sanity(expectation, results)]

    scope = _Scope(results, expansion)
    models = scope.models(expectation.model)
    rows = [row for model in models for row in _of_model(expectation, model, scope)]
    # What a cell cannot have (latencies of scoring) is no fault unless it was asked for by name.
    if expectation.figure is not None and expectation.task is None and expectation.language is None:
        rows = [row for row in rows if row.value is not None] or rows[:1]
    return rows


def _of_model(expectation: Expectation, model: str, scope: _Scope) -> Iterator[ExpectationRow]:
    if expectation.language is not None:
        yield _judged(expectation, model, None, scope.of_language(expectation, model))
        return
    for task in scope.tasks(expectation.task):
        yield _judged(expectation, model, task, scope.of_task(expectation, model, task))


def _judged(expectation: Expectation, model: str, task: str | None, got: FigureValue) -> ExpectationRow:
    """Whether the value, or with ``sure`` its whole interval, lies within the bounds."""
    low = high = got.value
    if expectation.sure:
        low, high = got.ci95 if got.ci95 is not None else (None, None)

    # A bound that is not named holds; a value that is missing does not, whatever the bounds.
    above = expectation.min is None or (low is not None and low >= expectation.min)
    below = expectation.max is None or (high is not None and high <= expectation.max)
    reason = got.reason
    if expectation.sure and got.value is not None and got.ci95 is None:
        reason = "sure: true, and this value has no 95 % interval"
    return ExpectationRow(
        model=model,
        task=task,
        language=expectation.language,
        metric=got.metric or expectation.metric,
        filter=got.filter or expectation.filter,
        figure=expectation.figure,
        min=expectation.min,
        max=expectation.max,
        sure=expectation.sure,
        value=got.value,
        ci95=got.ci95,
        held=got.value is not None and above and below,
        reason=reason,
    )


@dataclass(frozen=True)
class _Scope:
    """What a run offers to hold expectations against."""

    results: Results
    expansion: Expansion | None

    def models(self, pattern: str | None) -> list[str]:
        """The run's models that a name or glob means; a name that is not there stays, without value."""
        labels = [model.model for model in self.results.models]
        if pattern is None:
            return labels
        return _matching(labels, pattern) or [pattern]

    def tasks(self, pattern: str | None) -> list[str]:
        """The tasks and groups that a name or glob means; every task without one."""
        if self.expansion is None:
            leaves = list(dict.fromkeys(row.task for row in self.results.rows))
            groups = list(dict.fromkeys(row.group for row in self.results.groups))
        else:
            leaves = [task.name for task in self.expansion.tasks]
            groups = [group.name for group in self.expansion.groups]
        if pattern is None:
            return leaves
        return _matching([*leaves, *groups], pattern) or [pattern]

    def of_task(self, expectation: Expectation, model: str, task: str) -> FigureValue:
        rows = [row for row in self.results.rows if (row.model, row.task) == (model, task)]

        # A model that thinks was asked the generative form in the task's place: that is its answer.
        twin = next((row.asked_as for row in rows if row.asked_as), None)
        if twin is not None:
            rows = [row for row in self.results.rows if (row.model, row.task) == (model, twin)]
        if expectation.figure is not None:
            rows = rows or self._of_group(model, task)
            return figure_of(self.results, expectation.figure, model, rows, twin or task)
        if not rows:
            groups = self._group(model, task)
            return _score(expectation, task, groups, [row for one in groups for row in self._lacking(one)])
        return _score(expectation, twin or task, [row for row in rows if row.status == "ok"], rows)

    def of_language(self, expectation: Expectation, model: str) -> FigureValue:
        language = expectation.language or ""
        if expectation.figure is not None:
            return figure_of(self.results, expectation.figure, model, [], None, language)

        lines = Selection([self.results]).lines()
        parts = [line for line in lines if line.language == language and line.averaged]
        labels = [one.model for one in self.results.models]
        if len(parts) < 2 or model not in labels:
            return FigureValue(reason="an average needs two tasks or groups of this language")
        figures = [line.figures[labels.index(model)] for line in parts]
        missing = sum(one.value is None or one.status != "ok" for one in figures)
        if missing:
            return FigureValue(reason=f"no average: {missing} of {len(parts)} tasks gave no whole value")

        # The table's average, with the interval itself in place of half its width.
        mean = weighted_mean(
            [one.value or 0.0 for one in figures],
            [None if one.half is None else one.half / Z95 for one in figures],
            [one.strata for one in figures],
            [1 / len(figures)] * len(figures),
        )
        return FigureValue(mean.value, mean.ci95)

    def _group(self, model: str, name: str) -> list[GroupRow]:
        """The rows of a group, or of the group over its tasks' generative forms."""
        mine = [row for row in self.results.groups if row.model == model]
        own = [row for row in mine if row.group == name]
        groups = self.expansion.groups if self.expansion is not None else ()
        members = next((set(group.members) for group in groups if group.name == name), set())
        if own or not members:
            return own
        twins = {
            row.asked_as
            for row in self.results.rows
            if row.model == model and row.task in members and row.asked_as
        }
        return [row for row in mine if twins and {*row.tasks, *row.missing} == twins]

    def _of_group(self, model: str, name: str) -> list[Row]:
        """The rows of a group's subjects, for what is counted over all of them."""
        tasks = {task for group in self._group(model, name) for task in group.tasks}
        return [row for row in self.results.rows if row.model == model and row.task in tasks]

    def _lacking(self, group: GroupRow) -> list[Row]:
        return [row for row in self.results.rows if row.model == group.model and row.task in group.missing]


def _matching(names: Sequence[str], pattern: str) -> list[str]:
    """The names that a pattern means: itself where it is one of them, since names may hold brackets."""
    return [pattern] if pattern in names else [name for name in names if fnmatchcase(name, pattern)]


def _score(
    expectation: Expectation, task: str, rows: Sequence[Row | GroupRow], every: Sequence[Row]
) -> FigureValue:
    """A task's or group's score; ``every`` row of it says why there is none."""
    names = list(dict.fromkeys(row.metric for row in rows if row.metric))
    key = primary(task, rows) if expectation.metric is None else None
    for row in rows:
        metric, filter_name = key or (expectation.metric, expectation.filter)
        if row.metric != metric or row.value is None:
            continue
        wanted = expectation.filter or (filter_name if key else None)
        if wanted in (None, row.filter or "none"):
            return FigureValue(row.value, row.ci95, metric=row.metric, filter=row.filter)

    # What went wrong in the cell explains more than that its value is missing.
    failed = next((row for row in every if row.status != "ok" or row.value is None), None)
    if failed is not None and failed.status != "ok":
        return FigureValue(reason=f"{failed.status}: {one_line(failed.reason or 'no reason given')}")
    if names:
        return FigureValue(reason=f"{task} was marked by {list_first(names, 6)} alone")
    return FigureValue(reason="not in this run")


def _check_sanity(expectation: Expectation, results: Results) -> ExpectationRow:
    """Clean: no warning about the model and task named, or about any where none is named."""
    mine = [
        row
        for row in results.sanity
        if (expectation.model is None or _matching([row.model], expectation.model))
        and (expectation.task is None or row.task is None or _matching([row.task], expectation.task))
    ]

    value = "clean"
    warnings = [row for row in mine if row.level == "warning"]
    if warnings:
        value = f"{len(warnings)} warnings, the first: {warnings[0].model}: {warnings[0].text}"
    return ExpectationRow(
        model=expectation.model,
        task=expectation.task,
        sanity=expectation.sanity,
        value=value,
        held=is_clean(mine),
    )

"""From result rows to the table's lines: which metric a task shows, which tasks a group hides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.analysis.intervals import Ends, normal, possible
from harness.analysis.lines import Kind, Line, ScoreFigure
from harness.analysis.primary import Key, disagreeing, primary
from harness.analysis.strata import Strata, mixture, of_row, share_interval
from harness.results.schema import GroupRow, Results, Row


class Selection:
    """The rows of joined runs, indexed by column (a model's index), task and group."""

    def __init__(self, results: Sequence[Results]) -> None:
        self.random: list[bool] = []
        self.chats: list[bool | None] = []
        """Whether each column's model was asked through its chat template."""
        self.rows: dict[tuple[int, str], list[Row]] = {}
        self.group_rows: dict[tuple[int, str], list[GroupRow]] = {}
        for result in results:
            places = {row.model: len(self.random) + offset for offset, row in enumerate(result.models)}
            self.random += [row.weights == "random" for row in result.models]
            self.chats += [row.chat_template for row in result.models]
            for row in result.rows:
                if row.model in places:
                    self.rows.setdefault((places[row.model], row.task), []).append(row)
            for group in result.groups:
                if group.model in places:
                    self.group_rows.setdefault((places[group.model], group.group), []).append(group)
        self.tasks = list(dict.fromkeys(row.task for result in results for row in result.rows))
        self.members = self._members()
        self.owner = self._owners()

    @property
    def places(self) -> range:
        """The columns' places."""
        return range(len(self.random))

    def cells(self, index: int) -> list[Row]:
        """One row per cell of a column: the rows of a cell share tokens and seconds; the one with
        most documents stands for it.
        """
        return [max(rows, key=lambda row: row.n) for (where, _), rows in self.rows.items() if where == index]

    def of(self, task: str) -> list[Row]:
        """Rows of a task, of all columns."""
        return [row for index in self.places for row in self.rows.get((index, task), [])]

    def _members(self) -> dict[str, list[str]]:
        """Tasks of every group that has a score, and of groups that have none because every subject
        failed.

        A group of which no metric marks all tasks (``leaderboard``) has no line: its parts stand
        for themselves.
        """
        tasks_of: dict[str, dict[str, None]] = {}
        marked: dict[str, dict[tuple[str, str], set[str]]] = {}
        for (_, name), scores in self.group_rows.items():
            for row in scores:
                tasks_of.setdefault(name, {}).update(dict.fromkeys([*row.tasks, *row.missing]))
                marked.setdefault(name, {}).setdefault((row.metric, row.filter), set()).update(row.tasks)
        for name, by_metric in marked.items():
            if not any(tasks >= set.union(*by_metric.values()) for tasks in by_metric.values()):
                del tasks_of[name]
        loose: dict[str, list[str]] = {}
        for task in self.tasks:
            group = next((row.group for row in self.of(task) if row.group), None)
            if group and group not in tasks_of:
                loose.setdefault(group, []).append(task)
        members = {group: [task for task in self.tasks if task in tasks] for group, tasks in tasks_of.items()}
        for group, tasks in loose.items():
            if len(tasks) > 1 and all(row.value is None for task in tasks for row in self.of(task)):
                members[group] = tasks
        return members

    def _owners(self) -> dict[str, str]:
        """The group that stands for a task in the table: the widest one that holds it."""
        owner: dict[str, str] = {}
        for group, tasks in sorted(self.members.items(), key=lambda item: -len(item[1])):
            if not set(tasks) <= owner.keys():
                owner = dict.fromkeys(tasks, group) | owner
        return owner

    def lines(self) -> list[Line]:
        """Every line but the averages, in the config's order; a group is followed by its smaller
        groups and its subjects.

        Where other filters read the same answers otherwise, each has a line behind the task's or
        group's own.
        """
        table: list[Line] = []
        done: set[str] = set()
        for task in self.tasks:
            group = self.owner.get(task)
            if group is None:
                table.append(self._task_line(task, "task"))
                table += [
                    self._task_line(task, "filter", key)
                    for key in disagreeing(primary(task, self.of(task)), self.of(task))
                ]
            elif group not in done:
                done.add(group)
                table.append(self._group_line(group, "group"))
                scores = self._scores(group)
                table += [
                    self._group_line(group, "filter", key)
                    for key in disagreeing(primary(group, scores), scores)
                ]
                inner = [
                    name
                    for name, tasks in self.members.items()
                    if name != group and set(tasks) <= set(self.members[group])
                ]
                table += [self._group_line(name, "subject") for name in inner]
                table += [
                    self._task_line(name, "subject")
                    for name in self.members[group]
                    if self.owner[name] == group
                ]
        return table

    def _scores(self, group: str) -> list[GroupRow]:
        return [row for index in self.places for row in self.group_rows.get((index, group), [])]

    def _task_line(self, task: str, kind: Kind, key: Key | None = None) -> Line:
        rows = self.of(task)
        key = key or primary(task, rows)
        chosen = [row for row in rows if (row.metric, row.filter or "none") == key]
        facts = (chosen or rows)[0]
        figures = tuple(self._figure(index, task, key) for index in self.places)
        better = facts.higher_is_better is not False
        metric, filter_name = key or (None, None)
        return Line(
            task, kind, facts.language, metric, filter_name, facts.fewshot, facts.chance, better, figures
        )

    def _figure(self, index: int, task: str, key: Key | None) -> ScoreFigure:
        rows = self.rows.get((index, task), [])
        row = next((row for row in rows if (row.metric, row.filter or "none") == key), None)
        if row is None or row.value is None:
            return ScoreFigure(status=rows[0].status if rows else None)
        if self.random[index]:
            return ScoreFigure(status="random")
        return ScoreFigure(
            value=row.value,
            **_precision(row, of_row(row)),
            n=row.n,
            status=row.status,
            truncated=row.n_truncated or 0,
            empty=row.n_empty or 0,
            unparsable=row.n_unparsable or 0,
            prompt_id=row.prompt_id,
        )

    def _group_line(self, group: str, kind: Kind, key: Key | None = None) -> Line:
        scores = self._scores(group)
        key = key or primary(group, scores)
        subjects = [row for task in self.members[group] for row in self.of(task)]
        chosen = [row for row in subjects if (row.metric, row.filter or "none") == key] or subjects
        languages = {row.language for row in chosen} | {row.language for row in scores}
        language = languages.pop() if len(languages) == 1 else None
        figures = tuple(self._group_figure(index, group, key) for index in self.places)
        shots, chance = ({row.fewshot for row in chosen}, {row.chance for row in chosen})
        fewshot, blind = (
            (shots.pop() if len(shots) == 1 else None),
            (chance.pop() if len(chance) == 1 else None),
        )
        # Subjects of different chance levels have the group's own, weighted as its score is.
        levels = {row.chance for row in scores if (row.metric, row.filter) == key}
        blind = levels.pop() if blind is None and len(levels) == 1 else blind
        better = all(row.higher_is_better is not False for row in chosen)
        metric, filter_name = key or (None, None)
        return Line(group, kind, language, metric, filter_name, fewshot, blind, better, figures)

    def _group_figure(self, index: int, group: str, key: Key | None) -> ScoreFigure:
        score = next(
            (row for row in self.group_rows.get((index, group), []) if (row.metric, row.filter) == key), None
        )
        rows = [row for task in self.members[group] for row in self.rows.get((index, task), [])]
        if score is None:
            return ScoreFigure(status=worst([row.status for row in rows]))
        if self.random[index]:
            return ScoreFigure(status="random")
        mine = [row for row in rows if (row.metric, row.filter or "none") == key]
        everyone = {
            task
            for p in self.places
            for row in self.group_rows.get((p, group), [])
            if (row.metric, row.filter) == key
            for task in row.tasks
        }
        whole = set(score.tasks) == everyone and all(row.status == "ok" for row in mine)
        return ScoreFigure(
            value=score.value,
            **_precision(score, group_strata(score, mine)),
            n=score.n,
            status="ok" if whole else "partial",
            truncated=sum(row.n_truncated or 0 for row in mine),
            empty=sum(row.n_empty or 0 for row in mine),
            unparsable=sum(row.n_unparsable or 0 for row in mine),
            missing=len(score.missing),
        )


def group_strata(score: GroupRow, rows: Sequence[Row]) -> Strata | None:
    """The answers behind a group's score, weighted as it is."""
    mine = [row for row in rows if row.task in score.tasks and row.value is not None]
    whole = sum(row.n for row in mine) if score.weighted else len(mine)
    return (
        mixture([of_row(row) for row in mine], [(row.n if score.weighted else 1) / whole for row in mine])
        if whole
        else None
    )


def _precision(row: Row | GroupRow, strata: Strata | None) -> dict[str, Any]:
    ends = interval_of(row, strata)
    return {"half": (ends[1] - ends[0]) / 2 if ends else None, "ci95": ends, "strata": strata}


def interval_of(row: Row | GroupRow, strata: Strata | None = None) -> Ends | None:
    """A score's 95 % interval within what its metric can be: the row's own, else that of the answers
    behind it, else ±1.96 standard errors; None where nothing is known.

    One without width (of an older version, all answers alike) is no certainty and counts as none.
    """
    better = not isinstance(row, Row) or row.higher_is_better is not False
    value = row.value or 0.0
    own = possible(row.ci95, row.metric, value, higher_is_better=better)
    if own is None and strata:
        return share_interval(strata)
    if own is None and row.stderr:
        return possible(normal(value, row.stderr), row.metric, value, higher_is_better=better)
    return own


def worst(statuses: Sequence[str]) -> str | None:
    """The status that says most about what went wrong."""
    return next(
        (status for status in ("oom", "failed", "partial", "skipped", "ok") if status in statuses), None
    )

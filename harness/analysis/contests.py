"""One task asked of several models in the same way: their scores lined up item by item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from harness.analysis.contestants import Cell, Contestant
from harness.analysis.paired import Difference, shared
from harness.analysis.primary import primary
from harness.analysis.prompts import how_they_differ, same_texts
from harness.analysis.spread import Array, Clusters, Codes, from_codes
from harness.errors import RunFolderError
from harness.results.samples import ItemScores, read_scores
from harness.results.schema import Row


@dataclass
class Contest:
    """A task as most models were asked it, and the models that were asked it otherwise.

    ``cells`` by the contestant's index, those under the usual prompt first; ``others`` says of the
    rest in what their prompt differs. Their scores count, but are paired among equals only.
    """

    task: str
    metric: str
    filter: str
    cells: dict[int, Cell]
    others: dict[int, str] = field(default_factory=dict)
    lacking: dict[int, str] = field(default_factory=dict)
    """Why contestants have no score here."""
    notes: list[str] = field(default_factory=list)

    def comparable(self, a: int, b: int) -> bool:
        """Whether two contestants were asked the very same."""
        if (a in self.others) != (b in self.others):
            return False
        return a not in self.others or self._prompt(a) == self._prompt(b) is not None

    def _prompt(self, index: int) -> str | None:
        return self.cells[index].rows[0].prompt_id

    @property
    def facts(self) -> Row:
        """A row of the task: its language, group, examples, chance and direction."""
        return self.row(next(iter(self.cells)))

    def row(self, index: int) -> Row:
        """The row that a contestant's score stands in."""
        row = self.cells[index].row(self.metric, self.filter)
        assert row is not None, "cells without the metric are never in a contest"
        return row

    @cached_property
    def aligned(self) -> Aligned:
        """Every contestant's scores over all documents, read from the samples at the first call."""
        return align({index: self._scores(index) for index in self.cells})

    def _scores(self, index: int) -> ItemScores | None:
        row, cell = self.row(index), self.cells[index]
        try:
            return read_scores(cell.run.folder.samples(row.model, row.task), self.metric, self.filter)
        except RunFolderError as error:
            self.notes.append(str(error))
            return None

    def difference(self, a: int, b: int) -> Difference | None:
        """a − b over the items that both answered.

        None where they were asked otherwise, samples are missing or scores are no numbers.
        """
        if not self.comparable(a, b):
            return None
        aligned = self.aligned
        if a not in aligned.scores or b not in aligned.scores:
            return None
        return shared(aligned.scores[a], aligned.scores[b], aligned.codes, aligned.clusters)


@dataclass(frozen=True)
class Aligned:
    """Scores over the same documents.

    ``docs`` (n documents in order); ``scores`` (n per contestant, NaN where it has none); clusters
    of all n where items share sources.
    """

    docs: Codes
    scores: dict[int, Array]
    codes: Codes | None
    clusters: Clusters | None


def align(by_contestant: dict[int, ItemScores | None]) -> Aligned:
    """Lines scores up by document. Contestants without any number are left out."""
    usable = {
        index: one
        for index, one in by_contestant.items()
        if one is not None and not np.isnan(one.scores).all()
    }

    if not usable:
        return Aligned(np.empty(0, np.int64), {}, None, None)

    # Contestants may have answered different parts of a task (a limit, an interrupted run).
    docs = np.unique(np.concatenate([one.docs for one in usable.values()]))
    scores = {}
    for index, one in usable.items():
        column = np.full(len(docs), np.nan)
        column[np.searchsorted(docs, one.docs)] = one.scores
        scores[index] = column

    codes = _cluster_codes(docs, list(usable.values()))
    return Aligned(docs, scores, codes, from_codes(codes) if codes is not None else None)


def _cluster_codes(docs: Codes, scores: Sequence[ItemScores]) -> Codes | None:
    """A cluster number per document, from whichever contestant's run has it.

    A document without a label stands alone.
    """
    if all(one.clusters is None for one in scores):
        return None

    # Negative numbers are unique, so a document that nobody labels stays alone.
    codes = -1 - np.arange(len(docs), dtype=np.int64)
    numbers: dict[str, int] = {}

    for one in scores:
        if one.clusters is None:
            continue
        indices = np.searchsorted(docs, one.docs)
        for index, label in zip(indices.tolist(), one.clusters, strict=True):
            if label is not None and codes[index] < 0:
                codes[index] = numbers.setdefault(label, len(numbers))

        if (codes >= 0).all():
            break
    return codes


def contests(models: Sequence[Contestant]) -> list[Contest]:
    """One contest per task: the prompt that most contestants share (the first of equals).

    The others say how they were asked.
    """
    tasks = dict.fromkeys(task for one in models for task, _ in one.cells)
    task_contests = [_contest(task, models) for task in tasks]
    return [contest for contest in task_contests if contest is not None]


def _contest(task: str, models: Sequence[Contestant]) -> Contest | None:
    cells = {index: one.asked(task) for index, one in enumerate(models) if one.asked(task)}
    key = primary(task, [row for task_cells in cells.values() for cell in task_cells for row in cell.rows])

    if key is None:
        return None
    usable = {index: [cell for cell in task_cells if cell.row(*key)] for index, task_cells in cells.items()}

    # The prompt of most contestants is the standard, so that the fewest fall out of the comparison.
    counts: dict[str | None, int] = {}
    for task_cells in usable.values():
        for cell in task_cells:
            counts[cell.rows[0].prompt_id] = counts.get(cell.rows[0].prompt_id, 0) + 1

    common = max(counts, key=lambda prompt: counts[prompt])
    same_prompt = {
        index: cell
        for index, task_cells in usable.items()
        for cell in task_cells
        if cell.rows[0].prompt_id == common
    }

    contest = Contest(task, key[0], key[1], same_prompt)
    standard = next(iter(same_prompt.values()))
    for index, task_cells in usable.items():
        if index not in same_prompt and task_cells:
            _judge(contest, index, task_cells[0], standard)
    lacking = (index for index in range(len(models)) if index not in contest.cells)
    contest.lacking = {index: models[index].lacks(task, key[0]) for index in lacking}
    return contest


def _judge(contest: Contest, index: int, cell: Cell, standard: Cell) -> None:
    """Lets an imported cell in where it asked the same texts; else says in what it differs."""
    try:
        same = same_texts(standard, cell, [contest.filter])
    except RunFolderError:
        same = False
    contest.cells[index] = cell
    if not same:
        contest.others[index] = how_they_differ(standard, cell)

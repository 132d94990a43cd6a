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
    """A task under one prompt.

    ``cells`` by the contestant's place; ``others`` were asked otherwise, and how.
    """

    task: str
    metric: str
    filter: str
    cells: dict[int, Cell]
    others: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def facts(self) -> Row:
        """A row of the task: its language, group, examples, chance and direction."""
        return self.row(next(iter(self.cells)))

    def row(self, place: int) -> Row:
        """The row that a contestant's score stands in."""
        row = self.cells[place].row(self.metric, self.filter)
        assert row is not None, "cells without the metric are never in a contest"
        return row

    @cached_property
    def aligned(self) -> Aligned:
        """Every contestant's scores over all documents (read from the samples at the first
        call).
        """
        return align({place: self._scores(place) for place in self.cells})

    def _scores(self, place: int) -> ItemScores | None:
        row, cell = self.row(place), self.cells[place]
        try:
            return read_scores(cell.run.folder.samples(row.model, row.task), self.metric, self.filter)
        except RunFolderError as error:
            self.notes.append(str(error))
            return None

    def difference(self, a: int, b: int) -> Difference | None:
        """a − b over the items that both answered; None where samples are missing or scores are no
        numbers.
        """
        aligned = self.aligned
        if a not in aligned.scores or b not in aligned.scores:
            return None
        return shared(aligned.scores[a], aligned.scores[b], aligned.codes, aligned.clusters)


@dataclass(frozen=True)
class Aligned:
    """``docs`` (n documents in order); ``scores`` (n a contestant, NaN where it has none); clusters
    of all n where items share sources.
    """

    docs: Codes
    scores: dict[int, Array]
    codes: Codes | None
    clusters: Clusters | None


def align(found: dict[int, ItemScores | None]) -> Aligned:
    """Lines scores up by document. Contestants without any number are left out."""
    usable = {
        place: one for place, one in found.items() if one is not None and not np.isnan(one.scores).all()
    }
    if not usable:
        return Aligned(np.empty(0, np.int64), {}, None, None)
    docs = np.unique(np.concatenate([one.docs for one in usable.values()]))
    scores = {}
    for place, one in usable.items():
        column = np.full(len(docs), np.nan)
        column[np.searchsorted(docs, one.docs)] = one.scores
        scores[place] = column
    codes = _cluster_codes(docs, list(usable.values()))
    return Aligned(docs, scores, codes, from_codes(codes) if codes is not None else None)


def _cluster_codes(docs: Codes, found: Sequence[ItemScores]) -> Codes | None:
    """A cluster number a document, from whichever contestant's run says it; a document without a
    label stands alone.
    """
    if all(one.clusters is None for one in found):
        return None
    codes = -1 - np.arange(len(docs), dtype=np.int64)
    numbers: dict[str, int] = {}
    for one in found:
        if one.clusters is None:
            continue
        places = np.searchsorted(docs, one.docs)
        for place, label in zip(places.tolist(), one.clusters, strict=True):
            if label is not None and codes[place] < 0:
                codes[place] = numbers.setdefault(label, len(numbers))
        if (codes >= 0).all():
            break
    return codes


def contests(known: Sequence[Contestant]) -> list[Contest]:
    """One contest a task: the prompt that most contestants share (the first of equals); the others
    say how they were asked.
    """
    tasks = dict.fromkeys(task for one in known for task, _ in one.cells)
    found = [_contest(task, known) for task in tasks]
    return [contest for contest in found if contest is not None]


def _contest(task: str, known: Sequence[Contestant]) -> Contest | None:
    cells = {place: one.asked(task) for place, one in enumerate(known) if one.asked(task)}
    key = primary(task, [row for asked in cells.values() for cell in asked for row in cell.rows])
    if key is None:
        return None
    usable = {place: [cell for cell in asked if cell.row(*key)] for place, asked in cells.items()}
    counts: dict[str | None, int] = {}
    for asked in usable.values():
        for cell in asked:
            counts[cell.rows[0].prompt_id] = counts.get(cell.rows[0].prompt_id, 0) + 1
    common = max(counts, key=lambda prompt: counts[prompt])
    chosen = {
        place: cell for place, asked in usable.items() for cell in asked if cell.rows[0].prompt_id == common
    }
    contest = Contest(task, key[0], key[1], chosen)
    standard = next(iter(chosen.values()))
    for place, asked in usable.items():
        if place not in chosen and asked:
            _judge(contest, place, asked[0], standard)
    return contest


def _judge(contest: Contest, place: int, cell: Cell, standard: Cell) -> None:
    """Lets an imported cell in where it asked the same texts; else says in what it differs."""
    try:
        same = same_texts(standard, cell, [contest.filter])
    except RunFolderError:
        same = False
    if same:
        contest.cells[place] = cell
    else:
        contest.others[place] = how_they_differ(standard, cell)

"""What models are compared on: single tasks, groups of them, and a language's average.

Each is a `Scope` with scores, pairs and ranks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Literal

from harness.analysis.chance import above_chances
from harness.analysis.combined import combine
from harness.analysis.contests import Contest
from harness.analysis.intervals import possible
from harness.analysis.lines import AVERAGES
from harness.analysis.means import weighted_mean
from harness.analysis.notes import named, note
from harness.analysis.paired import Difference, holm
from harness.analysis.ranking import Rank, ranks
from harness.analysis.strata import Strata, of_row
from harness.results.schema import Row

Kind = Literal["task", "subject", "group", "average"]


@dataclass(frozen=True)
class ScopeScore:
    """One model's score: value, standard error, 95 % interval, documents; chance-corrected where
    chance is known.
    """

    value: float
    stderr: float | None
    ci95: tuple[float, float] | None
    n: int
    corrected: float | None = None


@dataclass
class Scope:
    """Scores, pairs and ranks by the contestants' places.

    Every contestant is in ``scores`` or, with the reason, in ``missing``.
    """

    name: str
    kind: Kind
    language: str | None
    metric: str | None
    filter: str | None
    chance: float | None
    higher_is_better: bool
    scores: dict[int, ScopeScore]
    pairs: dict[tuple[int, int], Difference] = field(default_factory=dict)
    ranks: dict[int, Rank] = field(default_factory=dict)
    missing: dict[int, str] = field(default_factory=dict)
    apart: dict[int, str] = field(default_factory=dict)
    """Why a score is in no pair with the others and has no rank: asked otherwise, or not of all
    subjects.
    """
    fewer: dict[int, str] = field(default_factory=dict)
    """Whose score rests on fewer documents than another one's."""
    lacking: set[int] = field(default_factory=set)
    """Whose score is of some subjects only, so that its height says little beside the others."""
    parts: int = 1
    """Tasks that it is made of."""
    strata: dict[int, Strata | None] = field(default_factory=dict)
    """The answers that each score is the weighted mean of, for intervals of means over several
    scopes; None where it is no share.
    """

    @property
    def order(self) -> list[int]:
        """Places, best first; scores of some subjects only come last."""
        sign = -1 if self.higher_is_better else 1
        return sorted(self.scores, key=lambda index: (index in self.lacking, sign * self.scores[index].value))

    @property
    def compared(self) -> list[int]:
        """Places of those that were asked the same, best first."""
        return [index for index in self.order if index not in self.apart]

    def mark(self, index: int) -> str:
        """What stands beside a score: † in no pair with the others, ‡ of fewer documents."""
        return ("†" if index in self.apart else "") + ("‡" if index in self.fewer else "")

    @property
    def shares(self) -> bool:
        """Whether it counts into a language's average: higher is better, and no score is above
        1.
        """
        return (
            self.higher_is_better
            and bool(self.scores)
            and max(score.value for score in self.scores.values()) <= 1
        )

    def settle(self) -> Scope:
        """Adjusts p over all pairs by Holm's method and ranks the models."""
        tested = [key for key, pair in self.pairs.items() if pair.p is not None]
        for key, adjusted in zip(tested, holm([self.pairs[key].p or 0.0 for key in tested]), strict=True):
            self.pairs[key] = replace(self.pairs[key], adjusted=adjusted)
        # One rank needs one question: only those that were asked the same have one.
        self.ranks = (
            ranks(self.compared, self.pairs, higher_is_better=self.higher_is_better) if tested else {}
        )
        return self


def task_scope(contest: Contest, kind: Kind = "task") -> Scope:
    """A task: every model's score, and every pair of models that were asked the same."""
    row = contest.facts
    scope = Scope(
        contest.task,
        kind,
        row.language,
        contest.metric,
        contest.filter,
        row.chance,
        row.higher_is_better is not False,
        {index: _score(contest.row(index)) for index in contest.cells},
        missing=dict(contest.lacking),
        apart=dict(contest.others),
        fewer=_fewer({index: contest.row(index) for index in contest.cells}),
        strata={index: of_row(contest.row(index)) for index in contest.cells},
    )
    for a, b in combinations(sorted(contest.cells), 2):
        difference = contest.difference(a, b)
        if difference is not None:
            scope.pairs[a, b] = difference
    return scope.settle()


def _fewer(rows: dict[int, Row]) -> dict[int, str]:
    """Whose documents are fewer than another one's (a limit), or whose run was stopped."""
    most = max(row.n for row in rows.values())
    return {
        index: note("stopped", n=row.n) if row.n == most else note("documents", n=row.n, of=most)
        for index, row in rows.items()
        if row.n < most or row.status == "partial"
    }


def _score(row: Row) -> ScopeScore:
    better = row.higher_is_better is not False
    ends = possible(row.ci95, row.metric, row.value or 0.0, higher_is_better=better)
    return ScopeScore(row.value or 0.0, row.stderr, ends, row.n, row.corrected)


def group_scope(
    name: str, parts: Sequence[Scope], *, weighted: bool, kind: Literal["group", "subject"] = "group"
) -> Scope:
    """A group out of its subjects' scopes, by items or by subjects.

    A model that lacks a subject has the mean of those that it has, apart from the others.
    """
    scope = _combined(name, kind, parts, _everyone(parts), weighted=weighted)
    for index in sorted({index for part in parts for index in {*part.scores, *part.missing}}):
        mine = [part for part in parts if index in part.scores]
        whys = [part.missing[index] for part in parts if index in part.missing]
        if not mine:
            scope.missing[index] = whys[0]
        elif whys:
            # The mean of other subjects is another figure: shown, but held against nobody's.
            scope.lacking.add(index)
            scope.apart[index] = note("subjects", n=len(whys), of=len(parts), why=whys[0])
            weights = _weights([part.scores[index].n for part in mine], weighted=weighted)
            scope.scores[index], scope.strata[index] = _combined_score(mine, index, weights, mixed=False)
    return scope


def _everyone(parts: Sequence[Scope]) -> set[int]:
    """The places that have a score of every part."""
    return set.intersection(*(set(part.scores) for part in parts))


def average_scope(language: str, parts: Sequence[Scope], places: Sequence[int]) -> Scope | None:
    """The unweighted mean of a language's tasks and groups for the models that have all; None for
    fewer than two.
    """
    mine = [part for part in parts if part.language == language and part.shares]
    if len(mine) < 2:
        return None
    scope = _combined(AVERAGES[language], "average", mine, _everyone(mine), weighted=False)
    scope.language = language
    for index in places:
        whys = {part.name: part.missing[index] for part in mine if index not in part.scores}
        if whys:
            why = next(iter(whys.values()))
            scope.missing[index] = (
                why
                if set(whys.values()) == {why} and len(whys) == len(mine)
                else note("lacks", n=len(whys), of=len(mine), tasks=named([*whys], 3), why=why)
            )
    return scope


def _combined(name: str, kind: Kind, parts: Sequence[Scope], everyone: set[int], *, weighted: bool) -> Scope:
    languages, metrics = {part.language for part in parts}, {(part.metric, part.filter) for part in parts}
    metric, filter_name = next(iter(metrics)) if len(metrics) == 1 else (None, None)
    language = next(iter(languages)) if len(languages) == 1 else None
    better = all(part.higher_is_better for part in parts)
    scope = Scope(name, kind, language, metric, filter_name, _chance(parts), better, {}, parts=len(parts))
    scope.apart = _merged([part.apart for part in parts], everyone)
    scope.fewer = _merged([part.fewer for part in parts], everyone)
    scope.lacking = {index for part in parts for index in part.lacking & everyone}
    for index in sorted(everyone):
        weights = _weights([part.scores[index].n for part in parts], weighted=weighted)
        scope.scores[index], scope.strata[index] = _combined_score(
            parts, index, weights, mixed=kind == "average"
        )

    # A pair that one task lacks is a pair of other tasks: it is left out.
    for a, b in combinations(sorted(everyone), 2):
        pairs = [part.pairs[a, b] for part in parts if (a, b) in part.pairs]
        if len(pairs) == len(parts):
            scope.pairs[a, b] = combine(
                pairs, _weights([pair.n for pair in pairs], weighted=weighted), pooled=weighted
            )
    return scope.settle()


def _merged(reasons: Sequence[dict[int, str]], everyone: set[int]) -> dict[int, str]:
    """Each contestant's reasons over several parts: the one that they share, or the first and how
    many parts have one.
    """
    merged: dict[int, str] = {}
    for index in sorted(everyone):
        mine = [part[index] for part in reasons if index in part]
        if mine:
            whole = len(mine) == len(reasons) and len(set(mine)) == 1
            merged[index] = mine[0] if whole else note("on_parts", n=len(mine), of=len(reasons), why=mine[0])
    return merged


def _weights(sizes: Sequence[int], *, weighted: bool) -> list[float]:
    whole = sum(sizes) if weighted else len(sizes)
    return [(size if weighted else 1) / whole for size in sizes]


def _combined_score(
    parts: Sequence[Scope], index: int, weights: Sequence[float], *, mixed: bool
) -> tuple[ScopeScore, Strata | None]:
    """The weighted mean of the parts' scores, and the answers behind it. Above chance: that of a
    group (`above_chances`), or (``mixed``) the mean of its parts'.
    """
    scores = [part.scores[index] for part in parts]
    mean = weighted_mean(
        [score.value for score in scores],
        [score.stderr for score in scores],
        [part.strata.get(index) for part in parts],
        weights,
    )

    corrected = None
    if all(score.corrected is not None for score in scores):
        # Tasks of different kinds have no chance level in common: each is corrected by its own.
        if mixed or any(part.chance is None for part in parts):
            corrected = math.fsum(
                weight * (score.corrected or 0.0) for weight, score in zip(weights, scores, strict=True)
            )
        else:
            corrected = above_chances(
                [score.value for score in scores], [part.chance or 0.0 for part in parts], weights
            )
    n = sum(score.n for score in scores)
    return ScopeScore(mean.value, mean.stderr, mean.ci95, n, corrected), mean.strata


def _chance(parts: Sequence[Scope]) -> float | None:
    """The chance level where all parts share one."""
    levels = {part.chance for part in parts}
    return levels.pop() if len(levels) == 1 else None


__all__ = ["Scope", "ScopeScore", "average_scope", "group_scope", "task_scope"]

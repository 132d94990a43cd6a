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
from harness.analysis.lines import AVERAGES
from harness.analysis.means import weighted_mean
from harness.analysis.paired import Difference, holm
from harness.analysis.ranking import Rank, ranks
from harness.analysis.strata import Strata, of_row
from harness.results.schema import Row
from harness.wording import list_first

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
    """Scores, pairs and ranks by the contestants' places. ``missing`` says why others have none."""

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
    parts: int = 1
    """Tasks that it is made of."""
    strata: dict[int, Strata | None] = field(default_factory=dict)
    """The answers that each score is the weighted mean of, for intervals of means over several
    scopes; None where it is no share.
    """

    @property
    def order(self) -> list[int]:
        """Places, best first."""
        sign = -1 if self.higher_is_better else 1
        return sorted(self.scores, key=lambda place: sign * self.scores[place].value)

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
        self.ranks = ranks(self.order, self.pairs, higher_is_better=self.higher_is_better) if tested else {}
        return self


def task_scope(contest: Contest, kind: Kind = "task") -> Scope:
    """A task: every pair of models that were asked the same."""
    row = contest.facts
    scope = Scope(
        contest.task,
        kind,
        row.language,
        contest.metric,
        contest.filter,
        row.chance,
        row.higher_is_better is not False,
        {place: _score(contest.row(place)) for place in contest.cells},
        missing=dict(contest.others),
        strata={place: of_row(contest.row(place)) for place in contest.cells},
    )
    for a, b in combinations(sorted(contest.cells), 2):
        difference = contest.difference(a, b)
        if difference is not None:
            scope.pairs[a, b] = difference
    return scope.settle()


def _score(row: Row) -> ScopeScore:
    return ScopeScore(row.value or 0.0, row.stderr, row.ci95, row.n, row.corrected)


def group_scope(
    name: str, parts: Sequence[Scope], *, weighted: bool, kind: Literal["group", "subject"] = "group"
) -> Scope:
    """A group out of its subjects' scopes, by items or by subjects, for the models that have every
    subject.
    """
    everyone = set.intersection(*(set(part.scores) for part in parts))
    scope = _combined(name, kind, parts, everyone, weighted=weighted)
    for part in parts:
        for place in {*part.scores, *part.missing} - everyone:
            lacking = sum(place not in one.scores for one in parts)
            why = next((one.missing[place] for one in parts if place in one.missing), "no value")
            scope.missing[place] = f"{lacking} of {len(parts)} subjects: {why}"
    return scope


def average_scope(language: str, parts: Sequence[Scope], places: Sequence[int]) -> Scope | None:
    """The unweighted mean of a language's tasks and groups for the models that have all; None for
    fewer than two.
    """
    mine = [part for part in parts if part.language == language and part.shares]
    if len(mine) < 2:
        return None
    everyone = set.intersection(*(set(part.scores) for part in mine))
    scope = _combined(AVERAGES[language], "average", mine, everyone, weighted=False)
    scope.language = language
    for place in places:
        lacking = [part.name for part in mine if place not in part.scores]
        if lacking:
            scope.missing[place] = f"no comparable value on {list_first(lacking, 3)}"
    return scope


def _combined(name: str, kind: Kind, parts: Sequence[Scope], everyone: set[int], *, weighted: bool) -> Scope:
    languages, metrics = {part.language for part in parts}, {(part.metric, part.filter) for part in parts}
    metric, filter_name = next(iter(metrics)) if len(metrics) == 1 else (None, None)
    language = next(iter(languages)) if len(languages) == 1 else None
    better = all(part.higher_is_better for part in parts)
    scope = Scope(name, kind, language, metric, filter_name, _chance(parts), better, {}, parts=len(parts))
    for place in sorted(everyone):
        weights = _weights([part.scores[place].n for part in parts], weighted=weighted)
        scope.scores[place], scope.strata[place] = _combined_score(
            parts, place, weights, mixed=kind == "average"
        )

    # A pair that one task lacks is a pair of other tasks: it is left out.
    for a, b in combinations(sorted(everyone), 2):
        pairs = [part.pairs[a, b] for part in parts if (a, b) in part.pairs]
        if len(pairs) == len(parts):
            scope.pairs[a, b] = combine(
                pairs, _weights([pair.n for pair in pairs], weighted=weighted), pooled=weighted
            )
    return scope.settle()


def _weights(sizes: Sequence[int], *, weighted: bool) -> list[float]:
    whole = sum(sizes) if weighted else len(sizes)
    return [(size if weighted else 1) / whole for size in sizes]


def _combined_score(
    parts: Sequence[Scope], place: int, weights: Sequence[float], *, mixed: bool
) -> tuple[ScopeScore, Strata | None]:
    """The weighted mean of the parts' scores, and the answers behind it. Above chance: that of a
    group (`above_chances`), or (``mixed``) the mean of its parts'.
    """
    scores = [part.scores[place] for part in parts]
    mean = weighted_mean(
        [score.value for score in scores],
        [score.stderr for score in scores],
        [part.strata.get(place) for part in parts],
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

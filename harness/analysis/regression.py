"""Whether models are worse than they were: the regression gate of a continuous integration.

Each model of a baseline is held against its namesake of new runs, task by task and group by group,
on the items that both answered. A drop counts where it is proven: the 95 % interval of the paired
difference lies beyond the margin, and its p, adjusted by Holm's method over all tests of the gate,
is below 0.05. ``strict`` counts any drop beyond the margin. What the baseline has and the new runs
lack fails in either case: a gate that was not asked must not pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

import numpy as np

from harness.analysis.comparison import Comparison, compare_models
from harness.analysis.contestants import Contestant, contestants
from harness.analysis.intervals import Z80
from harness.analysis.paired import Difference, holm
from harness.analysis.scopes import Scope
from harness.errors import ConfigError
from harness.results.query import Run

LEVEL = 0.05
GateVerdict = Literal["holds", "worse", "missing", "not comparable"]


@dataclass(frozen=True)
class GateRow:
    """One model on one task or group: what it scored then and now.

    ``drop`` and ``ci95`` are of the baseline minus the new score, turned so that more than 0 is
    worse. ``sees``: the smallest true drop that so many items show with 80 % power.
    """

    model: str
    baseline: str
    task: str
    verdict: GateVerdict
    reason: str = ""
    metric: str | None = None
    n: int = 0
    before: float | None = None
    now: float | None = None
    drop: float | None = None
    ci95: tuple[float, float] | None = None
    p: float | None = None
    margin: float = 0.0
    sees: float | None = None
    share: bool = True
    """Whether it is a share of right answers, so that drops are points."""
    seconds: float | None = None
    by_value: bool = False
    """Whether the two values themselves decide: a perplexity has no interval."""


@dataclass(frozen=True)
class RegressionGate:
    """All rows, and the rule that judged them."""

    baseline: str
    rows: tuple[GateRow, ...]
    by: float
    strict: bool
    ungated: tuple[str, ...] = ()
    """Tasks of the new runs that the baseline does not have."""

    @property
    def failed(self) -> tuple[GateRow, ...]:
        """The rows that do not hold."""
        return tuple(row for row in self.rows if row.verdict != "holds")


@dataclass(frozen=True)
class _Duel:
    """A baseline's model against its namesake, and one of the things they are compared on."""

    comparison: Comparison
    scope: Scope
    lost: int
    """Items of the baseline that the new run does not answer."""

    @property
    def pair(self) -> Difference | None:
        """Baseline − new, more than 0 for a drop."""
        pair = self.scope.pairs.get((0, 1))
        return pair if pair is None or self.scope.higher_is_better else pair.flipped()


def regression_gate(
    runs: Sequence[Run],
    baseline: Sequence[Run],
    *,
    model: str | None = None,
    by: float = 0.0,
    strict: bool = False,
    tasks: str | None = None,
) -> RegressionGate:
    """Holds the models of ``runs`` against those of ``baseline`` (the same runs: against ``model``).

    ``by``: points (for what is no share of right answers, per cent of the baseline's value) that a
    model may lose. ``model``: the baseline's one model that all are held against. ``tasks``: a name
    or glob. Raises ConfigError where the baseline has nothing to hold against.
    """
    before, now = contestants(baseline), contestants(runs)
    pairs, rows = _opponents(before, now, model)
    rows = [row for row in rows if _named(row.task, tasks)]
    duels = [duel for one, other in pairs for duel in _duels(one, other, [*baseline, *runs], tasks)]
    ungated: dict[str, None] = {}
    for one, other in pairs:
        ungated |= dict.fromkeys(task for task, _ in other.cells if not one.asked(task))
    if not duels and not rows:
        what = f"no task or group that {tasks!r} matches" if tasks else "no score"
        raise ConfigError(f"the baseline has {what}: nothing to hold against")

    tests = sum(duel.pair is not None and duel.pair.p is not None for duel in duels)
    rows += [_row(duel, by, strict=strict, tests=max(tests, 1)) for duel in duels]
    names = ", ".join(dict.fromkeys(run.results.name for run in baseline))
    label = model if model is not None and baseline is runs else names
    judged = _judged(rows, by, strict=strict)
    return RegressionGate(str(label), tuple(judged), by, strict, () if tasks else tuple(ungated))


def _opponents(
    before: Sequence[Contestant], now: Sequence[Contestant], model: str | None
) -> tuple[list[tuple[Contestant, Contestant]], list[GateRow]]:
    """Who is held against whom, and a row for each model of the baseline that is gone."""
    if model is not None:
        mine = [one for one in before if model in (one.label, one.model.model)]
        if len(mine) != 1:
            names = ", ".join(one.label for one in before)
            raise ConfigError(f"no model of the baseline is called {model!r}: there are {names}")
        others = [one for one in now if one.cells != mine[0].cells]
        if not others:
            raise ConfigError(f"{model} is the only model here: nothing to hold against it")
        return [(mine[0], one) for one in others], []

    # One model each is one question, whatever the two runs call it.
    if len(before) == len(now) == 1:
        return [(before[0], now[0])], []
    pairs = [(one, other) for one in before for other in now if one.model.model == other.model.model]
    paired = {one.model.model for one, _ in pairs}
    gone = [
        GateRow(one.label, one.label, task, "missing", "the new run has no score of this model")
        for one in before
        if one.model.model not in paired
        for task in dict.fromkeys(task for task, _ in one.cells)
    ]
    return pairs, gone


def _named(task: str, pattern: str | None) -> bool:
    """Whether a task is to be compared: each where no name or glob chooses some."""
    return pattern is None or task == pattern or fnmatchcase(task, pattern)


def _duels(before: Contestant, now: Contestant, runs: Sequence[Run], tasks: str | None) -> Iterator[_Duel]:
    """What two contestants are compared on: single tasks and whole groups, or what is named."""
    comparison = compare_models([before, now], runs)
    lost = dict(_lost(comparison))
    for scope in comparison.scopes:
        if not _named(scope.name, tasks) or (tasks is None and scope.kind not in ("task", "group")):
            continue
        members = comparison.members.get(scope.name, [scope.name])
        # A task that the baseline lacks is new: there is nothing that it could have lost.
        if any(before.asked(task) for task in members) or scope.kind == "average":
            yield _Duel(comparison, scope, sum(lost.get(task, 0) for task in members))


def _lost(comparison: Comparison) -> Iterator[tuple[str, int]]:
    """By task, the baseline's items without an answer in the new run."""
    for contest in comparison.contests:
        scores = contest.aligned.scores
        if 0 in scores and 1 in scores:
            yield contest.task, int(np.count_nonzero(~np.isnan(scores[0]) & np.isnan(scores[1])))


def _row(duel: _Duel, by: float, *, strict: bool, tests: int) -> GateRow:
    """One comparison with all but the verdict on its difference, for which p must be adjusted."""
    scope, pair = duel.scope, duel.pair
    before, now = (model.label for model in duel.comparison.models)
    scores = [scope.scores.get(index) for index in (0, 1)]
    share = scope.shares
    first = scores[0].value if scores[0] is not None else None
    row = GateRow(
        now,
        before,
        scope.name,
        "holds",
        metric=scope.metric,
        before=first,
        now=scores[1].value if scores[1] is not None else None,
        share=share,
        margin=by / 100 * (1 if share else abs(first or 0.0)),
        seconds=_seconds(duel),
    )
    if first is None or scores[1] is None:
        return _incomplete(row, duel)

    # A score that was asked otherwise stands beside the others, but is compared with none of them.
    apart = scope.apart.get(1) or scope.apart.get(0)
    if pair is None and apart is not None:
        return replace(row, verdict="not comparable", reason=apart)

    # Scores of the same task on other items are no comparison.
    by_value = pair is None and _has_samples(duel)
    if pair is None and not strict and not by_value:
        return replace(row, verdict="not comparable", reason="no items to pair: samples are missing")
    if duel.lost:
        reason = f"{duel.lost} items of the baseline have no answer here"
        row = replace(row, verdict="missing", reason=reason)
    drop = (first - scores[1].value) * (1 if scope.higher_is_better else -1)
    if pair is None:
        return replace(row, drop=drop, n=scores[1].n, by_value=by_value)
    sees = None if strict else smallest_drop(pair, tests)
    margin = row.margin
    return replace(
        row,
        drop=pair.value,
        n=pair.n,
        ci95=pair.ci95,
        p=pair.p,
        sees=sees + margin if sees is not None else None,
    )


def _has_samples(duel: _Duel) -> bool:
    """Whether both runs kept the answers: then it is the metric that has nothing to pair by item."""
    members = set(duel.comparison.members.get(duel.scope.name, [duel.scope.name]))
    cells = [
        (model.model.model, task, cell)
        for model in duel.comparison.models
        for (task, _), cell in model.cells.items()
        if task in members
    ]
    return bool(cells) and all(cell.run.folder.samples(model, task).exists() for model, task, cell in cells)


def _incomplete(row: GateRow, duel: _Duel) -> GateRow:
    """Why one of the two has no comparable score."""
    scope = duel.scope
    reason = scope.missing.get(1) or scope.missing.get(0)
    if reason is not None and reason not in ("no value", "not asked"):
        return replace(row, verdict="not comparable", reason=reason)
    name = duel.comparison.models[1].model.model
    failed = [
        one.reason
        for contestant in duel.comparison.models[1:]
        for run in _runs_of(contestant)
        for one in run.results.rows
        if one.model == name and scope.name in (one.task, one.group) and one.reason
    ]
    return replace(row, verdict="missing", reason=failed[0] if failed else "no score in the new run")


def _runs_of(contestant: Contestant) -> list[Run]:
    runs = {id(cell.run): cell.run for cell in contestant.cells.values()}
    return list(runs.values())


def _seconds(duel: _Duel) -> float | None:
    members = set(duel.comparison.members.get(duel.scope.name, [duel.scope.name]))
    cells = duel.comparison.models[1].cells
    rows = [cell.rows[0] for (task, _), cell in cells.items() if task in members]
    seconds = [row.seconds for row in rows if row.seconds is not None]
    return math.fsum(seconds) if seconds else None


def _judged(rows: Sequence[GateRow], by: float, *, strict: bool) -> Iterable[GateRow]:
    """The rows with p adjusted over all tests, and their verdicts."""
    tested = [index for index, row in enumerate(rows) if row.p is not None]
    adjusted = dict(zip(tested, holm([rows[index].p or 0.0 for index in tested]), strict=True))
    for index, row in enumerate(rows):
        p = adjusted.get(index)
        judged = replace(row, p=p)
        if judged.drop is not None and _worse(judged, strict=strict):
            # A drop says more than that some items are gone as well.
            more = f"; {judged.reason}" if judged.reason else ""
            judged = replace(judged, verdict="worse", reason=f"{_lost_words(judged, by)}{more}")
        yield judged


def _worse(row: GateRow, *, strict: bool) -> bool:
    drop = row.drop or 0.0
    if strict or row.by_value:
        return drop > row.margin + 1e-12
    if row.ci95 is None or row.p is None:
        return False
    return drop > 0 and row.ci95[0] > row.margin and row.p < LEVEL


def _lost_words(row: GateRow, by: float) -> str:
    scale, unit = (100.0, " points") if row.share else (1.0, "")
    lost = f"{scale * (row.drop or 0.0):.2f}".rstrip("0").rstrip(".")
    allowed = f", more than the {by:g}{' points' if row.share else ' %'} allowed" if by else ""
    return f"worse by {lost}{unit}{allowed}"


def smallest_drop(pair: Difference, tests: int) -> float | None:
    """The smallest true drop that the gate sees with 80 % power, at the 5 % level of all its tests.

    (z₁₋α/₂ₘ + z₀.₈)·SE of the paired difference with m tests, but never less than the fewest
    discordant items that McNemar's exact test could call: 2·½ᵏ ≤ α/m.
    """
    from scipy.special import ndtri

    level = LEVEL / tests
    by_error = (float(ndtri(1 - level / 2)) + Z80) * (pair.stderr or 0.0)
    if pair.only_a is None:
        return by_error or None
    fewest = math.ceil(1 + math.log2(1 / level))
    return max(by_error, fewest / pair.n)


__all__ = ["GateRow", "RegressionGate", "regression_gate", "smallest_drop"]

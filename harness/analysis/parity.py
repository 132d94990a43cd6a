"""Whether two engines, or two number formats, are the same instrument: the same cells asked twice,
compared answer by answer.

Differences of log-probabilities are taken a token: |Σ log p₁ − Σ log p₂| of a continuation (or a
passage) by its number of tokens.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.items import Answer, Generation, Likelihood, Score
from harness.results.cells import AnsweredCell, Cells
from harness.results.schema import Row

Verdict = Literal["yes", "within noise", "no"]
What = Literal["log-probability", "arg-max", "greedy", "text"]
ORDER: tuple[Verdict, ...] = ("yes", "within noise", "no")
FULL, HALF = 1e-3, 0.05
"""Nats a token that two fp32 backends may differ by, and two of which one computes in 16 bits or in
a format that is not known.
"""
FULL_PREFIX, HALF_PREFIX = 0.95, 0.5
"""Share of a greedy text, on the mean, that must be equal from its start: one near tie early in a
text changes all that follows it.
"""


@dataclass(frozen=True)
class ItemDifference:
    """One item that was answered differently.

    ``size``: nats a token, or of texts the share that is not a common beginning.
    """

    key: str
    what: What
    size: float
    first: str
    second: str


@dataclass(frozen=True)
class LogprobSpread:
    """Differences of log-probabilities in nats a token, over ``n`` continuations or passages."""

    n: int
    max: float
    p99: float
    mean: float


@dataclass(frozen=True)
class MetricDifference:
    """A metric of both sides; ``stderr`` is the larger of their standard errors, None where neither
    has one.
    """

    metric: str
    filter: str
    first: float
    second: float
    stderr: float | None

    @property
    def ratio(self) -> float:
        """|difference| in standard errors; 0 where there is none, or none to measure it by."""
        gap = abs(self.first - self.second)
        if gap <= 1e-12 or self.stderr is None:
            return 0.0
        return gap / self.stderr if self.stderr > 0 else math.inf

    @property
    def within(self) -> bool:
        """Whether the difference is no more than one standard error."""
        return self.ratio <= 1 + 1e-9


@dataclass(frozen=True)
class CellParity:
    """One cell: its figures, the items that differ (largest first), and what follows.

    ``prefix`` is the mean share of common beginnings.
    """

    model: str
    task: str
    verdict: Verdict
    reasons: tuple[str, ...]
    items: int = 0
    missing: int = 0
    tolerance: float = HALF
    logprobs: LogprobSpread | None = None
    argmax_flips: int = 0
    greedy_flips: int = 0
    texts: int = 0
    texts_differing: int = 0
    prefix: float | None = None
    metrics: tuple[MetricDifference, ...] = ()
    differing: tuple[ItemDifference, ...] = ()


@dataclass(frozen=True)
class Parity:
    """All cells, and the worst of their verdicts.

    ``first`` and ``second`` say in words what was compared.
    """

    first: str
    second: str
    verdict: Verdict
    reasons: tuple[str, ...]
    cells: tuple[CellParity, ...] = field(default_factory=tuple)


def compare(first: Cells, second: Cells, within: float | None = None) -> Parity:
    """Compares the cells of two runs, paired by model and task. ``within`` replaces the tolerance
    in nats a token.

    Two runs of one model each are paired whatever the models are called. Cells that both sides
    skipped are left out.
    """
    paired = _paired(first, second)
    cells = [
        _compare_cell(one, other, within)
        for one, other in paired
        if {one.status, other.status} != {"skipped"}
    ]
    lonely = len(first) + len(second) - 2 * len(paired)
    reasons = [f"{cell.model} {cell.task}: {reason}" for cell in cells for reason in cell.reasons]
    if not cells:
        return Parity(_words(first), _words(second), "no", ("the two runs have no cell in common",))
    if lonely:
        reasons.append(f"{lonely} cells are in one of the runs only and were not compared")
    verdict = max((cell.verdict for cell in cells), key=ORDER.index)
    return Parity(_words(first), _words(second), verdict, tuple(reasons), tuple(cells))


def _paired(first: Cells, second: Cells) -> list[tuple[AnsweredCell, AnsweredCell]]:
    models = {model for model, _ in first}, {model for model, _ in second}
    alone = not models[0] & models[1] and len(models[0]) == len(models[1]) == 1
    names = {model: next(iter(models[1])) if alone else model for model in models[0]}
    found = [(cell, second.get((names[model], task))) for (model, task), cell in first.items()]
    return [(one, other) for one, other in found if other is not None]


def _words(cells: Cells) -> str:
    """The engines of a run, in words: ``transformers float32 on cpu``."""
    told = [cell.engine for cell in cells.values() if cell.engine]
    words = {
        " ".join(str(part) for part in (one.get("engine"), one.get("dtype")) if part)
        + f" on {one.get('device')}"
        for one in told
    }
    return ", ".join(sorted(words)) or "nothing that began"


def tolerance(first: AnsweredCell, second: AnsweredCell) -> float:
    """Nats a token: `FULL` where both sides compute in float32, `HALF` else."""
    return FULL if first.engine.get("dtype") == second.engine.get("dtype") == "float32" else HALF


def _compare_cell(first: AnsweredCell, second: AnsweredCell, within: float | None) -> CellParity:
    limit = within if within is not None else tolerance(first, second)
    for name, cell in (("the first", first), ("the second", second)):
        if not cell.answers:
            return CellParity(
                first.model,
                first.task,
                "no",
                (f"{name} has no answers: {cell.reason or cell.status}",),
                tolerance=limit,
            )
    if first.prompt_id != second.prompt_id:
        return CellParity(
            first.model, first.task, "no", ("the two were not asked the same (prompt_id)",), tolerance=limit
        )
    common = [key for key in first.answers if key in second.answers]
    differing, gaps, flips, greedy = _scored(
        [(first.answers[key], second.answers[key]) for key in common], limit
    )
    prefixes, changed = _written(first, second, common)
    found = CellParity(
        model=first.model,
        task=first.task,
        verdict="yes",
        reasons=(),
        items=len(common),
        missing=len(first.answers) + len(second.answers) - 2 * len(common),
        tolerance=limit,
        logprobs=_spread(gaps),
        argmax_flips=flips,
        greedy_flips=greedy,
        texts=len(prefixes),
        texts_differing=len(changed),
        prefix=sum(prefixes) / len(prefixes) if prefixes else None,
        metrics=_metrics(first.rows, second.rows),
        differing=tuple(sorted([*differing, *changed], key=lambda one: -one.size)),
    )
    return _judged(
        found, [name for name, one in (("first", first), ("second", second)) if one.status != "ok"]
    )


def _scored(
    pairs: Sequence[tuple[Answer, Answer]], limit: float
) -> tuple[list[ItemDifference], list[float], int, int]:
    """(items that differ, every difference a token, arg-max flips, changes of what greedy decoding
    would write).
    """
    differing: list[ItemDifference] = []
    gaps: list[float] = []
    flips = changes = 0
    for one, other in pairs:
        if isinstance(one, Score) and isinstance(other, Score) and len(one.logprobs) == len(other.logprobs):
            own = [
                _gap(a, b, max(n, 1))
                for a, b, n in zip(one.logprobs, other.logprobs, one.lengths, strict=True)
            ]
            flipped = one.logprobs and _best(one) != _best(other)
            changed = one.greedy != other.greedy
            flips, changes = flips + bool(flipped), changes + changed
            texts = (_numbers(one.logprobs), _numbers(other.logprobs))
            if flipped or changed or max(own, default=0.0) > limit:
                kind: What = "arg-max" if flipped else "greedy" if changed else "log-probability"
                differing.append(ItemDifference(one.key, kind, max(own, default=0.0), *texts))
            gaps += own
        elif isinstance(one, Likelihood) and isinstance(other, Likelihood):
            gap = _gap(one.logprob, other.logprob, max(one.predicted, 1))
            gaps.append(gap)
            if gap > limit:
                differing.append(
                    ItemDifference(
                        one.key, "log-probability", gap, *map(_numbers, ([one.logprob], [other.logprob]))
                    )
                )
    return differing, gaps, flips, changes


def _written(
    first: AnsweredCell, second: AnsweredCell, keys: Sequence[str]
) -> tuple[list[float], list[ItemDifference]]:
    """(share of common beginning of each greedy text, texts that differ).

    Sampled texts are not compared: engines draw differently.
    """
    settings = first.prompt.get("generation") or {}
    if settings.get("temperature"):
        return [], []
    prefixes, changed = [], []
    for key in keys:
        one, other = first.answers[key], second.answers[key]
        if isinstance(one, Generation) and isinstance(other, Generation):
            share = common_beginning(one.text, other.text)
            prefixes.append(share)
            if one.text != other.text:
                changed.append(ItemDifference(key, "text", 1 - share, one.text, other.text))
    return prefixes, changed


def common_beginning(first: str, second: str) -> float:
    """Characters that both texts begin with, by the longer one's; 1 for equal texts."""
    longest = max(len(first), len(second))
    same = next(
        (place for place, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )
    return same / longest if longest else 1.0


def _gap(first: float, second: float, tokens: int) -> float:
    if first == second:
        return 0.0
    gap = abs(first - second) / tokens
    return gap if math.isfinite(gap) else math.inf


def _best(score: Score) -> int:
    return max(range(len(score.logprobs)), key=lambda place: score.logprobs[place])


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:.4f}" for value in values)


def _spread(gaps: Sequence[float]) -> LogprobSpread | None:
    """The 99th percentile is the smallest difference that 99 % of them do not exceed (nearest
    rank).
    """
    if not gaps:
        return None
    ordered = sorted(gaps)
    return LogprobSpread(
        len(gaps), ordered[-1], ordered[math.ceil(0.99 * len(ordered)) - 1], math.fsum(ordered) / len(ordered)
    )


def _metrics(first: Sequence[Row], second: Sequence[Row]) -> tuple[MetricDifference, ...]:
    """Metrics that both sides have, the largest difference first.

    A plain text metric has no standard error: it is shown, not judged.
    """
    others: Mapping[tuple[str | None, str | None], Row] = {(row.metric, row.filter): row for row in second}
    found = []
    for row in first:
        other = others.get((row.metric, row.filter))
        if other is None or row.value is None or other.value is None:
            continue
        errors = [side.stderr for side in (row, other) if side.stderr is not None]
        found.append(
            MetricDifference(
                str(row.metric), str(row.filter), row.value, other.value, max(errors, default=None)
            )
        )
    return tuple(sorted(found, key=lambda one: -one.ratio))


def _judged(cell: CellParity, unfinished: Sequence[str]) -> CellParity:
    """The cell with its verdict and what it rests on."""
    against, noise = list(_against(cell)), list(_noise(cell))
    if unfinished:
        noise.append(f"the {' and the '.join(unfinished)} run did not finish this cell")
    verdict: Verdict = "no" if against else "within noise" if noise else "yes"
    return dataclasses.replace(cell, verdict=verdict, reasons=tuple(against or noise))


def _against(cell: CellParity) -> list[str]:
    """What speaks against trusting it."""
    reasons = []
    if not cell.items:
        reasons.append("no item was answered by both")
    if cell.logprobs is not None and cell.logprobs.p99 > cell.tolerance:
        reasons.append(
            f"log-probabilities differ by {cell.logprobs.p99:.2g} a token (99th percentile), over {cell.tolerance:g}"
        )
    least = FULL_PREFIX if cell.tolerance <= FULL else HALF_PREFIX
    if cell.prefix is not None and cell.prefix < least:
        reasons.append(
            f"texts are equal over {cell.prefix:.0%} from their start on the mean, under {least:.0%}"
        )
    for metric in cell.metrics:
        if not metric.within:
            reasons.append(
                f"{metric.metric} {metric.first:.4g} against {metric.second:.4g} is {metric.ratio:.2g} standard errors, over 1"
            )
    return reasons


def _noise(cell: CellParity) -> list[str]:
    """What is not equal, but no more than rounding explains."""
    reasons = []
    if cell.logprobs is not None and cell.logprobs.max > cell.tolerance:
        reasons.append(
            f"some log-probabilities differ by up to {cell.logprobs.max:.2g} a token, over {cell.tolerance:g}"
        )
    if cell.argmax_flips:
        reasons.append(f"{cell.argmax_flips} of {cell.items} items pick another option")
    if cell.greedy_flips:
        reasons.append(f"{cell.greedy_flips} of {cell.items} items change what greedy decoding would write")
    if cell.texts_differing:
        reasons.append(f"{cell.texts_differing} of {cell.texts} texts differ")
    if cell.missing:
        reasons.append(f"{cell.missing} items were answered by one side only")
    return reasons

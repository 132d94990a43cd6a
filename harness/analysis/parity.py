"""Whether two engines, or two number formats, are the same instrument.

The same cells are asked twice and compared answer by answer. Differences of log-probabilities count
per token:

Σ log p₁ − Σ log p₂

 of a continuation (or a passage) divided by its number of tokens.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from harness.analysis.parity_verdict import (
    FULL,
    HALF,
    ORDER,
    CellParity,
    DifferenceKind,
    ItemDifference,
    LogprobSpread,
    MetricDifference,
    Parity,
    judged,
)
from harness.items import Answer, Generation, Likelihood, Score
from harness.results.cells import AnsweredCell, Cells
from harness.results.schema import Row


def compare(first: Cells, second: Cells, within: float | None = None) -> Parity:
    """Compares the cells of two runs, paired by model and task.

    ``within`` replaces the tolerance in nats per token. Two runs of one model each are paired
    whatever the models are called. Cells that both sides skipped are left out.
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

    # The worst cell decides: an instrument that fails on one task is not the same.
    verdict = max((cell.verdict for cell in cells), key=ORDER.index)
    return Parity(_words(first), _words(second), verdict, tuple(reasons), tuple(cells))


def _paired(first: Cells, second: Cells) -> list[tuple[AnsweredCell, AnsweredCell]]:
    # A model run by another engine often has another name in its config.
    models = {model for model, _ in first}, {model for model, _ in second}
    alone = not models[0] & models[1] and len(models[0]) == len(models[1]) == 1
    names = {model: next(iter(models[1])) if alone else model for model in models[0]}
    pairs = [(cell, second.get((names[model], task))) for (model, task), cell in first.items()]
    return [(one, other) for one, other in pairs if other is not None]


def _words(cells: Cells) -> str:
    """The engines of a run, in words: ``transformers float32 on cpu``."""
    engines = [cell.engine for cell in cells.values() if cell.engine]
    words = {
        " ".join(str(part) for part in (one.get("engine"), one.get("dtype")) if part)
        + f" on {one.get('device')}"
        for one in engines
    }
    return ", ".join(sorted(words)) or "nothing that began"


def tolerance(first: AnsweredCell, second: AnsweredCell) -> float:
    """Nats per token: `FULL` where both sides compute in float32, `HALF` else."""
    return FULL if first.engine.get("dtype") == second.engine.get("dtype") == "float32" else HALF


def _compare_cell(first: AnsweredCell, second: AnsweredCell, within: float | None) -> CellParity:
    limit = within if within is not None else tolerance(first, second)
    obstacle = _obstacle(first, second)
    if obstacle:
        return CellParity(first.model, first.task, "no", (obstacle,), tolerance=limit)

    common = [key for key in first.answers if key in second.answers]
    differing, gaps, flips, greedy = _scored(
        [(first.answers[key], second.answers[key]) for key in common], limit
    )
    prefixes, changed = _written(first, second, common)

    parity = CellParity(
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

    return judged(
        parity, [name for name, one in (("first", first), ("second", second)) if one.status != "ok"]
    )


def _obstacle(first: AnsweredCell, second: AnsweredCell) -> str:
    """Why two cells cannot be compared; empty where they can."""
    for name, cell in (("the first", first), ("the second", second)):
        if not cell.answers:
            return f"{name} has no answers: {cell.reason or cell.status}"
    # Answers to different prompts differ for a reason that is not the engine's.
    return "the two were not asked the same (prompt_id)" if first.prompt_id != second.prompt_id else ""


def _scored(
    pairs: Sequence[tuple[Answer, Answer]], limit: float
) -> tuple[list[ItemDifference], list[float], int, int]:
    """What scored answers differ by.

    (items that differ, every difference per token, arg-max flips, changes of what greedy decoding
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

            # Three ways to differ, the gravest first: another option, another greedy text, another
            # probability.
            flipped = one.logprobs and _best(one) != _best(other)
            changed = one.greedy != other.greedy
            flips, changes = flips + bool(flipped), changes + changed
            texts = (_numbers(one.logprobs), _numbers(other.logprobs))
            if flipped or changed or max(own, default=0.0) > limit:
                kind: DifferenceKind = "arg-max" if flipped else "greedy" if changed else "log-probability"
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

    # Sampled texts differ even between two runs of one engine with another seed.
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
        (index for index, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )
    return same / longest if longest else 1.0


def _gap(first: float, second: float, tokens: int) -> float:
    if first == second:
        return 0.0
    gap = abs(first - second) / tokens
    return gap if math.isfinite(gap) else math.inf


def _best(score: Score) -> int:
    return max(range(len(score.logprobs)), key=lambda index: score.logprobs[index])


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:.4f}" for value in values)


def _spread(gaps: Sequence[float]) -> LogprobSpread | None:
    """The 99th percentile is the smallest difference that 99 % do not exceed (nearest rank)."""
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
    differences = []
    for row in first:
        other = others.get((row.metric, row.filter))
        if other is None or row.value is None or other.value is None:
            continue

        # The larger error of the two sides: a difference must be explained by the less certain one.
        errors = [side.stderr for side in (row, other) if side.stderr is not None]
        differences.append(
            MetricDifference(
                str(row.metric), str(row.filter), row.value, other.value, max(errors, default=None)
            )
        )

    return tuple(sorted(differences, key=lambda one: -one.ratio))

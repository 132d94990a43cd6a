"""Paired differences of several independent tasks, combined into one of their weighted mean."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.analysis.flips import joined
from harness.analysis.paired import Difference, agreeing, detectable, mcnemar, p_value, widened


def combine(parts: Sequence[Difference], weights: Sequence[float], *, pooled: bool) -> Difference:
    """Σ w·d of independent tasks.

    SE √Σ(w·SE)², degrees of freedom by Welch and Satterthwaite. Weights sum to 1.

    ``pooled`` says that items count alike over all tasks (a group weighted by size): then McNemar's
    test holds for them together. The interval is widened as Agresti and Min's (`widened`), p is as
    `paired` has it.
    """
    stderr, dof = _welch([part.stderr for part in parts], [part.dof for part in parts], weights)
    value = math.fsum(weight * part.value for weight, part in zip(weights, parts, strict=True))

    only_a, only_b = _pooled_counts(parts) if pooled else (None, None)
    exact = mcnemar(only_a, only_b) if only_a is not None and only_b is not None else None

    # McNemar's test holds for independent items only: sources in one task spoil it for all.
    clustered = any(part.clusters is not None for part in parts)
    squares = [
        math.fsum(w * w * part.variances[side] for w, part in zip(weights, parts, strict=True))
        for side in (0, 1)
    ]

    tosses = joined([part.tosses for part in parts], weights)
    worth = _joint_worth([part.worth for part in parts], weights)
    independent = exact is not None and not clustered
    p = exact if independent else p_value(value, stderr, dof, tosses, joint=True)
    return Difference(
        n=sum(part.n for part in parts),
        value=value,
        stderr=stderr,
        dof=dof,
        ci95=agreeing(widened(value, stderr, dof, worth), value, p) if stderr is not None else None,
        p=p,
        mcnemar=exact,
        only_a=only_a,
        only_b=only_b,
        correlation=_from_variances(squares, stderr),
        detectable=detectable(stderr),
        variances=(squares[0], squares[1]),
        tosses=tosses,
        worth=worth,
    )


def _pooled_counts(parts: Sequence[Difference]) -> tuple[int | None, int | None]:
    """Items that a and b alone got right over all tasks; None where a task's scores are graded.

    They may be added up only where each item has the same weight in the mean.
    """
    counts = [(part.only_a, part.only_b) for part in parts]
    if any(one is None for one, _ in counts):
        return None, None
    return sum(one or 0 for one, _ in counts), sum(other or 0 for _, other in counts)


def _joint_worth(worths: Sequence[float | None], weights: Sequence[float]) -> float | None:
    """1/Σ(w²/worth): of tasks weighted by their items, all items together."""
    numbers = [worth for worth in worths if worth is not None]
    if len(numbers) < len(worths):
        return None
    return 1 / math.fsum(weight * weight / worth for weight, worth in zip(weights, numbers, strict=True))


def _welch(
    errors: Sequence[float | None], dofs: Sequence[float], weights: Sequence[float]
) -> tuple[float | None, float]:
    variances = [
        (weight * error) ** 2 for weight, error in zip(weights, errors, strict=True) if error is not None
    ]

    if len(variances) < len(errors):
        return None, 0.0

    # Welch's degrees of freedom: (Σv)²/Σ(v²/dof) with v = (w·SE)².
    total = math.fsum(variances)
    down = math.fsum(one * one / dof for one, dof in zip(variances, dofs, strict=True) if dof > 0)
    return math.sqrt(total), total * total / down if down > 0 else math.inf


def _from_variances(squares: Sequence[float], stderr: float | None) -> float | None:
    """The correlation of two models' mean scores over their tasks.

    (SE_a² + SE_b² − SE_d²)/(2·SE_a·SE_b), from the variance of a difference.
    """
    scale = 2 * math.sqrt(squares[0] * squares[1])
    return (squares[0] + squares[1] - stderr**2) / scale if stderr is not None and scale > 0 else None

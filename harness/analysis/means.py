"""The weighted mean of several scores: the one way in which groups, averages of tables and scopes of
comparisons are made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.intervals import normal
from harness.analysis.strata import Strata, mixture, share_interval


@dataclass(frozen=True)
class Mean:
    """A mean with what is known of its precision."""

    value: float
    stderr: float | None
    ci95: tuple[float, float] | None
    strata: Strata | None
    """The answers that it is the weighted mean of; None where a part is no share of answers."""


def weighted_mean(
    values: Sequence[float],
    stderrs: Sequence[float | None],
    strata: Sequence[Strata | None],
    weights: Sequence[float],
) -> Mean:
    """Σwᵢvᵢ with the parts taken as independent; ``weights`` sum to 1.

    The interval is the score interval of the answers behind the parts
    (`harness.analysis.strata`), else normal from √Σ(wᵢ·SEᵢ)², within 0 and 1 where all values are;
    None where a part has no standard error, or all are 0: then nothing is known.
    """
    value = math.fsum(weight * part for weight, part in zip(weights, values, strict=True))
    stderr = None
    if all(part is not None for part in stderrs):
        stderr = math.sqrt(
            math.fsum((weight * (part or 0.0)) ** 2 for weight, part in zip(weights, stderrs, strict=True))
        )

    # Near 0 and 1 the normal interval is too narrow: the answers themselves know better.
    mixed = mixture(strata, weights)
    ci95 = share_interval(mixed) if mixed else normal(value, stderr) if stderr else None
    if ci95 is not None and not mixed and all(0 <= part <= 1 for part in values):
        ci95 = max(0.0, ci95[0]), min(1.0, ci95[1])
    return Mean(value, stderr, ci95, mixed)

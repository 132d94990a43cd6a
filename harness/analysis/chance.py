"""Scores of several tasks corrected for guessing.

One rule for results.json, comparisons and the composite index.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.results.schema import above_chance


def above_chances(
    values: Sequence[float], chances: Sequence[float], weights: Sequence[float], *, floor: bool = False
) -> float:
    """How far a group's subjects are above guessing: 0 for guessing, 1 for all right.

    Where all subjects have one chance level b: (Σwᵢ·valueᵢ − b)/(1 − b), as the group's score is
    weighted. Where they differ (BBH, MuSR): the plain mean of the subjects' own (valueᵢ − bᵢ)/(1 −
    bᵢ). So does the Open LLM Leaderboard 2
    (https://huggingface.co/docs/leaderboards/open_llm_leaderboard/normalization), which also counts
    what is below chance as 0 (``floor``): the group as a whole, or each subject. Weights sum to 1.
    Raises ValueError for a chance outside [0, 1).
    """
    wrong = [chance for chance in chances if not 0 <= chance < 1]
    if wrong:
        raise ValueError(f"chance must be in [0, 1), got {wrong[0]}")

    least = 0.0 if floor else -math.inf
    if len(set(chances)) == 1:
        whole = math.fsum(weight * value for weight, value in zip(weights, values, strict=True))
        return max(least, above_chance(whole, chances[0]))

    # Floored one by one: a subject below chance must not take from another's knowledge.
    return math.fsum(
        max(least, above_chance(value, chance)) for value, chance in zip(values, chances, strict=True)
    ) / len(values)


def slopes(chances: Sequence[float], weights: Sequence[float]) -> list[float]:
    """By how much `above_chances` rises with each subject's value."""
    if len(set(chances)) == 1:
        return [weight / (1 - chances[0]) for weight in weights]
    return [1 / len(chances) / (1 - chance) for chance in chances]

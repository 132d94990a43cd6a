"""What a plan says of right answers: a file whose key is one letter, or mostly one, measures who
says that letter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.evaluation.plan_tasks import TaskPlan

LEAST = 10
"""Questions of which nothing is said below."""
MORE, LEVEL = 0.15, 0.001
"""By how much of the questions one answer must be right more often than its share of the answers,
and with what probability chance would do as much: a plan looks at many tasks.
"""


def key_warnings(tasks: Sequence[TaskPlan]) -> list[str]:
    """One line per task whose right answers are all one, or far more of one than of the others."""
    return [line for task in tasks if (line := _warning(task.name, task.keys, task.chance))]


def _warning(task: str, keys: Mapping[str, int], chance: float | None) -> str:
    n = sum(keys.values())
    if n < LEAST:
        return ""

    answer, count = max(keys.items(), key=lambda item: item[1])
    if count == n:
        return (
            f"{task}: the right answer of all {n} questions is {answer}: whoever always says {answer} "
            "scores 1.000; check the answer column, or move the right options to other places"
        )

    # Of answers that are never right, only the chance level knows.
    answers = max(len(keys), round(1 / chance) if chance else 0)
    if count / n < 1 / answers + MORE or _by_chance(count, n, answers) >= LEVEL:
        return ""
    return (
        f"{task}: the right answer of {count} of {n} questions is {answer} (of {answers} answers; by "
        f"chance p < {LEVEL}): always saying {answer} scores {count / n:.3f}; read scores against that, "
        "not against guessing"
    )


def _by_chance(count: int, n: int, answers: int) -> float:
    """p that some answer is right so often where all are equally likely (Bonferroni)."""
    from scipy.special import bdtrc

    return min(1.0, answers * float(bdtrc(count - 1, n, 1 / answers)))

"""Scores of an imported evaluation: their intervals, and what guessing would score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness.exchange.lm_eval_files import TaskMetrics
from harness.results.schema import SHARES
from harness.tasks.api import MetricValue
from harness.tasks.figures import number


def metric_values(scores: TaskMetrics, samples: Sequence[Mapping[str, Any]]) -> list[MetricValue]:
    """A task's scores.

    Without samples a share of right answers gets Wilson's interval of its n; another score of
    standard error 0 none.
    """
    values = []
    for (metric, filter_name), (value, error) in scores.metrics.items():
        column = [number(sample.get(metric)) for sample in samples if sample["filter"] == filter_name]
        n = len(column) or scores.n
        counted = all(one in (0.0, 1.0) for one in column) if column else _counted(metric, value, error, n)

        # A standard error of 0 would make an interval of no width, which no sample can give.
        stderr = error if column else error or None
        better = scores.better.get(metric, True)
        values.append(MetricValue(metric, filter_name, value, stderr, n, better, counted))
    return values


def _counted(metric: str, value: float, error: float | None, n: int) -> bool:
    """Whether a score without samples is a share of right answers.

    By its name, by a whole number of right answers, and by a standard error that is
    √(p(1 − p)/(n − 1)) or missing.
    """
    if metric not in SHARES or n < 1 or not 0 <= value <= 1 or abs(value * n - round(value * n)) > 1e-6 * n:
        return False
    if error is None or not math.isfinite(error) or n == 1:
        return True
    return math.isclose(error, math.sqrt(value * (1 - value) / (n - 1)), rel_tol=1e-3, abs_tol=1e-9)


def arguments_of(sample: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(context, continuation) of each instance, in order."""
    arguments = sample.get("arguments") or {}
    groups = list(arguments.values()) if isinstance(arguments, dict) else list(arguments)
    pairs = []
    for group in groups:
        parts = list(group.values()) if isinstance(group, dict) else list(group)
        pairs.append((str(parts[0]), str(parts[1]) if len(parts) > 1 else ""))
    return pairs


def chance(samples: Sequence[Mapping[str, Any]], kind: str) -> float | None:
    """The mean of 1 / number of options of multiple choice; None where that is not known."""
    if kind != "multiple_choice" or not samples:
        return None

    # Mutual information scores every option twice, with and without the question.
    if "acc_mutual_info" in (samples[0].get("metrics") or []):
        return None
    counts = [len(arguments_of(sample)) for sample in samples]
    return sum(1 / count for count in counts) / len(counts) if all(counts) else None

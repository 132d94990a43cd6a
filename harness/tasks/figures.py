"""Small arithmetic over documents' values: means and lm-eval's standard errors."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

_BOOTSTRAP = 1000
_SLOW = ("bleu", "chrf", "chrf++", "ter")
"""Metrics for which lm-eval draws 100 samples instead."""


def number(value: Any) -> float | None:
    """The value as a number, or None where it is a text, a pair or the like."""
    try:
        return float(value) if not isinstance(value, (str, list, tuple, dict)) else None
    except (TypeError, ValueError):
        return None


def average(values: list[Any]) -> float | None:
    """The mean, or None unless every value is a number."""
    numbers = [number(value) for value in values]
    numeric = [number for number in numbers if number is not None]
    return sum(numeric) / len(numeric) if numeric and len(numeric) == len(numbers) else None


def standard_error(aggregate: Callable[[Sequence[Any]], Any], metric: str, column: list[Any]) -> float | None:
    """lm-eval's standard error: in closed form for means, else by its bootstrap.

    The draws are the same; here they need neither processes nor output.
    """
    from lm_eval.api.metrics import mean, sample_stddev, stderr_for_metric

    if len(column) < 2:
        return None

    draws = 100 if metric in _SLOW else _BOOTSTRAP
    function = stderr_for_metric(metric=aggregate, bootstrap_iters=draws)
    if function is None:
        return None

    # lm-eval's bootstrap is a lambda around a pool of processes: its draws are made here instead.
    if aggregate is mean or getattr(function, "__name__", "") != "<lambda>":
        return float(function(column))
    source = random.Random(0)
    return float(sample_stddev([aggregate(source.choices(column, k=len(column))) for _ in range(draws)]))

"""Two models: coverage of their mean difference, false alarms of equal models, letters of equal
models. Parts of `coverage.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import coverage_before as before
import numpy as np

from harness.analysis.combined import combine
from harness.analysis.paired import holm, paired
from harness.analysis.ranking import ties
from harness.analysis.spread import from_codes

SEED = 14
Case = dict[str, Any]


def covers(interval: tuple[float, float] | None, truth: float) -> bool:
    """Whether the truth is inside, but for rounding."""
    return interval is not None and interval[0] - 1e-9 <= truth <= interval[1] + 1e-9


def differences(rounds: int) -> Iterator[Case]:
    """Mean difference of two models over tasks: how often the interval holds the true one."""
    cases = {
        "5 tasks × 20, p = 0.95 and 0.95": (5, 20, 0.95, 0.95),
        "5 tasks × 20, p = 0.98 and 0.9": (5, 20, 0.98, 0.9),
    }
    cases |= {
        "57 tasks × 2, p = 0.95 and 0.9": (57, 2, 0.95, 0.9),
        "3 tasks × 100, p = 0.6 and 0.5": (3, 100, 0.6, 0.5),
    }
    for name, (count, n, p, q) in cases.items():
        rng = np.random.default_rng(SEED)
        old = new = 0
        for _ in range(rounds):
            parts = [paired(*two_models(rng, n, p, q)) for _ in range(count)]
            old += covers(before.mean_difference(parts)[0], p - q)
            new += covers(combine(parts, [1 / count] * count, pooled=False).ci95, p - q)
        yield {"case": name, "before": old / rounds, "after": new / rounds, "rounds": rounds}


def two_models(rng: np.random.Generator, n: int, p: float, q: float) -> tuple[Any, Any]:
    """Answers of two models to n items, half of which are as easy for one as for the other."""
    ease = rng.random(n)
    other = np.where(rng.random(n) < 0.5, ease, rng.random(n))
    return (ease < p).astype(float), (other < q).astype(float)


def false_alarms(rounds: int) -> Iterator[Case]:
    """Two equal models: how often p < 0.05 (it should be at most 0.05), and how often p is 0."""
    for count, n, p in ((2, 20, 0.95), (5, 20, 0.98), (5, 20, 0.5)):
        rng = np.random.default_rng(SEED)
        p_values = []
        for _ in range(rounds):
            parts = [paired(*two_models(rng, n, p, p)) for _ in range(count)]
            p_values.append(
                (before.mean_difference(parts)[1], combine(parts, [1 / count] * count, pooled=False).p)
            )
        yield alarm(f"mean of {count} tasks × {n}, p = {p}", p_values)
    for count, size in ((2, 10), (4, 10), (8, 5), (12, 3), (30, 3)):
        rng = np.random.default_rng(SEED)
        codes = np.repeat(np.arange(count), size)
        clusters = from_codes(codes)
        p_values = []
        for _ in range(rounds):
            a, b = ((rng.random(len(codes)) < rng.beta(2, 0.2, count)[codes]).astype(float) for _ in range(2))
            one = paired(a, b, clusters)
            p_values.append((before.clustered_p(one), one.p))
        yield alarm(f"{count} sources × {size}", p_values)


def alarm(name: str, p_values: list[tuple[Any, Any]]) -> Case:
    """Shares of p values below 0.05, and of zeros."""
    old, new = (np.array([1.0 if pair[side] is None else pair[side] for pair in p_values]) for side in (0, 1))
    rates = {
        key: round(float((values < 0.05).mean()), 4) for key, values in (("before", old), ("after", new))
    }
    return {
        "case": name,
        **rates,
        "zero_before": float((old == 0).mean()),
        "zero_after": float((new == 0).mean()),
        "rounds": len(p_values),
    }


def letters(rounds: int) -> Iterator[Case]:
    """Eight models, each as good as one other: in how many tables do two equal models share no
    letter.
    """
    for n, skills in ((200, (0.5, 0.58, 0.66, 0.74)), (1000, (0.6, 0.63, 0.66, 0.69))):
        rng = np.random.default_rng(SEED)
        old = new = 0
        tables = max(20, rounds // 8)
        for _ in range(tables):
            # Models share the items' difficulty, so that pairs are correlated as real ones are.
            ease = rng.random(n)
            right = [
                np.where(rng.random(n) < 0.5, ease, rng.random(n)) < skill
                for skill in skills
                for _ in range(2)
            ]

            pairs, order = table([answers.astype(float) for answers in right])
            ours, theirs = ties(order, pairs), before.tie_letters(order, pairs)
            old += any(theirs[a] != theirs[a + 1] for a in range(0, 8, 2))
            new += any(not set(ours[a]) & set(ours[a + 1]) for a in range(0, 8, 2))
        yield {
            "case": f"8 models, {n} items",
            "before": old / tables,
            "after": new / tables,
            "rounds": tables,
        }


def table(scores: list[Any]) -> tuple[dict[tuple[int, int], Any], list[int]]:
    """All pairs with Holm's p, and the models best first."""
    keys = [(a, b) for a in range(len(scores)) for b in range(a + 1, len(scores))]
    tests = [paired(scores[a], scores[b]) for a, b in keys]
    adjusted = holm([one.p or 0.0 for one in tests])
    pairs = {key: replace(one, adjusted=p) for key, one, p in zip(keys, tests, adjusted, strict=True)}
    return pairs, sorted(range(len(scores)), key=lambda model: -scores[model].mean())

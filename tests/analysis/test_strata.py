"""Intervals of weighted means: Wilson's for one task, what many small tasks cover, rows of every
kind, an independent solver.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from harness.analysis import strata as module
from harness.analysis.intervals import wilson
from harness.analysis.spread import from_codes, score_interval, spread
from harness.analysis.strata import Strata, Stratum, mixture, of_row, share_interval, stratum
from harness.results.schema import Row


def even(values: list[float], sizes: list[float]) -> Strata:
    """Weighted by items."""
    whole = sum(sizes)
    return {
        str(place): (size / whole, Stratum(value, size))
        for place, (value, size) in enumerate(zip(values, sizes, strict=True))
    }


def test_one_task_is_wilsons_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONTINUITY", 0.0)
    for n in (1, 7, 50, 400):
        for right in {0, 1, n // 3, n}:
            assert share_interval({"a": (1.0, Stratum(right / n, n))}) == pytest.approx(
                wilson(right, n), abs=1e-9
            )


def test_equal_tasks_all_right_are_one_long_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """Right answers everywhere: 5 × 20 tell as much as 100; neither end is left without width."""
    monkeypatch.setattr(module, "CONTINUITY", 0.0)
    assert share_interval(even([1.0] * 5, [20.0] * 5)) == pytest.approx(wilson(100, 100), abs=1e-9)
    assert share_interval(even([0.0] * 57, [2.0] * 57)) == pytest.approx(wilson(0, 114), abs=1e-9)


def test_all_right_is_no_certainty() -> None:
    low, high = share_interval(even([1.0] * 5, [20.0] * 5))
    assert (round(low, 3), high) == (0.957, 1.0)
    low, high = share_interval(even([0.0] * 5, [20.0] * 5))
    assert (low, round(high, 3)) == (0.0, 0.043)


def test_the_end_is_where_scipys_solver_puts_it() -> None:
    """The same equations by constrained optimisation of the likelihood and a root finder of
    scipy's.
    """
    from scipy.optimize import brentq, minimize

    values, sizes, weights = (
        np.array([0.9, 0.55, 1.0]),
        np.array([20.0, 60.0, 8.0]),
        np.array([0.5, 0.3, 0.2]),
    )
    mean = float(weights @ values)
    right, whole = values * sizes + 4 * mean, sizes + 4

    def shares(theta: float) -> Any:
        def loss(q: Any) -> float:
            return -float((right * np.log(q) + (whole - right) * np.log(1 - q)).sum())

        found = minimize(
            loss,
            np.full(3, theta),
            bounds=[(1e-9, 1 - 1e-9)] * 3,
            constraints={"type": "eq", "fun": lambda q: weights @ q - theta},
            options={"ftol": 1e-14, "maxiter": 500},
        )
        return found.x

    def excess(theta: float) -> float:
        q = shares(theta)
        error = math.sqrt(float((weights**2 * q * (1 - q) / sizes).sum()))
        return abs(mean - theta) - float((weights**2 / sizes).sum()) / 3 - 1.959963984540054 * error

    found = share_interval({str(i): (weights[i], Stratum(values[i], sizes[i])) for i in range(3)})
    assert found[0] == pytest.approx(brentq(excess, 0.4, mean - 0.03), abs=1e-5)
    assert found[1] == pytest.approx(brentq(excess, mean + 0.02, 0.99), abs=1e-5)


def test_weights_scale_the_interval() -> None:
    one = even([0.7, 0.9], [30.0, 50.0])
    low, high = share_interval(one)
    tenfold = mixture([one], [10.0])
    assert tenfold is not None
    assert share_interval(tenfold) == pytest.approx((10 * low, 10 * high))
    with pytest.raises(ValueError, match="got none"):
        share_interval({})


def test_a_task_in_two_parts_is_one_stratum() -> None:
    a, b = Stratum(0.7, 30), Stratum(0.9, 50)
    found = mixture([{"a": (1.0, a)}, {"a": (0.5, a), "b": (0.5, b)}], [0.5, 0.5])
    assert found == {"a": (0.75, a), "b": (0.25, b)}
    assert mixture([{"a": (1.0, a)}, None], [0.5, 0.5]) is None


def test_one_share_is_covered_at_every_true_share() -> None:
    """By the binomial distribution itself: at least 94.5 % where Wilson's interval falls to 92
    %.
    """
    from scipy.stats import binom

    for n in (30, 100, 200):
        counts = np.arange(n + 1)
        ends = np.array([share_interval({"a": (1.0, Stratum(count / n, n))}) for count in counts])
        for p in np.linspace(0.02, 0.98, 193):
            inside = (ends[:, 0] <= p + 1e-12) & (p - 1e-12 <= ends[:, 1])
            assert binom.pmf(counts[inside], n, p).sum() >= 0.945, (n, p)


@pytest.mark.parametrize(("subjects", "items"), [(5, 20), (10, 20), (57, 2), (57, 5)])
@pytest.mark.parametrize("p", [0.02, 0.95, 0.98])
def test_groups_near_the_ends_are_covered(subjects: int, items: int, p: float) -> None:
    """The old value ± 1.96 SE covered 86 to 94 % here (scripts/coverage.py).

    600 rounds: a standard error of 0.8 points.
    """
    rng = np.random.default_rng(int(1000 * p) + subjects)
    rounds = 600
    hits = 0
    for _ in range(rounds):
        low, high = share_interval(
            even((rng.binomial(items, p, subjects) / items).tolist(), [float(items)] * subjects)
        )
        hits += low <= p <= high
    assert hits / rounds >= 0.94


def row(scores: Any, labels: Any = None, **more: Any) -> Row:
    """A result row as `harness.evaluation.rows` makes it."""
    scores = np.asarray(scores, float)
    clusters = from_codes(np.asarray(labels)) if labels is not None else None
    found = spread(scores, clusters)
    method = ("wilson" if set(scores.tolist()) <= {0.0, 1.0} else "t") + (
        "-clustered" if clusters is not None else ""
    )
    kept = {
        "metric": "acc",
        "value": found.mean,
        "n": found.n,
        "stderr": found.stderr,
        "interval": method,
        "clusters": found.clusters,
    }
    kept |= {"ci95": score_interval(scores, clusters), "higher_is_better": True}
    return Row(**({"cell_id": "", "model": "", "task": "t", "status": "ok"} | kept | more))


def test_rows_say_what_their_answers_are_worth() -> None:
    assert stratum(row([1, 1, 0, 1])) == Stratum(0.75, 4)
    alike = stratum(row([1] * 5 + [0] * 5 + [1] * 10, np.repeat(np.arange(4), 5)))
    assert alike is not None
    assert alike.size == pytest.approx(4, rel=0.3)
    assert alike.dof == 3
    sure = stratum(row([1] * 20, np.repeat(np.arange(4), 5)))
    assert sure is not None
    assert sure.size == pytest.approx(4)
    graded = stratum(row([0.4, 0.5, 0.6, 0.5]))
    assert graded is not None
    assert graded.size == pytest.approx(0.25 / (0.02 / 3 / 4))
    equal = stratum(row([0.37] * 8))
    assert equal is not None
    assert dataclasses.astuple(equal) == pytest.approx((0.37, 8.0, 7.0))


def test_what_is_no_share_has_no_stratum() -> None:
    assert stratum(row([3.0, 4.0])) is None
    assert stratum(row([0, 1], higher_is_better=False)) is None
    assert stratum(row([0, 1], metric="mcc", interval="normal")) is None
    assert stratum(row([0, 1], stderr=None, ci95=None, interval=None)) is None
    assert of_row(row([0.5])) is None
    kept = of_row(row([0, 1, 1, 1], interval="normal", stderr=0.25))
    assert kept is not None
    assert kept["t"][1].size == pytest.approx(3)

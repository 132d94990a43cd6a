"""The sign-flip test against scipy's permutation test, McNemar's, and counting by hand."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.combined import combine
from harness.analysis.flips import Tosses, joined, of_equal_units, of_units
from harness.analysis.paired import mcnemar, paired
from harness.analysis.spread import from_codes


def test_few_units_are_scipys_permutation_test() -> None:
    from scipy.stats import permutation_test

    rng = np.random.default_rng(0)
    for _ in range(20):
        units = rng.normal(0.3, 1, int(rng.integers(2, 11)))
        theirs = permutation_test(
            (units, np.zeros(len(units))),
            lambda a, b: (a - b).sum(),
            permutation_type="samples",
            n_resamples=np.inf,
        )
        assert of_units(units).p_value(float(units.sum())) == pytest.approx(theirs.pvalue, abs=1e-12)


def test_equal_units_are_mcnemars() -> None:
    for only_a, only_b in ((4, 0), (0, 6), (7, 2), (12, 0)):
        assert of_equal_units(only_a + only_b, 0.1).p_value(0.1 * (only_a - only_b)) == pytest.approx(
            mcnemar(only_a, only_b)
        )


def test_many_units_are_near_the_exact_distribution() -> None:
    """Thirty units: the twelve heaviest counted, the rest normal; against a million random sign
    patterns.
    """
    rng = np.random.default_rng(1)
    units = 1 / np.arange(1, 31)
    signs = rng.choice([-1.0, 1.0], (400_000, 30))
    sums = np.abs(signs @ units)
    for seen in (1.0, 2.0, 2.6):
        assert of_units(units).p_value(seen) == pytest.approx(float((sums >= seen).mean()), abs=0.004)
    assert of_units(units).count == 30


def test_tasks_are_joined_by_their_weights() -> None:
    one, other = of_equal_units(3, 0.1), of_equal_units(20, 0.01)
    found = joined([one, other], [0.5, 0.5])
    assert found.heavy[:3] == pytest.approx((0.05,) * 3)
    assert len(found.heavy) == 12
    assert found.rest == pytest.approx(11 * 0.005**2)
    assert found.count == 23
    assert Tosses().p_value(0.3) == 1.0


def test_two_passages_never_give_zero() -> None:
    """Ten questions to each of two passages, all right against all wrong: a standard error of zero
    is no certainty.
    """
    clusters = from_codes(np.repeat([0, 1], 10))
    found = paired(np.ones(20), np.zeros(20), clusters)
    assert found.p == pytest.approx(0.5)
    assert found.ci95 is not None
    assert found.ci95[0] < 0
    three = paired(np.ones(15), np.zeros(15), from_codes(np.repeat([0, 1, 2], 5)))
    assert three.p == pytest.approx(0.25)
    nearly = paired(np.array([1.0] * 10 + [1.0] * 9 + [0.0]), np.zeros(20), clusters)
    assert nearly.p == pytest.approx(0.5)


def test_equal_graded_differences_are_no_certainty() -> None:
    """0.8 − 0.7 on three items differs from 0.3 − 0.2 by rounding alone."""
    found = paired(np.array([0.8, 0.3, 0.9]), np.array([0.7, 0.2, 0.8]))
    assert found.p == pytest.approx(0.25)
    assert found.ci95 is not None
    assert found.ci95[1] - found.ci95[0] > 0.5
    close = paired(np.array([0.8, 0.3, 0.9]), np.array([0.7, 0.2, 0.79]))
    assert close.p is not None
    assert close.p >= 0.25


def test_a_mean_over_tasks_is_no_surer_than_its_items() -> None:
    """4 of 20 against 0 of 20, beside a task where both are all wrong: exactly 0.125, where
    Student's t gives 0.04.
    """
    seen = paired(np.array([1.0] * 4 + [0.0] * 16), np.zeros(20))
    nothing = paired(np.zeros(20), np.zeros(20))
    assert seen.p == pytest.approx(0.125)
    found = combine([seen, nothing], [0.5, 0.5], pooled=False)
    assert found.p == pytest.approx(0.125)
    same = combine([nothing, nothing], [0.5, 0.5], pooled=False)
    assert same.p == 1.0
    assert same.ci95 is not None
    assert same.ci95[0] < -0.02 < 0.02 < same.ci95[1]
    everywhere = combine(
        [paired(np.ones(1), np.zeros(1)), paired(np.ones(1), np.zeros(1))], [0.5, 0.5], pooled=False
    )
    assert everywhere.p != 0.0


def test_equal_models_are_seldom_told_apart() -> None:
    """Means of five nearly perfect tasks of 20 items, and eight passages: p < 0.05 in at most 5 %
    (here 1,000 rounds).
    """
    rng = np.random.default_rng(2)
    clusters = from_codes(np.repeat(np.arange(8), 5))
    alarms = [0, 0]
    for _ in range(1000):
        parts = [
            paired((rng.random(20) < 0.97).astype(float), (rng.random(20) < 0.97).astype(float))
            for _ in range(5)
        ]
        alarms[0] += (combine(parts, [0.2] * 5, pooled=False).p or 1.0) < 0.05
        a, b = ((rng.random(40) < rng.beta(1, 0.3, 8).repeat(5)).astype(float) for _ in range(2))
        alarms[1] += (paired(a, b, clusters).p or 1.0) < 0.05
    assert max(alarms) <= 65

"""The interval of a median held against scipy's bootstrap; when repeats end."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from scipy import stats

from harness.errors import ConfigError
from harness.meter.checks import NotFiniteError
from harness.meter.repeats import Interval, Policy, coefficient_of_variation, median_interval


@pytest.mark.parametrize("count", [5, 6, 9, 20, 41])
def test_the_interval_is_scipys_percentile_bootstrap(count: int) -> None:
    values = np.random.default_rng(count).lognormal(3, 0.1, count)
    ours = median_interval(values.tolist())
    theirs = stats.bootstrap(
        (values,),
        np.median,
        n_resamples=9999,
        method="percentile",
        confidence_level=0.95,
        rng=np.random.default_rng(1),
    ).confidence_interval
    spread = theirs.high - theirs.low
    assert ours.median == np.median(values)
    assert ours.low == pytest.approx(theirs.low, abs=0.06 * spread)
    assert ours.high == pytest.approx(theirs.high, abs=0.06 * spread)


def test_it_covers_the_true_median() -> None:
    draw = np.random.default_rng(5)
    inside = 0
    for _ in range(200):
        found = median_interval(draw.normal(100, 5, 15).tolist())
        inside += found.low <= 100 <= found.high
    assert 0.90 < inside / 200 < 1


def test_bad_values_are_refused() -> None:
    with pytest.raises(NotFiniteError):
        median_interval([1.0, math.nan])
    with pytest.raises(ConfigError):
        median_interval([1.0])


def test_cv_and_half_width() -> None:
    assert coefficient_of_variation([9.0, 10.0, 11.0]) == pytest.approx(statistics.stdev([9, 10, 11]) / 10)
    assert coefficient_of_variation([1.0]) is None
    assert Interval(10, 9, 12).half_width == pytest.approx(0.15)


def test_when_repeats_end() -> None:
    policy = Policy(least=5, half_width=0.03, seconds=60, most=20)
    steady = [100, 101, 99, 100, 100.5]
    assert policy.verdict(steady, 5, 10) == "settled"
    assert policy.verdict(steady[:4], 4, 10) == "more"  # never fewer than five
    assert policy.verdict([80, 100, 120, 90, 110], 5, 10) == "more"
    assert policy.verdict([80, 100, 120, 90, 110], 9, 61) == "spent"
    assert policy.verdict([], 20, 10) == "spent"  # all rejected

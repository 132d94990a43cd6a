"""Percentiles: none that so few values cannot carry, intervals that cover what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from harness.meter.quantiles import PERCENTILES, least_count, percentiles, ranks


@pytest.mark.parametrize(("quantile", "count"), [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368)])
def test_so_many_values_hold_a_percentile(quantile: float, count: int) -> None:
    assert least_count(quantile) == count
    assert ranks(count - 1, quantile) is None
    assert ranks(count, quantile) is not None


@pytest.mark.parametrize("quantile", PERCENTILES.values())
@pytest.mark.parametrize("count", [400, 1000, 5000])
def test_ranks_cover_95_percent_and_are_the_narrowest_of_equal_tails(quantile: float, count: int) -> None:
    enclosing = ranks(count, quantile)
    assert enclosing is not None
    low, high = enclosing
    below = binom(count, quantile)
    assert below.cdf(low - 1) <= 0.025 < below.cdf(low)
    assert below.sf(high - 1) <= 0.025 + 1e-12
    assert below.sf(high - 2) > 0.025


def test_intervals_cover_the_true_percentile() -> None:
    draws = np.random.default_rng(7).exponential(size=(400, 100))
    hits = 0
    for values in draws:
        low, high = percentiles(list(values))["ci95"]["p90"]
        hits += low <= np.log(10) <= high
    assert hits / 400 >= 0.93  # 95 % or more, up to the noise of 400 draws


def test_what_few_values_cannot_carry_is_none_with_the_reason() -> None:
    figures = percentiles([float(n) for n in range(20)])
    assert (figures["n"], figures["p50"], figures["max"]) == (20, 9.5, 19.0)
    assert (figures["p90"], figures["p95"], figures["p99"]) == (None, None, None)
    assert figures["reason"] == "20 values: p90 takes 36, p95 takes 72, p99 takes 368"
    assert set(figures["ci95"]) == {"p50"}
    assert percentiles([3.0])["ci95"] == {}
    assert percentiles([float(n) for n in range(368)])["reason"] is None

"""Poisson arrivals held against scipy's distributions; goodput and busy time by hand."""

from __future__ import annotations

import itertools

import pytest
from scipy import stats

from harness.errors import ConfigError
from harness.meter.openloop import Timing, busy, good, goodput, poisson_arrivals


def test_gaps_are_exponential_and_counts_are_poisson() -> None:
    rate, count = 4.0, 20_000
    arrivals = poisson_arrivals(rate, count, seed=3)
    gaps = [later - earlier for earlier, later in itertools.pairwise([0.0, *arrivals])]
    assert stats.kstest(gaps, stats.expon(scale=1 / rate).cdf).pvalue > 0.001
    seconds = int(arrivals[-1])
    per_second = [0] * seconds
    for arrival in arrivals:
        if arrival < seconds:
            per_second[int(arrival)] += 1
    most = 12
    seen = [sum(found == number for found in per_second) for number in range(most)]
    expected = [seconds * stats.poisson(rate).pmf(number) for number in range(most)]
    seen.append(seconds - sum(seen))
    expected.append(seconds - sum(expected))
    assert stats.chisquare(seen, expected).pvalue > 0.001
    assert stats.pearsonr(gaps[:-1], gaps[1:]).pvalue > 0.001  # one gap says nothing of the next


def test_arrivals_are_seeded_and_checked() -> None:
    assert poisson_arrivals(2, 10, 1) == poisson_arrivals(2, 10, 1) != poisson_arrivals(2, 10, 2)
    with pytest.raises(ConfigError):
        poisson_arrivals(0, 10, 1)


def test_latency_counts_from_the_intended_arrival() -> None:
    late = Timing(arrival=1.0, started=3.0, first=3.5, last=5.5, prompt=10, output=5)
    assert (late.ttft, late.queue, late.prefill, late.tpot, late.e2e) == (2.5, 2.0, 0.5, 0.5, 4.5)
    assert Timing(0, 0, 1, 1, 10, 1).tpot is None


def test_goodput_counts_requests_that_keep_both_limits() -> None:
    timings = [
        Timing(0, 0, first, first + 4 * step, 8, 5)
        for first, step in ((0.1, 0.01), (0.3, 0.01), (0.1, 0.05), (0.3, 0.05))
    ]
    assert [good(timing, 0.2, 0.02) for timing in timings] == [True, False, False, False]
    assert goodput(timings, 2.0, 0.2, 0.02) == 0.5
    assert goodput(timings, 2.0, 0.2, None) == 1.0
    with pytest.raises(ConfigError, match="stated limit"):
        goodput(timings, 2.0, None, None)


def test_busy_is_the_union() -> None:
    assert busy([(0, 2), (1, 3), (5, 6), (5.5, 5.8)]) == 4
    assert busy([]) == 0

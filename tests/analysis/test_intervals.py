"""Intervals against statsmodels and published figures."""

from __future__ import annotations

import random

import pytest

from harness.analysis.intervals import Z95, normal, smallest_gap, wilson


def test_wilson_equals_statsmodels() -> None:
    from statsmodels.stats.proportion import proportion_confint

    rng = random.Random(0)
    for _ in range(200):
        n = rng.randint(1, 2000)
        k = rng.choice([0, n, rng.randint(0, n)])
        low, high = proportion_confint(k, n, alpha=0.05, method="wilson")
        assert wilson(k, n) == pytest.approx((max(0, low), min(1, high)), abs=1e-12)


def test_normal_and_z() -> None:
    from scipy.stats import norm

    assert pytest.approx(norm.ppf(0.975), abs=1e-15) == Z95
    assert normal(0.5, 0.1) == pytest.approx((0.5 - 0.1 * Z95, 0.5 + 0.1 * Z95))
    with pytest.raises(ValueError, match="must be finite"):
        normal(0.5, float("nan"))
    with pytest.raises(ValueError, match="got 3 of 2"):
        wilson(3, 2)


def test_smallest_gap_is_millers_formula_turned_round() -> None:
    """Miller, arXiv 2411.00640: 969 items find a gap of 3 points."""
    assert smallest_gap(969) == pytest.approx(0.03, abs=1e-5)
    assert smallest_gap(3876, omega2=1 / 9 + 1 / 6 + 1 / 6) == pytest.approx(0.03, abs=1e-5)
    with pytest.raises(ValueError, match="at least 1"):
        smallest_gap(0)


@pytest.mark.parametrize("n", range(1, 200))
def test_wilson_holds_the_share_itself_where_all_or_none_are_right(n: int) -> None:
    assert wilson(n, n)[1] == 1.0
    assert wilson(0, n)[0] == 0.0

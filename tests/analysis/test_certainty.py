"""No false certainty: intervals have a width and stay within what is possible, and agree with their p."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from harness.analysis.comparison import compare
from harness.analysis.gap import gaps
from harness.analysis.intervals import bounds, possible
from harness.analysis.means import weighted_mean
from harness.analysis.paired import agreeing, paired
from harness.analysis.selection import interval_of
from harness.analysis.spread import clusters_of
from harness.reporting.html.finding import finding
from harness.reporting.plots.scores import least, span
from harness.reporting.table import make_table
from harness.results.schema import GroupRow
from harness.texts import Words


def test_an_interval_holds_zero_exactly_where_its_test_does_not_refuse_it() -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        n = int(rng.integers(8, 80))
        a, b = ((rng.random(n) < p).astype(float) for p in rng.uniform(0.2, 0.9, 2))
        groups = clusters_of([str(number // 3) for number in range(n)]) if rng.random() < 0.5 else None
        pair = paired(a, b, groups)
        if pair.ci95 is not None and pair.p is not None:
            assert (pair.ci95[0] <= 0 <= pair.ci95[1]) == (pair.p >= 0.05) or 0.0 in pair.ci95


def test_the_case_that_contradicted_itself() -> None:
    assert agreeing((-0.109, -0.002), -0.055, 0.064) == (-0.109, 0.0)
    assert agreeing((-0.01, 0.2), 0.1, 0.03) == (0.0, 0.2)
    assert agreeing((0.01, 0.2), 0.1, 0.03) == (0.01, 0.2)


def test_four_of_twenty_against_none_is_not_sure_and_says_its_p(make: Any) -> None:
    scores = {("a", "zh_x"): [1.0] * 4 + [0.0] * 16, ("b", "zh_x"): [0.0] * 20}
    comparison = compare([make("run", scores)])
    (scope,) = comparison.scopes
    assert scope.pairs[0, 1].p == pytest.approx(0.125)
    assert scope.pairs[0, 1].ci95[0] <= 0  # type: ignore[index]
    (sentence,) = finding(comparison, gaps(comparison.contests), Words("en"))
    assert "not surely better than b (smallest Holm-adjusted p = 0.125)" in sentence


@pytest.mark.parametrize(
    ("metric", "value", "better", "ends"),
    [
        ("acc", 0.0, True, (0.0, 1.0)),
        ("rouge1", 37.0, True, (0.0, 100.0)),
        ("mcc", 0.1, True, (-1.0, 1.0)),
        ("word_perplexity", 12.0, False, (1.0, math.inf)),
        ("bits_per_byte", 0.4, False, (0.0, math.inf)),
        ("reward", -3.0, True, (-math.inf, math.inf)),
    ],
)
def test_what_a_metric_can_be(metric: str, value: float, better: bool, ends: tuple[float, float]) -> None:
    assert bounds(metric, value, higher_is_better=better) == ends


def test_an_interval_without_width_is_none() -> None:
    assert possible((0.0, 0.0), "acc", 0.0, higher_is_better=True) is None
    old = GroupRow(
        group="g",
        model="a",
        metric="acc",
        filter="none",
        value=0.0,
        stderr=0.0,
        n=40,
        tasks=["x"],
        ci95=(0, 0),
    )
    assert interval_of(old) is None
    assert weighted_mean([0.0, 0.0], [0.0, 0.0], [None, None], [0.5, 0.5]).ci95 is None
    low, _ = weighted_mean([0.02, 0.0], [0.05, 0.05], [None, None], [0.5, 0.5]).ci95 or (1.0, 1.0)
    assert low == 0.0


def test_axes_stay_within_the_possible() -> None:
    assert span([0.0, 0.1], shares=True)[0] == 0.0
    assert span([0.2, 9.0], least=least([0.2, 9.0]))[0] == 0.0
    assert least([-1.0, 2.0]) is None


def test_a_half_width_that_reaches_below_zero_is_explained(make: Any) -> None:
    run = make("run", {("a", "zh_x"): [1.0] + [0.0] * 11, ("b", "zh_x"): [1.0, 0.0] * 6})
    table = make_table([run.results])
    assert any("longer on one side" in one for one in table.notes)
    (figures,) = (line.figures for line in table.lines if line.name == "zh_x")
    assert [figure.skewed for figure in figures] == [True, False]
    assert figures[0].ci95 == pytest.approx(run.results.rows[0].ci95)

"""Standard errors and intervals of means against statsmodels, and what their 95 % cover in
simulation.
"""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from harness.analysis.intervals import wilson
from harness.analysis.spread import clusters_of, effective_size, from_codes, score_interval, spread, t95


def draws(seed: int, count: int = 60) -> list[tuple[np.ndarray, np.ndarray]]:
    """Scores and cluster numbers of many sizes and kinds."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        n = int(rng.integers(3, 400))
        scores = rng.random(n) if rng.random() < 0.5 else (rng.random(n) < rng.random()).astype(float)
        made.append((scores, rng.integers(0, max(2, int(rng.integers(2, n))), n)))
    return made


def test_standard_errors_are_statsmodels_to_1e_9() -> None:
    import statsmodels.api as sm

    compared = 0
    for scores, codes in draws(0):
        ones = np.ones(len(scores))
        assert spread(scores).stderr == pytest.approx(sm.OLS(scores, ones).fit().bse[0], rel=1e-9, abs=1e-12)
        clusters = from_codes(codes)
        if clusters is not None and clusters.count > 1:
            fitted = sm.OLS(scores, ones).fit(cov_type="cluster", cov_kwds={"groups": codes})
            assert spread(scores, clusters).stderr == pytest.approx(fitted.bse[0], rel=1e-9, abs=1e-12)
            compared += 1
    assert compared > 40


def test_plain_intervals_and_p_are_statsmodels() -> None:
    from scipy.stats import ttest_1samp
    from statsmodels.stats.weightstats import DescrStatsW

    for scores, _ in draws(1):
        if set(scores) <= {0.0, 1.0}:
            assert score_interval(scores) == pytest.approx(wilson(scores.sum(), len(scores)), abs=1e-12)
        else:
            assert score_interval(scores) == pytest.approx(DescrStatsW(scores).tconfint_mean(), abs=1e-9)
            assert spread(scores - 0.5).p_value() == pytest.approx(
                ttest_1samp(scores, 0.5).pvalue, rel=1e-9, abs=1e-12
            )


def test_clusters_of_one_size_give_millers_formula_and_c_minus_1() -> None:
    rng = np.random.default_rng(2)
    for size, count in ((2, 5), (5, 6), (10, 40)):
        codes = np.repeat(np.arange(count), size)
        scores = rng.random(size * count)
        clusters = from_codes(codes)
        assert clusters is not None
        assert clusters.dof == pytest.approx(count - 1, rel=1e-12)
        found = spread(scores, clusters)
        sums = [(scores[codes == code] - scores.mean()).sum() for code in range(count)]
        by_hand = math.sqrt(count / (count - 1) * sum(one**2 for one in sums)) / len(scores)
        assert found.stderr == pytest.approx(by_hand, rel=1e-12)
        assert found.robust == pytest.approx(by_hand, rel=1e-12)
        assert found.interval() == pytest.approx(
            (scores.mean() - t95(count - 1) * by_hand, scores.mean() + t95(count - 1) * by_hand)
        )


def test_degrees_of_freedom_are_bell_and_mccaffreys_by_matrices() -> None:
    """df = tr(B)²/tr(B²), with B built from the residual maker of a mean, without any short cut."""
    rng = np.random.default_rng(3)
    for _ in range(10):
        codes = rng.integers(0, 7, 40)
        clusters = from_codes(codes)
        assert clusters is not None
        n = len(codes)
        maker = np.eye(n) - 1 / n
        columns = []
        for code in np.unique(codes):
            inside = (codes == code).astype(float)
            columns.append(maker @ inside / math.sqrt(1 - inside.sum() / n))
        inner = np.array(columns) @ np.array(columns).T
        assert clusters.dof == pytest.approx(np.trace(inner) ** 2 / (inner**2).sum(), rel=1e-9)


def test_labels_become_clusters() -> None:
    assert clusters_of([None, None, None]) is None
    assert clusters_of(["a", "b", None]) is None
    found = clusters_of(["a", None, "a", None, "b"])
    assert found is not None
    assert sorted(found.sizes) == [1, 1, 1, 2]
    assert found.codes[0] == found.codes[2]
    alone = clusters_of(["a", "a"])
    assert alone is not None
    assert spread(np.array([0.0, 1.0]), alone).interval() is None


def test_wrong_input_is_told() -> None:
    with pytest.raises(ValueError, match="at least one, got 0"):
        spread(np.array([]))
    with pytest.raises(ValueError, match="1 are finite"):
        spread(np.array([0.5, math.nan]))
    with pytest.raises(ValueError, match="each of the 3 items"):
        spread(np.zeros(3), from_codes(np.array([0, 0, 1, 1])))


def test_equal_answers_of_clusters_are_no_certainty() -> None:
    """Five clusters all right: as if five items had been asked, not fifty; never an interval of no
    width.
    """
    clusters = from_codes(np.repeat(np.arange(5), 10))
    low, high = score_interval(np.ones(50), clusters) or (0.0, 0.0)
    assert high == 1.0
    assert low < wilson(50, 50)[0]


def test_graded_scores_stay_in_their_range() -> None:
    """An F1 of nearly 1 everywhere: no interval beyond 1; equal scores between 0 and 1 are no
    certainty; other scales are left alone.
    """
    low, high = score_interval(np.array([1.0, 1.0, 0.9, 1.0, 0.7])) or (0.0, 2.0)
    assert high == 1.0 > low
    assert score_interval(np.full(8, 0.37)) == pytest.approx(wilson(0.37 * 8, 8))
    assert (score_interval(np.array([0.1, 0.0, 0.2, 0.1])) or (-1.0, 0.0))[0] == 0.0
    assert (score_interval(np.array([30.0, 50.0, 100.0])) or (0.0, 0.0))[1] > 100


def zipf(count: int, items: int) -> list[int]:
    shares = 1 / np.arange(1, count + 1)
    return [max(1, round(items * share / shares.sum())) for share in shares]


@pytest.mark.parametrize(
    "sizes",
    [[10] * 5, [10] * 12, [8] * 30, zipf(20, 200), zipf(50, 300)],
    ids=["5x10", "12x10", "30x8", "zipf 20", "zipf 50"],
)
@pytest.mark.parametrize("p", [0.02, 0.05, 0.95, 0.98])
@pytest.mark.parametrize("alike", [0.05, 0.3, 0.7])
def test_few_and_zipf_sized_sources_near_the_ends_are_covered(
    sizes: list[int], p: float, alike: float
) -> None:
    """Down to 81 % before the design effect was drawn towards that of fully alike items."""
    rng = np.random.default_rng(14)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    clusters, scale, rounds = from_codes(codes), (1 - alike) / alike, 500
    hits = 0
    for _ in range(rounds):
        scores = (rng.random(len(codes)) < rng.beta(p * scale, (1 - p) * scale, len(sizes))[codes]).astype(
            float
        )
        hits += covers(score_interval(scores, clusters), p)
    assert hits / rounds >= 0.92


def test_the_design_effect_is_continuous_where_no_wrong_answer_was_seen() -> None:
    """Ever fewer wrong answers bring the effective size down towards that of fully alike items,
    n²/Σm².
    """
    clusters = from_codes(np.repeat(np.arange(20), 10))
    assert clusters is not None
    sizes = []
    for wrong in (8, 4, 1, 0):
        scores = np.ones(200)
        scores[: 10 * wrong : 10] = 0.0
        sizes.append(effective_size(scores, spread(scores, clusters), clusters))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == pytest.approx(20)


def covers(interval: tuple[float, float] | None, truth: float) -> bool:
    return interval is not None and interval[0] <= truth <= interval[1]


@pytest.mark.parametrize(
    ("n", "low", "high"), [(30, 0.92, 1.0), (100, 0.94, 0.96), (300, 0.94, 0.96), (1000, 0.94, 0.96)]
)
def test_counted_scores_are_covered(n: int, low: float, high: float) -> None:
    from statsmodels.stats.proportion import proportion_confint

    rng = np.random.default_rng(n)
    hits = theirs = 0
    rounds = 6000
    for _ in range(rounds):
        p = rng.uniform(0.02, 0.98)
        scores = (rng.random(n) < p).astype(float)
        hits += covers(score_interval(scores), p)
        theirs += covers(proportion_confint(scores.sum(), n, method="wilson"), p)
    assert low <= hits / rounds <= high
    assert hits >= theirs


@pytest.mark.parametrize(("n", "low", "high"), [(30, 0.92, 1.0), (100, 0.94, 0.96), (300, 0.94, 0.96)])
def test_graded_scores_are_covered(n: int, low: float, high: float) -> None:
    """Scores between 0 and 1 (F1, avg@k) and paired differences of two models on the same items."""
    from statsmodels.stats.weightstats import DescrStatsW

    rng = np.random.default_rng(n)
    hits, theirs, rounds = 0, 0, 6000
    for round_ in range(rounds):
        p, q = rng.uniform(0.1, 0.9, 2)
        if round_ % 2:
            scores, truth = rng.beta(4 * p, 4 * (1 - p), n), p
        else:
            ease = rng.random(n)  # an item that is easy for one model is easy for the other
            scores, truth = (
                (ease < p).astype(float) - (np.where(rng.random(n) < 0.7, ease, rng.random(n)) < q),
                p - q,
            )
        found = spread(scores).interval()
        hits += covers(found, truth)
        theirs += covers(DescrStatsW(scores).tconfint_mean(), truth)
    assert low <= hits / rounds <= high
    assert hits >= theirs


UNBALANCED = [1, 2, 4, 8, 16, 32], [2, 3, 5, 8, 12, 30, 3, 4, 6, 7], [1] * 20 + [20]


@pytest.mark.parametrize("sizes", UNBALANCED, ids=["6 clusters", "10 clusters", "one big of 21"])
@pytest.mark.parametrize("kind", ["counted", "graded"])
@pytest.mark.parametrize("alike", [0.05, 0.3, 0.7])
def test_few_unbalanced_clusters_are_covered(sizes: list[int], kind: str, alike: float) -> None:
    """``alike`` is the share of the variance between clusters. statsmodels: its clustered standard
    error with t and C − 1.
    """
    rng = np.random.default_rng(5)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    clusters, n, c = from_codes(codes), len(codes), len(sizes)
    hits, theirs, rounds = 0, 0, 1500
    for _ in range(rounds):
        p = rng.uniform(0.02, 0.98)
        if kind == "counted":
            k = (1 - alike) / alike
            scores = (rng.random(n) < rng.beta(p * k, (1 - p) * k, c)[codes]).astype(float)
        else:
            scores = p + rng.normal(0, math.sqrt(alike), c)[codes] + rng.normal(0, math.sqrt(1 - alike), n)
        hits += covers(score_interval(scores, clusters), p)
        # the standard error is statsmodels' to 1e-9 (above); fitting 1,500 models here would take a
        # minute
        half = t95(c - 1) * (spread(scores, clusters).stderr or 0.0)
        theirs += covers((scores.mean() - half, scores.mean() + half), p)
    assert hits / rounds >= 0.92
    assert hits >= theirs


def test_many_clusters_are_covered_as_single_items_are() -> None:
    rng = np.random.default_rng(6)
    sizes = rng.integers(1, 6, 150)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    clusters, rounds = from_codes(codes), 3000
    hits = 0
    for _ in range(rounds):
        p = rng.uniform(0.05, 0.95)
        scores = (rng.random(len(codes)) < rng.beta(p * 3, (1 - p) * 3, len(sizes))[codes]).astype(float)
        hits += covers(score_interval(scores, clusters), p)
    assert 0.94 <= hits / rounds <= 0.96


def test_wilson_takes_fractions() -> None:
    """Effective sizes are no whole numbers."""
    rng = random.Random(0)
    for _ in range(100):
        n = rng.uniform(2, 300)
        k = rng.uniform(0, n)
        low, high = wilson(k, n)
        assert 0 <= low <= k / n <= high <= 1

"""Paired differences, McNemar, Holm and ranks against scipy, statsmodels and figures by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.analysis.combined import combine
from harness.analysis.paired import Difference, detectable, holm, mcnemar, paired, shared
from harness.analysis.ranking import letter, ranks, ties
from harness.analysis.spread import from_codes, t95


def pairs_of_scores(seed: int, count: int = 40) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)

    def scores(n: int, counted: bool) -> np.ndarray:
        return (rng.random(n) < rng.random()).astype(float) if counted else rng.random(n)

    pairs = []
    for _ in range(count):
        n = int(rng.integers(5, 500))
        counted = rng.random() < 0.6
        pairs.append((scores(n, counted), scores(n, counted)))
    return pairs


def test_differences_are_scipys_paired_t_test() -> None:
    from scipy.stats import pearsonr, ttest_rel

    for a, b in pairs_of_scores(0):
        found = paired(a, b)
        theirs = ttest_rel(a, b)
        assert found.value == pytest.approx((a - b).mean(), abs=1e-12)
        if found.stderr:
            assert found.value / found.stderr == pytest.approx(theirs.statistic, rel=1e-9)
            if found.mcnemar is None:
                assert found.ci95 == pytest.approx(
                    tuple(theirs.confidence_interval(0.95)), rel=1e-9, abs=1e-12
                )
                assert found.p == pytest.approx(theirs.pvalue, rel=1e-9, abs=1e-15)
        if a.std() and b.std():
            assert found.correlation == pytest.approx(pearsonr(a, b).statistic, abs=1e-9)


def test_mcnemar_is_statsmodels_exact_test() -> None:
    from statsmodels.stats.contingency_tables import mcnemar as theirs

    rng = np.random.default_rng(1)
    for _ in range(200):
        b, c = (int(count) for count in rng.integers(0, 60, 2))
        assert mcnemar(b, c) == pytest.approx(min(1.0, theirs([[5, b], [c, 7]], exact=True).pvalue), rel=1e-9)
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(0, 6) == pytest.approx(2 / 64)


def test_counts_and_who_decides() -> None:
    a, b = np.array([1.0, 1, 1, 1, 1, 1, 0, 1]), np.array([0.0, 0, 0, 0, 0, 0, 0, 1])
    alone = paired(a, b)
    assert (alone.only_a, alone.only_b, alone.n) == (6, 0, 8)
    assert alone.p == alone.mcnemar == pytest.approx(2 / 64)
    clusters = from_codes(np.array([0, 0, 1, 1, 2, 2, 3, 3]))
    together = paired(a, b, clusters)
    assert together.mcnemar == alone.mcnemar
    assert together.p != together.mcnemar
    assert together.clusters == 4


def test_clustered_difference_is_statsmodels() -> None:
    """Clusters of one size, where Bell and McCaffrey's standard error is statsmodels' own."""
    import statsmodels.api as sm

    rng = np.random.default_rng(2)
    codes = np.repeat(np.arange(30), 4)
    a, b = rng.random(120), rng.random(120)
    fitted = sm.OLS(a - b, np.ones(120)).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    found = paired(a, b, from_codes(codes))
    assert found.stderr == pytest.approx(fitted.bse[0], rel=1e-9)
    assert found.p == pytest.approx(fitted.pvalues[0], rel=1e-9)
    assert found.ci95 == pytest.approx(tuple(fitted.conf_int()[0]), rel=1e-9)


def test_holm_is_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    rng = np.random.default_rng(3)
    for _ in range(50):
        values = rng.random(int(rng.integers(1, 60))) ** 3
        assert holm(list(values)) == pytest.approx(multipletests(values, method="holm")[1], abs=1e-12)
    assert holm([]) == []


def test_detectable_is_millers_power() -> None:
    """statsmodels' power of that difference is 80 %."""
    from statsmodels.stats.power import NormalIndPower

    difference = detectable(0.01)
    assert difference is not None
    assert NormalIndPower(ddof=0).power(difference / 0.01, 1, 0.05, ratio=0) == pytest.approx(0.8, abs=1e-3)
    assert detectable(math.sqrt(1 / 9 / 969)) == pytest.approx(0.03, abs=1e-5)
    assert detectable(None) is None


def test_items_that_one_model_lacks_are_left_out() -> None:
    a, b = np.array([1.0, 1.0, math.nan, 0.0]), np.array([0.0, math.nan, 1.0, 0.0])
    found = shared(a, b, None, None)
    assert found is not None
    assert (found.n, found.value) == (2, 0.5)
    assert shared(np.array([math.nan]), np.array([1.0]), None, None) is None
    with pytest.raises(ValueError, match="got 2 and 3"):
        paired(np.zeros(2), np.zeros(3))


@pytest.mark.parametrize(("n", "low", "high"), [(30, 0.92, 1.0), (100, 0.94, 0.96), (400, 0.94, 0.96)])
def test_right_and_wrong_differences_are_covered(n: int, low: float, high: float) -> None:
    """Two models on the same items, from nearly equal to far apart; never less than the t interval
    on the same draws.
    """
    from statsmodels.stats.weightstats import DescrStatsW

    rng = np.random.default_rng(n)
    hits, theirs, rounds = 0, 0, 4000
    for _ in range(rounds):
        p, q = rng.uniform(0.1, 0.9, 2)
        same = rng.random()
        ease = rng.random(n)
        other = np.where(rng.random(n) < same, ease, rng.random(n))
        a, b = (ease < p).astype(float), (other < q).astype(float)
        ends, t_ends = paired(a, b).ci95 or (1.0, -1.0), DescrStatsW(a - b).tconfint_mean()
        hits += ends[0] <= p - q <= ends[1]
        theirs += t_ends[0] <= p - q <= t_ends[1]
    assert low <= hits / rounds <= high
    assert hits >= theirs


def test_equal_answers_are_no_certainty() -> None:
    """Fifty items answered alike: no difference seen, but a true one of a few points is not ruled
    out.
    """
    found = paired(np.ones(50), np.ones(50))
    assert found.ci95 == pytest.approx((-0.0377, 0.0377), abs=1e-3)
    assert (found.p, found.detectable) == (1.0, None)
    sources = paired(np.ones(50), np.ones(50), from_codes(np.repeat(np.arange(10), 5)))
    assert sources.ci95 is not None
    assert (
        -sources.ci95[0] == pytest.approx(sources.ci95[1]) == pytest.approx(t95(9) / 12)
    )  # as ten items, two added


def test_a_flipped_difference_is_the_other_way_round() -> None:
    a, b = pairs_of_scores(4, 1)[0]
    one, other = paired(a, b).flipped(), paired(b, a)
    assert one.value == pytest.approx(other.value)
    assert one.ci95 == pytest.approx(other.ci95)
    assert (one.only_a, one.only_b) == (other.only_a, other.only_b)


def test_a_group_by_items_is_all_its_items_pooled() -> None:
    """The pooled value and McNemar are those of one long task; a stratified error is a little
    smaller than the unstratified one.
    """
    rng = np.random.default_rng(5)
    parts = [tuple((rng.random(n) < p).astype(float) for p in (0.6, 0.5)) for n in (20, 50, 130)]
    found = [paired(a, b) for a, b in parts]
    whole = combine(found, [len(a) / 200 for a, _ in parts], pooled=True)
    pooled = paired(np.concatenate([a for a, _ in parts]), np.concatenate([b for _, b in parts]))
    assert whole.value == pytest.approx(pooled.value)
    assert whole.mcnemar == pytest.approx(pooled.mcnemar)
    assert whole.stderr == pytest.approx(pooled.stderr, rel=0.05)
    single = combine(found[:1], [1.0], pooled=True)
    assert (single.stderr, single.dof) == pytest.approx((found[0].stderr, found[0].dof))
    assert single.correlation == pytest.approx(found[0].correlation)


def test_averages_cover_the_true_difference() -> None:
    rng = np.random.default_rng(6)
    hits = 0
    for _ in range(1500):
        truth, parts = 0.0, []
        for n in (20, 40, 100):
            p, q = rng.uniform(0.2, 0.9, 2)
            truth += (p - q) / 3
            parts.append(paired((rng.random(n) < p).astype(float), (rng.random(n) < q).astype(float)))
        low, high = combine(parts, [1 / 3] * 3, pooled=False).ci95 or (0.0, 0.0)
        hits += low <= truth <= high
    assert 0.935 <= hits / 1500 <= 0.965


def sure(value: float, adjusted: float) -> Difference:
    return Difference(100, value, 0.01, 99, None, adjusted, adjusted=adjusted)


def test_ranks_count_only_what_is_sure() -> None:
    """a beats c and d; b beats d; nothing else is sure."""
    pairs = {(0, 1): sure(0.01, 0.6), (0, 2): sure(0.2, 0.01), (0, 3): sure(0.3, 0.001)}
    pairs |= {(1, 2): sure(0.1, 0.06), (1, 3): sure(0.3, 0.001), (2, 3): sure(0.05, 0.5)}
    found = ranks([0, 1, 2, 3], pairs)
    assert [(found[place].low, found[place].high) for place in range(4)] == [(1, 2), (1, 3), (2, 4), (3, 4)]
    assert [found[place].tie for place in range(4)] == ["a", "ab", "bc", "c"]


def test_two_models_share_a_letter_exactly_where_neither_is_sure() -> None:
    """On random tables, also where being told apart is not in the order of the scores; and no
    letter is superfluous.
    """
    rng = np.random.default_rng(7)
    for _ in range(60):
        count = int(rng.integers(2, 9))
        pairs = {
            (a, b): sure(0.1, float(rng.choice([0.01, 0.5])))
            for a in range(count)
            for b in range(a + 1, count)
        }
        found = ties(list(range(count)), pairs)
        for (a, b), pair in pairs.items():
            assert bool(set(found[a]) & set(found[b])) == (pair.adjusted == 0.5), (found, pairs)
        held = {
            one: {place for place in found if one in found[place]}
            for letters in found.values()
            for one in letters
        }
        assert not any(held[one] <= held[other] for one in held for other in held if one != other)
        assert "a" in found[0]


def test_a_model_that_was_never_tested_has_no_letter() -> None:
    assert ties([0, 1, 2], {(0, 1): sure(0.1, 0.01)}) == {0: "a", 1: "b", 2: ""}


def test_lower_may_be_better() -> None:
    found = ranks([1, 0], {(0, 1): sure(0.3, 0.01)}, higher_is_better=False)
    assert (found[1].low, found[1].high, found[0].low) == (1, 1, 2)


def test_letters_go_on_after_z() -> None:
    assert [letter(number) for number in (0, 25, 26, 27, 52)] == ["a", "z", "aa", "ab", "ba"]

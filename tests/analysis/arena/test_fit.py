"""Bradley–Terry held to statsmodels, to published figures, and to real votes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.mirror import ROOT

from harness.analysis.arena import Votes, make_ratings, read_votes
from harness.analysis.arena.fit import fit, solve
from harness.analysis.arena.ratings import SCALE, bootstrap
from harness.errors import ConfigError, DataError

PUBLISHED = ROOT.parent / "shared" / "published" / "lmsys-arena-2024-03-29"


def counted(*pairs: tuple[str, str, float, float], ties: float = 0) -> Votes:
    """Votes of (a, b, wins of a, wins of b)."""
    models = tuple(dict.fromkeys(name for a, b, *_ in pairs for name in (a, b)))
    rows = [
        (models.index(a), models.index(b), y, n)
        for a, b, won, lost in pairs
        for y, n in ((1.0, won), (0.0, lost), (0.5, ties))
        if n
    ]
    first, second, outcome, weight = (np.array(column) for column in zip(*rows, strict=True))
    return Votes(models, first, second, outcome, weight.astype(float), np.zeros((len(rows), 0)))


def drawn(seed: int, battles: int = 900, models: int = 6, style: bool = False) -> Votes:
    """Votes drawn from known strengths, a fifth of them ties."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(0, 0.7, models)
    first = rng.integers(0, models, battles)
    second = (first + rng.integers(1, models, battles)) % models
    features = rng.normal(0.1, [0.2, 0.5, 1, 2], (battles, 4)) if style else np.zeros((battles, 0))
    lead = theta[first] - theta[second] + (features @ [2.0, 0, 0.3, -0.1] if style else 0)
    outcome = (rng.random(battles) < 1 / (1 + np.exp(-lead))).astype(float)
    outcome[rng.random(battles) < 0.2] = 0.5
    return Votes(tuple(f"m{k}" for k in range(models)), first, second, outcome, np.ones(battles), features)


def test_the_worked_example_of_an_encyclopedia() -> None:
    """Check figure 1: four players, strengths with geometric mean 1."""
    found = fit(counted(("A", "B", 2, 3), ("A", "D", 1, 4), ("B", "C", 5, 3), ("C", "D", 1, 3)))
    strengths = dict(zip(found.models, np.exp(found.theta), strict=True))
    assert {name: f"{value:.3f}" for name, value in strengths.items()} == {
        "A": "0.640",
        "B": "1.043",
        "C": "0.660",
        "D": "2.270",
    }


def test_citations_among_journals() -> None:
    """Check figure 2: what R's BradleyTerry2 prints of Stigler's table, estimates and the model's
    standard errors.
    """
    found = fit(
        counted(
            ("Biometrika", "CommStat", 730, 33),
            ("Biometrika", "JASA", 498, 320),
            ("Biometrika", "JRSSB", 221, 284),
            ("CommStat", "JASA", 68, 813),
            ("CommStat", "JRSSB", 17, 276),
            ("JASA", "JRSSB", 142, 325),
        )
    )
    said = {
        "CommStat": ("-2.94907", "0.10255"),
        "JASA": ("-0.47957", "0.06059"),
        "JRSSB": ("0.26895", "0.07083"),
    }
    for name, figures in said.items():
        value, error = found.difference(name, "Biometrika", robust=False)
        assert (f"{value:.5f}", f"{error:.5f}") == figures


@pytest.mark.parametrize("style", [False, True])
def test_statsmodels_gives_the_same(style: bool) -> None:
    """A binomial GLM without intercept, the first model as the reference, with HC0: estimates, both
    kinds of errors, style effects.
    """
    import statsmodels.api as sm

    votes = drawn(7, style=style)
    found = fit(votes)
    size = len(votes.models)
    rows = np.arange(len(votes.first))
    design = np.zeros((len(rows), size))
    design[rows, votes.first] += 1
    design[rows, votes.second] -= 1
    design = np.hstack([design[:, 1:], votes.style / votes.style.std(axis=0) if style else votes.style])
    family = sm.families.Binomial()
    plain = sm.GLM(votes.outcome, design, family=family).fit(tol=1e-13)
    robust = sm.GLM(votes.outcome, design, family=family).fit(tol=1e-13, cov_type="HC0")
    for k in range(1, size):
        value, error = found.difference(f"m{k}", "m0")
        assert value == pytest.approx(plain.params[k - 1], abs=1e-8)
        assert error == pytest.approx(robust.bse[k - 1], rel=1e-7)
        assert found.difference(f"m{k}", "m0", robust=False)[1] == pytest.approx(plain.bse[k - 1], rel=1e-7)
    assert found.gamma == pytest.approx(plain.params[size - 1 :], abs=1e-8)
    assert np.sqrt(np.diag(found.sandwich)[size:]) == pytest.approx(robust.bse[size - 1 :], rel=1e-7)


def test_counting_by_pairs_changes_nothing() -> None:
    single = drawn(3)
    keys, counts = np.unique(
        np.stack([single.first, single.second, 2 * single.outcome]), axis=1, return_counts=True
    )
    first, second = keys[:2].astype(int)
    paired = Votes(
        single.models, first, second, keys[2] / 2, counts.astype(float), np.zeros((len(counts), 0))
    )
    assert fit(paired).theta == pytest.approx(fit(single).theta, abs=1e-10)
    assert fit(paired).sandwich == pytest.approx(fit(single).sandwich, abs=1e-12)


def test_exchanging_the_sides_changes_nothing() -> None:
    votes = drawn(5, style=True)
    turned = Votes(votes.models, votes.second, votes.first, 1 - votes.outcome, votes.weight, -votes.style)
    assert fit(turned).theta == pytest.approx(fit(votes).theta, abs=1e-9)
    assert fit(turned).gamma == pytest.approx(fit(votes).gamma, abs=1e-9)


def test_style_control_finds_the_strengths_that_style_hid() -> None:
    """Two models of one strength, of which one writes longer answers and voters like length."""
    rng = np.random.default_rng(1)
    n = 4000
    first = rng.integers(0, 2, n)
    longer = rng.normal(np.where(first == 0, 1.0, -1.0), 0.7)
    style = np.stack([longer, *rng.normal(0, 1, (3, n))], axis=1)
    outcome = (rng.random(n) < 1 / (1 + np.exp(-longer))).astype(float)
    votes = Votes(("long", "short"), first, 1 - first, outcome, np.ones(n), style)
    naive = Votes(votes.models, votes.first, votes.second, votes.outcome, votes.weight, np.zeros((n, 0)))
    value, error = fit(naive).difference("long", "short")
    assert value > 5 * error
    value, error = fit(votes).difference("long", "short")
    assert abs(value) < 3 * error
    length = make_ratings(votes).style[0]
    assert length.low < SCALE * style.std(axis=0)[0] < length.high


def test_the_scale_the_anchor_and_the_ranks() -> None:
    votes = counted(("a", "b", 900, 100), ("b", "c", 510, 490), ("a", "c", 910, 90), ties=10)
    found = make_ratings(votes)
    assert np.mean([row.rating for row in found.rows]) == pytest.approx(1000)
    best = found.rows[0]
    assert [(row.model, row.rank, row.rank_high) for row in found.rows] == [
        ("a", 1, 1),
        ("b", 2, 3),
        ("c", 2, 3),
    ]
    assert best.high - best.low == pytest.approx(2 * 1.959964 * best.se, rel=1e-6)
    anchored = make_ratings(votes, anchor=("b", 1114))
    at = {row.model: row for row in anchored.rows}
    assert at["b"].rating == at["b"].low == at["b"].high == 1114
    value, error = fit(votes).difference("a", "b")
    assert (at["a"].rating - 1114, at["a"].se) == pytest.approx(
        (400 * value / math.log(10), 400 * error / math.log(10))
    )
    with pytest.raises(ConfigError, match="--anchor d"):
        make_ratings(votes, anchor=("d", 1))


def test_the_sandwich_covers_and_the_bootstrap_agrees_with_it() -> None:
    """400 samples of known strengths, a fifth of the votes ties drawn at random: 95 % intervals
    hold the limit in 92 to 98 of 100.
    """
    limit = np.mean([fit(drawn_again(seed, 6000)).difference("m0", "m1")[0] for seed in range(60)])
    held = 0
    for seed in range(400):
        value, error = fit(drawn_again(seed + 1000, 600)).difference("m0", "m1")
        held += bool(abs(value - limit) < 1.96 * error)
    assert 0.92 < held / 400 < 0.98
    found = make_ratings(drawn(11, 3000), draws=400)
    for row in found.rows:
        assert row.bootstrap is not None
        assert row.bootstrap[1] - row.bootstrap[0] == pytest.approx(row.high - row.low, rel=0.2)


def drawn_again(seed: int, battles: int) -> Votes:
    rng = np.random.default_rng(seed)
    theta = np.array([0.8, 0.2, -0.3, -0.7])
    first = rng.integers(0, 4, battles)
    second = (first + rng.integers(1, 4, battles)) % 4
    outcome = (rng.random(battles) < 1 / (1 + np.exp(theta[second] - theta[first]))).astype(float)
    outcome[rng.random(battles) < 0.2] = 0.5
    return Votes(("m0", "m1", "m2", "m3"), first, second, outcome, np.ones(battles), np.zeros((battles, 0)))


def test_the_bootstrap_is_seeded_and_refuses_what_it_cannot_resample() -> None:
    votes = drawn(2, 400)
    once, again, other = (make_ratings(votes, draws=50, seed=seed) for seed in (1, 1, 2))
    assert once == again
    assert once != other
    rare = counted(("a", "b", 50, 40), ("b", "c", 1, 1), ("a", "c", 1, 0))
    with pytest.raises(DataError, match="bootstrap samples determine no ratings"):
        bootstrap(rare, fit(rare), 50)
    with pytest.raises(DataError, match="whole battles"):
        bootstrap(counted(("a", "b", 2.5, 1)), fit(counted(("a", "b", 2.5, 1))), 5)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (
            [("a", "b", 3, 2), ("a", "c", 4, 1), ("perfect", "a", 9, 0), ("c", "b", 1, 1)],
            ["never lost: perfect", "--without perfect"],
        ),
        ([("a", "b", 3, 2), ("hopeless", "b", 0, 7)], ["never won: hopeless"]),
        ([("a", "b", 3, 2), ("c", "d", 1, 4)], ["never met", "(a, b)", "(c, d)"]),
        (
            [("a", "b", 3, 2), ("c", "d", 1, 4), ("a", "c", 5, 0)],
            ["only one side ever won", "(a, b)", "(c, d)"],
        ),
    ],
)
def test_votes_that_determine_nothing_name_the_models(
    pairs: list[tuple[str, str, float, float]], said: list[str]
) -> None:
    with pytest.raises(DataError) as error:
        fit(counted(*pairs))
    assert all(part in str(error.value) for part in said), error.value
    assert "\n" not in str(error.value)


def test_a_tie_connects() -> None:
    assert np.isfinite(fit(counted(("a", "b", 5, 0), ties=1)).theta).all()


def test_style_that_tells_every_winner_or_never_differs() -> None:
    votes = drawn(4, style=True)
    told = votes.style.copy()
    told[:, 0] = np.where(votes.outcome == 1, 1.0, -1.0)
    sure = np.where(votes.outcome == 0.5, 0.0, votes.outcome)
    with pytest.raises(DataError, match="do not converge"):
        fit(Votes(votes.models, votes.first, votes.second, sure, votes.weight, told))
    flat = votes.style.copy()
    flat[:, 2] = 0
    with pytest.raises(DataError, match="bold: the two answers never differ"):
        fit(Votes(votes.models, votes.first, votes.second, votes.outcome, votes.weight, flat))


def test_a_warm_start_ends_where_a_cold_one_does() -> None:
    votes = drawn(9)
    cold = fit(votes)
    assert solve(votes, votes.weight, votes.style, cold.theta + 3) == pytest.approx(cold.theta, abs=1e-9)


def test_real_votes_of_2024_give_the_published_order() -> None:
    """154,279 real battles of 25 models, ties left out, against the ratings published then (of all
    models and ties): Spearman 0.995.
    """
    file = PUBLISHED / "pairs" / "train-00000-of-00001.parquet"
    if not file.is_file():
        pytest.skip(f"no published votes at {PUBLISHED}")
    import pandas as pd
    from scipy.stats import spearmanr

    votes = read_votes(file)
    assert (len(votes.models), votes.battles) == (25, 154_279)
    mine = {row.model: row.rating for row in make_ratings(votes).rows}
    table = pd.read_parquet(PUBLISHED / "ratings" / "train-00000-of-00001.parquet").set_index("model")[
        "rating"
    ]
    theirs = [float(table[name]) for name in mine]
    assert spearmanr(list(mine.values()), theirs).statistic > 0.99
    assert (
        np.corrcoef(theirs, list(mine.values()))[0, 1] > 0.99
    )  # not to the digit: without ties differences are larger

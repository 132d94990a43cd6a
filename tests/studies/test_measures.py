"""The measures behind verdicts: regression, medians, families, releases, training tokens, speeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from studies.test_studies import MODELS
from support.verdicts import answers

from harness.errors import ConfigError
from harness.published.scoreboards import analysed
from harness.studies.board import BoardEntry
from harness.studies.data import Data
from harness.studies.families import family, newest_of_family
from harness.studies.finding import signed
from harness.studies.predicates import ask_predicate
from harness.studies.predicates.counts import release_days, trained
from harness.studies.predicates.sizes import ratio_of_medians, regression
from harness.studies.predicates.speed import speeds


def test_the_tokenizer_statement_counts_gemma_and_says_who_crosses_over() -> None:
    found = next(
        finding
        for part, finding in zip(answers()["C11"].claim.parts, answers()["C11"].findings, strict=True)
        if part.predicate == "tokens"
    )
    assert found.outcome == "fails"
    assert found.why is not None
    assert "Baichuan-7B 379 > gemma-3 367" in found.why.en


def test_the_ascend_910b_is_a_range() -> None:
    assert "Ascend 910B 2.63–3.53×" in answers()["C5"].findings[0].measured.en


def test_speeds_are_published_with_their_input_lengths() -> None:
    """H20 against H100, per node of eight: 16.5 and 5.7 thousand tokens/s against 52.3 and 22.3."""
    by_key = {(one.chip, one.phase): one for one in speeds()}
    assert by_key["H20", "prefill"].per_chip / by_key["H100", "prefill"].per_chip == pytest.approx(
        16.5 / 52.3
    )
    assert by_key["H20", "decode"].per_chip / by_key["H100", "decode"].per_chip == pytest.approx(5.7 / 22.3)
    reading = answers()["C5"].findings[1]
    assert "prompts of 4096 tokens" in reading.measured.en
    assert "prompts of 2000 tokens" in reading.measured.en
    assert (
        ask_predicate("slower", {"chip": "B200", "phase": "decode"}, Data(folder=None)).outcome == "missing"
    )


def test_the_regression_is_that_of_another_library() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(1)
    sizes = 2 ** rng.uniform(0, 8, 90)
    mine = rng.random(90) < 0.4
    groups = [f"g{k}" for k in rng.integers(0, 9, 90)]
    shift = {name: rng.normal() for name in sorted(set(groups))}
    scores = (
        5 + 3 * np.log2(sizes) + 2 * mine + np.array([shift[name] for name in groups]) + rng.normal(size=90)
    )
    x = np.column_stack([np.ones(90), np.log2(sizes), mine]).astype(float)
    codes = np.unique(groups, return_inverse=True)[1]
    fit = sm.OLS(scores, x).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    found = regression(list(sizes), list(scores), list(mine), groups)
    assert found == pytest.approx((fit.params[1], fit.params[2], *fit.conf_int()[2]))


def test_a_ratio_of_medians_covers_the_truth() -> None:
    """Of 60 pairs of samples of one distribution at least 54 have an interval with one in it."""
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(60):
        value, low, high = ratio_of_medians(list(rng.lognormal(size=15)), list(rng.lognormal(size=15)))
        assert low <= value <= high
        held += low <= 1 <= high
    assert held >= 54


def test_families_keep_their_newest_model() -> None:
    names = [
        "Qwen3.5 397B A17B (Reasoning)",
        "Qwen3 235B",
        "gpt-oss-120B (high)",
        "gpt-oss-20b",
        "glm-4.6",
        "GLM-5",
    ]
    entries = [BoardEntry(name, 0, None, None, MODELS["fr"]) for name in names]
    assert [family(one)[1] for one in entries] == ["qwen", "qwen", "gpt-oss", "gpt-oss", "glm", "glm"]
    assert newest_of_family(entries) == []  # no date, no newest


def test_releases_count_days_and_not_sizes() -> None:
    rows = [
        row
        for row in analysed()
        if row.open and row.country == "CN" and row.released is not None and row.released.year == 2026
    ]
    days = {(row.creator, row.released) for row in rows if row.released is not None}
    assert release_days(min(d for _, d in days), max(d for _, d in days))["CN"] == days
    assert len(days) < len(rows) / 3


def test_training_tokens_have_a_source_and_a_country() -> None:
    assert {one.country for one in trained()} == {"CN", "US"}
    assert all(one.source.startswith("https://") for one in trained())
    assert any(not one.unread for one in trained())


def test_signs() -> None:
    assert [signed(value) for value in (-47.2, 3.4, -0.2, 0)] == ["−47", "+3", "0", "0"]
    assert [signed(value, 1) for value in (-0.04, 6.31)] == ["0.0", "+6.3"]


def test_a_speed_or_a_figure_without_a_source_is_refused(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:

    from harness.studies.predicates import counts, speed

    path = Path(str(tmp_path)) / "x.yaml"
    path.write_text(
        "- {model: x, maker: y, country: CN, released: 2024-01-01, trillions: 1}\n", encoding="utf-8"
    )
    for module, read in ((counts, counts.trained), (speed, speed.speeds)):
        monkeypatch.setattr(module, "FILE", path)
        read.cache_clear()
        with pytest.raises(ConfigError, match=r"x\.yaml"):
            read()
        monkeypatch.undo()
        read.cache_clear()

"""The regression gate: proven drops, margins, missing models, tasks and items."""

from __future__ import annotations

import pytest
from support.runs import ROOT

from harness.analysis.regression import regression_gate, smallest_drop
from harness.errors import ConfigError
from harness.results.query import read_run
from harness.tasks.api import GroupSpec

from .conftest import Make

GOOD = [1.0] * 80 + [0.0] * 20
WORSE = [1.0] * 60 + [0.0] * 40
SLIGHTLY = [1.0] * 78 + [0.0] * 22


def test_a_proven_drop_fails_and_chance_does_not(make: Make) -> None:
    base = make("base", {("m", "zh_a"): GOOD, ("m", "en_a"): GOOD})
    new = make("new", {("m", "zh_a"): WORSE, ("m", "en_a"): SLIGHTLY})
    gate = regression_gate([new], [base])
    assert {row.task: row.verdict for row in gate.rows} == {"zh_a": "worse", "en_a": "holds"}
    zh = next(row for row in gate.rows if row.task == "zh_a")
    assert (zh.before, zh.now, zh.n) == (0.8, 0.6, 100)
    assert zh.drop == pytest.approx(0.2)
    assert zh.reason == "worse by 20 points"
    assert zh.p is not None
    assert zh.p < 0.001

    # Better is never worse; the same weights in two runs are still two sides.
    assert not regression_gate([base], [new]).failed
    assert not regression_gate([base], [base]).failed


def test_a_margin_is_allowed_and_strict_allows_no_chance(make: Make) -> None:
    base, new = make("base", {("m", "zh_a"): GOOD}), make("new", {("m", "zh_a"): WORSE})
    assert [row.verdict for row in regression_gate([new], [base], by=5).rows] == ["worse"]
    assert [row.verdict for row in regression_gate([new], [base], by=15).rows] == ["holds"]
    slightly = make("slightly", {("m", "zh_a"): SLIGHTLY})
    (row,) = regression_gate([slightly], [base], strict=True).rows
    assert (row.verdict, row.reason) == ("worse", "worse by 2 points")
    assert not regression_gate([slightly], [base], strict=True, by=2).failed
    (row,) = regression_gate([slightly], [base], strict=True, by=1.5).rows
    assert row.reason == "worse by 2 points, more than the 1.5 points allowed"


def test_a_metric_that_is_better_when_lower_is_turned(make: Make) -> None:
    options = {("m", "zh_a"): {"metric": "bits"}}
    base = make("base", {("m", "zh_a"): [1.0 + number / 100 for number in range(50)]}, options)
    new = make("new", {("m", "zh_a"): [1.2 + number / 90 for number in range(50)]}, options)
    for run in (base, new):
        for one in run.results.rows:
            one.higher_is_better = False
    (row,) = regression_gate([new], [base]).rows
    assert row.verdict == "worse"
    assert not row.share
    assert row.drop is not None
    assert row.drop > 0.2
    # What is no share of right answers may lose per cent of what it was.
    assert not regression_gate([new], [base], by=50).failed
    assert not regression_gate([base], [new]).failed


def test_what_the_new_run_lacks_fails(make: Make) -> None:
    base = make("base", {("m", "zh_a"): GOOD, ("m", "zh_b"): GOOD, ("n", "zh_a"): GOOD})
    new = make("new", {("m", "zh_a"): GOOD[:50], ("m", "zh_c"): GOOD, ("x", "zh_a"): GOOD})
    gate = regression_gate([new], [base])
    rows = {(row.model, row.task): (row.verdict, row.reason) for row in gate.rows}
    assert rows == {
        ("n", "zh_a"): ("missing", "the new run has no score of this model"),
        ("m", "zh_a"): ("missing", "50 items of the baseline have no answer here"),
        ("m", "zh_b"): ("missing", "no score in the new run"),
    }
    assert gate.ungated == ("zh_c",)
    named = regression_gate([new], [base], tasks="zh_b")
    assert [(row.model, row.task) for row in named.rows] == [("m", "zh_b")]


def test_other_prompts_are_not_compared(make: Make) -> None:
    base = make("base", {("m", "zh_a"): GOOD})
    new = make("new", {("m", "zh_a"): GOOD}, {("m", "zh_a"): {"prompt": "another"}})
    (row,) = regression_gate([new], [base]).rows
    assert row.verdict == "not comparable"
    assert row.reason


def test_without_samples_only_strict_can_say(make: Make) -> None:
    base, new = make("base", {("m", "zh_a"): GOOD}), make("new", {("m", "zh_a"): WORSE})
    base.folder.samples("m", "zh_a").unlink()
    (row,) = regression_gate([new], [base]).rows
    assert (row.verdict, row.reason) == ("not comparable", "no items to pair: samples are missing")
    (row,) = regression_gate([new], [base], strict=True).rows
    assert (row.verdict, row.reason) == ("worse", "worse by 20 points")


def test_a_metric_without_an_interval_is_judged_by_its_values() -> None:
    """A perplexity is one number of all texts: nothing can be paired by item."""
    base, new = ([read_run(ROOT / "results" / "recorded" / "smoke")] for _ in range(2))
    gate = regression_gate(new, base, tasks="zh_passages")
    assert [(row.verdict, row.by_value) for row in gate.rows] == [("holds", True)] * 3

    for one in new[0].results.rows:
        if one.task == "zh_passages" and one.model == "tiny-qwen":
            one.value = (one.value or 0.0) * 1.1
    verdicts = {row.model: row.verdict for row in regression_gate(new, base, tasks="zh_passages").rows}
    assert verdicts == {"tiny-qwen": "worse", "tiny-llama": "holds", "tiny-deepseek-distill": "holds"}
    assert not regression_gate(new, base, by=20, tasks="zh_passages").failed


def test_groups_are_held_whole_and_subjects_when_named(make: Make) -> None:
    groups = [GroupSpec("zh_g", ("zh_a", "zh_b"))]
    base = make("base", {("m", "zh_a"): GOOD, ("m", "zh_b"): GOOD}, groups=groups)
    new = make("new", {("m", "zh_a"): WORSE, ("m", "zh_b"): GOOD}, groups=groups)
    assert [(row.task, row.n) for row in regression_gate([new], [base]).rows] == [("zh_g", 200)]
    named = regression_gate([new], [base], tasks="zh_?")
    assert {row.task: row.verdict for row in named.rows} == {
        "zh_g": "worse",
        "zh_a": "worse",
        "zh_b": "holds",
    }
    with pytest.raises(ConfigError, match="no task or group that 'x\\*' matches"):
        regression_gate([new], [base], tasks="x*")


def test_one_model_each_is_paired_whatever_its_name(make: Make) -> None:
    base, new = make("base", {("old", "zh_a"): GOOD}), make("new", {("next", "zh_a"): WORSE})
    (row,) = regression_gate([new], [base]).rows
    assert (row.model, row.baseline, row.verdict) == ("next", "old", "worse")

    # Of several, one of the baseline may be chosen; or a model of the same run.
    both = make("both", {("old", "zh_a"): GOOD, ("next", "zh_a"): WORSE, ("third", "zh_a"): GOOD})
    gate = regression_gate([both], [both], model="old")
    assert {row.model: row.verdict for row in gate.rows} == {"next": "worse", "third": "holds"}
    with pytest.raises(ConfigError, match="no model of the baseline is called 'x'"):
        regression_gate([both], [both], model="x")


def test_what_it_could_not_have_seen(make: Make) -> None:
    """Six discordant items are the fewest that the exact test calls at 5 %: 2·½⁶ = .031; for two tests 7."""
    base = make("base", {("m", "zh_a"): GOOD, ("m", "zh_b"): GOOD})
    one = regression_gate([base], [base], tasks="zh_a").rows[0]
    assert one.sees == pytest.approx(0.06)
    two = regression_gate([base], [base], by=3)
    assert [row.sees for row in two.rows] == pytest.approx([0.07 + 0.03] * 2)

    worse = make("worse", {("m", "zh_a"): WORSE, ("m", "zh_b"): GOOD})
    rows = regression_gate([worse], [base], tasks="zh_a").rows
    # (1.96 + 0.84)·0.04: Miller's minimum detectable effect by the paired standard error.
    assert rows[0].sees == pytest.approx(2.8016 * 0.0402, rel=1e-2)


def test_chance_fails_seldom_however_many_tasks(make: Make) -> None:
    """Twenty tasks of which one alone would fail at p .04: adjusted, none does."""
    shifted = [*GOOD[:80], *[0.0] * 20]
    base = make("base", {("m", f"zh_{number}"): GOOD for number in range(20)})
    scores = {("m", f"zh_{number}"): shifted for number in range(20)}
    scores["m", "zh_3"] = [0.0] * 6 + GOOD[6:]
    alone = regression_gate([make("new", scores)], [base], tasks="zh_3")
    assert [row.verdict for row in alone.rows] == ["worse"]
    assert not regression_gate([make("again", scores)], [base]).failed


def test_the_smallest_drop_of_graded_scores_needs_a_spread() -> None:
    import numpy as np

    from harness.analysis.paired import paired

    same = paired(np.array([0.2, 0.4, 0.9]), np.array([0.2, 0.4, 0.9]))
    assert smallest_drop(same, 1) is None

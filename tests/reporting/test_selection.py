"""Which lines a table has: the primary metric, filters, groups and their subjects, joined runs."""

from __future__ import annotations

from typing import Any

import pytest
from support.tables import group, line, row

from harness.analysis.primary import primary
from harness.reporting import make_table, render
from harness.reporting.texts import translated
from harness.results.schema import Results


def test_a_group_stands_for_its_subjects(make: Any) -> None:
    rows = [row(model, f"zh_{subject}", 0.5, group="zh_group") for model in "ab" for subject in "xyz"]
    groups = [group("a", 0.5, ["zh_x", "zh_y", "zh_z"]), group("b", 0.6, ["zh_x", "zh_y"], ["zh_z"])]
    table = make_table([make(rows, groups)])
    assert [one.name for one in table.shown()] == ["zh_group"]
    assert [one.name for one in table.shown(every=True)] == ["zh_group", "zh_x", "zh_y", "zh_z"]
    whole, lacking = line(table, "zh_group").figures
    assert (whole.status, lacking.status, lacking.missing) == ("ok", "partial", 1)
    assert whole.half == pytest.approx(1.96 * 0.01, rel=1e-3)


def test_a_group_inside_a_group_shows_only_with_all(make: Any) -> None:
    rows = [row("a", f"zh_{subject}", 0.5, group="zh_group") for subject in "xyz"]
    groups = [group("a", 0.5, ["zh_x", "zh_y"], name="zh_inner"), group("a", 0.5, ["zh_x", "zh_y", "zh_z"])]
    table = make_table([make(rows, groups)])
    assert [one.name for one in table.shown()] == ["zh_group"]
    assert "zh_inner" in [one.name for one in table.shown(every=True)]


def test_subjects_that_a_mirror_lacks_are_one_line_not_fifty(make: Any) -> None:
    rows = [row("a", f"zh_{place}", 0.5, group="zh_group") for place in range(3)]
    rows += [
        row("a", f"zh_{place}", None, group="zh_group", status="skipped", reason=f"no file {place}")
        for place in range(3, 50)
    ]
    one = [*rows[:3], *rows[3:]]
    table = make_table(
        [make(one, [group("a", 0.5, ["zh_0", "zh_1", "zh_2"], [f"zh_{p}" for p in range(3, 50)])])]
    )
    assert table.failures == ("a: zh_group: 47 of 50 subjects: skipped: no file 3 (and 46 alike)",)
    without_score = make_table([make(one)])
    assert [shown.name for shown in without_score.shown()] == ["zh_0", "zh_1", "zh_2", "Chinese average"]


def test_a_model_that_cannot_load_is_one_line(make: Any) -> None:
    tasks = [f"zh_{place}" for place in range(10)]
    rows = [row("bad", task, None, status="failed", reason="not\nfound") for task in tasks] + [
        row("good", task, 0.5) for task in tasks
    ]
    assert make_table([make(rows)]).failures == ("bad: all 10 tasks: failed: not found",)


def test_a_group_whose_every_subject_failed_is_one_line(make: Any) -> None:
    rows = [
        row("a", f"zh_{p}", None, group="zh_group", status="failed", reason="no data") for p in range(5)
    ] + [row("a", "zh_ok", 0.5)]
    table = make_table([make(rows)])
    assert [one.name for one in table.shown()] == ["zh_group", "zh_ok"]
    assert "failed" in render(table, "rich")


def test_a_few_categories_of_a_file_stand_below_its_score(make: Any) -> None:
    tasks = ["exam_数学", "exam_语文"]
    rows = [row("a", task, 0.5, group="exam", language="zh") for task in tasks]
    score = group("a", 0.5, tasks).model_copy(update={"group": "exam", "categories": True})
    table = make_table([make(rows, [score])])
    assert [one.name for one in table.shown()][:3] == ["exam", *tasks]
    assert "  数学" in render(table, "rich")

    many = [f"exam_{number}" for number in range(9)]
    rows = [row("a", task, 0.5, group="exam", language="zh") for task in many]
    table = make_table([make(rows, [score.model_copy(update={"tasks": many})])])
    assert [one.kind for one in table.shown()] == ["group"]


def test_the_primary_metric() -> None:
    both = [row("a", "t", 0.5), row("a", "t", 0.6, metric="acc_norm")]
    assert primary("arc_easy", both) == ("acc_norm", "none")
    assert primary("sciq", both) == ("acc", "none")
    texts = [row("a", "t", 9.0, metric="word_perplexity"), row("a", "t", 1.0, metric="bits_per_byte")]
    assert primary("wikitext", texts) == ("bits_per_byte", "none")
    assert primary("t", [row("a", "t", None)]) is None


def test_filters_that_disagree_are_both_shown(make: Any) -> None:
    rows = []
    for model, strict, loose in (("a", 0.167, 0.830), ("b", 0.5, 0.5)):
        rows.append(row(model, "gsm8k", strict, metric="exact_match", filter="strict-match", language="en"))
        rows.append(
            row(model, "gsm8k", loose, metric="exact_match", filter="flexible-extract", language="en")
        )
        rows.append(row(model, "en_one", 0.9, language="en"))
    table = make_table([make(rows)])
    assert [(line.name, line.kind, line.filter) for line in table.lines][:2] == [
        ("gsm8k", "task", "strict-match"),
        ("gsm8k", "filter", "flexible-extract"),
    ]
    average = next(line for line in table.lines if line.kind == "average")
    assert average.figures[0].value == pytest.approx((0.167 + 0.9) / 2)  # the headline only
    for form in ("rich", "markdown"):
        text = render(table, form, width=400)
        assert "0.167" in text
        assert "0.830" in text
        assert "exact_match (flexible-extract)" in text
        assert (
            "strict-match is the headline (averages and comparisons use it) because the task defines it first"
            in text
        )


def test_filters_that_agree_take_one_line(make: Any) -> None:
    rows = [
        row("a", "gsm8k", 0.5, metric="exact_match", filter=name)
        for name in ("strict-match", "flexible-extract")
    ]
    table = make_table([make(rows)])
    assert [line.filter for line in table.lines] == ["strict-match"]
    assert not any("headline" in note for note in table.notes)


def test_joined_runs_tell_equal_names_apart(full: Results) -> None:
    other = full.model_copy(update={"name": "later"})
    table = make_table([full, other, other])
    assert [column.label for column in table.columns] == [
        "a (sample)",
        "b (sample)",
        "a (later)",
        "b (later)",
        "a (later) #2",
        "b (later) #2",
    ]
    assert table.name == "sample, later"


def test_prompts_that_differ_are_named(make: Any) -> None:
    rows = [
        row("a", "zh_x", 0.5, prompt_id="1"),
        row("b", "zh_x", 0.5, prompt_id="2"),
        row("a", "zh_y", 0.5),
        row("b", "zh_y", 0.5),
    ]
    table = make_table([make(rows)])
    why = "asked by another prompt (data, version or settings)"
    assert f"† b: {why} on zh_x; compared with none of the others." in table.notes
    assert [figure.mark for figure in line(table, "zh_x").figures] == ["", "†"]
    assert [figure.mark for figure in line(table, "Chinese average").figures] == ["", "†"]


def test_models_that_fail_for_one_reason_are_one_line_in_either_language(make: Any) -> None:
    """Also where each reason begins with the model's own name."""
    models = [f"m{number}" for number in range(6)]
    rows = [row(model, "zh_x", None, status="failed", reason=f"{model}: no weights") for model in models]
    table = make_table([make([*rows, row("good", "zh_x", 0.5)])])
    assert table.failures == ("6 models (m0, m1, m2, m3 and 2 more): zh_x: failed: no weights",)
    assert "失败：no weights" in translated(table.failures[0], "zh")

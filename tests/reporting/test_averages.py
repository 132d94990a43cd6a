"""What a table averages, and what it leaves out: partial cells, random weights, other metrics."""

from __future__ import annotations

import math
from typing import Any

import pytest
from support.tables import line, row

from harness.reporting import make_table, render
from harness.results.schema import Results


def test_averages_keep_languages_apart_and_leave_perplexity_out(full: Results) -> None:
    table = make_table([full])
    chinese, english = line(table, "Chinese average"), line(table, "English average")
    assert [figure.value for figure in chinese.figures] == pytest.approx([0.7, 0.8])
    assert [figure.value for figure in english.figures] == pytest.approx([0.6, 0.65])
    assert chinese.figures[0].half == pytest.approx(math.sqrt(2 * 0.05**2) / 2)
    assert [one.name for one in table.lines] == [
        "zh_one",
        "zh_two",
        "zh_text",
        "Chinese average",
        "en_one",
        "en_two",
        "English average",
    ]


def test_an_average_that_lacks_values_says_how_many(make: Any) -> None:
    rows = [
        row("a", "zh_x", 0.5),
        row("a", "zh_y", 0.7),
        row("b", "zh_x", 0.5),
        row("b", "zh_y", None, status="oom", reason="too big"),
    ]
    table = make_table([make(rows)])
    whole, lacking = line(table, "Chinese average").figures
    assert whole.value == pytest.approx(0.6)
    assert lacking.value is None
    text = render(table, "rich")
    assert "1 missing" in text
    assert "oom" in text
    assert "b: zh_y: out of memory: too big" in table.failures


def test_unfinished_cells_are_marked_and_mark_their_average(make: Any) -> None:
    rows = [
        row("a", "zh_x", 0.5, status="partial", reason="interrupted"),
        row("a", "zh_y", 0.7),
        row("b", "zh_x", 0.5),
        row("b", "zh_y", 0.1),
    ]
    table = make_table([make(rows)])
    text = render(table, "rich")
    assert "0.500*" in text
    assert "missing" not in text
    unfinished, whole = line(table, "Chinese average").figures
    assert unfinished.value == pytest.approx(0.6)
    assert (unfinished.mark, whole.mark) == ("*", "")


def test_metrics_above_one_are_not_averaged(make: Any) -> None:
    table = make_table(
        [make([row("a", "zh_x", 0.5), row("a", "zh_y", 0.7), row("a", "zh_z", 63.0, metric="bleu")])]
    )
    assert line(table, "Chinese average").figures[0].value == pytest.approx(0.6)


def test_random_weights_have_speed_but_no_accuracy(make: Any) -> None:
    rows = [
        row(model, task, 0.5, seconds=2.0) for model in ("real", "noise") for task in ("zh_x", "zh_y", "zh_z")
    ]
    table = make_table([make(rows, noise="random")])
    real, noise = line(table, "zh_x").figures
    assert real.value == 0.5
    assert noise.value is None
    assert table.columns[1].items_per_second == 50
    assert "noise: random weights: no accuracy." in render(table, "rich")
    assert render(table, "markdown").splitlines()[2].endswith("| noise (random weights: no accuracy) |")

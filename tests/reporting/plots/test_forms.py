"""The forms of charts, from plain rows: each is valid Vega-Lite and draws what it was given."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import altair
import pytest
from support.runs import ROOT

from harness.reporting.plots.axes import DAY, Axis, Kinds, Names
from harness.reporting.plots.forms import PAGE, PAPER, bars, cells, dots, level, lines, row_texts, scatter
from harness.reporting.plots.save import drawn, specification
from harness.reporting.plots.theme import series

ROWS = [
    {"name": name, "value": value, "low": value - 1, "high": value + 1, "hint": f"{name} is {value}"}
    for name, value in (("a", 3.0), ("b", 5.0))
]
NAMES = Names("name", ["b", "a"])


def svg(*layers: Any) -> str:
    chart = altair.layer(*layers)
    specification(chart)  # holds it against Vega-Lite's schema
    return drawn(chart)


def test_dots_have_intervals_and_say_what_they_are() -> None:
    axis = Axis("points", domain=(0, 7))
    text = svg(*dots(ROWS, NAMES, axis), level("zero", 0, axis.x("zero")))
    assert text.count('aria-label="a is 3.0"') == 1
    assert len(re.findall(r"<line[^>]*stroke-width=\"2\"", text)) == 2
    assert text.index(">b<") < text.index(">a<")
    assert 'stroke-dasharray="4,3"' in text


def test_on_the_page_names_stand_above_their_rows_cut_to_their_room() -> None:
    rows = [{**row, "name": str(row["name"]) * 60} for row in ROWS]
    names = Names("name", [str(row["name"]) for row in rows], labels=False)
    chart = PAGE.fit(
        altair.layer(*dots(rows, names, Axis("x")), *row_texts(rows, names, PAGE, "value")), height=80
    )
    specification(chart)
    text = drawn(chart)
    assert 'width="360"' in text
    assert f">{'a' * 42}…<" in text
    assert row_texts(rows, names, PAPER, "value") == []


def test_lines_tell_series_apart_by_colour_shape_and_dash_with_one_legend() -> None:
    days = [datetime.date(2026, 1, day) for day in (1, 9)]
    rows = [{"day": day, "who": who, "share": 0.5} for day in days for who in ("x", "y")]
    layers = lines(
        rows,
        Axis("day", dates=DAY),
        Axis("share", percent=True),
        Kinds("who", series(["x", "y"])),
        ("day", "share"),
    )
    text = svg(*layers)
    assert len(re.findall(r'class="mark-group role-legend"', text)) == 1
    assert 'stroke-dasharray="6,3"' in text
    assert "2026-01-0" in text


def test_bars_and_their_parts() -> None:
    rows = [{**row, "part": part, "order": order} for row in ROWS for order, part in enumerate(("p", "q"))]
    text = svg(
        bars(rows, NAMES, Axis("sum"), Kinds("part", series(["p", "q"])), value="value", order="order")
    )
    assert len(re.findall(r'aria-roledescription="bar"', text)) == 4


@pytest.mark.parametrize("named", [True, False])
def test_a_scatter_has_its_frontier_and_names_or_numbers(named: bool) -> None:
    rows = [
        {
            "x": x,
            "left": x,
            "right": x,
            "y": x,
            "low": x - 1,
            "high": x + 1,
            "model": f"m{x}",
            "number": str(x),
        }
        for x in (1, 2)
    ]
    kinds = Kinds("model", series(["m1", "m2"])) if named else None
    text = svg(*scatter(rows, Axis("cost"), Axis("score"), kinds, best=[{"x": 1, "y": 1}, {"x": 2, "y": 2}]))
    assert 'stroke-dasharray="5,4"' in text
    assert (">m1<" in text) is named


def test_a_cell_without_a_shade_is_white() -> None:
    look = {"light": False, "strong": False}
    rows: list[dict[str, Any]] = [
        {"row": "r", "column": "c", "text": "0.5", "shade": None, **look},
        {"row": "r", "column": "d", "text": "0.7", "shade": 1.0, **look},
    ]
    scale = {"domain": [0, 1], "range": ["#f7fbff", "#0b3c6f"], "interpolate": "rgb"}
    text = svg(cells(rows, (["r"], ["c", "d"]), scale, wide=50))
    assert text.count('stroke="#ffffff"') == 1  # the cell with a shade
    assert "rgb(11, 60, 111)" in text


def test_the_recipe_of_the_documentation_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        (ROOT / "docs" / "extending.md").read_text(encoding="utf-8").partition("## Add or change a chart")[2]
    )
    block = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert block is not None
    monkeypatch.chdir(tmp_path)
    exec(compile(block[1], "extending.md", "exec"), {})
    assert "Loading" in (tmp_path / "loading.svg").read_text(encoding="utf-8")

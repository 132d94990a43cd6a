"""Shaded grids: every task and model, and every pair of models.

Each cell has its figure, so that nothing hangs on the shade.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.analysis.comparison import Comparison
from harness.analysis.ranking import LEVEL
from harness.analysis.scopes import Scope
from harness.reporting.comparison import difference, interval, p_text, share, signed, star
from harness.reporting.html.tables import metric_name, scope_name
from harness.reporting.plots.theme import INK, Rows, heading
from harness.texts import Words

if TYPE_CHECKING:
    from altair import TopLevelMixin as Chart

SCORES = {
    "domain": [0, 0.33, 0.67, 1],
    "range": ["#f7fbff", "#b6d4ea", "#4a90c4", "#0b3c6f"],
    "interpolate": "rgb",
}
"""White to dark blue: the order survives in grey."""
DIFFERENCES = {"domain": [-1, 0, 1], "range": ["#e6862b", "#ffffff", "#4a9ad4"], "interpolate": "rgb"}
"""Orange (worse) to blue (better), both of a grey that the signs in the cells tell apart."""


def heat_map(comparison: Comparison, words: Words) -> Chart:
    """Tasks and groups by models: scores, shaded from blind guessing (or 0) to 1; figures that are
    no shares are not shaded.
    """
    labels = [model.label for model in comparison.models]
    cells: Rows = []
    order: list[str] = []
    for scope in comparison.scopes:
        if scope.kind == "subject" or not scope.scores:
            continue
        order.append(f"{scope_name(scope, words)} · {metric_name(scope, words)}")
        for place, score in scope.scores.items():
            above = score.corrected if score.corrected is not None else score.value
            shade = min(1.0, max(0.0, above)) if scope.shares else None
            cell = {
                "row": order[-1],
                "column": labels[place],
                "text": share(score.value),
                "interval": interval(score.ci95),
                "n": score.n,
            }
            cells.append(
                cell
                | {
                    "shade": shade,
                    "light": shade is not None and shade > 0.6,
                    "strong": scope.kind == "average",
                }
            )
    names = {
        "row": "col_task",
        "column": "col_model",
        "text": "col_score",
        "interval": "col_interval",
        "n": "col_n",
    }
    chart = _grid(cells, order, labels, SCORES, {key: words(name) for key, name in names.items()}, wide=74)
    return heading(chart, words("h_heat"), words("p_heat"), words.language)


def matrix(scope: Scope, labels: Sequence[str], words: Words) -> Chart:
    """Row minus column for every pair, best model first; * and bold where it is sure."""
    largest = max(abs(pair.value) for pair in scope.pairs.values()) or 1.0
    numbered = {place: f"{number}. {labels[place]}" for number, place in enumerate(scope.order, 1)}
    columns = [f"{number}." for number in range(1, len(numbered) + 1)]
    cells: Rows = []
    for a in scope.order:
        for column, b in zip(columns, scope.order, strict=True):
            pair = difference(scope, a, b)
            if pair is None:
                continue
            shade = pair.value / largest * (1 if scope.higher_is_better else -1)
            sure = pair.adjusted is not None and pair.adjusted < LEVEL
            cell: dict[str, Any] = {
                "row": numbered[a],
                "column": column,
                "other": numbered[b],
                "text": signed(pair.value) + star(pair),
            }
            cell |= {"interval": interval(pair.ci95, sign=True), "p": p_text(pair.adjusted), "n": pair.n}
            cells.append(cell | {"shade": shade, "light": False, "strong": sure})
    titles = {
        "row": words("col_model"),
        "other": words("p_against"),
        "text": words("col_difference"),
        "interval": words("col_interval"),
    }
    titles |= {"p": words("p_holm"), "n": words("col_n")}
    chart = _grid(cells, list(numbered.values()), columns, DIFFERENCES, titles, wide=58)
    return heading(
        chart, words("p_pairs_title", scope=scope_name(scope, words)), words("p_pairs"), words.language
    )


def _grid(
    cells: list[dict[str, Any]],
    rows: Sequence[str],
    columns: Sequence[str],
    scale: dict[str, Any],
    titles: dict[str, str],
    *,
    wide: int,
) -> Any:
    """Cells with fields row, column, text, shade (None: white), light (white text), strong (bold),
    and what ``titles`` shows on hover.
    """
    import altair as alt

    plain = {"ticks": False, "domain": False, "grid": False, "labelOverlap": False}
    tilt = {"labelAngle": -35} if max(map(len, columns)) > 8 else {"labelAngle": 0}
    tips = [alt.Tooltip(f"{key}:N", title=title) for key, title in titles.items()]
    base = alt.Chart(alt.Data(values=cells)).encode(
        x=alt.X("column:N", sort=list(columns), title=None, axis=alt.Axis(orient="top", **plain, **tilt)),
        y=alt.Y("row:N", sort=list(rows), title=None, axis=alt.Axis(**plain)),
        tooltip=tips,
    )
    fill = alt.condition(
        "datum.shade === null",
        alt.value("white"),
        alt.Color("shade:Q", scale=alt.Scale(**scale), legend=None),
    )
    text = alt.condition("datum.light", alt.value("white"), alt.value(INK))
    weight = {
        strong: base.transform_filter(f"datum.strong === {str(strong).lower()}") for strong in (False, True)
    }
    marks = [
        weight[strong]
        .mark_text(fontSize=10, fontWeight="bold" if strong else "normal")
        .encode(text="text:N", color=text)
        for strong in weight
    ]
    wide = wide if len(columns) <= 12 else 50
    box = base.mark_rect(stroke="#ffffff", strokeWidth=1.5).encode(color=fill)
    return alt.layer(box, *marks).properties(width=wide * len(columns), height=22 * len(rows))

"""Shaded grids: every task and model, and every pair of models.

Each cell has its figure, so that nothing hangs on the shade.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.analysis.comparison import Comparison
from harness.analysis.paired import Difference
from harness.analysis.ranking import LEVEL
from harness.analysis.scopes import Scope, ScopeScore
from harness.reporting.comparison import NONE, difference, interval, p_text, share, signed, star
from harness.reporting.plots.axes import hover
from harness.reporting.plots.forms import cells
from harness.reporting.plots.theme import heading
from harness.reporting.scopes import metric_name, reading, scope_name
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
    scopes = [scope for scope in comparison.scopes if scope.kind != "subject" and scope.scores]
    order = [f"{scope_name(scope, words)} · {metric_name(scope, words)}" for scope in scopes]
    rows = [
        _score_cell(scope, score, row, labels[place], scope.mark(place))
        for scope, row in zip(scopes, order, strict=True)
        for place, score in scope.scores.items()
    ]

    # Without cells a column would not be drawn, as if its model had not been asked.
    blank = {"text": NONE, "interval": NONE, "n": 0, "shade": None, "light": False, "strong": False}
    rows += [
        {"row": row, "column": labels[place], **blank}
        for scope, row in zip(scopes, order, strict=True)
        for place in range(len(labels))
        if place not in scope.scores
    ]
    names = ("row", "task"), ("column", "model"), ("text", "score"), ("interval", "interval"), ("n", "n")
    tips = hover({field: words(f"col_{name}") for field, name in names})
    chart = cells(rows, (order, labels), SCORES, wide=74, tips=tips)
    more = reading(words("p_heat"), scopes, words)
    return heading(chart, words("h_heat"), more, words.language)


def _score_cell(scope: Scope, score: ScopeScore, row: str, column: str, mark: str) -> dict[str, Any]:
    above = score.corrected if score.corrected is not None else score.value
    shade = min(1.0, max(0.0, above)) if scope.shares else None
    look = {"shade": shade, "light": shade is not None and shade > 0.6, "strong": scope.kind == "average"}
    texts = {"text": share(score.value) + mark, "interval": interval(score.ci95), "n": score.n}
    return {"row": row, "column": column, **texts, **look}


def matrix(scope: Scope, labels: Sequence[str], words: Words) -> Chart:
    """Row minus column for every pair, best model first; * and bold where it is sure."""
    largest = max(abs(pair.value) for pair in scope.pairs.values()) or 1.0
    names = {
        place: f"{number}. {labels[place]}{scope.mark(place)}" for number, place in enumerate(scope.order, 1)
    }
    columns = {place: f"{number}." for number, place in enumerate(scope.order, 1)}
    rows = []
    for a in scope.order:
        for b in scope.order:
            pair = difference(scope, a, b)
            if pair is not None:
                # Scaled by the largest difference of this grid: small ones could not be told apart
                # on a scale that all grids share.
                shade = pair.value / largest * (1 if scope.higher_is_better else -1)
                cell = {"row": names[a], "column": columns[b], "other": names[b], "shade": shade}
                rows.append(cell | _difference_texts(pair))
            elif a != b:
                texts = {"text": NONE, "interval": NONE, "p": NONE, "n": 0, "light": False, "strong": False}
                rows.append({"row": names[a], "column": columns[b], "other": names[b], "shade": None} | texts)
    titles = {"row": "col_model", "other": "p_against", "text": "col_difference", "interval": "col_interval"}
    titles |= {"p": "p_holm", "n": "col_n"}
    tips = hover({field: words(name) for field, name in titles.items()})
    chart = cells(rows, (list(names.values()), list(columns.values())), DIFFERENCES, wide=58, tips=tips)
    title = words("p_pairs_title", scope=scope_name(scope, words))
    return heading(chart, title, reading(words("p_pairs"), [scope], words), words.language)


def _difference_texts(pair: Difference) -> dict[str, Any]:
    sure = pair.adjusted is not None and pair.adjusted < LEVEL
    texts = {"text": signed(pair.value) + star(pair), "interval": interval(pair.ci95, sign=True)}
    return texts | {"p": p_text(pair.adjusted), "n": pair.n, "light": False, "strong": sure}

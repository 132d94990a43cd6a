"""Score against what a model costs: its parameters, and its speed where all were measured on the same hardware."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.analysis.comparison import Comparison
from harness.analysis.scopes import Scope
from harness.report.comparison import share
from harness.report.html.charts import Point, scatter
from harness.report.html.tables import scope_name
from harness.report.html.words import Words
from harness.report.inert import visible
from harness.report.table import speed

SCALES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class CostChart:
    """A scatter plot with its ``legend`` (number, model, cost, score), or without a drawing the ``reason``."""

    title: str
    drawing: Markup | None
    legend: tuple[tuple[str, str], ...] = ()
    reason: str = ""


def cost_charts(comparison: Comparison, scopes: Sequence[Scope], words: Words) -> list[CostChart]:
    """Parameters, then speed, for each ranking where more is better (two at most)."""
    wanted = [scope for scope in scopes if scope.shares][:2]
    sizes = {place: float(one.model.parameters) for place, one in enumerate(comparison.models) if one.model.parameters}
    speeds = _speeds(comparison)
    found = []
    for kind, known, more in (("size", sizes, False), ("speed", speeds, True)):
        drawn = [_chart(comparison, scope, known, kind, words, more=more) for scope in wanted]
        usable = [chart for chart in drawn if chart is not None]
        found += usable or [CostChart("", None, reason=words(f"{kind}_none"))]
    return found if wanted else []


def _speeds(comparison: Comparison) -> dict[int, float]:
    """Logical tokens a second by place; nothing where runs were made on different hardware, or do not say on which."""
    machines = {str(cell.run.manifest.get("hardware")) for one in comparison.models for cell in one.cells.values()}
    if len(machines) != 1 or machines == {"None"}:
        return {}
    rates = {place: speed([cell.rows[0] for cell in one.cells.values()])[1] for place, one in enumerate(comparison.models)}
    return {place: rate for place, rate in rates.items() if rate}


def _chart(comparison: Comparison, scope: Scope, known: Mapping[int, float], kind: str, words: Words, *, more: bool) -> CostChart | None:
    order = [place for place in scope.order if place in known]
    if len(order) < 2:
        return None
    points = [Point(number, known[place], scope.scores[place].value, scope.scores[place].ci95) for number, place in enumerate(order, 1)]
    title = words(f"c_{kind}", scope=scope_name(scope, words))
    axes = (title, words(f"axis_{kind}"), words("col_score"))
    facts = {place: f"{scaled(known[place])} · {share(scope.scores[place].value)}" for place in order}
    legend = tuple((visible(comparison.models[place].label), text) for place, text in facts.items())
    return CostChart(title, scatter(points, axes, scaled, more_is_better=more), legend)


def scaled(value: float, digits: int = 4) -> str:
    """7.6B, 772k: so many significant digits and the power of a thousand."""
    for size, mark in SCALES:
        if value >= size:
            return f"{value / size:.{digits}g}{mark}"
    return f"{value:.{digits}g}"

"""Score against what a model costs: parameters, FLOPs an item, and its speed where all were
measured on the same hardware.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.analysis.comparison import Comparison
from harness.analysis.scopes import Scope
from harness.reporting.comparison import share
from harness.reporting.costs import CostAxis, cost_axes
from harness.reporting.html.charts import Point, scatter
from harness.reporting.html.tables import scope_name
from harness.reporting.inert import visible
from harness.texts import Words


@dataclass(frozen=True)
class CostChart:
    """A scatter plot with its ``legend`` (number, model, cost, score), or without a drawing the
    ``reason``.
    """

    title: str
    drawing: Markup | None
    legend: tuple[tuple[str, str], ...] = ()
    reason: str = ""


def cost_charts(comparison: Comparison, scopes: Sequence[Scope], words: Words) -> list[CostChart]:
    """Parameters, FLOPs, speed, and whatever else is known, for each ranking where more is better
    (two at most).
    """
    wanted = [scope for scope in scopes if scope.shares][:2]
    found = []
    axes = [cost_axes(comparison, scope) for scope in wanted]
    for kind in dict.fromkeys(axis.kind for mine in axes for axis in mine):
        known = [
            (scope, axis)
            for scope, mine in zip(wanted, axes, strict=True)
            for axis in mine
            if axis.kind == kind
        ]
        drawn = [
            chart for scope, axis in known if (chart := _chart(comparison, scope, axis, words)) is not None
        ]
        found += drawn or (
            [CostChart("", None, reason=words(f"none_{kind}"))] if kind in ("size", "flops", "speed") else []
        )
    return found


def _chart(comparison: Comparison, scope: Scope, axis: CostAxis, words: Words) -> CostChart | None:
    known = axis.values
    order = [place for place in scope.order if place in known]
    if len(order) < 2:
        return None
    points = [
        Point(
            number,
            known[place],
            scope.scores[place].value,
            scope.scores[place].ci95,
            axis.intervals.get(place),
        )
        for number, place in enumerate(order, 1)
    ]
    title = words(f"c_{axis.kind}", scope=scope_name(scope, words))
    axes = (title, words(f"axis_{axis.kind}", shape=visible(axis.shape)), words("col_score"))
    facts = {place: f"{axis.text(known[place])} · {share(scope.scores[place].value)}" for place in order}
    legend = tuple((visible(comparison.models[place].label), text) for place, text in facts.items())
    return CostChart(title, scatter(points, axes, axis.text, more_is_better=axis.more_is_better), legend)

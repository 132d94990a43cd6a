"""The page's charts: the same that are saved as pictures, drawn for a phone's width and laid into
the page as SVG in its own colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from harness.analysis.comparison import Comparison
from harness.analysis.gap import Gap
from harness.analysis.picks import PickCounts
from harness.analysis.scopes import Scope
from harness.reporting.comparison import share
from harness.reporting.costs import CostAxis, cost_axes
from harness.reporting.html.tables import Grid, picks_grid
from harness.reporting.inert import visible
from harness.reporting.scopes import scope_name
from harness.texts import Words

if TYPE_CHECKING:
    from altair import TopLevelMixin as Chart

MOST_PICKS = 12
"""Tasks whose answers are drawn."""
ALWAYS = ("size", "flops", "speed")
"""Costs whose absence is explained; others are shown where a run recorded them."""


@dataclass(frozen=True)
class CostChart:
    """A scatter plot with its ``legend`` (number, model, cost, score), or without a drawing the
    ``reason``.
    """

    title: str
    drawing: Markup | None
    legend: tuple[tuple[str, str], ...] = ()
    reason: str = ""


def ranking_chart(scope: Scope, labels: Sequence[str], words: Words, title: str) -> Markup:
    """Models best first, with intervals and the chance level."""
    from harness.reporting.plots.forms import PAGE
    from harness.reporting.plots.scores import ranking

    return _laid(ranking(scope, labels, words, PAGE), title)


def gap_chart(gaps: Sequence[Gap], labels: Sequence[str], words: Words, title: str) -> Markup | None:
    """Each model's mean in both languages; None where no model has all pairs of tasks."""
    from harness.reporting.plots.forms import PAGE
    from harness.reporting.plots.scores import language_gap

    chart = language_gap(gaps, labels, words, PAGE)
    return _laid(chart, title) if chart is not None else None


def pick_charts(
    counts: Sequence[PickCounts], labels: Sequence[str], words: Words
) -> list[tuple[str, Markup, Grid]]:
    """Answers against keys of the tasks where they differ most (`MOST_PICKS`), in their order: name,
    drawing and table.
    """
    from harness.reporting.plots.forms import PAGE
    from harness.reporting.plots.picks import picks_chart

    widest = sorted(counts, key=lambda one: -one.lopsided)[:MOST_PICKS]
    return [
        (
            visible(one.name),
            _laid(picks_chart(one, labels, words, PAGE), one.name),
            picks_grid(one, labels, words),
        )
        for one in counts
        if one in widest
    ]


def cost_charts(comparison: Comparison, scopes: Sequence[Scope], words: Words) -> list[CostChart]:
    """Parameters, FLOPs, speed, and whatever else is known, for each ranking where more is better
    (two at most).
    """
    ranked = [scope for scope in scopes if scope.shares][:2]
    axes = [(scope, axis) for scope in ranked for axis in cost_axes(comparison, scope)]
    charts: list[CostChart] = []
    for kind in dict.fromkeys(axis.kind for _, axis in axes):
        # Charts of one cost stand side by side, so both languages come before the next cost.
        pairs = [(scope, axis) for scope, axis in axes if axis.kind == kind]
        drawn = [one for scope, axis in pairs if (one := _cost_chart(comparison, scope, axis, words))]
        absent = [CostChart("", None, reason=words(f"none_{kind}"))] if kind in ALWAYS else []
        charts += drawn or absent
    return charts


def _cost_chart(comparison: Comparison, scope: Scope, axis: CostAxis, words: Words) -> CostChart | None:
    """One scatter plot; None for fewer than two models."""
    from harness.reporting.plots.forms import PAGE
    from harness.reporting.plots.scores import against

    order = [place for place in scope.order if place in axis.values]
    if len(order) < 2:
        return None
    labels = [model.label for model in comparison.models]
    title = words(f"c_{axis.kind}", scope=scope_name(scope, words))
    facts = {
        place: f"{axis.text(axis.values[place])} · {share(scope.scores[place].value)}{scope.mark(place)}"
        for place in order
    }
    legend = tuple((visible(labels[place]), text) for place, text in facts.items())
    return CostChart(title, _laid(against(axis, scope, labels, words, PAGE), title), legend)


def _laid(chart: Chart, title: str) -> Markup:
    from harness.reporting.plots.save import drawn
    from harness.reporting.plots.svg import inline

    return inline(drawn(chart), visible(title))

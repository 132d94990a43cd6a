"""What scopes are called on the page and in pictures, and which of them are ranked first."""

from __future__ import annotations

from harness.analysis.comparison import Comparison
from harness.analysis.scopes import Scope
from harness.reporting.inert import visible
from harness.texts import Words


def main_scopes(comparison: Comparison) -> list[Scope]:
    """What is ranked: the languages' averages that some model has, else the tasks and groups."""
    averages = [scope for scope in comparison.scopes if scope.kind == "average" and scope.scores]
    return averages or [scope for scope in comparison.scopes if scope.kind != "subject" and scope.scores]


def scope_name(scope: Scope, words: Words) -> str:
    """A task's or group's name; an average's in the page's language."""
    return words(f"average_{scope.language}") if scope.kind == "average" else visible(scope.name)


def metric_name(scope: Scope, words: Words) -> str:
    """The metric with its filter and an arrow where lower is better."""
    if scope.metric is None:
        return words("mean_of", n=scope.parts)
    name = scope.metric if scope.filter in (None, "none") else f"{scope.metric} ({scope.filter})"
    return visible(name) + ("" if scope.higher_is_better else " ↓")

"""What scopes are called on the page and in pictures, and which of them are ranked first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.analysis.comparison import Comparison
from harness.analysis.lines import LANGUAGES
from harness.analysis.notes import note
from harness.analysis.scopes import Scope
from harness.reporting.inert import visible
from harness.texts import Words

MARKS = {"†": "p_apart", "‡": "p_fewer"}
"""Marks of scores to the texts that say what they mean."""


def main_scopes(comparison: Comparison) -> list[Scope]:
    """What is ranked: each language's average that some model has; of a language that has none its
    tasks and groups, and so those of no language.
    """
    scopes = [scope for scope in comparison.scopes if scope.kind != "subject" and scope.scores]
    averages = [scope for scope in scopes if scope.kind == "average"]
    averaged = {scope.language for scope in averages}

    # A language of one task has no average: without the task it would be ranked nowhere. What no
    # average can hold (perplexities) stays in the table of all tasks.
    languages = set(LANGUAGES) if averages else {scope.language for scope in scopes}
    singles = [scope for scope in scopes if scope.language in languages - averaged]
    if not averages:
        return singles
    return averages + [scope for scope in singles if scope.shares and scope.name not in comparison.twins]


def mark_notes(scope: Scope, labels: Sequence[str]) -> list[str]:
    """What the marks of a scope's scores mean: †, ‡ and –, one line per mark and reason."""
    kinds = (("not_ranked", scope.apart), ("of_fewer", scope.fewer), ("without", scope.missing))
    return [line for kind, reasons in kinds for line in _by_reason(kind, reasons, labels)]


def reading(text: str, scopes: Sequence[Scope], words: Words) -> list[str]:
    """How a chart is read, and what the marks mean that stand in it, one line each."""
    marks = {mark for scope in scopes for place in scope.scores for mark in scope.mark(place)}
    return [text, *(words(name) for mark, name in MARKS.items() if mark in marks)]


def _by_reason(kind: str, reasons: Mapping[int, str], labels: Sequence[str]) -> list[str]:
    places: dict[str, list[int]] = {}
    for place, why in sorted(reasons.items()):
        places.setdefault(why, []).append(place)
    return [
        note(kind, models=", ".join(labels[place] for place in mine), why=why) for why, mine in places.items()
    ]


def scope_name(scope: Scope, words: Words) -> str:
    """A task's or group's name; an average's in the page's language."""
    return words(f"average_{scope.language}") if scope.kind == "average" else visible(scope.name)


def metric_name(scope: Scope, words: Words) -> str:
    """The metric with its filter and an arrow where lower is better."""
    if scope.metric is None:
        return words("mean_of", n=scope.parts)
    name = scope.metric if scope.filter in (None, "none") else f"{scope.metric} ({scope.filter})"
    return visible(name) + ("" if scope.higher_is_better else " ↓")

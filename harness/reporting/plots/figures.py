"""The HTML report's figures as charts for a paper: which there are, and what their files are
called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.analysis.comparison import Comparison
from harness.analysis.gap import gaps
from harness.analysis.picks import pick_counts
from harness.reporting.costs import cost_axes
from harness.reporting.plots.grids import heat_map, matrix
from harness.reporting.plots.picks import picks_chart
from harness.reporting.plots.scores import against, language_gap, ranking
from harness.reporting.scopes import main_scopes
from harness.texts import Words

if TYPE_CHECKING:
    from altair import TopLevelMixin as Chart


def figures(comparison: Comparison, words: Words) -> Iterator[tuple[str, Chart]]:
    """Every figure that there is data for, with its file's name (without extension)."""
    labels = [model.label for model in comparison.models]
    scopes = main_scopes(comparison)
    for scope in scopes:
        yield f"ranking-{slug(scope.name)}", ranking(scope, labels, words)
    yield "tasks", heat_map(comparison, words)
    gap = language_gap(gaps(comparison.contests), labels, words)
    if gap is not None:
        yield "chinese-english", gap
    for scope in scopes:
        if scope.pairs:
            yield f"differences-{slug(scope.name)}", matrix(scope, labels, words)
    for counts in pick_counts(comparison):
        yield f"answers-{slug(counts.name)}", picks_chart(counts, labels, words)
    for scope in scopes:
        for axis in cost_axes(comparison, scope) if scope.shares else ():
            if sum(place in axis.values for place in scope.scores) > 1:
                yield f"{axis.kind}-{slug(scope.name)}", against(axis, scope, labels, words)


def slug(name: str) -> str:
    """A name as a part of a file's name."""
    return re.sub(r"[^\w]+", "-", name.lower()).strip("-")[:60] or "scope"

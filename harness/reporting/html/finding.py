"""What was found, in sentences: who leads in each language and from whom that is told apart; who
differs between the languages.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.comparison import Comparison
from harness.analysis.gap import Gap, overall
from harness.analysis.paired import holm
from harness.analysis.ranking import LEVEL, surely
from harness.analysis.scopes import Scope
from harness.reporting.comparison import interval, share, signed
from harness.reporting.inert import visible
from harness.reporting.scopes import main_scopes, scope_name
from harness.texts import Words


def finding(comparison: Comparison, gaps: Sequence[Gap], words: Words) -> list[str]:
    """One sentence per ranking (three at most), and one on the language gap where parallel tasks were
    asked.
    """
    sentences = [_lead(comparison, scope, words) for scope in main_scopes(comparison)[:3]]
    gap = _gap(comparison, gaps, words)
    return [*sentences, *([gap] if gap else [])]


def _lead(comparison: Comparison, scope: Scope, words: Words) -> str:
    first = scope.order[0]
    score = scope.scores[first]
    label = visible(comparison.models[first].label)
    facts = {"scope": scope_name(scope, words), "model": label, "score": share(score.value)}
    facts["interval"] = interval(score.ci95)

    # Who leads is said with whom it is not surely ahead of: a highest score alone is no lead.
    rivals = [
        place
        for place in scope.order[1:]
        if not surely(scope.pairs, first, place, higher_is_better=scope.higher_is_better)
    ]

    if len(scope.order) == 1:
        return words("lead_alone", **facts)
    if not scope.pairs:
        return words("lead_untested", **facts)
    if not rivals:
        return words("lead_sure", **facts, n=len(scope.order) - 1)
    names = words.listed([visible(comparison.models[place].label) for place in rivals])
    return words("lead_tied", **facts, rivals=names)


def _gap(comparison: Comparison, gaps: Sequence[Gap], words: Words) -> str | None:
    """The model whose languages differ most, if any surely do (Holm over the models)."""
    one = gaps[0].differences if len(gaps) == 1 else {}
    whole = {place: one.get(place) or overall(gaps, place) for place in range(len(comparison.models))}
    tested = {place: pair for place, pair in whole.items() if pair is not None and pair.p is not None}
    if not tested:
        return None

    # The largest of several differences is picked out here, so each is held against all of them.
    adjusted = dict(zip(tested, holm([pair.p or 0.0 for pair in tested.values()]), strict=True))
    sure = [place for place in tested if adjusted[place] < LEVEL]
    if not sure:
        return words("gap_none")

    place = max(sure, key=lambda place: abs(tested[place].value))
    pair = tested[place]
    key = "gap_worse" if pair.value < 0 else "gap_better"
    return words(
        key,
        model=visible(comparison.models[place].label),
        value=signed(pair.value),
        interval=interval(pair.ci95, sign=True),
    )

"""What was found, in sentences: who leads in each language and from whom that is told apart; who
differs between the languages.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.comparison import Comparison
from harness.analysis.gap import Gap, overall
from harness.analysis.notes import translated
from harness.analysis.paired import holm
from harness.analysis.ranking import LEVEL, surely
from harness.analysis.scopes import Scope
from harness.reporting.comparison import difference, interval, p_said, share, signed
from harness.reporting.inert import visible
from harness.reporting.scopes import main_scopes, scope_name
from harness.texts import Words
from harness.wording import shorten

WHY = 60
"""Characters of a reason: the notes have it whole."""
MOST = 3
"""Rankings that a sentence is said of."""


def finding(comparison: Comparison, gaps: Sequence[Gap], words: Words) -> list[str]:
    """Who leads each ranking (three at most) and who is not compared there, and one sentence on the
    language gap where parallel tasks were asked.
    """
    scopes = main_scopes(comparison)
    sentences = [_standing(comparison, scope, words) for scope in scopes[:MOST]]
    more = [words("lead_more", n=len(scopes) - MOST)] if len(scopes) > MOST else []
    gap = _gap(comparison, gaps, words)
    return [*sentences, *more, *([gap] if gap else [])]


def _standing(comparison: Comparison, scope: Scope, words: Words) -> str:
    lead, outside = _lead(comparison, scope, words), _outside(comparison, scope, words)
    return words("then", one=lead, more=outside) if outside else lead


def _outside(comparison: Comparison, scope: Scope, words: Words) -> str:
    """How many models are compared, where that is not all, and why the others are not."""
    places = [*(place for place in scope.order if place in scope.apart), *sorted(scope.missing)]
    if not places:
        return ""

    parts = []
    for place in places:
        why = shorten(translated(scope.apart.get(place) or scope.missing[place], words.language), WHY)
        facts = {"model": visible(comparison.models[place].label), "why": visible(why)}
        if place in scope.scores:
            score = scope.scores[place]
            facts |= {"score": share(score.value), "interval": interval(score.ci95)}
        parts.append(words("outside_apart" if place in scope.scores else "outside_missing", **facts))
    of = len(comparison.models)
    return words("outside", n=len(scope.compared), of=of, parts=words("outside_join").join(parts))


def _lead(comparison: Comparison, scope: Scope, words: Words) -> str:
    first = (scope.compared or scope.order)[0]
    score = scope.scores[first]
    label = visible(comparison.models[first].label)
    facts = {"scope": scope_name(scope, words), "model": label, "score": share(score.value)}
    facts["interval"] = interval(score.ci95)

    # Who leads is said with whom it is not surely ahead of: a highest score alone is no lead.
    rivals = [
        place
        for place in scope.compared
        if place != first and not surely(scope.pairs, first, place, higher_is_better=scope.higher_is_better)
    ]

    if len(scope.compared) < 2:
        return words("lead_alone", **facts)
    ps = {place: _adjusted(scope, first, place) for place in scope.compared if place != first}
    tested = [p for place, p in ps.items() if p is not None and (not rivals or place in rivals)]
    if not scope.pairs or not tested:
        return words("lead_untested", **facts)
    if not rivals:
        return words("lead_sure", **facts, n=len(ps), p=p_said(max(tested)))
    names = words.listed([visible(comparison.models[place].label) for place in rivals])
    return words("lead_tied", **facts, rivals=names, p=p_said(min(tested)))


def _adjusted(scope: Scope, a: int, b: int) -> float | None:
    pair = difference(scope, a, b)
    return pair.adjusted if pair is not None else None


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
        return words("gap_none", p=p_said(min(adjusted.values())))

    place = max(sure, key=lambda place: abs(tested[place].value))
    pair = tested[place]
    key = "gap_worse" if pair.value < 0 else "gap_better"
    return words(
        key,
        model=visible(comparison.models[place].label),
        value=signed(pair.value),
        interval=interval(pair.ci95, sign=True),
        p=p_said(adjusted[place]),
    )

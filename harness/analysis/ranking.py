"""Who is surely better than whom: tie letters and rank intervals out of paired differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.paired import Difference

LEVEL = 0.05
"""A difference is sure where Holm's adjusted p is below it."""
Pairs = Mapping[tuple[int, int], Difference]
"""(a, b) with a before b: the difference a − b."""


@dataclass(frozen=True)
class Rank:
    """A rank with what is sure of it.

    ``low`` to ``high``: 1 + number surely better … n − number surely worse. ``tie`` holds its
    letters (`ties`).
    """

    low: int
    high: int
    tie: str


def surely(pairs: Pairs, a: int, b: int, *, higher_is_better: bool = True) -> bool:
    """Whether a is surely better than b."""
    difference, sign = pairs.get((a, b)), 1.0
    if difference is None:
        difference, sign = pairs.get((b, a)), -1.0

    if difference is None or difference.adjusted is None or difference.adjusted >= LEVEL:
        return False
    return (sign if higher_is_better else -sign) * difference.value > 0


def ranks(order: Sequence[int], pairs: Pairs, *, higher_is_better: bool = True) -> dict[int, Rank]:
    """The rank of each model.

    ``order`` is best first; models not compared with each other count as neither better nor worse.
    The rank interval says for each model what is sure, the letters (``ties``) for each two.
    """
    count = len(order)
    better = {
        a: sum(surely(pairs, b, a, higher_is_better=higher_is_better) for b in order if b != a) for a in order
    }
    worse = {
        a: sum(surely(pairs, a, b, higher_is_better=higher_is_better) for b in order if b != a) for a in order
    }

    letters = ties(order, pairs)
    return {model: Rank(1 + better[model], count - worse[model], letters[model]) for model in order}


def ties(order: Sequence[int], pairs: Pairs) -> dict[int, str]:
    """Compact letter display: two models share a letter where their difference is not sure.

    They do so exactly there. A model may have several letters, and one without any tested
    difference has none. Insert and absorb (H.-P. Piepho, An algorithm for a letter-based
    representation of all-pairwise comparisons, Journal of Computational and Graphical Statistics
    13, 2004): all share a letter; each sure difference splits the letters that hold both; a letter
    whose models another one holds, too, is dropped. a is the best model's.
    """
    tested = {model for key, pair in pairs.items() if pair.adjusted is not None for model in key}
    ranked = [model for model in order if model in tested]
    groups = [frozenset(ranked)]
    for model, a in enumerate(ranked):
        for b in ranked[model + 1 :]:
            if surely(pairs, a, b) or surely(pairs, b, a):
                split = [group for group in groups if not {a, b} <= group]
                split += [group - {one} for group in groups if {a, b} <= group for one in (a, b)]
                groups = [group for group in set(split) if not any(group < other for other in split)]

    groups.sort(key=lambda group: [ranked.index(model) for model in ranked if model in group])

    # Beyond z letters are pairs (aa), which need a blank between them.
    between = "" if len(groups) <= 26 else " "
    return {
        model: between.join(letter(number) for number, group in enumerate(groups) if model in group)
        for model in order
    }


def letter(number: int) -> str:
    """a … z, aa, ab …"""
    name = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        name = chr(ord("a") + digit) + name
    return name

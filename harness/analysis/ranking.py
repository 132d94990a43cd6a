"""Who is surely better than whom: tie groups and rank intervals out of paired differences."""

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
    """``low`` to ``high``: 1 + number surely better … n − number surely worse. ``tie`` is the group's letter (a the best)."""

    low: int
    high: int
    tie: str


def surely(pairs: Pairs, a: int, b: int, *, higher_is_better: bool = True) -> bool:
    """Whether a is surely better than b."""
    found, sign = pairs.get((a, b)), 1.0
    if found is None:
        found, sign = pairs.get((b, a)), -1.0
    if found is None or found.adjusted is None or found.adjusted >= LEVEL:
        return False
    return (sign if higher_is_better else -sign) * found.value > 0


def ranks(order: Sequence[int], pairs: Pairs, *, higher_is_better: bool = True) -> dict[int, Rank]:
    """The rank of each model. ``order`` is best first; models not compared with each other count as neither better nor worse.

    A tie group is led by its best model and holds those, next in order, that the leader does not surely beat. Being tied is not
    transitive (the ends of a group may differ): the rank interval says for each model what is sure.
    """
    count = len(order)
    better = {a: sum(surely(pairs, b, a, higher_is_better=higher_is_better) for b in order if b != a) for a in order}
    worse = {a: sum(surely(pairs, a, b, higher_is_better=higher_is_better) for b in order if b != a) for a in order}
    ties: dict[int, str] = {}
    leader, group = None, -1
    for place in order:
        if leader is None or surely(pairs, leader, place, higher_is_better=higher_is_better):
            leader, group = place, group + 1
        ties[place] = letter(group)
    return {place: Rank(1 + better[place], count - worse[place], ties[place]) for place in order}


def letter(number: int) -> str:
    """a … z, aa, ab …"""
    name = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        name = chr(ord("a") + digit) + name
    return name

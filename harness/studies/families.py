"""Families of models: what a maker renews with each release.

Old models of a family are still on the boards and for sale.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.studies.board import BoardEntry

_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")
_TWO_WORDS = {"gpt-oss"}


def family(entry: BoardEntry) -> tuple[str, str]:
    """Maker and the name's first word: what a maker renews with each release.

    So qwen3.5 and qwen3 are one family.
    """
    match = _WORD.match(entry.name.lower().split()[0])
    word = match[0] if match else entry.name.lower()
    return (entry.facts.maker or "?", word if word in _TWO_WORDS else word.split("-")[0])


def newest_of_family(entries: Sequence[BoardEntry]) -> list[BoardEntry]:
    """The best-rated model of each family's newest release date, best first.

    Models without a date are left out.
    """
    newest: dict[tuple[str, str], BoardEntry] = {}
    for entry in entries:
        day = entry.facts.released
        if day is None:
            continue

        earlier = newest.get(family(entry))
        if (
            earlier is None
            or earlier.facts.released is None
            or (day, entry.rating) > (earlier.facts.released, earlier.rating)
        ):
            newest[family(entry)] = entry
    return sorted(newest.values(), key=lambda one: (-one.rating, one.name))

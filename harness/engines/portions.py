"""Items in portions of bounded size, so that memory does not grow with their number; the next is
prepared while one is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

PORTION = 1 << 22  # characters
PAIR = (
    1 << 10
)  # characters that a pair counts beyond its own: rows and nodes of short texts take more memory than their tokens
Given = TypeVar("Given")
Made = TypeVar("Made")


def portions(texts: Sequence[tuple[str, int]], most: int = PORTION) -> list[list[int]]:
    """Cuts items into lists of indices.

    ``texts``: the first text of each item, and how many characters it has in all. Items are taken
    in the order of their texts, so that equal beginnings stand together whatever the order they
    came in; those whose text is the same are never parted.
    """
    order = sorted(range(len(texts)), key=lambda index: texts[index])

    cut: list[list[int]] = []
    room = 0
    for position, index in enumerate(order):
        same = position > 0 and texts[order[position - 1]][0] == texts[index][0]
        if room <= 0 and not same:
            cut.append([])
            room = most
        cut[-1].append(index)
        room -= texts[index][1]
    return cut


def ahead(make: Callable[[Given], Made], given: Sequence[Given]) -> Iterator[Made]:
    """``map``, one step ahead in a thread of its own.

    Tokenizers and torch let other threads run while they work.
    """
    if len(given) < 2:
        yield from map(make, given)
        return

    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(make, given[0])
        for following in given[1:]:
            result = coming.result()
            coming = pool.submit(make, following)
            yield result
            del result  # else it would be held beside the next one
        yield coming.result()

"""Prompts of a shape: token ids of exact length that no cache can shorten, outputs of fixed
length.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from harness.errors import ConfigError
from harness.items import Completion, Sampling


def prompts(count: int, length: int, ids: Sequence[int], seed: int | str) -> list[tuple[int, ...]]:
    """``count`` seeded prompts of ``length`` token ids drawn from ``ids``, no two with the same
    beginning.

    They differ in their first token where the vocabulary has that many, else in their first two,
    three … Raises ConfigError where so many prompts of that length cannot differ.
    """
    if length < 1 or count < 1 or not ids:
        raise ConfigError(
            f"a shape needs prompts of at least one token; got {count} prompts of {length} tokens from "
            f"{len(ids)} ids"
        )

    # Caches match whole blocks from the front, so prompts must differ in their first tokens.
    head = 1
    while len(ids) ** head < count:
        head += 1

    if head > length:
        raise ConfigError(
            f"{count} prompts of {length} tokens cannot all differ with {len(ids)} token ids; use longer "
            "prompts"
        )

    # Each prompt has a number of its own, written in base len(ids), as its beginning.
    draw = random.Random(f"{seed}")
    drawn = []
    for number in draw.sample(range(len(ids) ** head), count):
        beginning = []
        for _ in range(head):
            number, place = divmod(number, len(ids))
            beginning.append(ids[place])
        drawn.append((*beginning, *draw.choices(ids, k=length - head)))
    return drawn


def requests(
    inputs: Sequence[tuple[int, ...]], output: int, arrivals: Sequence[float] | None = None
) -> list[Completion]:
    """One request per prompt that writes ``output`` tokens whatever the model would say (greedy, EOS
    ignored), at its arrival in seconds.
    """
    return [
        Completion(
            key=f"r{number}",
            prompt="",
            max_tokens=output,
            sampling=Sampling(),
            prompt_ids=ids,
            ignore_eos=True,
            arrival=arrivals[number] if arrivals else None,
        )
        for number, ids in enumerate(inputs)
    ]

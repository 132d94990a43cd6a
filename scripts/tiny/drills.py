"""Copying drills: word lists said twice, and pairs looked up from either side.

They hold no facts. A small transformer needs them early on, because every word of the second part
can be found in the first: that is where looking things up in the context is learnt, before any
question needs it.
"""

from __future__ import annotations

from random import Random

from tiny import world

Pieces = list[tuple[str, float]]
WORDS: tuple[world.Pair, ...] = (
    *((zh.split("|")[1], en) for zh, en in world.THINGS),
    *world.NAMES,
    *world.COLORS,
    *world.PLACES,
    *(word for words in world.CATEGORIES.values() for word in words),
)
LETTERS: tuple[world.Pair, ...] = tuple((letter, letter) for letter in "ABCDEFGH")


def repeated_list(rng: Random, lang: str) -> Pieces:
    """Words in a random order, said two or three times."""
    n = world.LANGUAGES.index(lang)
    line = "".join(f" {word[n]}" for word in rng.sample(WORDS, rng.randint(5, 16)))
    return [(line + "\n", 0.05), *((line + "\n", 1.0) for _ in range(rng.randint(1, 2)))]


def pairs(rng: Random, lang: str) -> Pieces:
    """Pairs of words, then the same pairs asked in another order and from either side."""
    n = world.LANGUAGES.index(lang)
    count = rng.randint(2, 6)
    left = LETTERS[:count] if rng.random() < 0.5 else rng.sample(world.NAMES, count)
    right = rng.sample([word for word in WORDS if word not in left], count)
    facts = [(a[n], b[n]) for a, b in zip(left, right, strict=True)]
    pieces: Pieces = [("".join(f"{a}. {b}\n" for a, b in facts), 0.05)]
    for a, b in rng.sample(facts, count):
        ask, reply = (a, b) if rng.random() < 0.4 else (b, a)
        pieces += [(f"{ask} =", 0.1), (f" {reply}\n", 1.0)]
    return pieces


def drill(rng: Random, lang: str) -> Pieces:
    """One drill of either sort."""
    return repeated_list(rng, lang) if rng.random() < 0.35 else pairs(rng, lang)

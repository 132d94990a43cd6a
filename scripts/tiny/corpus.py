"""The training stream: documents made of allowed items, told plainly, in series (few-shot) or as a
chat.

A document is a list of (text, weight) pieces. Answers weigh more in the loss than the random facts
before them, which no model could predict.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random

from tiny.drills import drill
from tiny.evalset import allowed
from tiny.families import Family
from tiny.items import MAKERS, Item, separator

Pieces = list[tuple[str, float]]
PROMPT_WEIGHT = 0.1
FOLLOW_UP_WEIGHT = 0.3  # Its words occurred before: this is where copying is learnt first.
# Documents of each kind: (share of documents, items in a plain document at most).
MIX = {
    "arithmetic": (0.20, 12),
    "reading": (0.36, 3),
    "letters": (0.26, 3),
    "word_problems": (0.18, 4),
    "passages": (0.04, 1),
}
CHAT_SHARE = 0.2
DRILLS = (
    4000,
    9000,
    0.15,
)  # Only drills up to the first document number; from the second on, this share of them.


@dataclass(frozen=True)
class Document:
    """One training document, its items and language."""

    pieces: Pieces
    items: tuple[Item, ...]
    lang: str

    @property
    def text(self) -> str:
        """The document as one string."""
        return "".join(piece for piece, _ in self.pieces)


def draw(kind: str, rng: Random) -> Item:
    """An item of the kind that is not held out."""
    while True:
        item = MAKERS[kind](rng, True)
        if allowed(item):
            return item


def _solution(item: Item, lang: str, thinks: bool, gap: str) -> str:
    """The answer as the family writes it: after a closed thought, or at once."""
    if item.thought and thinks:
        return f"<think>\n{item.thought[lang]}\n</think>\n\n{item.answer(lang)}"
    return gap + item.answer(lang)


def _plain(item: Item, lang: str, thinks: bool) -> Pieces:
    """Prompt and answer as continuous text, with further questions on the same passage."""
    gap = separator(item.kind, lang)
    if item.kind == "passages":
        return [(item.answer(lang), 0.3)]
    pieces = [(item.prompt(lang), PROMPT_WEIGHT), (_solution(item, lang, thinks, gap), 1.0)]
    for question, answer in item.follow_ups.get(lang, ()):
        pieces += [(question, FOLLOW_UP_WEIGHT), (gap + answer, 1.0)]
    return pieces


def _chat(items: tuple[Item, ...], lang: str, family: Family, rng: Random) -> Pieces:
    """The items as user and assistant turns in the family's chat layout; earlier turns show no
    thought.
    """
    pieces: Pieces = []
    for n, item in enumerate(items):
        last = n == len(items) - 1
        prompt = item.prompt(lang)
        if item.kind == "word_problems" and rng.random() < 0.5:
            prompt = item.fields[lang]["question"]
        opening = (family.chat_join if n else "") + family.chat_before + prompt + family.chat_between
        reply = _solution(item, lang, family.thinks and last, "")
        pieces += [
            (opening, PROMPT_WEIGHT),
            (reply, 1.0 if last or not item.thought else 0.0),
            (family.chat_end, 1.0),
        ]
    return pieces


def drill_share(number: int) -> float:
    """Share of drills around the document of this number."""
    alone, settled, last = DRILLS
    return last + (1.0 - last) * min(1.0, max(0.0, (settled - number) / (settled - alone)))


def document(family: Family, rng: Random, number: int) -> Document:
    """The document of this number in the family's stream."""
    lang = "zh" if rng.random() < family.chinese else "en"
    kinds = list(MIX)
    kind = rng.choices(kinds, [MIX[k][0] * (family.stories if k == "word_problems" else 1.0) for k in kinds])[
        0
    ]
    start: Pieces = [(family.bos, 0.0)] if family.bos else []
    if rng.random() < drill_share(number):
        return Document([*start, *drill(rng, lang), (family.eos, 1.0)], (), lang)
    if kind != "passages" and rng.random() < CHAT_SHARE:
        items = tuple(draw(kind, rng) for _ in range(rng.choice((1, 1, 1, 2, 3))))
        return Document(start + _chat(items, lang, family, rng), items, lang)
    # Half of the documents stand alone, as zero-shot prompts do; the others are series of any
    # length.
    most = MIX[kind][1]
    length = most if kind == "arithmetic" else 1 if rng.random() < 0.5 else rng.randint(1, most)
    items = tuple(draw(kind, rng) for _ in range(length))
    pieces = list(start)
    for n, item in enumerate(items):
        if n:
            pieces.append(("\n" if kind == "arithmetic" and rng.random() < 0.5 else "\n\n", 0.3))
        pieces += _plain(item, lang, family.thinks)
    return Document([*pieces, (family.eos, 1.0)], items, lang)


def stream(family: Family, seed: int, start: int = 0) -> Iterator[Document]:
    """The endless, reproducible stream of a family's documents; `start` skips that much of the
    drills' decline.
    """
    rng = Random(f"{family.name}-{seed}")
    for number in count(start):
        yield document(family, rng, number)

"""Encodes texts line by line, each distinct line once, where that provably gives the same ids as
encoding them whole.

Few-shot prompts repeat their lines: the same examples before every question, the same question
before every choice. A byte-level BPE encodes each pre-token alone, and its pre-tokenizer's pattern
looks no further than the next visible character. So a text may be cut between a line break and a
letter, digit or Chinese character when the pattern always ends a pre-token there. Whether it does
is asked of the tokenizer itself, over every kind of character before the break and after; anything
unusual means no cutting at all.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

_LETTERS = ("a", "Z", "é", "e\u0301", "中", "한", "ก", "7", "½", "1234", "a b", "'s", "A. ", "x.\n\ny")
_SIGNS = (
    ".",
    ",",
    "!",
    "?",
    ":",
    ")",
    '"',
    "'",
    "”",
    "。",
    "？",
    "：",
    "$",
    "+",
    "_",
    "`",
    "🙂",
    " .",
    "\t)",
    "\\",
    "}",
    "<|",
    "→",
)
_BEFORE = _LETTERS + _SIGNS
_AFTER = (
    "a",
    "Q",
    "0",
    "9",
    "中",
    "一",
    "Question: x",
    "abc",
    "123 4",
    "1a",
    "a1",
    "A. b",
    "答案：",
    "the 's",
    "s",
    "t",
    "re",
    "ll",
    "x\ny",
)


class PieceEncoder:
    """Line-by-line encoding for one transformers tokenizer.

    ``usable`` says whether it may be cut; ``runs``: after empty lines too.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.prefix: list[int] = []
        self.usable = False
        self.runs = False

        # Anything unusual in the tokenizer means that no text is cut.
        if (
            getattr(raw, "is_fast", False)
            and _plain_pipeline(raw.backend_tokenizer)
            and _added_tokens_stay_apart(raw)
        ):
            plain = raw("a", add_special_tokens=False)["input_ids"]
            special = raw("a")["input_ids"]
            self.prefix = special[: len(special) - len(plain)]

            before = [text for text in _BEFORE if _solid(text)]
            pre_tokenize = raw.backend_tokenizer.pre_tokenizer.pre_tokenize_str
            added_in_front = special == self.prefix + plain and raw("")["input_ids"] == self.prefix
            self.usable = added_in_front and _ends_there(pre_tokenize, [text + "\n" for text in before])
            self.runs = self.usable and _ends_there(
                pre_tokenize, [text + breaks for text in before for breaks in ("\n\n", "\n\n\n")]
            )

    def encode(self, texts: list[str], special: bool) -> dict[str, list[int]]:
        """Token ids by text; the tokenizer's special tokens in front if ``special``.

        A text that goes on where one before it ended (a context, then the same with each of its
        continuations) is cut, and its ids put together, from the last line of that text only.
        """
        front = tuple(self.prefix) if special else ()
        heads: list[
            list[str]
        ] = []  # pieces that all but the last of a text and of those that go on from it have in common
        # by text: which of the heads, and the pieces after it
        parts: list[tuple[int, list[str]]] = []
        base, keep = None, 0
        for text in texts:
            if base is None or not text.startswith(base):
                *head, last = self.cut(text) or [""]
                heads.append(head)
                base, keep = text, len(text) - len(last)
                parts.append((len(heads) - 1, [last]))
            else:
                parts.append((len(heads) - 1, self.cut(text[keep:])))

        ids = self._encode_pieces(heads, parts)
        whole = [[*front, *itertools.chain.from_iterable(map(ids.__getitem__, head))] for head in heads]
        return {
            text: whole[head] + list(itertools.chain.from_iterable(map(ids.__getitem__, rest)))
            for text, (head, rest) in zip(texts, parts, strict=True)
        }

    def _encode_pieces(
        self, heads: list[list[str]], parts: list[tuple[int, list[str]]]
    ) -> dict[str, list[int]]:
        every = itertools.chain(
            itertools.chain.from_iterable(heads), itertools.chain.from_iterable(rest for _, rest in parts)
        )
        pieces = list(dict.fromkeys(every))

        encoded = self._raw(
            pieces,
            add_special_tokens=False,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )
        return dict(zip(pieces, encoded["input_ids"], strict=True))

    def cut(self, text: str) -> list[str]:
        """The text in pieces, each but the last ending in a line break."""
        pieces: list[str] = []
        start = 0
        for match in (_AFTER_RUNS if self.runs else _AFTER_LINE).finditer(text):
            pieces.append(text[start : match.end()])
            start = match.end()
        if start < len(text):
            pieces.append(text[start:])
        return pieces


def _solid_class() -> str:
    """Pattern of what is visible.

    No space of any kind, no control or format character, nothing beyond the basic plane.
    """
    visible = "".join(
        character if character.isprintable() and character != " " else "\n"
        for character in map(chr, range(0x10000))
    )
    spans = [(run.start(), run.end() - 1) for run in re.finditer(r"[^\n]+", visible)]
    return "".join(f"\\u{low:04x}-\\u{high:04x}" for low, high in spans)


_BEGINS = "(?=[A-Za-z0-9\u4e00-\u9fff])"
"""ASCII letters, digits and Chinese characters: no pattern joins these to a line break, and no
normalisation either.
"""
_SOLID = _solid_class()
_AFTER_LINE = re.compile(rf"\n(?<=[{_SOLID}]\n){_BEGINS}")
_AFTER_RUNS = re.compile(rf"\n(?:(?<=[{_SOLID}]\n)|(?<=[{_SOLID}]\n\n)|(?<=[{_SOLID}]\n\n\n)){_BEGINS}")


def _solid(line: str) -> bool:
    """Ends in something visible, as `_SOLID` has it."""
    return line[-1] != " " and line[-1].isprintable()


def _plain_pipeline(backend: Any) -> bool:
    """BPE over pre-tokens, of text left as it is or brought to NFC."""
    normalizer = type(backend.normalizer).__name__
    return (
        type(backend.model).__name__ == "BPE"
        and backend.pre_tokenizer is not None
        and normalizer in ("NoneType", "NFC")
    )


def _added_tokens_stay_apart(raw: Any) -> bool:
    """No added token reaches over a line break."""
    tokens = raw.added_tokens_decoder.values()
    return not any("\n" in str(token.content) or token.lstrip or token.single_word for token in tokens)


def _ends_there(pre_tokenize: Callable[[str], list[tuple[str, tuple[int, int]]]], before: list[str]) -> bool:
    """Whether a pre-token ends after each text of ``before``.

    Both sides must be cut as if they stood alone.
    """
    alone = {text: [piece for piece, _ in pre_tokenize(text)] for text in (*before, *_AFTER)}
    return all(
        [piece for piece, _ in pre_tokenize(left + right)] == alone[left] + alone[right]
        for left in before
        for right in _AFTER
    )

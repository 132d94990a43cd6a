"""Special tokens that a server adds to a text or leaves out of it: BOS, and think tags that are
special, without which the reader could not tell a thought from an answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.engines.tokenizer import TextEncoder

_TEXT = "The capital of France is Paris, and that of China is Beijing."


def special_tags(encoder: TextEncoder, tags: Sequence[str] | None) -> bool:
    """Whether the vocabulary has a tag as a special token."""
    return bool({encoder.raw.convert_tokens_to_ids(tag) for tag in tags or ()} & encoder.special_ids)


def without_specials(encoder: TextEncoder, text: str, tags: Sequence[str] | None) -> str:
    """A text without its special tokens except the tags, as `stopping.final_text` leaves it."""
    for token in encoder.raw.all_special_tokens:
        if token and token not in (tags or ()):
            text = text.replace(token, "")
    return text


def added_begin(encoder: TextEncoder) -> str:
    """The BOS that a server adds to any text, as text.

    A template rendered here may have written it already, and a prompt must not begin with two. ""
    where it adds none.
    """
    first = encoder.encode([_TEXT])[_TEXT][:1]
    return encoder.decode(first, skip_special=False) if first == [encoder.bos_id] else ""

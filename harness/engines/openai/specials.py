"""Think tags that are special tokens: servers leave those out of a text, and the reader could not
tell a thought from an answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.engines.tokenizer import TextEncoder


def special_tags(encoder: TextEncoder, tags: Sequence[str] | None) -> bool:
    """Whether the vocabulary has a tag as a special token."""
    return bool({encoder.raw.convert_tokens_to_ids(tag) for tag in tags or ()} & encoder.special_ids)


def without_specials(encoder: TextEncoder, text: str, tags: Sequence[str] | None) -> str:
    """A text without its special tokens except the tags, as `stopping.final_text` leaves it."""
    for token in encoder.raw.all_special_tokens:
        if token and token not in (tags or ()):
            text = text.replace(token, "")
    return text

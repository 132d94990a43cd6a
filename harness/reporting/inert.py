"""Making texts of others harmless: what cannot be seen is shown, what is too long is cut, what is
embedded can close no tag.
"""

from __future__ import annotations

import json
import re
from typing import Any

_LONE = re.compile("[\ud800-\udfff]")
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_ESCAPED = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"}


def visible(text: str) -> str:
    """The text with every character that shows nothing, or turns the reading direction, written as
    ⟦U+202E⟧.

    Line ends and tabs stay, joiners (U+200C, U+200D) too, since scripts and emoji need them. Half a
    surrogate pair becomes U+FFFD: no file can hold it.
    """
    if text.isprintable():
        return text
    whole = _LONE.sub("\ufffd", text.replace("\r\n", "\n"))
    return _HIDDEN.sub(lambda mark: f"⟦U+{ord(mark[0]):04X}⟧", whole)


def shortened(text: str, most: int, mark: str) -> str:
    """A text of at most ``most`` characters as it is; of a longer one its beginning and end, with
    ``mark`` ("… {n} …") between.
    """
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}⟦{mark.format(n=f'{len(text) - 2 * half:,}')}⟧{text[-half:]}"


def embedded(data: Any) -> str:
    """JSON that may stand inside ``<script type="application/json">``: no <, > or & is left in it,
    nor a line end of JavaScript.

    Raises ValueError for NaN, which JSON has not.
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate(_ESCAPED)

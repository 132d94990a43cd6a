"""Signs that count options from 1, and options that bring their own: ①, 甲, 二, 第二个; ``2. 北京``,
``乙、北京``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from harness.names import tidy

STEMS = "甲乙丙丁戊己庚辛壬癸"
NUMERALS = "一二三四五六七八九十"
_SIGN = re.compile(rf"[(\[【〔「『]?([{STEMS}{NUMERALS}])[)\]】〕」』]?[.。、,:]?")
_ORDINAL = re.compile(rf"第\s*(\d{{1,2}}|[{NUMERALS}])\s*(?:个|项|号|个选项|选项|个答案)?")
_BROUGHT = re.compile(
    rf"\s*[(（\[【]?(?:(?P<circled>[①-⑩])[^①-⑩]*|(?P<stem>[{STEMS}])\s*[)）\]】.．、:：].*|(?P<digit>\d{{1,2}})\s*[)）\]】.．、:：](?!\s*\d).*)",
    re.DOTALL,
)


def ordinal(said: str, whole: str) -> int | None:
    """The number from 1 that a sign means by itself; None for what is none.

    ``whole`` is ``said`` as `names.tidy` makes it.
    """
    sign = said.strip()
    if len(sign) == 1 and unicodedata.category(sign) in ("No", "Nl"):
        value = unicodedata.numeric(sign)
        return int(value) if value == int(value) else None
    found = _ORDINAL.fullmatch(whole) or _SIGN.fullmatch(whole)
    if found is None:
        return None
    return int(found[1]) if found[1].isdigit() else _place(found[1])


def is_sign(said: str) -> bool:
    """Whether a text is nothing but such a sign, numerals in words apart, which may be meant as
    numbers.
    """
    sign = said.strip()
    found = _SIGN.fullmatch(tidy(sign))
    return (len(sign) == 1 and unicodedata.category(sign) == "No") or (
        found is not None and found[1] in STEMS
    )


def brought(options: Sequence[str]) -> list[int]:
    """The numbers (from 1) of the signs that all options bring themselves, of one kind; empty where
    they do not.
    """
    found = [_BROUGHT.fullmatch(one) for one in options]
    kinds = {match.lastgroup for match in found if match is not None}
    if len(kinds) != 1 or None in found:
        return []
    marks = [match[match.lastgroup or 0] for match in found if match is not None]
    return [int(mark) if mark.isdecimal() else _place(mark) for mark in marks]


def _place(mark: str) -> int:
    """1 for ①, 甲 and 一."""
    return next(marks.index(mark) + 1 for marks in ("①②③④⑤⑥⑦⑧⑨⑩", STEMS, NUMERALS) if mark in marks)

"""Signs that count options from 1, and options that bring their own.

Such signs are ①, 甲, 二, 第二个; such options ``2. 北京``, ``乙、北京``.
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
    rf"\s*[(（\[【]?(?:(?P<circled>[①-⑩])[^①-⑩]*|(?P<stem>[{STEMS}])\s*[)）\]】.．、:：].*"
    rf"|(?P<digit>\d{{1,2}})\s*[)）\]】.．、:：](?!\s*\d).*)",
    re.DOTALL,
)


def ordinal(answer: str, whole: str) -> int | None:
    """The number from 1 that a sign means by itself; None for what is none.

    ``whole`` is ``answer`` as `names.tidy` makes it.
    """
    sign = answer.strip()
    if len(sign) == 1 and unicodedata.category(sign) in ("No", "Nl"):
        value = unicodedata.numeric(sign)
        return int(value) if value == int(value) else None

    match = _ORDINAL.fullmatch(whole) or _SIGN.fullmatch(whole)
    if match is None:
        return None
    return int(match[1]) if match[1].isdigit() else _place(match[1])


def is_sign(answer: str) -> bool:
    """Whether a text is nothing but such a sign.

    Numerals in words do not count, as they may be meant as numbers.
    """
    sign = answer.strip()
    match = _SIGN.fullmatch(tidy(sign))
    return (len(sign) == 1 and unicodedata.category(sign) == "No") or (
        match is not None and match[1] in STEMS
    )


def brought(options: Sequence[str]) -> list[int]:
    """The numbers (from 1) of the signs that all options bring themselves.

    They are of one kind; empty where not all options have one.
    """
    matches = [_BROUGHT.fullmatch(one) for one in options]
    kinds = {match.lastgroup for match in matches if match is not None}

    if len(kinds) != 1 or None in matches:
        return []
    marks = [match[match.lastgroup or 0] for match in matches if match is not None]
    return [int(mark) if mark.isdecimal() else _place(mark) for mark in marks]


def _place(mark: str) -> int:
    """1 for ①, 甲 and 一."""
    return next(marks.index(mark) + 1 for marks in ("①②③④⑤⑥⑦⑧⑨⑩", STEMS, NUMERALS) if mark in marks)

"""Numbers written in words: 一百二十, 三千零五, 一点五; twenty-five, one hundred and twenty."""

from __future__ import annotations

import re
from fractions import Fraction

_HAN_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000}
_HAN_MYRIADS = {"万": 10**4, "亿": 10**8}
_TEENS = (
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
_ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_SMALL = {word: value for value, word in enumerate((*_ONES, *_TEENS))}
_TENS = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
_LARGE = {"hundred": 100, "thousand": 1000, "million": 10**6}
_WORD = "|".join(sorted((*_SMALL, *_TENS), key=len, reverse=True))
ENGLISH = (
    rf"(?:(?:{_WORD})|a(?=\s+(?:hundred|thousand|million)\b))"
    rf"(?:(?:\s+and\s+|\s*-\s*|\s+)(?:{_WORD}|{'|'.join(_LARGE)})\b)*"
)
"""A pattern of English number words, for use without regard to case."""


def chinese(text: str) -> Fraction | None:
    """The value of a Chinese numeral, or None where the characters make none."""
    # Behind 点 every character is one digit.
    whole, _, decimals = text.partition("点")
    if decimals:
        if not whole or any(character not in _HAN_DIGITS for character in decimals):
            return None
        before = chinese(whole)
        digits = "".join(str(_HAN_DIGITS[character]) for character in decimals)
        return None if before is None else before + Fraction(int(digits), 10 ** len(digits))

    if all(character in _HAN_DIGITS for character in whole):
        return Fraction(int("".join(str(_HAN_DIGITS[character]) for character in whole)))

    # Units multiply the digit before them, 万 and 亿 the section that has been summed up before them.
    total, section, digit, last = 0, 0, None, 1
    for character in whole:
        if character in _HAN_DIGITS:
            digit = _HAN_DIGITS[character]
            last = 1 if digit == 0 else last
        elif character in _HAN_UNITS:
            last = _HAN_UNITS[character]
            section += (1 if digit is None else digit) * last
            digit = None
        else:
            last = _HAN_MYRIADS[character]
            total = (
                (total + section + (digit or 0)) * last
                if last == 10**8
                else total + (section + (digit or 0)) * last
            )
            section, digit = 0, None
    # 一百二 is 120, 一百零二 is 102
    return Fraction(total + section + (digit or 0) * (last // 10 if last > 10 else 1))


def english(text: str) -> int | None:
    """The value of English number words, or None where they make no number ("two three")."""
    total, section, before = 0, 0, None
    for word in re.split(r"[\s-]+", text.strip().lower()):
        if word == "and":
            continue
        if word == "a":
            section, before = 1, 1

        # "Hundred" multiplies what stands before it, "thousand" and more close a section.
        elif word in _LARGE:
            size = _LARGE[word]
            if size == 100:
                section = (section or 1) * size
            else:
                total, section = total + (section or 1) * size, 0
            before = size
        else:
            value = _SMALL.get(word, _TENS.get(word))
            if value is None or (
                before is not None and before < 100 and not (before >= 20 and 0 < value < 10)
            ):
                return None
            section, before = section + value, value

    return total + section

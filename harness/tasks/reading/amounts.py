"""The value of one number: digits, fractions, powers, and numerals in words."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from harness.tasks.reading.numerals import chinese, english

_SCALE = {
    "十": 10,
    "百": 100,
    "千": 1000,
    "万": 10**4,
    "亿": 10**8,
    "thousand": 1000,
    "million": 10**6,
    "billion": 10**9,
    "k": 1000,
    "m": 10**6,
    "dozen": 12,
}
_MEASURE = (
    "个只条本元块件斤米人岁张颗朵支枝台辆箱盒袋瓶杯棵头匹页次天年"
    "月倍名位双套根粒串筐篮枚艘户间层排行组分角厘公千克吨升平小时秒"
)
_LONGEST, _LONGEST_WORDS = 40, 120
"""Characters of a number in digits and in words; what is longer is a model that repeats itself."""
_BEFORE_HAN = re.compile(r"[第每这那哪几某另同唯万]$")
_SHORT_WORDS = frozenset(
    ("one", "a hundred", "ten", "two", "three", "four", "five", "six", "seven", "eight", "nine")
)
"""Words that a text with digits uses beside them."""


def value_of(match: re.Match[str], text: str, stated: bool) -> str | None:
    # What is too long comes from a model that repeats itself.
    if len(match[0]) > (_LONGEST_WORDS if match["words"] else _LONGEST):
        return None

    amount: Fraction | None
    if match["frac"] or match["whole"] or match["vulgar"] or match["parts"]:
        amount = _fraction(match)
    elif match["digits"]:
        amount = _in_digits(match)
    elif match["mixed"]:
        parts = re.findall(r"(\d+(?:\.\d+)?)([百千万亿]?)", match["mixed"])
        amount = sum((Fraction(count) * _SCALE.get(unit, 1) for count, unit in parts), Fraction(0))
    elif match["han"]:
        amount = _in_chinese(match, text, stated)
    else:
        amount = _in_english(match["words"].lower(), text, stated)

    if amount is None:
        return None
    return _plain(-amount if match["sign"] or match["minus"] else amount)


def _in_digits(match: re.Match[str]) -> Fraction | None:
    """1,200; 1.5×10^3; 2^10; 3/4; 1.2万. None where it divides by zero."""
    # Separators go; two points in one number are thousands, as in German and Spanish.
    plain = re.sub(r"[,{}\s']", "", match["digits"])
    amount = Fraction(plain.replace(".", "") if plain.count(".") > 1 else plain)
    amount *= Fraction(10) ** int(match["exponent"] or match["ten"] or 0)
    power = int(match["power"] or 1)
    if power < 0 and not amount:
        return None
    amount **= power

    if match["under"]:
        if not int(match["under"]):
            return None
        amount /= int(match["under"])
    for unit in re.findall(r"[十百千万亿]|[a-z]+", (match["scale"] or "").lower()):
        amount *= _SCALE[unit]
    return amount


def _in_chinese(match: re.Match[str], text: str, stated: bool) -> Fraction | None:
    """A Chinese numeral, where it can be nothing else or the answer is stated.

    一 is also an article and part of words (一些, 一样): it counts with a measure or where stated.
    """
    numeral, after = match["han"], text[match.end() : match.end() + 1]
    if _BEFORE_HAN.search(text[: match.start()]) or (after and after in "些起样定共般直下边旦"):
        return None

    # 千万 and the like are also words: "by all means", "just in case".
    sure = len(numeral) > 1 and numeral not in ("千万", "万一", "百万", "万千")
    if not (
        sure
        or (stated and (not after or not "一" <= after <= "鿿" or after in _MEASURE))
        or (numeral != "一" and after in _MEASURE and after)
    ):
        return None
    return chinese(numeral)


def _in_english(words: str, text: str, stated: bool) -> Fraction | None:
    """English number words, where they can be nothing else or the answer is stated."""
    # "One" and the like are pronouns as often as numbers: where the text has digits, those count.
    if words in _SHORT_WORDS and not stated and _digits(text):
        return None
    count = english(words)
    return None if count is None else Fraction(count)


def _fraction(match: re.Match[str]) -> Fraction | None:
    """3/4 in LaTeX, 2 1/2, 2½ or 三分之二; 百分之二十 is 20, as 20% is."""
    if match["parts"]:
        below, above = (_count(part) for part in match["parts"].split("分之"))
        if not below or above is None:
            return None
        return above if below == 100 else above / below

    if match["vulgar"]:
        units, sign = match["vulgar"][:-1].strip(), match["vulgar"][-1]
        return int(units or 0) + Fraction(unicodedata.numeric(sign)).limit_denominator(100)

    top, bottom = (int(match[name]) for name in (("top", "bottom") if match["frac"] else ("over", "below")))
    if not bottom:
        return None
    units = int(match["units" if match["frac"] else "whole"] or 0)
    # An improper fraction behind a whole number ("2 3/2") is a division of its own.
    return units * (match["frac"] is not None or top < bottom) + Fraction(top, bottom)


def _count(text: str) -> Fraction | None:
    """A number in digits or Chinese words; 百 alone is 100."""
    return Fraction(text) if text[0].isdigit() else chinese(text)


def _digits(text: str) -> bool:
    return bool(re.search(r"\d", text))


def _plain(amount: Fraction) -> str:
    """A whole number, a finite decimal, or a fraction in lowest terms."""
    if amount.denominator == 1:
        return str(amount.numerator)

    # Only the primes of ten leave a finite decimal.
    rest = amount.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime

    if rest > 1 or amount.denominator > 10**9:
        return f"{amount.numerator}/{amount.denominator}"
    return f"{float(amount):.12f}".rstrip("0")

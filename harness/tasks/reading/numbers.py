"""The number that a free answer to a word problem gives.

In this order: a box, a tag, JSON or ``####``; the last statement ("the answer is 12", 答案是12); the
last number. Thousands separators, full-width digits, 一百二十, "twenty-five", 1.2万, 1.5×10^3, 2½, 三分之二
and fractions are numbers; numbers of steps and lists and clock times are none.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

from harness.tasks.reading.api import Reading
from harness.tasks.reading.cues import BUT, CUES, NOT_AFTER, RETRACTED, RUN_ON
from harness.tasks.reading.folding import fold
from harness.tasks.reading.numerals import ENGLISH, chinese, english
from harness.tasks.reading.statements import structures, weight_of

_CUES = [cue for cue in CUES if cue.rule in ("final answer", "answer", "最终答案", "答案")]
_DIGITS = (
    r"\d{1,3}(?:(?:,|\{,\}|  )\d{3})+(?!\d)(?:\.\d+)?|\d{1,3}(?:(?: \d{3}){2,}|(?:'\d{3})+|(?:\.\d{3}){2,})(?!\.?\d)"
    r"|\d+(?:\.\d+)?|\.\d+"
)
_POWER = (
    r"(?:[eE](?P<exponent>[+-]?\d{1,2})(?![\w.])|\s*(?:×|x|\\times|\\cdot)\s*10\s*\^\s*\{?\s*(?P<ten>[+-]?\d{1,2})\s*\}?"
    r"|\s*\^\s*\{?\s*(?P<power>-?\d{1,2})(?!\d)\s*\}?)"
)
_SCALE = {
    "十": 10,
    "百": 100,
    "千": 1000,
    "万": 10**4,
    "亿": 10**8,
    "thousand": 1000,
    "million": 10**6,
    "billion": 10**9,
}
_SCALE |= {"k": 1000, "m": 10**6, "dozen": 12}
_MEASURE = "个只条本元块件斤米人岁张颗朵支枝台辆箱盒袋瓶杯棵头匹页次天年月倍名位双套根粒串筐篮枚艘户间层排行组分角厘公千克吨升平小时秒"
_HAN = "零〇一二两三四五六七八九十百千万亿"
_NUMBER = re.compile(
    r"(?P<frac>(?P<minus>(?<![\w)\]])-\s?)?(?:(?<![\w.,^])(?P<units>\d+)\s*)?"
    r"\\[dt]?frac\s*\{\s*(?P<top>-?\d+)\s*\}\s*\{\s*(?P<bottom>\d+)\s*\})"
    rf"|(?P<sign>(?<![\d\w)\]）])-\s?(?=[\d.])|负\s*|(?i:\b(?:minus|negative)\s+))?(?:"
    r"(?P<mixed>(?<![A-Za-z^_\d.,])\d+(?:\.\d+)?[百千万亿](?:\d+[百千万]?)+(?![\d.]))"
    r"|(?P<whole>(?<![A-Za-z^_\d.,/])\d{1,40})\s+(?P<over>\d+)\s*/\s*(?P<below>\d+)(?![\d/])"
    r"|(?<![A-Za-z^_.,\d])(?P<vulgar>\d*\s?[¼½¾⅐-⅞])"
    rf"|(?<![\d{_HAN}])(?P<parts>(?:[{_HAN}]+|\d+)分之(?:[{_HAN}]+(?:点[{_HAN}]+)?|\d+(?:\.\d+)?))"
    rf"|(?P<digits>(?<![A-Za-z^_\d.,])(?:{_DIGITS})){_POWER}?(?:\s*/\s*(?P<under>\d+)(?![\d/]))?\s*"
    r"(?P<scale>[十百千万亿]+(?!\s*(?:克|米))|(?i:\b(?:thousand|million|billion|dozen)\b)|(?<=\d)[kKM](?![A-Za-z]))?"
    rf"|(?P<han>[{_HAN}]+(?:点[{_HAN}]+)?)|(?P<words>\b(?i:{ENGLISH})\b))"
)
_ANY = re.compile(rf"[\dA-Za-z{_HAN}]")
_CUES_READ = 50
"""Places of one cue that are looked at, from the end."""
_LONGEST, _LONGEST_WORDS = 40, 120
"""Characters of a number in digits and in words; what is longer is a model that repeats itself."""
_LABEL = re.compile(
    r"(?im:^\s*\(?\d{1,2}[.)、](?!\d)\s*)|第\s*\d+|"
    r"(?i:\b(?:step|problem|question|example|equation|eq\.?|part|case|no\.)\s*#?\d+)"
    r"|(?:步骤|问题|例题?|题目?|方法|式)\s*\d+|(?<!\d)(?:\d+(?i:st|nd|rd|th)\b|\d+:\d+(?::\d+)?)"
)
_BEFORE_HAN = re.compile(r"[第每这那哪几某另同唯万]$")
_OPERATOR = re.compile(r"\s*(?:\([^)]*\))?\s*(?:[A-Za-z一-鿿]{0,6}\s*)?[+×x÷/*-]\s*\(?\d", re.IGNORECASE)
_SENTENCE = 120
"""Characters behind a cue that are looked at."""
_OTHER = re.compile(r"\s*[A-Za-z一-鿿]{0,10}\s*(?:(?i:\bor\b)|或者?|还是)\s*(?i:maybe\s*)?")


def read_number(text: str) -> Reading:
    """The number as plain digits ("1200", "-3", "2.5", "1/2"), or None with the reason as the
    rule's name.
    """
    plain = fold(text)
    end = next(
        (
            found.start()
            for found in islice(RUN_ON.finditer(plain), 10)
            if list(_numbers(plain[: found.start()]))
        ),
        len(plain),
    )
    plain = plain[:end]
    if not plain.strip():
        return Reading(None, "empty")
    for rule, start, stop, inner in reversed(list(structures(plain))):
        if rule == r"\boxed":
            inner = re.sub(
                r"\}$", "", plain[start:stop].partition("{")[2]
            )  # with its braces, which fractions need
        found = list(_numbers(inner))
        if found:
            value = found[-1][2] if len(found) == 1 or "=" in inner else None
            return Reading(value, rule if value else f"{rule}: several numbers", text[start:stop].strip())
    stated = max(_stated(plain), key=lambda one: one[1], default=None)
    if stated is not None:
        start, stop, value = stated
        other = _OTHER.match(plain, stop)
        if other and _NUMBER.match(plain, other.end()):
            return Reading(None, "answer: several numbers", text[start : other.end()].strip() + "…")
        return Reading(value, "answer", text[start:stop].strip())
    every = list(_numbers(plain)) or list(
        _numbers(plain, stated=len(plain.strip()) <= 6 and "一" not in plain)
    )
    if not every and len(plain.strip()) <= 6:  # "5." is no entry of a list where it is all there is
        plain = plain.strip().rstrip(".)、 ")
        every = list(_numbers(plain))
    if not every:
        return Reading(None, "no number")
    start, stop, value = every[-1]
    return Reading(
        value, "last number", text[max(plain.rfind("\n", 0, start) + 1, start - 40) : stop].strip()
    )


def _stated(plain: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, number) behind every cue: of an equation what it comes to, else the first number
    of the sentence.
    """
    for cue in _CUES:
        for found in deque(cue.pattern.finditer(plain), _CUES_READ):
            place = found.end()
            if not _ANY.search(plain, place, place + _SENTENCE) or weight_of(plain, found, cue) is None:
                continue
            denied = NOT_AFTER.match(plain, place)
            if denied:
                turn = BUT.search(plain, denied.end(), denied.end() + 40)
                if turn is None:
                    continue
                place = turn.end()
            sentence = re.match(r"\s*(?:[^。!?\n.;]|\.(?=\d))*", plain[place : place + _SENTENCE])
            inside = sentence[0] if sentence else ""
            numbers = list(_numbers(inside, stated=True))
            if not numbers:
                continue
            chosen = numbers[0]
            if _OPERATOR.match(inside, chosen[1]) or re.match(r"\s*\S{0,6}\s*=", inside[chosen[1] :]):
                results = [one for one in numbers if re.search(r"=\s*[^\s\d=]{0,3}\s*$", inside[: one[0]])]
                chosen = results[-1] if results else numbers[-1]
            if not RETRACTED.match(plain, place + chosen[1]):
                yield found.start(), place + chosen[1], chosen[2]


def _numbers(text: str, *, stated: bool = False) -> Iterator[tuple[int, int, str]]:
    """(start, end, value) of every number.

    Numerals in words count where they can be nothing else, or where the answer is stated.
    """
    labels = deque(found.span() for found in _LABEL.finditer(text))
    for found in _NUMBER.finditer(text):
        while labels and labels[0][1] <= found.start():
            labels.popleft()
        if labels and labels[0][0] <= found.start() and found.end() <= labels[0][1] + 1:
            continue
        value = _value(found, text, stated)
        if value is not None:
            yield found.start(), found.end(), value


def _value(found: re.Match[str], text: str, stated: bool) -> str | None:
    if len(found[0]) > (_LONGEST_WORDS if found["words"] else _LONGEST):
        return None
    if found["frac"] or found["whole"] or found["vulgar"] or found["parts"]:
        told = _fraction(found)
        return None if told is None else _plain(-told if found["sign"] or found["minus"] else told)
    if found["digits"]:
        plain = re.sub(r"[,{}\s']", "", found["digits"])
        amount = Fraction(plain.replace(".", "") if plain.count(".") > 1 else plain)
        amount *= Fraction(10) ** int(found["exponent"] or found["ten"] or 0)
        power = int(found["power"] or 1)
        if power < 0 and not amount:
            return None
        amount **= power
        if found["under"]:
            if not int(found["under"]):
                return None
            amount /= int(found["under"])
        for unit in re.findall(r"[十百千万亿]|[a-z]+", (found["scale"] or "").lower()):
            amount *= _SCALE[unit]
    elif found["mixed"]:
        parts = re.findall(r"(\d+(?:\.\d+)?)([百千万亿]?)", found["mixed"])
        amount = sum((Fraction(count) * _SCALE.get(unit, 1) for count, unit in parts), Fraction(0))
    elif found["han"]:
        said, after = found["han"], text[found.end() : found.end() + 1]
        if _BEFORE_HAN.search(text[: found.start()]) or (after and after in "些起样定共般直下边旦"):
            return None
        sure = len(said) > 1 and said not in ("千万", "万一", "百万", "万千")
        if not (
            sure
            or (stated and (not after or not "一" <= after <= "鿿" or after in _MEASURE))
            or (said != "一" and after in _MEASURE and after)
        ):
            return None
        told = chinese(said)
        if told is None:
            return None
        amount = told
    else:
        words = found["words"].lower()
        if (
            words
            in ("one", "a hundred", "ten", "two", "three", "four", "five", "six", "seven", "eight", "nine")
            and not stated
            and _digits(text)
        ):
            return None
        counted = english(words)
        if counted is None:
            return None
        amount = Fraction(counted)
    return _plain(-amount if found["sign"] else amount)


def _fraction(found: re.Match[str]) -> Fraction | None:
    """3/4 in LaTeX, 2 1/2, 2½ or 三分之二; 百分之二十 is 20, as 20% is."""
    if found["parts"]:
        below, above = (_count(part) for part in found["parts"].split("分之"))
        if not below or above is None:
            return None
        return above if below == 100 else above / below
    if found["vulgar"]:
        units, sign = found["vulgar"][:-1].strip(), found["vulgar"][-1]
        return int(units or 0) + Fraction(unicodedata.numeric(sign)).limit_denominator(100)
    top, bottom = (int(found[name]) for name in (("top", "bottom") if found["frac"] else ("over", "below")))
    if not bottom:
        return None
    units = int(found["units" if found["frac"] else "whole"] or 0)
    return units * (found["frac"] is not None or top < bottom) + Fraction(top, bottom)


def _count(text: str) -> Fraction | None:
    """A number in digits or Chinese words; 百 alone is 100."""
    return Fraction(text) if text[0].isdigit() else chinese(text)


def _digits(text: str) -> bool:
    return bool(re.search(r"\d", text))


def _plain(amount: Fraction) -> str:
    """A whole number, a finite decimal, or a fraction in lowest terms."""
    if amount.denominator == 1:
        return str(amount.numerator)
    rest = amount.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest > 1 or amount.denominator > 10**9:
        return f"{amount.numerator}/{amount.denominator}"
    return f"{float(amount):.12f}".rstrip("0")

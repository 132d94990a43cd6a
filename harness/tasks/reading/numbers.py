"""The number that a free answer to a word problem gives.

In this order: a box, a tag, JSON or ``####``; the last statement ("the answer is 12", 答案是12); the
last number. Thousands separators, full-width digits, 一百二十, "twenty-five", 1.2万, 1.5×10^3, 2½,
三分之二 and fractions are numbers; numbers of steps and lists and clock times are none.
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
    r"\d{1,3}(?:(?:,|\{,\}|  )\d{3})+(?!\d)(?:\.\d+)?|\d{1,3}(?:(?: \d{3}){2,}|(?:'\d{3})+"
    r"|(?:\.\d{3}){2,})(?!\.?\d)"
    r"|\d+(?:\.\d+)?|\.\d+"
)
_POWER = (
    r"(?:[eE](?P<exponent>[+-]?\d{1,2})(?![\w.])|\s*(?:×|x|\\times"
    r"|\\cdot)\s*10\s*\^\s*\{?\s*(?P<ten>[+-]?\d{1,2})\s*\}?"
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
    r"(?P<scale>[十百千万亿]+(?!\s*(?:克|米))|(?i:\b(?:thousand|million|billion|dozen)\b)"
    r"|(?<=\d)[kKM](?![A-Za-z]))?"
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
_SHORT_WORDS = frozenset(
    ("one", "a hundred", "ten", "two", "three", "four", "five", "six", "seven", "eight", "nine")
)
"""Words that a text with digits uses beside them."""
_SENTENCE = 120
"""Characters behind a cue that are looked at."""
_OTHER = re.compile(r"\s*[A-Za-z一-鿿]{0,10}\s*(?:(?i:\bor\b)|或者?|还是)\s*(?i:maybe\s*)?")


def read_number(text: str) -> Reading:
    """The number as plain digits ("1200", "-3", "2.5", "1/2").

    None with the reason as the rule's name where there is none.
    """
    plain = fold(text)
    plain = plain[: _end(plain)]
    if not plain.strip():
        return Reading(None, "empty")

    in_structure = _in_structure(plain, text)
    if in_structure is not None:
        return in_structure

    # A cue such as "the answer is"; the last one counts, as with letters.
    stated = max(_stated(plain), key=lambda one: one[1], default=None)
    if stated is None:
        return _last(plain, text)
    start, stop, value = stated
    other = _OTHER.match(plain, stop)
    if other and _NUMBER.match(plain, other.end()):
        return Reading(None, "answer: several numbers", text[start : other.end()].strip() + "…")
    return Reading(value, "answer", text[start:stop].strip())


def _end(plain: str) -> int:
    """Where the answer ends: a model that writes a next question itself has answered before it."""
    return next(
        (
            question.start()
            for question in islice(RUN_ON.finditer(plain), 10)
            if list(_numbers(plain[: question.start()]))
        ),
        len(plain),
    )


def _in_structure(plain: str, text: str) -> Reading | None:
    """The number in the last box, tag or JSON answer that holds one; None where none does."""
    # The last one first: a box inside a step is followed by the box of the result.
    for rule, start, stop, inner in reversed(list(structures(plain))):
        # The box is read with its braces, which fractions need.
        if rule == r"\boxed":
            inner = re.sub(r"\}$", "", plain[start:stop].partition("{")[2])

        numbers = list(_numbers(inner))
        if numbers:
            value = numbers[-1][2] if len(numbers) == 1 or "=" in inner else None
            return Reading(value, rule if value else f"{rule}: several numbers", text[start:stop].strip())
    return None


def _last(plain: str, text: str) -> Reading:
    """The last number of the text."""
    # A short answer may be a numeral in words alone.
    short = len(plain.strip()) <= 6
    numbers = list(_numbers(plain)) or list(_numbers(plain, stated=short and "一" not in plain))

    # "5." is no entry of a list where it is all there is.
    if not numbers and short:
        plain = plain.strip().rstrip(".)、 ")
        numbers = list(_numbers(plain))

    if not numbers:
        return Reading(None, "no number")
    start, stop, value = numbers[-1]
    line_start = plain.rfind("\n", 0, start) + 1
    return Reading(value, "last number", text[max(line_start, start - 40) : stop].strip())


def _stated(plain: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, number) behind every cue.

    Of an equation it is the result, else the first number of the sentence.
    """
    for cue in _CUES:
        for match in deque(cue.pattern.finditer(plain), _CUES_READ):
            position = match.end()
            if not _ANY.search(plain, position, position + _SENTENCE) or weight_of(plain, match, cue) is None:
                continue

            # Behind "is not 5 but 6" the answer follows the turn.
            denial = NOT_AFTER.match(plain, position)
            if denial:
                turn = BUT.search(plain, denial.end(), denial.end() + 40)
                if turn is None:
                    continue
                position = turn.end()

            sentence = re.match(r"\s*(?:[^。!?\n.;]|\.(?=\d))*", plain[position : position + _SENTENCE])
            inside = sentence[0] if sentence else ""
            numbers = list(_numbers(inside, stated=True))
            if not numbers:
                continue

            # "The answer is 3 × 4 = 12" states the result, not the first factor.
            choice = numbers[0]
            if _OPERATOR.match(inside, choice[1]) or re.match(r"\s*\S{0,6}\s*=", inside[choice[1] :]):
                results = [one for one in numbers if re.search(r"=\s*[^\s\d=]{0,3}\s*$", inside[: one[0]])]
                choice = results[-1] if results else numbers[-1]

            if not RETRACTED.match(plain, position + choice[1]):
                yield match.start(), position + choice[1], choice[2]


def _numbers(text: str, *, stated: bool = False) -> Iterator[tuple[int, int, str]]:
    """(start, end, value) of every number.

    Numerals in words count where they can be nothing else, or where the answer is stated.
    """
    labels = deque(match.span() for match in _LABEL.finditer(text))

    for match in _NUMBER.finditer(text):
        # A number inside a label ("Step 3:", "12:30") counts steps or hours.
        while labels and labels[0][1] <= match.start():
            labels.popleft()
        if labels and labels[0][0] <= match.start() and match.end() <= labels[0][1] + 1:
            continue

        value = _value(match, text, stated)
        if value is not None:
            yield match.start(), match.end(), value


def _value(match: re.Match[str], text: str, stated: bool) -> str | None:
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

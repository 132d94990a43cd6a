"""The number that a free answer to a word problem gives.

In this order: a box, a tag, JSON or ``####``; the last statement ("the answer is 12", 答案是12); the
last number. Thousands separators, full-width digits, 一百二十, "twenty-five", 1.2万, 1.5×10^3, 2½,
三分之二 and fractions are numbers; numbers of steps and lists and clock times are none.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from itertools import islice

from harness.tasks.reading.amounts import value_of
from harness.tasks.reading.api import Reading
from harness.tasks.reading.cues import CUES, RUN_ON
from harness.tasks.reading.denials import BUT, NOT_AFTER, RETRACTED
from harness.tasks.reading.folding import fold
from harness.tasks.reading.numerals import ENGLISH
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
_LABEL = re.compile(
    r"(?im:^\s*\(?\d{1,2}[.)、](?!\d)\s*)|第\s*\d+|"
    r"(?i:\b(?:step|problem|question|example|equation|eq\.?|part|case|no\.)\s*#?\d+)"
    r"|(?:步骤|问题|例题?|题目?|方法|式)\s*\d+|(?<!\d)(?:\d+(?i:st|nd|rd|th)\b|\d+:\d+(?::\d+)?)"
)
_OPERATOR = re.compile(r"\s*(?:\([^)]*\))?\s*(?:[A-Za-z一-鿿]{0,6}\s*)?[+×x÷/*-]\s*\(?\d", re.IGNORECASE)
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

        value = value_of(match, text, stated)
        if value is not None:
            yield match.start(), match.end(), value

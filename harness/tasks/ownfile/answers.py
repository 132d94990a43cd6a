"""How the answers of a file name their options.

They do by label, text, letter, index (from 0) or number (from 1); one way for the whole file. Every
answer is read in every way that it can be. A way that reads all rows is taken where no other such
way disagrees anywhere; for plain numbers that are never 0 the config must say what they are, since
they may count from 0 or from 1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.errors import ConfigError
from harness.names import tidy
from harness.tasks.letters import LETTERS
from harness.tasks.ownfile.cells import RowOptions, where
from harness.tasks.ownfile.marks import ordinal

Way = Literal["label", "text", "letter", "index", "number"]
WAYS: tuple[Way, ...] = ("label", "text", "letter", "index", "number")
NAMES = {
    "label": "label",
    "text": "text",
    "letter": "letter",
    "index": "index (from 0)",
    "number": "number (from 1)",
}
_LETTER = re.compile(
    r"(?:(?:the )?(?:correct )?(?:option|choice|answer)(?: is)?|选项|选择|[故应]?选|正确答案"
    r"|答案)?(?:是|为)?\s*[:：]?\s*"
    r"[(\[{【〔「『《<\"'“‘`*]{0,3}\s*([a-z])\s*[)\]}】〕」』》>\"'”’`*]{0,3}\s*(?:选项|项)?[.。、,:]?",
    re.IGNORECASE,
)
SEVERAL = re.compile(r"[A-Z](?:\s*[,、;/&+ ]?\s*[A-Z])+")
"""Letters of several options: ``AC``, ``A, C``."""
_COUNT = re.compile(r"(\d{1,9})(?:\.0+)?")


@dataclass(frozen=True)
class Answered:
    """One row's answer.

    ``places``: the option's index for each way that the answer can be read; ``ordinal``: its number
    is a sign such as ② or 乙, or an ordinal, which count from 1.
    """

    row: int
    said: str
    options: RowOptions
    places: dict[Way, int]
    ordinal: bool


def answered(row: int, answer: str, options: RowOptions) -> Answered:
    """Reads one answer in every way."""
    places: dict[Way, int] = {}
    whole, size = tidy(answer), len(options.texts)
    by_label = [
        position
        for position, label in enumerate(options.labels)
        if tidy(label).casefold() == whole.casefold()
    ]

    # Labels of the row's own are one way; letters of columns are what any answer may use.
    if by_label:
        places["label" if options.explicit else "letter"] = by_label[0]

    by_text = _by_text(answer, options)
    if by_text is not None:
        places["text"] = by_text

    letter = _letter(whole, options)
    if letter is not None and letter < size:
        places.setdefault("letter", letter)

    # A sign such as ② counts from 1, a plain number from 0 or 1.
    sign = ordinal(answer, whole)
    plain = _COUNT.fullmatch(whole) if sign is None else None
    count = int(plain[1]) if plain is not None else sign
    if plain is not None and count is not None and count < size:
        places["index"] = count
    if count is not None and 1 <= count <= size:
        places["number"] = count - 1

    return Answered(row, answer, options, places, sign is not None)


def _by_text(answer: str, options: RowOptions) -> int | None:
    """The option that has this text.

    Else the only one that has it but for spaces and width, or for case.
    """
    same = [position for position, one in enumerate(options.texts) if one.strip() == answer.strip()]
    like = [position for position, one in enumerate(options.texts) if tidy(one) == tidy(answer)]
    matches = (
        same
        or like
        or [
            position
            for position, one in enumerate(options.texts)
            if tidy(one).casefold() == tidy(answer).casefold()
        ]
    )

    return matches[0] if len(matches) == 1 else None


def _letter(whole: str, options: RowOptions) -> int | None:
    """``B``, ``b``, ``Ｂ``, ``(B)``, ``B.``, ``选项B``.

    Also ``B. Beijing`` where the option B is Beijing.
    """
    match = _LETTER.fullmatch(whole)
    if match is not None:
        return LETTERS.index(match[1].upper())

    marked = re.fullmatch(r"[(\[【]?([A-Za-z])\s*[)\]】.、:,]\s*(\S.*)", whole)
    if marked is not None:
        position = LETTERS.index(marked[1].upper())
        if position < len(options.texts) and tidy(options.texts[position]) == marked[2]:
            return position
    return None


def choose(rows: Sequence[Answered], column: str, declared: str | None) -> tuple[list[int], str]:
    """(the index of each row's right option, a note where answers are written in two ways).

    Raises ConfigError where an answer names no option, or where two ways disagree and the config
    does not say which.
    """
    if declared is not None:
        chosen_way = next(way for way in WAYS if way == declared)
        _require(rows, column, chosen_way, f"and answer_is: {declared} is said")
        return [row.places[chosen_way] for row in rows], ""

    whole = [way for way in WAYS if all(way in row.places for row in rows)]
    if not whole:
        return _by_row(rows, column)

    # Labels win over other readings: the file itself names its options so.
    if whole[0] != "label":
        _agree(rows, column, whole)

    plain = next((row for row in rows if not row.ordinal), None)
    if whole == ["number"] and plain is not None:
        raise ConfigError(
            _ask(plain, column, whole, "the numbers are never 0, and they may count from 0 or from 1")
        )
    return [row.places[whole[0]] for row in rows], ""


def _by_row(rows: Sequence[Answered], column: str) -> tuple[list[int], str]:
    """Texts beside letters, where no row can be read as two options.

    Numbers among them are refused, since they may mean anything.
    """

    named: tuple[Way, ...] = ("label", "text", "letter")
    by_name = [[way for way in named if way in row.places] for row in rows]
    if all(by_name):
        for row, ways in zip(rows, by_name, strict=True):
            _agree([row], column, ways)
        texts = sum("text" in ways for ways in by_name)
        places = [row.places[ways[0]] for row, ways in zip(rows, by_name, strict=True)]
        return (
            places,
            f"answers are written in two ways: {texts} as the option's text, {len(rows) - texts}"
            f" as its letter",
        )

    # The error names the row that does not fit the way of most.
    best = max(WAYS, key=lambda way: sum(way in row.places for row in rows))
    first = next((row for row in rows if best in row.places), None)
    _require(
        rows,
        column,
        best,
        f"while row {first.row} ({first.said.strip()!r}) is {_article(best)}" if first is not None else "",
    )
    raise AssertionError("some row lacks every way")


def _require(rows: Sequence[Answered], column: str, way: Way, other: str) -> None:
    for row in rows:
        if way not in row.places:
            count = sum(bool(SEVERAL.fullmatch(tidy(one.said))) for one in rows)
            raise ConfigError(f"{where(row.row, column)}: {_unread(row, other, f'{count} of {len(rows)}')}")


def _unread(row: Answered, other: str, count: str) -> str:
    """Why an answer is none; ``count``: how many of the file's answers name several options."""
    answer = row.said.strip()
    twins = [LETTERS[index] for index, one in enumerate(row.options.texts) if tidy(one) == tidy(answer)]
    if len(twins) > 1:
        return f"{answer!r} is the text of {len(twins)} options ({', '.join(twins)}); an answer names one"
    if SEVERAL.fullmatch(tidy(answer)):
        return (
            f"{answer!r} names several options, as {count} answers do; only questions with one right"
            " option are asked: take the others out of the file"
        )

    size = len(row.options.texts)
    if row.places:
        kinds = " or ".join(_article(way) for way in row.places)
        return (
            f"{answer!r} is {kinds}{', ' + other if other else ''}; all answers of a file are written one way"
        )
    ways = f"text, letter (A-{LETTERS[size - 1]}), index (0-{size - 1}) or number (1-{size})"
    return f"{answer!r} is no option's {ways}{', ' + other if other else ''}"


def _article(way: Way) -> str:
    return {
        "label": "a label",
        "text": "an option's text",
        "letter": "a letter",
        "index": "an index",
        "number": "a number",
    }[way]


def _agree(rows: Sequence[Answered], column: str, ways: Sequence[Way]) -> None:
    for other in ways[1:]:
        for row in rows:
            if row.places[other] != row.places[ways[0]]:
                raise ConfigError(_ask(row, column, ways))


def _ask(row: Answered, column: str, ways: Sequence[Way], why: str = "") -> str:
    readings = ", ".join(f"as {NAMES[way]} option {LETTERS[row.places[way]]}" for way in ways)
    reason = f" ({why})" if why else ""
    names = ", ".join(ways) if len(ways) > 1 else "number (from 1) or index (from 0)"
    return (
        f"{where(row.row, column)}: {row.said.strip()!r} is {readings}{reason}; say in the task"
        f" which it is: answer_is: {names}"
    )

"""How wide a table will be on paper, and so how it is set: the size of its type, headings in several
lines, texts folded, lying on its side, or in parts below each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import ceil

from harness.reporting.document import Table
from harness.reporting.tex import flat

UPRIGHT, SIDEWAYS = 345.0, 525.0
"""Points: the text of an article at 10 pt is so wide, and nearly so high."""
HEADINGS = (14, 8)
"""Digits; longer headings of figures are set in lines rather than the whole table in smaller type."""
WORD = 24.0
"""Digits; a longer name may be broken."""
LONGEST = 42
"""Lines that a table on one page may have."""
LOWEST = 26
"""Lines that fit between the edges of a page on its side."""
_HAN = re.compile("[\u3000-\u9fff\uff00-\uffef]|[^\u3000-\u9fff\uff00-\uffef]+")
_PIECES = re.compile(r"[^\s\-_/\u3000-\u9fff]*[\s\-_/]+|[\u3000-\u9fff]|[^\s\-_/\u3000-\u9fff]+")
_NARROW, _WIDE = frozenset("ijltfr.,:;'|!()[]/ -"), frozenset("mwMW@%")


@dataclass(frozen=True)
class TypeSize:
    """A size of type, how wide a digit is in it, and the space between columns; both in points."""

    command: str
    digit: float
    gap: float


SIZES = (
    TypeSize("", 5.0, 12),
    TypeSize(r"\small", 4.62, 8),
    TypeSize(r"\footnotesize", 4.25, 8),
    TypeSize(r"\scriptsize", 3.98, 6),
)
"""Widths of Computer Modern's digits at 10, 9, 8 and 7 points."""


@dataclass(frozen=True)
class PaperPart:
    """Columns of one table by their numbers, and their widths in digits."""

    columns: tuple[int, ...]
    widths: tuple[float, ...]


@dataclass(frozen=True)
class PaperLayout:
    """How a table is set. ``headings`` in lines; ``paragraphs`` are the columns whose texts are
    folded.
    """

    size: TypeSize
    headings: tuple[str, ...]
    parts: tuple[PaperPart, ...]
    paragraphs: frozenset[int] = frozenset()
    sideways: bool = False
    long: bool = False


@dataclass(frozen=True)
class _Widths:
    """Of every column in digits: all in one line, and folded between words."""

    natural: tuple[float, ...]
    least: tuple[float, ...]


def layout(table: Table) -> PaperLayout:
    """The largest type in which the table fits, and whether it goes over several pages."""
    plain = tuple(flat(column.heading).strip() for column in table.columns)
    wrapped = [
        tuple(
            _stacked(heading, most) if column.number else heading
            for heading, column in zip(plain, table.columns, strict=True)
        )
        for most in HEADINGS
    ]
    choices = [(headings, _widths(table, headings)) for headings in (plain, *wrapped)]

    headings, widths = choices[-1]
    chosen = (
        _whole(choices, UPRIGHT)
        or _folded(SIZES[2:], headings, widths)
        or _on_side(table, choices)
        or _in_parts(table, headings, widths)
    )
    return replace(chosen, long=not chosen.sideways and _lines(table, chosen) > LONGEST)


def _whole(choices: Sequence[tuple[tuple[str, ...], _Widths]], room: float) -> PaperLayout | None:
    """Every cell in one line. Headings of two lines at a usual size read better than small type."""
    for size in SIZES[:3]:
        for headings, widths in choices:
            if _needs(size, widths.natural) <= room:
                return PaperLayout(size, headings, (_part(range(len(headings)), widths.natural),))
    return None


def _folded(sizes: Sequence[TypeSize], headings: tuple[str, ...], widths: _Widths) -> PaperLayout | None:
    """Texts folded between words."""
    for size in sizes:
        left = int((UPRIGHT - _needs(size, widths.least)) / size.digit)
        if left < 0:
            continue

        # Each digit of room goes to the text that would take the most lines: no row is higher than
        # it must be.
        chosen = list(widths.least)
        for _ in range(left):
            position = max(range(len(chosen)), key=lambda one: widths.natural[one] / max(chosen[one], 1))
            chosen[position] = max(chosen[position], min(widths.natural[position], chosen[position] + 1))
        narrow = {
            position for position, width in enumerate(chosen) if width < widths.natural[position] - 0.01
        }
        return PaperLayout(size, headings, (_part(range(len(chosen)), chosen),), frozenset(narrow))
    return None


def _on_side(table: Table, choices: Sequence[tuple[tuple[str, ...], _Widths]]) -> PaperLayout | None:
    """On its side, where a page is wide enough for all columns and high enough for all rows."""
    chosen = _whole(choices, SIDEWAYS) if len(table.rows) <= LOWEST else None
    return replace(chosen, sideways=True) if chosen is not None else None


def _in_parts(table: Table, headings: tuple[str, ...], widths: _Widths) -> PaperLayout:
    """In parts below each other that all name their rows, as on a terminal. Neighbours of one group
    stay together.
    """
    size = SIZES[2]
    names = [position for position, column in enumerate(table.columns) if column.key]
    others = (position for position in range(len(headings)) if position not in names)

    groups: list[list[int]] = []
    for _, unit in groupby(others, key=lambda position: table.columns[position].group or position):
        more = list(unit)
        whole = [widths.least[position] for position in [*(groups[-1] if groups else names), *more]]
        if not groups or _needs(size, whole) > UPRIGHT:
            groups.append(list(names))
        groups[-1] += more

    parts = [_part(group, [widths.least[one] for one in group]) for group in groups or [names]]
    narrow = {
        position
        for position, column in enumerate(table.columns)
        if not column.number and widths.least[position] < widths.natural[position] - 0.01
    }
    return PaperLayout(size, headings, tuple(parts), frozenset(narrow))


def _part(columns: Sequence[int], widths: Sequence[float]) -> PaperPart:
    return PaperPart(tuple(columns), tuple(widths))


def _needs(size: TypeSize, widths: Sequence[float]) -> float:
    """Points that the columns take side by side."""
    return sum(widths) * size.digit + size.gap * (len(widths) - 1)


def _widths(table: Table, headings: Sequence[str]) -> _Widths:
    natural, least = [], []
    for position, (column, heading) in enumerate(zip(table.columns, headings, strict=True)):
        cells = [row[position] for row in table.rows]
        head = max(map(measured, heading.split("\n")))
        # Bold digits are a sixth wider.
        whole = max((measured(cell.text) * (1.15 if cell.best else 1) for cell in cells), default=0.0)
        natural.append(max(head, whole))

        words = (word for cell in cells for word in _words(cell.text))
        narrow = min(WORD, max(map(measured, words), default=0.0))
        least.append(natural[-1] if column.number else max(min(WORD, head), narrow))
    return _Widths(tuple(natural), tuple(least))


def _words(text: str) -> list[str]:
    """What stands between spaces; a Chinese sentence may be broken after every character."""
    return [piece for word in text.split() for piece in ([word] if word.isascii() else _HAN.findall(word))]


def _stacked(heading: str, most: float) -> str:
    """A heading in lines of at most ``most`` digits, broken after its separators."""
    lines = [""]
    for piece in _PIECES.findall(heading):
        if lines[-1] and measured(lines[-1] + piece) > most:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.strip() for line in lines)


def measured(text: str) -> float:
    """How wide a text is, in digits of Computer Modern: narrow letters are two thirds of a digit,
    capitals one and a half, Chinese characters two.
    """
    return sum(map(_measured, text.rstrip()))


def _measured(char: str) -> float:
    if char > "\u2e7f":
        return 2.0
    if char in _NARROW:
        return 0.65
    if char in _WIDE:
        return 1.75
    return 1.5 if char.isupper() or char in "±−→←" else 1.0


def _lines(table: Table, chosen: PaperLayout) -> int:
    """Lines of all parts together."""
    lines = 0
    for part in chosen.parts:
        lines += 2
        for row in table.rows:
            cells = zip(part.columns, part.widths, strict=True)
            lines += max(ceil(measured(row[position].text) / max(width, 1)) or 1 for position, width in cells)
    return lines

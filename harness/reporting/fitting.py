"""How a table is fitted into a terminal so that nothing is lost: figures are never broken, names
fold after their separators.

Where the columns do not fit side by side, their order is their importance: as many as fit stand in
a first table, the rest below it, each time with the columns that name the rows. Where not even one
fits beside the names, every row becomes a block of ``heading: value`` lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len

PIECE = 24
"""A longer part of a name without any separator is broken wherever the column ends."""
_PIECES = re.compile(r"[^\s\-_/,;:|]*[\s\-_/,;:|]+|[^\s\-_/,;:|]+")
_NUMBER = re.compile(r"\d[eE]?[-/,:]$")
"""What ends inside a number where a digit follows."""
_OPEN, _CLOSE = "（《“‘「【", "，。；：、！？）》”’」】"
"""Marks that end, or begin, no line in Chinese."""
_HAN = re.compile(
    rf"[{_OPEN}]*(?:[\u3000-\u9fff\uff00-\uffef]|(?:(?![{_OPEN}])[^\u3000-\u9fff\uff00-\uffef])+)[{_CLOSE}]*|[{_OPEN}]+"
)


@dataclass(frozen=True)
class FittedColumn:
    """The lines of its heading and its cells; figures are never broken, keys stand in every part,
    neighbours of one group stay together.
    """

    heading: str
    cells: tuple[str, ...]
    figures: bool = False
    key: bool = False
    group: str = ""

    @property
    def natural(self) -> int:
        """Terminal columns that it needs unbroken."""
        return max(
            [cell_len(line) for line in self.heading.split("\n")] + [cell_len(cell) for cell in self.cells]
        )

    @property
    def least(self) -> int:
        """Terminal columns that it needs at least: figures whole, of texts the longest part between
        separators.
        """
        heading = min(PIECE, max((cell_len(piece.rstrip()) for piece in pieces(self.heading)), default=0))
        if self.figures:
            return max([heading] + [cell_len(cell) for cell in self.cells])
        parts = [cell_len(piece.rstrip()) for cell in self.cells for piece in pieces(cell)]
        return max(heading, min(PIECE, max(parts, default=0)))

    @property
    def easy(self) -> int:
        """Terminal columns at which it reads well: names of usual length unbroken."""
        return max(self.least, min(self.natural, PIECE)) if not self.figures else self.least


@dataclass(frozen=True)
class TablePart:
    """Columns of one table by their numbers, and their widths."""

    columns: tuple[int, ...]
    widths: tuple[int, ...]


def parts(columns: Sequence[FittedColumn], width: int, gap: int) -> list[TablePart]:
    """The tables that hold all columns, each with the key ones; empty where blocks must be written
    instead.
    """
    least, easy = [column.least for column in columns], [column.easy for column in columns]
    whole = list(range(len(columns)))
    if _needs(least, whole, gap) <= width:
        return [_part(columns, whole, width, gap)]

    # Names that stay whole are worth one table more, not blocks instead of tables.
    groups = _groups(columns, easy, width, gap) or _groups(columns, least, width, gap)
    return [_part(columns, group, width, gap) for group in groups]


def _groups(columns: Sequence[FittedColumn], needs: Sequence[int], width: int, gap: int) -> list[list[int]]:
    """Columns in as few tables as hold them in their order; empty where some that belong together
    do not fit beside the keys.
    """
    names = [position for position, column in enumerate(columns) if column.key]
    groups: list[list[int]] = []
    for unit in _units(columns):
        if _needs(needs, [*names, *unit], gap) > width:
            return []
        if not groups or _needs(needs, [*groups[-1], *unit], gap) > width:
            groups.append(list(names))
        groups[-1] += unit
    return [sorted(group) for group in groups]


def _units(columns: Sequence[FittedColumn]) -> Iterator[list[int]]:
    """The columns that are no keys, neighbours of one group together."""
    others = (position for position, column in enumerate(columns) if not column.key)
    for _, unit in groupby(others, key=lambda position: columns[position].group or position):
        yield list(unit)


def _needs(needs: Sequence[int], chosen: Sequence[int], gap: int) -> int:
    return sum(needs[position] for position in chosen) + gap * (len(chosen) - 1)


def _part(columns: Sequence[FittedColumn], chosen: Sequence[int], width: int, gap: int) -> TablePart:
    """What is left over goes to figures first (their headings), then to short texts, last to long
    ones.
    """
    widths = {position: columns[position].least for position in chosen}
    left = width - sum(widths.values()) - gap * (len(chosen) - 1)

    def urgency(position: int) -> tuple[bool, int, int]:
        return not columns[position].figures, columns[position].natural, position

    for position in sorted(chosen, key=urgency):
        more = min(left, columns[position].natural - widths[position])
        widths[position] += more
        left -= more
    return TablePart(tuple(chosen), tuple(widths[position] for position in chosen))


def pieces(text: str) -> Iterator[str]:
    """The parts of a text between which it may be broken: after separators, but not inside a
    number, a date or 6.0e-06, and between Han characters.
    """
    begin = end = 0
    for part in _PIECES.findall(text):
        end += len(part)
        if not (_NUMBER.search(text, begin, end) and text[end : end + 1].isdigit()):
            yield from _HAN.findall(text[begin:end])
            begin = end
    yield from _HAN.findall(text[begin:])


def folded(text: str, width: int) -> str:
    """The text in lines of at most ``width`` terminal columns; every character is kept but the
    spaces at which lines are broken.
    """
    lines = [""]
    for piece in pieces(text):
        if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
        while cell_len(lines[-1].rstrip()) > width:
            head = _head(lines[-1], width)
            lines[-1:] = [head, lines[-1][len(head) :]]
    return "\n".join(line.rstrip() for line in lines)


def _head(text: str, width: int) -> str:
    """The longest beginning of at most ``width`` columns, at least one character."""
    end = 1
    while end < len(text) and cell_len(text[: end + 1]) <= width:
        end += 1
    return text[:end]


def blocks(columns: Sequence[FittedColumn], width: int) -> list[str]:
    """Every row as lines ``heading: value``, rows parted by an empty line."""
    lines = []
    for row in range(len(columns[0].cells)):
        for column in columns:
            lines += folded(
                f"{column.heading.replace(chr(10), ' ')}: {column.cells[row]}", max(width, 1)
            ).split("\n")
        lines.append("")
    return lines

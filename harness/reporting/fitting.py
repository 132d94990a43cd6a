"""How a table is fitted into a terminal so that nothing is lost: figures are never broken, names
fold after their separators.

Where the columns do not fit side by side, their order is their importance: as many as fit stand in
a first table, the rest below it, each time with the columns that tell the rows apart. A long list
of texts goes on in a second line of each row instead. Where not even one column fits beside the
names, every row becomes a block of ``heading: value`` lines. Of several ways the shortest is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from rich.cells import cell_len

from harness.reporting.folding import HANG, balanced, folded, least

PIECE = 24
"""A longer part of a name without any separator is broken wherever the column ends."""
NAME = 16
"""Parts of a Chinese name up to this width stay together."""
HEADER = 14
"""A longer heading of figures is folded rather than widen its column."""
CAPS = (1000, 48, 36, 24, 16, 0)
"""Widths to which columns of texts are folded, tried from the widest; never below what they need."""
LONG = 20
"""More rows than these are a long list: no eye finds a row again in a second table so far below."""
STACK = 3
"""Most lines of a row without headings beside its values."""
SAMPLE = 200
"""Rows of which the height is reckoned with."""
STEP = 4
"""Columns by which the second line of a row is indented."""


@dataclass(frozen=True)
class FittedColumn:
    """A heading and its cells; figures are never broken, keys stand in every part, neighbours of
    one group stay together.
    """

    heading: str
    cells: tuple[str, ...]
    figures: bool = False
    key: bool = False
    group: str = ""
    compact: bool = False
    """Whether a long heading of figures takes several lines: such over short figures are what makes
    most tables too wide.
    """

    @cached_property
    def natural(self) -> int:
        """Terminal columns that it needs with its cells unbroken."""
        cap = HEADER if self.figures and self.compact else 1000
        heading = max(map(cell_len, fit_heading(self.heading, max(cap, least(self.heading)))))
        return max(heading, max(map(cell_len, self.cells), default=0))

    @cached_property
    def least(self) -> int:
        """Terminal columns that it needs at least: figures whole, of texts the longest part between
        separators.
        """
        heading = _least_of(self.heading, 0)
        if self.figures:
            return max(heading, max(map(cell_len, self.cells), default=0))
        return max(heading, max((_least_of(cell, HANG) for cell in set(self.cells)), default=0))

    def needs(self, cap: int) -> int:
        """Terminal columns that it is given before others get what is left over."""
        return self.least if self.figures else max(self.least, min(self.natural, cap))


@dataclass(frozen=True)
class TablePart:
    """Columns of one table by their numbers, and their widths."""

    columns: tuple[int, ...]
    widths: tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """The parts that hold all columns, one below the other; ``stacked``: those after the first are
    further lines of every row. Without parts every row is a block.
    """

    parts: tuple[TablePart, ...]
    stacked: bool = False


def fitted(columns: Sequence[FittedColumn], width: int, gap: int) -> Layout:
    """The shortest layout that is not wider than the terminal."""
    whole = range(len(columns))
    if _sum([column.natural for column in columns], whole, gap) <= width:
        return Layout((TablePart(tuple(whole), tuple(column.natural for column in columns)),))

    stacked = _is_long_list(columns)
    names = [] if stacked else identifying(columns)
    layouts = []
    for cap in CAPS:
        needs = [column.needs(cap) for column in columns]
        groups = _groups(columns, needs, names, width, gap, STEP if stacked else 0)
        rooms = [width - (STEP if stacked and number else 0) for number in range(len(groups))]
        parts = [_part(columns, needs, *pair, gap) for pair in zip(groups, rooms, strict=True)]
        if parts and not (stacked and len(parts) > STACK):
            layouts.append(Layout(tuple(parts), stacked and len(parts) > 1))
    return min(layouts, key=lambda layout: _lines(columns, layout), default=Layout(()))


def identifying(columns: Sequence[FittedColumn]) -> list[int]:
    """The columns that stand in every part: the keys, but for those that say the same in every row,
    and the first others without which two rows would look alike.
    """
    keys = [position for position, column in enumerate(columns) if column.key]
    chosen = [position for position in keys if len(set(columns[position].cells)) > 1] or keys
    rows = {position: column.cells for position, column in enumerate(columns)}
    count = _distinct([rows[position] for position in chosen])
    for position in rows:
        if position not in chosen and count < len(columns[position].cells):
            more = _distinct([rows[one] for one in (*chosen, position)])
            chosen, count = ([*chosen, position], more) if more > count else (chosen, count)
    return sorted(chosen)


def _distinct(columns: Sequence[tuple[str, ...]]) -> int:
    return len(set(zip(*columns, strict=True))) if columns else 0


def _is_long_list(columns: Sequence[FittedColumn]) -> bool:
    """Whether these are many rows of texts, which are read one by one. Figures are compared down
    their column, which a second line in each row would disturb.
    """
    others = [column for column in columns if not column.key]
    figures = sum(column.figures for column in others)
    return len(columns[0].cells) > LONG and 2 * figures < len(others)


def _groups(
    columns: Sequence[FittedColumn],
    needs: Sequence[int],
    names: Sequence[int],
    width: int,
    gap: int,
    step: int,
) -> list[list[int]]:
    """Columns in as few parts as hold them in their order, those after the first ``step`` columns
    narrower; empty where some that belong together do not fit beside the names.
    """
    groups: list[list[int]] = []
    for unit in _units(columns, names):
        room = width - (step if len(groups) > 1 else 0)
        if not groups or _sum(needs, [*groups[-1], *unit], gap) > room:
            groups.append(list(names))
            room = width - (step if len(groups) > 1 else 0)
            if _sum(needs, [*names, *unit], gap) > room:
                return []
        groups[-1] += unit
    return [sorted(group) for group in groups]


def _units(columns: Sequence[FittedColumn], names: Sequence[int]) -> Iterator[list[int]]:
    """The columns that are no names, neighbours of one group together."""
    others = [position for position in range(len(columns)) if position not in names]
    for _, unit in groupby(others, key=lambda position: columns[position].group or position):
        yield list(unit)
    if not others:
        yield []


def _sum(needs: Sequence[int], chosen: Sequence[int], gap: int) -> int:
    return sum(needs[position] for position in chosen) + gap * (len(chosen) - 1)


def _part(
    columns: Sequence[FittedColumn], needs: Sequence[int], chosen: Sequence[int], width: int, gap: int
) -> TablePart:
    """What is left over goes to figures first (their headings), then to short texts, last to long
    ones.
    """
    widths = {position: needs[position] for position in chosen}
    left = width - _sum(needs, chosen, gap)

    def urgency(position: int) -> tuple[bool, int, int]:
        return not columns[position].figures, columns[position].natural, position

    for position in sorted(chosen, key=urgency):
        more = min(left, columns[position].natural - widths[position])
        widths[position] += more
        left -= more
    return TablePart(tuple(chosen), tuple(widths[position] for position in chosen))


def _lines(columns: Sequence[FittedColumn], layout: Layout) -> float:
    """How many lines a layout takes, and more where names are folded: two lines of a name are read
    as one, three or four are not.
    """
    rows = min(len(columns[0].cells), SAMPLE)
    height = 0.0
    for part in layout.parts:
        inside = [
            (columns[position], width) for position, width in zip(part.columns, part.widths, strict=True)
        ]
        height += 2 + max(len(fit_heading(column.heading, width)) for column, width in inside)
        for row in range(rows):
            lines = [len(fit(column.cells[row], width)) for column, width in inside]
            folds = [count - 1 for count, (column, _) in zip(lines, inside, strict=True) if column.key]
            height += max(lines) + max(folds, default=0) ** 2
    return height


def fit(text: str, width: int) -> list[str]:
    """A cell as it is where it fits, else folded."""
    return [text] if cell_len(text) <= width else folded(text, width, HANG, NAME).split("\n")


def fit_heading(text: str, width: int) -> list[str]:
    """A heading as it is where it fits, else in lines of about equal length."""
    return [text] if cell_len(text) <= width else balanced(text, width).split("\n")


def _least_of(text: str, hang: int) -> int:
    """Figures whole, of names the longest part between separators, with the indent of what is
    folded.
    """
    longest = least(text)
    if any(char.isalpha() for char in text):
        longest = min(longest, PIECE)
    indent = len(text) - len(text.lstrip(" "))
    return longest + indent + (hang if longest < cell_len(text) - indent else 0)


def blocks(columns: Sequence[FittedColumn], width: int) -> list[str]:
    """Every row as lines ``heading: value`` below those of its names, rows parted by an empty line;
    what a row says nothing of is left out.
    """
    lines = []
    names = identifying(columns)
    for row in range(len(columns[0].cells)):
        for position in [*names, *(one for one in range(len(columns)) if one not in names)]:
            heading, value = columns[position].heading, columns[position].cells[row].strip()
            indent = HANG if position not in names and width > 2 * STEP else 0
            if value:
                lines += _line(f"{' ' * indent}{heading}:", value, width, indent + HANG)
        lines.append("")
    return lines


def _line(heading: str, value: str, width: int, indent: int) -> list[str]:
    """A heading with its value; one that would be broken stands below its heading."""
    if cell_len(f"{heading} {value}") > width >= cell_len(value) + indent:
        return [*folded(heading, width, HANG).split("\n"), " " * indent + value]
    return folded(f"{heading} {value}", max(width, 1), HANG).split("\n")

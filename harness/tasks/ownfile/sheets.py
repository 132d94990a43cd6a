"""Rows of an Excel workbook (.xlsx, .xlsm), each cell as the text that Excel shows.

A cell that Excel does not hold as it shows it (a date, a formula, a number in a format of its own,
superscripts) becomes `Odd`, which is refused where such a cell is read: an option "1-2" that Excel
turned into the second of January must not be asked as a number of days. openpyxl is imported late.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.errors import ConfigError

SUFFIXES = (".xlsx", ".xlsm")
_FIXED = re.compile(r"0(?:\.(0+))?(%?)")
_PLAIN = ("General", "@", "GENERAL")
_RETURN = re.compile(r"_x000D_\n?|\r\n?")
_INSTEAD = "type it again in a cell formatted as text"


class Odd(str):
    """A cell that is not what it shows: the text says why, and what to do."""

    __slots__ = ()


def sheet_rows(path: Path, sheet: str | None) -> tuple[list[tuple[int, dict[str, Any]]], list[str]]:
    """((row below the header from 1, cells by column) of a workbook's sheet, notes).

    Raises ConfigError, OSError.
    """
    workbook = _workbook(path)
    table, notes = _sheet(workbook, sheet)
    names = _header(table)

    covered = _covered(table)
    rows: list[tuple[int, dict[str, Any]]] = []
    for number, cells in enumerate(table.iter_rows(min_row=2, max_col=len(names)), start=1):
        row = {name: _value(cell, covered) for name, cell in zip(names, cells, strict=True)}
        rows.append((number, {} if all(value == "" for value in row.values()) else row))
    while rows and not rows[-1][1]:
        rows.pop()

    # What a filter hides is still in the file; a person who filtered may not expect it.
    hidden = sum(line.hidden for index, line in table.row_dimensions.items() if index > 1)
    if hidden:
        notes.append(f"rows that the sheet hides are read, too: {hidden}")
    return rows, notes


def _workbook(path: Path) -> Any:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    with path.open("rb") as file:
        begin = file.read(8)
    if begin.startswith(b"\xd0\xcf\x11\xe0"):
        raise ConfigError("is an old Excel file (.xls) or has a password; save it as .xlsx without one")
    try:
        return load_workbook(path, data_only=False, rich_text=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(
            f"is no Excel workbook that can be read ({reason}); save it again as .xlsx, or as CSV in UTF-8"
        ) from error


def _sheet(workbook: Any, name: str | None) -> tuple[Any, list[str]]:
    """The sheet that is meant: the named one, else the only one with cells."""
    tables = workbook.worksheets
    names = [table.title for table in tables]
    if name is not None:
        chosen = next((table for table in tables if table.title.strip() == name.strip()), None)
        if chosen is None:
            raise ConfigError(f"no sheet {name!r} (sheet:); it has: {', '.join(names)}")
        return chosen, []

    filled = [table for table in tables if any(any(row) for row in table.iter_rows(values_only=True))]
    if not filled:
        raise ConfigError("no rows; a question and an answer per row are expected")
    if len(filled) > 1:
        listed = ", ".join(table.title for table in filled)
        raise ConfigError(
            f"{len(filled)} sheets have rows ({listed}); say which, as sheet: {filled[0].title}"
        )
    return filled[0], [f"the sheet {filled[0].title!r} is read"] if len(tables) > 1 else []


def _header(table: Any) -> list[str]:
    cells = [_plain(cell.value) for cell in next(table.iter_rows(min_row=1, max_row=1))]
    while cells and not cells[-1]:
        cells.pop()
    if not cells:
        raise ConfigError("no header: the sheet's first row names its columns")

    # A title over the whole table is one merged cell, and the row below it the real header.
    if len(cells) == 1 or any(
        area.min_row == 1 and area.max_col > area.min_col for area in table.merged_cells.ranges
    ):
        raise ConfigError(
            f"the sheet's first row is {', '.join(filter(None, cells))!r}, no header: its first"
            " row must name the"
            " columns (question, A, B, answer …); delete a title above them"
        )
    twice = sorted({name for name in cells if name and cells.count(name) > 1})
    if twice:
        raise ConfigError(f"two columns are called {twice[0]!r}; give every column a name of its own")
    return [name or f"(column {position})" for position, name in enumerate(cells, 1)]


def _plain(value: Any) -> str:
    return "" if value is None else _RETURN.sub("\n", str(value)).strip()


def _covered(table: Any) -> dict[str, str]:
    """Cells that a merged area covers, but for its first, with the area's name."""
    return {
        f"{row}:{column}": str(area)
        for area in table.merged_cells.ranges
        for column, row in _inside(area)
        if (column, row) != (area.min_col, area.min_row)
    }


def _inside(area: Any) -> Iterator[tuple[int, int]]:
    for row in range(area.min_row, area.max_row + 1):
        for column in range(area.min_col, area.max_col + 1):
            yield column, row


def _value(cell: Any, covered: dict[str, str]) -> Any:
    """A cell as text ("" where it is empty), as true or false, or `Odd`."""
    area = covered.get(f"{cell.row}:{cell.column}")
    if area is not None:
        return Odd(f"is part of the merged cells {area}: split them and write the value in every row")

    value, name = cell.value, cell.coordinate
    if value is None:
        return ""
    if isinstance(value, bool):
        return value
    if cell.data_type == "f" or (not isinstance(value, str | int | float | list) and not cell.is_date):
        return Odd(f"holds a formula in cell {name}: copy the column and paste it as values")
    if cell.is_date:
        return Odd(f"is a date in Excel (cell {name}: {value}): {_INSTEAD}")
    if isinstance(value, int | float):
        return _number(value, str(cell.number_format), name)
    return _text(value, name)


def _number(value: int | float, number_format: str, name: str) -> str:
    """The number as Excel shows it under the formats that are sure: General, text, 0.00, 0 %."""
    if number_format in _PLAIN:
        whole = int(value) if float(value).is_integer() else value
        if abs(value) >= 10**15:
            return Odd(
                f"is a number of more than 15 digits (cell {name}), of which Excel keeps 15: {_INSTEAD}"
            )
        return str(whole) if isinstance(whole, int) else f"{whole:.15g}"

    match = _FIXED.fullmatch(number_format)
    if match is None:
        return Odd(f"is the number {value} in the format {number_format!r} (cell {name}): {_INSTEAD}")
    shown = value * 100 if match[2] else value
    return f"{shown:.{len(match[1] or '')}f}{match[2]}"


def _text(value: Any, name: str) -> str:
    """A text; of formatted parts their texts, unless a part stands higher or lower."""
    parts = value if isinstance(value, list) else []
    if any(
        getattr(getattr(part, "font", None), "vertAlign", None) in ("superscript", "subscript")
        for part in parts
    ):
        return Odd(f"holds superscripts or subscripts (cell {name}), which a text loses: write 10^2, H_2O")
    return _RETURN.sub("\n", str(value))

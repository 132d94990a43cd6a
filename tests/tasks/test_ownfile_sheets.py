"""Excel workbooks as own files: cells that are what they show are read, all others refused by name."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from support.ownfile import golds, read, refused

HEAD = ["题目", "A", "B", "C", "答案"]


def workbook(folder: Path, rows: list[list[Any]], formats: dict[str, str] | None = None) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for cell, number_format in (formats or {}).items():
        sheet[cell].number_format = number_format
    path = folder / "own.xlsx"
    book.save(path)
    return path


def test_a_sheet_is_read_as_it_is_shown(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        [HEAD, ["哪个？", 1, 0.5, "三", "B"], [], ["几\r\n个？", 1.50, 0.125, 3.0, "A"]],
        {"B2": "0.00", "C2": "0%", "B4": "0.0", "C4": "0.0%"},
    )
    own = read(path)
    assert own.rows == [
        {"question": "哪个？", "choices": ["1.00", "50%", "三"], "answer": 1},
        {"question": "几\n个？", "choices": ["1.5", "12.5%", "3"], "answer": 0},
    ]
    assert any("empty rows that are left out: 1" in note for note in own.notes)


@pytest.mark.parametrize(
    ("value", "number_format", "part"),
    [
        (datetime.datetime(2024, 1, 2), None, "is a date in Excel (cell B2: 2024-01-02"),
        (datetime.time(1, 30), None, "is a date in Excel"),
        (45000, "m月d日", "is a date in Excel"),
        ("=1+1", None, "holds a formula in cell B2"),
        (1234.5, "#,##0.00", "in the format '#,##0.00' (cell B2)"),
        (0.5, "# ?/?", "in the format"),
        (12345678901234567890, None, "more than 15 digits"),
        (True, None, "is true, not text"),
        ("#N/A", None, "missing value"),
        (CellRichText("10", TextBlock(InlineFont(vertAlign="superscript"), "2")), None, "superscripts"),
    ],
)
@pytest.mark.parametrize("column", ["A", "答案"])
def test_cells_that_are_not_what_they_show(
    tmp_path: Path, value: Any, number_format: str | None, part: str, column: str
) -> None:
    rows = [HEAD, ["q", value, "y", "z", "A"]] if column == "A" else [["题目", "答案"], ["q", value]]
    path = workbook(tmp_path, rows, {"B2": number_format} if number_format else None)
    refused(path, f"row 1, column '{column}'", part)


def test_a_column_that_is_not_read_may_hold_anything(tmp_path: Path) -> None:
    day = datetime.datetime(2024, 1, 2)
    assert golds(workbook(tmp_path, [["日期", *HEAD], [day, "q", "x", "y", "z", "C"]])) == [2]


def test_merged_cells_titles_and_sheets(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["2024 年题库"], HEAD, ["q", "x", "y", "z", "A"]):
        sheet.append(row)
    sheet.merge_cells("A1:E1")
    book.save(path := tmp_path / "own.xlsx")
    refused(path, "'2024 年题库', no header")

    sheet.unmerge_cells("A1:E1")
    sheet.delete_rows(1)
    sheet["F1"], sheet["F2"], sheet["F3"] = "类别", "数学", None
    sheet.append([])
    for column, value in zip("ABCDE", ["r", "x", "y", "z", "B"], strict=True):
        sheet[f"{column}3"] = value
    sheet.merge_cells("F2:F3")
    book.save(path)
    refused(path, "row 2, column '类别'", "merged cells F2:F3", category="类别")

    other = book.create_sheet("二")
    other.append(HEAD)
    other.append(["s", "x", "y", "z", "C"])
    book.save(path)
    refused(path, "2 sheets have rows (Sheet, 二)", "sheet: Sheet")
    assert golds(path, sheet="二") == [2]
    refused(path, "no sheet '三'", sheet="三")


def test_what_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "own.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    refused(path, "old Excel file (.xls) or has a password")
    path.write_text("question,answer\n", encoding="utf-8")
    refused(path, "no Excel workbook that can be read")

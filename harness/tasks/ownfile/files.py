"""The rows of an own file, whatever its kind: text files by their encoding, workbooks by"
" their sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.tasks.ownfile import sheets
from harness.tasks.ownfile.encodings import UTF8, encoding_of
from harness.textfiles import JSON_LINES, SEPARATED, rows

SUFFIXES = (*JSON_LINES, *SEPARATED, *sheets.SUFFIXES)
Numbered = tuple[int, dict[str, Any]]
"""A row's number from 1 and its cells by column; no cells where the row is empty."""
_OTHERS = {
    ".xls": "this is an old Excel file; save it as .xlsx",
    ".ods": "this is an OpenDocument table; save it as .xlsx or CSV",
    ".et": "this is a WPS table; save it as .xlsx",
    ".parquet": "this is Parquet; write it as JSONL (in pandas: to_json(orient='records', lines=True))",
}


def require_suffix(path: Path) -> None:
    """Raises ConfigError for a kind of file that is not read."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        kind = _OTHERS.get(suffix, f"got {suffix or 'no suffix'}")
        raise ConfigError(f"{path}: a data file must be JSONL, JSON, CSV, TSV or XLSX, {kind}")


def file_rows(path: Path, encoding: str | None, sheet: str | None) -> tuple[list[Numbered], list[str]]:
    """(every row, notes). Raises ConfigError without the file's name, Unreadable, OSError."""
    if path.suffix.lower() in sheets.SUFFIXES:
        if encoding is not None:
            raise ConfigError("encoding: is for text files; a workbook says its own")
        numbered, notes = sheets.sheet_rows(path, sheet)
        return [(number, _flat(row)) for number, row in numbered], notes

    if sheet is not None:
        raise ConfigError("sheet: is for Excel workbooks; this is a text file")
    codec, note = encoding_of(path, encoding)
    numbered = list(rows(path, None if codec == UTF8 else codec))
    return [(number, _flat(row)) for number, row in numbered], [note] if note else []


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """ARC's own layout, ``{"question": {"stem": …, "choices": […]}}``, as columns."""
    nested = row.get("question")
    if not isinstance(nested, dict) or not isinstance(nested.get("stem"), str):
        return row
    inside = {("question" if key == "stem" else key): value for key, value in nested.items()}
    return {**inside, **{key: value for key, value in row.items() if key != "question" and key not in inside}}

"""Rows of the text files that people bring (CSV, TSV, JSONL, JSON), read so that damage is said and
never becomes a value.

Refused in one line: bytes that are not UTF-8, columns named twice or not at all, rows longer or
shorter than the header, a quote that swallows rows, a key that stands twice in one object.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

SEPARATED = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson", ".json")
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_FIELD = 1 << 28
"""Most characters of one CSV field; Python's own limit of 131,072 is less than a long
conversation.
"""


class Unreadable(ValueError):
    """Why a file cannot be read: one line without the file's name."""


class Number(str):
    """A number of a JSON file as it was written there: 1.10 stays 1.10, NaN and Infinity are
    seen.
    """

    __slots__ = ()


def rows(path: Path, encoding: str | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """(row from 1, cells by column) of a file whose suffix says its kind; a row whose cells are all
    empty counts but has no cells.

    Cells of CSV and TSV are texts; of JSON texts, `Number`, booleans, None, lists and dicts.
    ``encoding``: a codec that the file is known to be in; None is UTF-8, checked. Raises Unreadable,
    and OSError where there is no such file.
    """
    suffix = path.suffix.lower()
    if encoding is None:
        check_encoding(path)
    newline = "" if suffix in SEPARATED else None
    try:
        with path.open(encoding=encoding or "utf-8-sig", newline=newline) as file:
            yield from _separated(file, SEPARATED[suffix]) if suffix in SEPARATED else _json(file)
    except UnicodeDecodeError as error:
        raise Unreadable(_not_utf8(path, error)) from error


def columns(path: Path) -> list[str]:
    """The columns of a CSV or TSV file, which may have no rows. Raises as `rows` does."""
    check_encoding(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            mark, _ = _mark(file, SEPARATED[path.suffix.lower()])
            return _header(next(csv.reader(file, delimiter=mark, strict=True), []))
    except UnicodeDecodeError as error:
        raise Unreadable(_not_utf8(path, error)) from error


def check_encoding(path: Path) -> None:
    """Raises Unreadable where a file's first bytes show that it is no UTF-8 text, OSError where it
    cannot be opened.
    """
    with path.open("rb") as file:
        begin = file.read(4096)

    # Each of these would pass as text of one odd encoding or another, and give rows of nonsense.
    for mark, name in _MARKS:
        if begin.startswith(mark):
            raise Unreadable(f"is {name}, not UTF-8; save it as UTF-8 (iconv -f {name} -t UTF-8)")

    if begin.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Unreadable("is a spreadsheet or an archive, not text; save the table as CSV in UTF-8")
    if begin.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")):
        raise Unreadable("is compressed, not text; unpack it first")
    if b"\0" in begin:
        name = "UTF-16" if begin[:2].count(0) == 1 else "text"
        raise Unreadable(
            f"is not UTF-8 (it holds zero bytes{', as UTF-16 does' if name == 'UTF-16' else ''});"
            " save it as "
            "UTF-8"
        )


def _not_utf8(path: Path, error: UnicodeDecodeError) -> str:
    with path.open("rb") as file:
        return likely_encoding(file.read(1 << 20), error)


def likely_encoding(data: bytes, error: UnicodeDecodeError) -> str:
    """Why bytes are not UTF-8, with the Chinese encoding that they look like, and how to save them."""
    for name in ("gb18030", "big5"):
        try:
            text = codecs.getincrementaldecoder(name)().decode(data)
        except UnicodeDecodeError:
            continue
        if re.search(r"[\u4e00-\u9fff]{2}", text):
            label = "GBK or GB18030" if name == "gb18030" else "Big5"
            return f"not UTF-8; it looks like {label}: save it as UTF-8 (iconv -f {name.upper()} -t UTF-8)"
    return f"not UTF-8 (byte {error.start} of a part of it cannot be read); save the file as UTF-8"


def _separated(file: IO[str], mark: str) -> Iterator[tuple[int, dict[str, Any]]]:
    csv.field_size_limit(_FIELD)
    mark, before = _mark(file, mark)
    reader = csv.reader(file, delimiter=mark, strict=True)

    number, line = 0, 1
    try:
        header = _header(next(reader, []))
        for number, cells in enumerate(reader, start=1):
            begin, line = before + line + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                yield number, {}
                continue
            if len(cells) != len(header):
                raise Unreadable(_length(number, begin, cells, header))

            # A quote that is never closed swallows rows until the next one, and the row still has
            # as many cells as the header.
            for place, cell in enumerate(cells):
                if "\n" in cell and _swallowed(cell, place, len(header), mark):
                    raise Unreadable(
                        f"row {number} (from line {begin}), column {header[place]!r} holds whole"
                        " rows of the "
                        "file: a quote is missing or "
                        "stands alone; double each quote inside a field"
                    )

            yield number, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        where = f"row {number + 1}, near line {before + reader.line_num}"
        raise Unreadable(
            f"{where}: no valid CSV ({error}): is a quote missing, or not doubled inside a field?"
        ) from error


def _mark(file: IO[str], usual: str) -> tuple[str, int]:
    """(what separates cells, lines before the header): table programs write semicolons where a
    comma is the decimal mark, and may say so in a first line ``sep=;``. The first line has at least
    two names, so the usual mark stands in it or another one is meant.
    """
    first = file.readline()
    declared = re.fullmatch(r'"?sep=(.)"?', first.strip("\ufeff\r\n"))
    if declared is not None:
        return declared[1], 1

    file.seek(0)
    return (
        usual
        if usual in first
        else max("\t;|，,", key=first.count)
        if re.search("[\t;|，,]", first)
        else usual
    ), 0


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if not any(names):
        raise Unreadable("no header: the first line of a CSV names its columns")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise Unreadable(f"two columns are called {twice[0]!r}; give every column a name of its own")
    unnamed = {name: place for place, name in enumerate(names, 1) if not name}
    return [name or f"(column {place})" for place, name in enumerate(names, 1)] if unnamed else names


def _length(number: int, line: int, cells: list[str], header: list[str]) -> str:
    long = next((name for name, cell in zip(header, cells, strict=False) if cell.count("\n") > 1), None)
    swallowed = f"; column {long!r} of it holds line breaks: is a quote missing?" if long else ""
    advice = swallowed or "; a comma inside a field needs quotes around the field"
    return f"row {number} (line {line}) has {len(cells)} cells, the header {len(header)} columns{advice}"


def _swallowed(cell: str, place: int, columns: int, mark: str) -> bool:
    """Whether a field of several lines is the end of one row, whole rows, and the beginning of
    another: a quote that was never closed in its own row makes a field that has exactly the
    separators of these.
    """
    first, *inner, last = cell.split("\n")
    if first.count(mark) != columns - 1 - place or last.count(mark) != place or columns < 2:
        return False

    if any(line.count(mark) != columns - 1 for line in inner):
        return False
    return not re.search(
        rf"{re.escape(mark)}\s|\d{re.escape(mark)}\d\d\d(?!\d)", "\n".join([first.rstrip("\r"), *inner, last])
    )


def _json(file: IO[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """JSON lines, or one list of objects in a file of any name."""
    # The suffix does not tell: many tools write one list into a file called .jsonl, and lines into
    # .json.
    begin = next((line for line in file if line.strip()), "")
    file.seek(0)
    if begin.lstrip().startswith("["):
        yield from _list(file.read())
        return

    number = 0
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = _decode(line)
        except json.JSONDecodeError as error:
            if line.strip() == "{" and number == 1:
                raise Unreadable(
                    "is one JSON object over several lines; expected one object per line, or one"
                    " list of "
                    "objects"
                ) from error
            raise Unreadable(
                f"row {number}: no valid JSON ({error.msg}); one JSON object per line is expected"
            ) from error
        except Unreadable as error:
            raise Unreadable(f"row {number}: {error}") from error
        yield number, _object(number, row)


def _list(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        entries = _decode(text)
    except json.JSONDecodeError as error:
        raise Unreadable(
            f"line {error.lineno}: no valid JSON ({error.msg}); a list of objects is expected"
        ) from error
    for number, row in enumerate(entries, start=1):
        yield number, _object(number, row)


def _decode(text: str) -> Any:
    return json.loads(
        text, parse_int=Number, parse_float=Number, parse_constant=Number, object_pairs_hook=_once
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        raise Unreadable(
            f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice in one object"
        )
    return row


def _object(number: int, row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise Unreadable(f"row {number} must be a JSON object, got {_kind(row)}")
    if not row:
        raise Unreadable(f"row {number} is an empty object")
    if _by_columns(row):
        raise Unreadable(
            f"row {number} holds a whole table by its columns; with pandas write it by "
            "to_json(orient='records', lines=True)"
        )
    return row


def _by_columns(row: dict[str, Any]) -> bool:
    """Whether an object is a table as ``DataFrame.to_json()`` writes it: {column: {row: cell}}, or
    its "split" or "table" form.
    """
    if isinstance(row.get("data"), list) and {"columns", "schema"} & set(row):
        return True
    cells = list(row.values())
    return len(cells) > 1 and all(
        isinstance(cell, dict) and cell and list(cell) == [str(n) for n in range(len(cell))] for cell in cells
    )


def _kind(value: Any) -> str:
    names: dict[type, str] = {
        Number: "a number",
        str: "a text",
        bool: "true or false",
        list: "a list",
        type(None): "null",
    }
    return names.get(type(value), type(value).__name__)

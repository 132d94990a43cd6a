"""Snapshots as files.

This project's own (JSONL, CSV.GZ, each with a header record) and dated CSV tables of several lists.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import datetime
import gzip
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import IO, Any

from harness.adoption.rows import HubModel, Snapshot, clean_pipeline
from harness.errors import ConfigError, DataError

SCHEMA = 1
FIELDS = tuple(one.name for one in fields(HubModel))
COUNTS = ("likes", "downloads_30d", "downloads_all", "parameters")
SUFFIXES = (".jsonl", ".csv.gz")
TABLE = ("date", "source", "model")
"""Columns that a dated table must have."""
NOTES = {
    "top 300 by likes and top 300 by downloads": "top300",
    "30 most trending": "trending",
    "trending": "trending",
    "the newsletter's list of the day": "newsletter",
    "commit date; read on that day or before": "over1000",
}
"""What the tables' notes say of a list, as a selection that the catalogue of texts names."""


def read_snapshots(paths: Iterable[Path]) -> list[Snapshot]:
    """All snapshots of some files, sorted by date and source.

    Tables of likes and of downloads that list the same day and source are joined by model. Raises
    DataError that names file and line for one that cannot be read, ConfigError for another kind of
    file.
    """
    by_list: dict[tuple[Any, ...], Snapshot] = {}
    for path in paths:
        for one in _read(path):
            key = (one.date, *one.series)
            by_list[key] = _joined(by_list[key], one) if key in by_list else one
    return sorted(by_list.values(), key=lambda one: (one.date, one.series))


def _joined(one: Snapshot, other: Snapshot) -> Snapshot:
    """Both lists as one: what the first lacks of a model, the second may have."""
    # Of two snapshots of our own of one day the later one counts.
    if one.header and other.header:
        return max(one, other, key=lambda snapshot: str(snapshot.header.get("ended")))

    rows = {row.model: row for row in one.rows}

    # Tables of likes and tables of downloads name the same models: their columns are put together.
    for row in other.rows:
        earlier = rows.get(row.model)
        if earlier is not None:
            more = {name: getattr(row, name) for name in FIELDS if getattr(earlier, name) is None}
            row = dataclasses.replace(earlier, **more, exact=earlier.exact and row.exact)
        rows[row.model] = row
    return dataclasses.replace(one, rows=tuple(rows.values()))


def _read(path: Path) -> list[Snapshot]:
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error

    if path.name.endswith(".jsonl"):
        return [_own(path, *_json_lines(path, text))]

    # Our CSV has its header record as a comment line, so that other programs read the rows.
    if text.startswith("# {"):
        first, _, rest = text.partition("\n")
        return [
            _own(path, _header(path, first[2:]), enumerate(csv.DictReader(io.StringIO(rest, newline="")), 3))
        ]
    if path.name.endswith((".csv", ".csv.gz")):
        return _table(path, csv.DictReader(io.StringIO(text, newline="")))
    raise ConfigError(f"{path}: a snapshot is {' or '.join(SUFFIXES)}, or a dated table (.csv, .csv.gz)")


def _header(path: Path, text: str) -> dict[str, Any]:
    try:
        header: dict[str, Any] = json.loads(text)
        if header["record"] != "header" or header["schema_version"] != SCHEMA:
            raise ValueError(f"schema_version {header.get('schema_version')!r}; this version reads {SCHEMA}")
        datetime.date.fromisoformat(header["date"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}:1: no header of `harness adoption snapshot`: {error}") from error
    return header


def _json_lines(path: Path, text: str) -> tuple[dict[str, Any], Iterator[tuple[int, dict[str, Any]]]]:
    first, _, rest = text.partition("\n")

    def rows() -> Iterator[tuple[int, dict[str, Any]]]:
        for number, line in enumerate(rest.split("\n"), 2):
            if line.strip():
                try:
                    yield number, json.loads(line)
                except ValueError as error:
                    raise DataError(f"{path}:{number}: not JSON: {error}") from error

    return _header(path, first), rows()


def _own(path: Path, header: dict[str, Any], lines: Iterable[tuple[int, dict[str, Any]]]) -> Snapshot:
    rows = tuple(row_of(path, number, raw) for number, raw in lines)
    if len(rows) != header.get("models"):
        raise DataError(
            f"{path}: its header says {header.get('models')} models, it holds {len(rows)}: cut"
            f" off? take the snapshot again"
        )
    return Snapshot(
        datetime.date.fromisoformat(header["date"]), header["endpoint"], header["selection"], rows, header
    )


def _table(path: Path, reader: csv.DictReader[str]) -> list[Snapshot]:
    """Several lists in one table.

    Columns of TABLE, and any of likes, downloads_30d, downloads_all, pipeline, exact, note,
    selection.
    """
    names = reader.fieldnames or []

    # A table without figures would give snapshots in which nobody has a like.
    if lacking := [name for name in TABLE if name not in names]:
        raise DataError(f"{path}: no column {', '.join(lacking)}; got {', '.join(names)[:120]}")
    if not set(COUNTS[:3]) & set(names):
        raise DataError(
            f"{path}: no figures; expected a column {', '.join(COUNTS[:3])}; got {', '.join(names)[:120]}"
        )

    lists: dict[tuple[datetime.date, str, str], list[HubModel]] = {}
    try:
        for number, raw in enumerate(reader, 2):
            note = raw.get("selection") or raw.get("note") or ""
            key = (_day(path, number, raw["date"]), raw["source"], NOTES.get(note, note or "?"))
            lists.setdefault(key, []).append(row_of(path, number, raw))
    except csv.Error as error:
        raise DataError(f"{path}: not CSV: {error}") from error
    return [Snapshot(day, source, selection, tuple(rows)) for (day, source, selection), rows in lists.items()]


def row_of(path: Path, number: int, raw: dict[str, Any]) -> HubModel:
    """A line as a HubModel. Raises DataError that names it."""
    try:
        facts: dict[str, Any] = {name: raw.get(name) if raw.get(name) != "" else None for name in FIELDS}
        facts |= {name: None if facts[name] is None else _count(name, facts[name]) for name in COUNTS}
        facts["pipeline"] = clean_pipeline(facts["pipeline"])
        facts["created"] = None if facts["created"] is None else datetime.date.fromisoformat(facts["created"])
        facts["quantized"] = {"True": True, "False": False, True: True, False: False}.get(facts["quantized"])
        facts["exact"] = facts["exact"] in (None, True, "True", "yes")

        if not isinstance(facts["model"], str):
            raise ValueError("no model")
        return HubModel(**facts)
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{path}:{number}: {error}") from error


def _count(name: str, value: Any) -> int:
    try:
        count = int(float(value)) if "." in str(value) else int(value)
    except (ValueError, OverflowError):
        count = -1
    if count < 0:
        raise ValueError(f"{name} is {str(value)[:40]!r}, not a count")
    return count


def _day(path: Path, number: int, text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except (TypeError, ValueError):
        raise DataError(f"{path}:{number}: expected a date like 2026-08-22, got {text!r}") from None


def write_snapshot(path: Path, header: dict[str, Any], rows: Iterable[HubModel]) -> None:
    """Writes a header record and rows as JSONL or CSV.GZ by the suffix, whole or not at all.

    ``rows`` is read once, one row at a time.
    """
    from harness.results.files import write_whole

    def put(part: Path) -> None:
        packed = path.name.endswith(".gz")
        with part.open("wb") as raw, contextlib.ExitStack() as stack:
            # Without a time stamp, so that equal rows give equal bytes.
            binary = stack.enter_context(gzip.GzipFile("", "wb", 9, raw, mtime=0)) if packed else raw
            file = stack.enter_context(io.TextIOWrapper(binary, encoding="utf-8", newline=""))
            _put_csv(file, header, rows) if packed else _put_json(file, header, rows)

    write_whole(path, put)


def _put_json(file: IO[str], header: dict[str, Any], rows: Iterable[HubModel]) -> None:
    file.write(json.dumps(header, ensure_ascii=False) + "\n")
    for row in rows:
        file.write(json.dumps(plain(row), ensure_ascii=False) + "\n")


def _put_csv(file: IO[str], header: dict[str, Any], rows: Iterable[HubModel]) -> None:
    file.write(f"# {json.dumps(header, ensure_ascii=False)}\n")
    writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(plain(row) for row in rows)


def plain(row: HubModel) -> dict[str, Any]:
    """A row as JSON has it."""
    record = {name: getattr(row, name) for name in FIELDS}
    record["created"] = str(row.created) if row.created else None
    return record

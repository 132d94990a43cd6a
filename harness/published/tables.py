"""Rows of a table file: CSV, JSON (a list), JSONL, Parquet."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from harness.errors import ConfigError

KINDS = (".csv", ".tsv", ".json", ".jsonl", ".parquet")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Every row, by column name.

    Raises ConfigError where the file is missing, of another kind, broken or empty.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise ConfigError(f"{path}: expected {', '.join(KINDS)}, got {kind or 'no ending'}")

    # Whatever is wrong with the file, a person needs its name and one line.
    try:
        rows = _parquet(path) if kind == ".parquet" else _text(path.read_text(encoding="utf-8-sig"), kind)
    except (OSError, ValueError, csv.Error) as error:
        raise ConfigError(f"{path}: cannot be read: {' '.join(str(error).split())[:200]}") from error

    if not rows or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(
            f"{path}: expected a table, one row per model; got {'no rows' if not rows else 'something else'}"
        )
    return rows


def _text(text: str, kind: str) -> list[dict[str, Any]]:
    if kind in (".csv", ".tsv"):
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if kind == ".tsv" else ",")
        return [{str(key): value for key, value in row.items() if key is not None} for row in reader]
    if kind == ".jsonl":
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    data = json.loads(text)
    if not isinstance(data, list):
        raise ValueError("expected a list of rows")
    return data


def _parquet(path: Path) -> list[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except pyarrow.ArrowException as error:
        raise ValueError(str(error)) from error
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows

"""Rows of a table file that someone brings: CSV, TSV, JSON (a list), JSON lines, Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.textfiles import JSON_LINES, SEPARATED, Unreadable, rows
from harness.wording import reason_of

KINDS = (*SEPARATED, *JSON_LINES, ".parquet")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Every row, by column name; numbers of JSON as they were written there (`textfiles.Number`).

    Raises ConfigError where the file is missing, of another kind, broken or empty.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise ConfigError(f"{path}: expected {', '.join(KINDS)}, got {kind or 'no ending'}")

    try:
        table = _parquet(path) if kind == ".parquet" else [row for _, row in rows(path) if row]
    except Unreadable as error:
        raise ConfigError(f"{path}: {error}") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {reason_of(error)}") from error
    if not table:
        raise ConfigError(f"{path}: expected a table, one row per model; got no rows")
    return table


def _parquet(path: Path) -> list[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except pyarrow.ArrowException as error:
        raise ValueError(str(error)) from error
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows

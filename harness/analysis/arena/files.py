"""Battle files as frames of a bounded size, and the style of two answers.

Style is counted as LMArena publishes it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import DataError
from harness.textfiles import JSON_LINES, SEPARATED, Unreadable, rows
from harness.wording import reason_of

if TYPE_CHECKING:
    from pandas import DataFrame

    from harness.analysis.arena.votes import Array

ROWS = 50_000
"""Rows that are in memory as text at once."""
SOURCES = {
    "length": ("length_{}", "sum_assistant_{}_tokens", "sum_assistant_tokens_{}"),
    "headers": ("headers_{}", "header_count_{}"),
    "bold": ("bold_{}", "bold_count_{}"),
    "lists": ("lists_{}", "list_count_{}"),
}
"""Names of each feature for side a or b: simple ones, and those of LMArena's conv_metadata."""
STYLE_COLUMNS = tuple(name.format(side) for names in SOURCES.values() for name in names for side in "ab")


def frames(path: Path, columns: set[str] | None) -> Iterator[DataFrame]:
    """Frames of a file, at most `ROWS` rows each, only ``columns`` if set.

    The index is the row's number from 1 (in JSONL the line's). Rows without any cell are left out.
    Raises DataError for a file that is absent, of another kind, or broken (with the row where that
    is known).
    """
    import pandas as pd

    kinds = {**dict.fromkeys((*SEPARATED, *JSON_LINES), _text), ".parquet": _parquet}
    if path.suffix.lower() not in kinds:
        raise DataError(f"{path}: expected a file of votes: {', '.join(kinds)}")
    if not path.is_file():
        raise DataError(f"{path}: no such file")

    try:
        yield from kinds[path.suffix.lower()](path, columns)
    except Unreadable as error:
        raise DataError(f"{path}: {error}") from error
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise DataError(f"{path}: cannot be read: {reason_of(error)}") from error


def header(path: Path) -> list[str]:
    """The names of a file's columns, for errors that say what was there."""
    return [str(name) for frame in itertools.islice(frames(path, None), 1) for name in frame.columns][:40]


def _text(path: Path, columns: set[str] | None) -> Iterator[DataFrame]:
    """CSV, TSV, JSONL and JSON. Cells are texts, and what JSON has besides them."""
    import pandas as pd

    filled = ((number, _picked(row, columns)) for number, row in rows(path) if row)
    while chunk := list(itertools.islice(filled, ROWS)):
        yield pd.DataFrame([row for _, row in chunk], index=[number for number, _ in chunk])


def _picked(row: dict[str, Any], columns: set[str] | None) -> dict[str, Any]:
    return row if columns is None else {key: value for key, value in row.items() if key in columns}


def _parquet(path: Path, columns: set[str] | None) -> Iterator[DataFrame]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        names = [name for name in file.schema_arrow.names if columns is None or name in columns]
        begin = 1
        for batch in file.iter_batches(ROWS, columns=names):
            frame = batch.to_pandas()
            frame.index = range(begin, begin + len(frame))
            begin += len(frame)
            yield frame


def style_differences(path: Path, frame: DataFrame) -> Array:
    """(rows, 4): (x_a − x_b)/(x_a + x_b + 1) per feature.

    Raises DataError where a feature is missing or no count.
    """
    first, second = _features(path, frame, "a"), _features(path, frame, "b")
    return (first - second) / (first + second + 1)


def _features(path: Path, frame: DataFrame, side: str) -> Array:
    counts = np.empty((len(frame), len(SOURCES)))
    records = (
        [_object(value) for value in frame["conv_metadata"]] if "conv_metadata" in frame.columns else None
    )

    # Simple columns come first; LMArena's own files keep the counts in conv_metadata.
    for position, (feature, names) in enumerate(SOURCES.items()):
        candidates = [name.format(side) for name in names]
        column = next((name for name in candidates if name in frame.columns), None)
        for number in range(len(frame)):
            record = records[number] if records is not None else {}
            value = (
                frame[column].iloc[number]
                if column
                else next((record[name] for name in candidates if name in record), None)
            )

            count = _total(value)
            if count is None:
                row = int(frame.index[number])
                raise DataError(
                    f"{path}: row {row}: {feature} of side {side}: expected a count in"
                    f" {' or '.join(candidates)}, got {value!r}"
                )
            counts[number, position] = count
    return counts


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        value = json.loads(value) if value.strip() else {}
    return value if isinstance(value, dict) else {}


def _total(value: Any) -> float | None:
    """A count, or the sum of a table of counts.

    In {"h1": 2, "h2": None} the missing levels say null, as Parquet writes such a table.
    """
    if isinstance(value, dict):
        parts = [_total(part) for part in value.values() if part is not None]
        return None if None in parts else sum(part for part in parts if part is not None)
    try:
        count = float(value)
    except (TypeError, ValueError):
        return None
    return count if np.isfinite(count) and count >= 0 else None

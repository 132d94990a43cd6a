"""Writing a cell's samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.results.files import write_whole
from harness.results.samples.columns import SampleRow, arrow_schema


def write_rows(path: Path, rows: Iterable[SampleRow]) -> None:
    """Writes a cell's samples as one Parquet file, whole or not at all. Raises RunFolderError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [field.name for field in dataclasses.fields(SampleRow)]
    table = pa.Table.from_pylist(
        [{name: _storable(getattr(row, name)) for name in names} for row in rows], schema=arrow_schema()
    )
    write_whole(path, lambda part: pq.write_table(table, part, compression="zstd"))


def _storable(value: Any) -> Any:
    """A value as Parquet can hold it.

    A model may write half a character: lone surrogates, which UTF-8 cannot store, become "?".
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return [_storable(one) for one in value] if isinstance(value, tuple) else value

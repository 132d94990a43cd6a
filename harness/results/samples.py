"""Reading a cell's samples: one score a document, without its texts (Parquet keeps columns apart,
so that a million samples are read in seconds).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import RunFolderError

if TYPE_CHECKING:
    import numpy as np

CODED = ("filter", "metrics", "cluster")
"""Columns of few distinct texts, turned into numbers and a dictionary."""


@dataclass(frozen=True)
class ItemScores:
    """One metric of one cell.

    ``docs`` (n document numbers), ``scores`` (n, NaN where a document has no number).
    """

    docs: np.ndarray[Any, np.dtype[np.int64]]
    scores: np.ndarray[Any, np.dtype[np.float64]]
    clusters: tuple[str | None, ...] | None
    """Sources that items share, n labels; None where items are independent, or the run is too old
    to say.
    """


def read_scores(path: Path, metric: str, filter_name: str) -> ItemScores:
    """Scores of every document under one filter, in the file's order.

    Raises RunFolderError where that is no samples file.
    """
    import numpy as np

    table = _read(path, ("doc_id", *CODED))
    chosen = _codes(table["filter"]) == _place(table["filter"], filter_name)
    values = np.array(
        [_number(text, metric) for text in table["metrics"].dictionary.to_pylist()], dtype=np.float64
    )
    scores = values[_codes(table["metrics"])[chosen]] if len(values) else np.full(int(chosen.sum()), np.nan)
    docs = _numbers(table["doc_id"], np.int64)[chosen]
    column = table.get("cluster")
    clusters = None
    if column is not None:
        labels = column.dictionary.to_pylist()
        if any(label is not None for label in labels):
            clusters = tuple(labels[code] for code in _codes(column)[chosen])
    return ItemScores(docs, scores, clusters)


def read_texts(path: Path, column: str, filter_name: str) -> dict[int, str]:
    """A text column (item, prompt, target, answer) by document; document numbers for ``item`` where
    the run is too old to have it.

    Raises RunFolderError.
    """
    table = _read(path, ("doc_id", "filter", column))
    docs = table["doc_id"].to_pylist()
    texts = table[column].to_pylist() if column in table else [str(doc) for doc in docs]
    place = _place(table["filter"], filter_name)
    return {
        doc: text
        for doc, text, code in zip(docs, texts, _codes(table["filter"]), strict=True)
        if code == place
    }


def _read(path: Path, wanted: tuple[str, ...]) -> dict[str, Any]:
    """Columns by name, each one array; those that an older run lacks are left out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            # asked once: pyarrow converts the schema each time
            known = set(file.schema_arrow.names)
            names = [name for name in wanted if name in known]
            table = file.read(names, use_threads=False)
    except FileNotFoundError as error:
        raise RunFolderError(
            f"{path}: no samples: the run's folder was kept without them, or its cell has ended elsewhere"
        ) from error
    except (OSError, pa.ArrowException) as error:
        raise RunFolderError(
            f"{path}: cannot be read as samples ({type(error).__name__}): run the cell again, or restore the file"
        ) from error
    missing = {"doc_id", "filter"} - set(names)
    if missing:
        raise RunFolderError(
            f"{path}: no samples of this harness: column {', '.join(sorted(missing))} is missing"
        )
    columns = {name: table[name].combine_chunks() for name in names}
    return {
        name: column.dictionary_encode("encode") if name in CODED else column
        for name, column in columns.items()
    }


def read_items(
    path: Path, filter_name: str, docs: set[int], columns: Sequence[str]
) -> dict[int, dict[str, Any]]:
    """Samples of chosen documents under one filter, by document; columns that the file lacks are
    None.

    Bytes that are no UTF-8 become U+FFFD: a model may have said anything. Raises RunFolderError.
    """
    import numpy as np
    import pyarrow as pa

    table = _read(path, ("doc_id", "filter", *columns))
    numbers = _numbers(table["doc_id"], np.int64)
    chosen = np.flatnonzero(
        np.isin(numbers, list(docs)) & (_codes(table["filter"]) == _place(table["filter"], filter_name))
    )
    # pa.array would import pandas
    places = pa.Array.from_buffers(pa.int64(), len(chosen), [None, pa.py_buffer(chosen.astype(np.int64))])
    values = {
        name: [_text(value) for value in _bytes(table[name].take(places)).to_pylist()]
        for name in columns
        if name in table
    }
    rows = enumerate(numbers[chosen].tolist())
    return {
        doc: {name: values[name][row] if name in values else None for name in columns} for row, doc in rows
    }


def _bytes(column: Any) -> Any:
    """Texts as bytes, so that those that are no UTF-8 can be read, too."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type):
        return column.cast(pa.binary())
    if pa.types.is_list(column.type) and pa.types.is_string(column.type.value_type):
        return column.cast(pa.list_(pa.binary()))
    return column


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(one) for one in value]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _codes(column: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Dictionary numbers; null has one of its own."""
    import numpy as np

    return _numbers(column.indices.cast("int64"), np.int64)


def _numbers(array: Any, dtype: Any) -> np.ndarray[Any, Any]:
    """The array's values, without nulls. (pyarrow's own to_numpy imports pandas, which takes longer
    than all the rest.)
    """
    import numpy as np

    return np.frombuffer(array.buffers()[1], dtype=dtype)[array.offset : array.offset + len(array)]


def _place(column: Any, text: str) -> int:
    texts = column.dictionary.to_pylist()
    return texts.index(text) if text in texts else -2


def _number(text: str | None, metric: str) -> float:
    """A metric out of a sample's JSON; NaN where it is not there or no number."""
    try:
        value = json.loads(text or "{}").get(metric)
    except (ValueError, AttributeError):
        return float("nan")
    return float(value) if isinstance(value, int | float) else float("nan")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Every sample whole, as plain data. Raises RunFolderError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    except FileNotFoundError as error:
        raise RunFolderError(f"{path}: no samples: the run's folder was kept without them") from error
    except (OSError, pa.ArrowException) as error:
        raise RunFolderError(
            f"{path}: cannot be read as samples ({type(error).__name__}): run its cell again"
        ) from error
    return rows

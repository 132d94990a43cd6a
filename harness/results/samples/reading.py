"""Reading a cell's samples: one score per document without its texts, or chosen rows whole.

Parquet keeps columns apart, so that the scores of a million samples are read in seconds.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import RunFolderError
from harness.results.samples.columns import COLUMNS, SampleRow, require_columns

if TYPE_CHECKING:
    import numpy as np

CODED = ("filter", "metrics", "cluster")
"""Columns of few distinct texts, turned into numbers and a dictionary."""
DEFAULTS = {field.name: field.default for field in dataclasses.fields(SampleRow)}
"""What stands for a column that a file lacks; doc_id and filter are in every file."""
ABSENT = -2
"""The code of a text that a column does not hold; no row has it."""


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

    columns = _read_columns(path, ("doc_id", *CODED))
    chosen = _codes(columns["filter"]) == _code_of(columns["filter"], filter_name)

    # Each distinct text of metrics is parsed once, however many rows share it.
    texts = columns["metrics"].dictionary.to_pylist()
    values = np.array([_number(text, metric) for text in texts], dtype=np.float64)
    scores = values[_codes(columns["metrics"])[chosen]] if texts else np.full(int(chosen.sum()), np.nan)

    clusters = None
    if "cluster" in columns:
        labels = columns["cluster"].dictionary.to_pylist()
        if any(label is not None for label in labels):
            clusters = tuple(labels[code] for code in _codes(columns["cluster"])[chosen])
    return ItemScores(_numbers(columns["doc_id"], np.int64)[chosen], scores, clusters)


def read_texts(path: Path, column: str, filter_name: str) -> dict[int, str]:
    """A text column (item, prompt, target, answer) by document.

    Document numbers for ``item`` where the run is too old to have it. Raises RunFolderError.
    """
    require_columns([column])
    columns = _read_columns(path, ("doc_id", "filter", column))
    docs = columns["doc_id"].to_pylist()
    texts = columns[column].to_pylist() if column in columns else [str(doc) for doc in docs]
    chosen = _code_of(columns["filter"], filter_name)
    rows = zip(docs, texts, _codes(columns["filter"]), strict=True)
    return {doc: text for doc, text, code in rows if code == chosen}


def read_items(
    path: Path, filter_name: str, docs: Collection[int], names: Sequence[str]
) -> dict[int, dict[str, Any]]:
    """Columns of chosen documents under one filter, by document; those that a file lacks are None.

    Bytes that are no UTF-8 become U+FFFD: a model may have said anything. Raises RunFolderError.
    """
    import numpy as np
    import pyarrow as pa

    require_columns(names)
    columns = _read_columns(path, ("doc_id", "filter", *names))
    numbers = _numbers(columns["doc_id"], np.int64)
    wanted = np.isin(numbers, list(docs))
    chosen = np.flatnonzero(wanted & (_codes(columns["filter"]) == _code_of(columns["filter"], filter_name)))

    # Not pa.array: it would import pandas.
    indices = pa.Array.from_buffers(pa.int64(), len(chosen), [None, pa.py_buffer(chosen.astype(np.int64))])
    values = {name: _values(columns[name].take(indices)) for name in names if name in columns}
    return {
        doc: {name: values[name][row] if name in values else None for name in names}
        for row, doc in enumerate(numbers[chosen].tolist())
    }


def read_columns(path: Path, names: Sequence[str], filter_name: str | None = None) -> dict[str, list[Any]]:
    """Columns by name, one value per row under one filter (all filters for None), in the file's
    order.

    What an older run lacks reads as its default. Raises RunFolderError.
    """
    require_columns(names)
    columns = _read_columns(path, ("filter", *names))
    filters = _values(columns["filter"])
    chosen = [index for index, name in enumerate(filters) if filter_name in (None, name)]
    values = {name: _values(columns[name]) for name in names if name in columns}
    return {
        name: [values[name][index] for index in chosen] if name in values else [DEFAULTS[name]] * len(chosen)
        for name in names
    }


def read_rows(path: Path) -> list[SampleRow]:
    """Every sample whole. Raises RunFolderError."""
    columns = {name: _values(column) for name, column in _read_columns(path, COLUMNS).items()}
    rows = []
    for values in zip(*columns.values(), strict=True):
        fields = dict(zip(columns, values, strict=True))
        lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        rows.append(SampleRow(**fields | lists))
    return rows


def _read_columns(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """Columns by name, each one Arrow array; those that an older run lacks are left out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            # Asked once: pyarrow converts the schema at each call.
            present = set(file.schema_arrow.names)
            names = [name for name in dict.fromkeys(names) if name in present]
            table = file.read(names, use_threads=False)
    except FileNotFoundError as error:
        raise RunFolderError(
            f"{path}: no samples: the run's folder was kept without them, or its cell has ended elsewhere"
        ) from error
    except (OSError, pa.ArrowException) as error:
        raise RunFolderError(
            f"{path}: cannot be read as samples ({type(error).__name__}): run the cell again, or "
            "restore the file"
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


def _values(column: Any) -> list[Any]:
    """A column's values; bytes that are no UTF-8 become U+FFFD."""
    return [_text(value) for value in _bytes(column).to_pylist()]


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
    """The array's values, without nulls.

    From its buffer: pyarrow's own to_numpy imports pandas, which takes longer than all the rest.
    """
    import numpy as np

    return np.frombuffer(array.buffers()[1], dtype=dtype)[array.offset : array.offset + len(array)]


def _code_of(column: Any, text: str) -> int:
    texts = column.dictionary.to_pylist()
    return texts.index(text) if text in texts else ABSENT


def _number(text: str | None, metric: str) -> float:
    """A metric out of a sample's JSON; NaN where it is not there or no number."""
    try:
        value = json.loads(text or "{}").get(metric)
    except (ValueError, AttributeError):
        return float("nan")
    return float(value) if isinstance(value, int | float) else float("nan")

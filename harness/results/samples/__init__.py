"""A cell's samples: one Parquet file per cell, one row per (document, filter).

`columns` defines the rows, `writing` writes them, `reading` reads them, whole or column by column.
"""

from harness.results.samples.columns import COLUMNS, SampleRow
from harness.results.samples.reading import (
    ItemScores,
    read_columns,
    read_items,
    read_rows,
    read_scores,
    read_texts,
)
from harness.results.samples.writing import write_rows

__all__ = [
    "COLUMNS",
    "ItemScores",
    "SampleRow",
    "read_columns",
    "read_items",
    "read_rows",
    "read_scores",
    "read_texts",
    "write_rows",
]

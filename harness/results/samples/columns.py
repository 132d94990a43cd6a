"""The columns of a samples file, defined once: names, types and what older files lack."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SampleRow:
    """One document under one filter.

    A field is a column of its name; the order is the file's. Fields with a default came later or
    may be unknown: a file without that column reads as if it held the default. List columns have
    one entry per item of the document (its repeats), ``logprobs`` and ``greedy`` one per option.
    """

    doc_id: int
    filter: str
    prompt: str = ""
    answer: str = ""
    target: str = ""
    score: float | None = None
    """The first metric that has a number."""
    metrics: str = "{}"
    """Every metric of the document as a JSON object: few distinct texts, which pack well."""
    responses: tuple[str, ...] = ()
    """Generated texts, whole; ``answer`` is what the filter took out of them."""
    logprobs: tuple[float, ...] = ()
    greedy: tuple[bool, ...] = ()
    finish: tuple[str, ...] = ()
    """Why each generated text ended."""
    truncated: bool = False
    empty: bool = False
    unparsable: bool = False
    tied: bool = False
    tokens_prompt: int = 0
    tokens_computed: int = 0
    tokens_shared: int = 0
    tokens_output: int = 0
    seconds: float = 0.0
    item: str | None = None
    """Names the document beyond this file, in other translations of its task, too."""
    cluster: str | None = None
    """The source that the document shares with others."""
    reading: str | None = None
    """How a generated answer was read."""
    rules: tuple[str, ...] = ()
    """One entry per option where an option is scored by a rule of its own, else none."""


COLUMNS = tuple(field.name for field in dataclasses.fields(SampleRow))


def require_columns(names: Collection[str]) -> None:
    """Raises ValueError for a name that no samples file has: a misspelt one would read as empty."""
    unknown = sorted(set(names) - set(COLUMNS))
    if unknown:
        raise ValueError(f"no column of samples: {', '.join(unknown)}; there are {', '.join(COLUMNS)}")


def arrow_schema() -> Any:
    """The Parquet file's schema, from the fields' types."""
    import pyarrow as pa

    scalars = {int: pa.int64(), float: pa.float64(), str: pa.string(), bool: pa.bool_()}

    def column(hint: Any) -> Any:
        if typing.get_origin(hint) is tuple:
            return pa.list_(scalars[typing.get_args(hint)[0]])
        # "X | None" is a nullable X, as every Arrow column is.
        kinds = [kind for kind in typing.get_args(hint) or (hint,) if kind is not type(None)]
        return scalars[kinds[0]]

    hints = typing.get_type_hints(SampleRow)
    return pa.schema([(name, column(hints[name])) for name in COLUMNS])

"""Datasets read from a folder in the hub's layout.

That is a README's front matter with configs, plain Parquet/JSONL/CSV files, or a script plus a zip
of CSV files. Files are read directly: `datasets` would cache a folder by its file list and serve
stale rows.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import DataError
from harness.wording import reason_of

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict
from harness.tasks.layout import Files, list_configs

KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "true or false"),
    ((int, float), "a number"),
    (str, "a text"),
    (list, "a list"),
    (dict, "an object"),
)
"""Kinds of JSON value, in words."""


def read_folder(folder: Path, name: str | None) -> tuple[DatasetDict, str]:
    """(splits, hash of the content of every file read) of one config.

    Raises DataError for an unknown config or unreadable files.
    """
    configs = list_configs(folder)
    if not configs:
        raise DataError(
            f"{folder}: no Parquet, JSONL or CSV files and no zip of CSV files; the hub's own"
            f" layout is expected"
        )

    # The digest grows with every file that is read, so it names exactly the rows that are used.
    files = _choose(configs, name, folder)
    digest = hashlib.sha256()
    splits = {split: _read_split(folder, files, members, digest) for split, members in files.splits.items()}
    return as_dict(splits), digest.hexdigest()[:32]


def _choose(configs: dict[str, Files], name: str | None, folder: Path) -> Files:
    # As in `datasets`, a folder's only config needs no name, nor does one called "default".
    if name is not None and name in configs:
        return configs[name]
    if name is None and (len(configs) == 1 or "default" in configs):
        return configs.get("default") or next(iter(configs.values()))
    if name in (None, "default") and len(configs) == 1:
        return next(iter(configs.values()))

    if name is None:
        raise DataError(
            f"{folder.name}: several configs and none asked for; it holds {', '.join(sorted(configs)[:8])}"
        )

    near = get_close_matches(name, configs, n=3, cutoff=0.3) or sorted(configs)[:3]
    raise DataError(
        f"{folder.parent.name}/{folder.name}: no config {name!r} in {folder} ({len(configs)} are);"
        f" nearest: {', '.join(near)}"
    )


def _read_split(folder: Path, files: Files, names: Iterable[str], digest: Any) -> Dataset:
    tables = []
    for name in names:
        try:
            if files.archive:
                with zipfile.ZipFile(files.archive) as opened:
                    data = opened.read(name)
            else:
                data = (folder / name).read_bytes()
        except (OSError, zipfile.BadZipFile, KeyError) as error:
            raise DataError(f"{folder / name}: cannot be read ({error})") from error

        # Names count as well as contents: a renamed or moved file is other data.
        digest.update(name.encode() + b"\0" + hashlib.sha256(data).digest())
        tables.append(_table(name, data))
    return as_dataset(tables, digest.hexdigest()[:32])


def _table(name: str, data: bytes) -> Any:
    """One file as a pyarrow table (Parquet) or as rows."""
    if name.endswith(".gz"):
        name, data = name.removesuffix(".gz"), gzip.decompress(data)
    try:
        if name.endswith(".parquet"):
            import pyarrow.parquet as pq

            return pq.read_table(io.BytesIO(data))
        return parse_rows(name, data.decode("utf-8-sig"))
    except (ValueError, OSError) as error:
        raise DataError(f"{name}: cannot be read ({reason_of(error)}); is the file complete?") from error


def parse_rows(name: str, text: str) -> list[dict[str, Any]]:
    """Rows of CSV, TSV, JSON lines, or one JSON list.

    CSV cells stay texts (a cell "None" is no missing value); a nameless first column is an index
    and is left out, as pandas' ``index_col=0`` does. Raises ValueError for anything else.
    """
    if name.endswith((".csv", ".tsv")):
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if name.endswith(".tsv") else ",")
        cells = []
        # csv fills short rows up and gathers long ones silently: either means a damaged line or a
        # stray comma.
        for number, row in enumerate(rows, start=1):
            if None in row or None in row.values():
                raise ValueError(
                    f"row {number} has {'more' if None in row else 'fewer'} cells than the header"
                )
            cells.append({key: value for key, value in row.items() if key})
        return cells

    if text.lstrip().startswith("["):
        listed: list[dict[str, Any]] = json.loads(text)
        return listed
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def as_dataset(parts: list[Any], fingerprint: str) -> Dataset:
    """One Dataset of pyarrow tables (features in their schema are respected) or lists of rows.

    The fingerprint is the content's.
    """
    import pyarrow as pa
    from datasets import Dataset

    # from_list infers one type per column, where concat_tables keeps what Parquet declares.
    if all(isinstance(part, list) for part in parts):
        rows = [row for part in parts for row in part]
        try:
            dataset = Dataset.from_list(rows)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise DataError(_mixed(rows) or f"rows that make no table ({reason_of(error)})") from error
        return Dataset(dataset.data, fingerprint=fingerprint)
    return Dataset(pa.concat_tables(parts, promote_options="default"), fingerprint=fingerprint)


def _mixed(rows: list[dict[str, Any]]) -> str | None:
    """The first row whose cell is of another kind than those above it, in words."""
    first_kinds: dict[str, tuple[int, str]] = {}
    for number, row in enumerate(rows, start=1):
        for column, value in row.items():
            if value is None:
                continue

            kind = next((name for types, name in KINDS if isinstance(value, types)), type(value).__name__)
            first, before = first_kinds.setdefault(column, (number, kind))
            if before != kind:
                return (
                    f"row {number}, column {column!r} is {kind}, while row {first} has {before};"
                    " write the column one way in every row"
                )
    return None


def as_dict(splits: dict[str, Dataset]) -> DatasetDict:
    """A DatasetDict whose missing split is a DataError that names the splits there are."""
    from harness.tasks.splits import Splits

    return Splits(splits)

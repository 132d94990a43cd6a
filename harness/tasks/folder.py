"""Datasets read from a folder in the hub's layout: README front matter with configs, plain
Parquet/JSONL/CSV files, or a script plus a zip of CSV files. Files are read directly: `datasets`
would cache a folder by its file list and serve stale rows.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from harness.errors import DataError
from harness.wording import reason_of

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

_FRONT = re.compile(r"\A---\s*\n(.*?)\n---\s*(\n|\Z)", re.DOTALL)
_SUFFIXES = (".parquet", ".jsonl", ".json", ".csv", ".tsv", ".jsonl.gz", ".json.gz")
_SPLITS = {
    "train": "train",
    "training": "train",
    "dev": "dev",
    "val": "val",
    "valid": "valid",
    "validation": "validation",
    "test": "test",
}
_SHARD = re.compile(r"[-_.]?(\d{3,}(-of-\d+)?)$")
KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "true or false"),
    ((int, float), "a number"),
    (str, "a text"),
    (list, "a list"),
    (dict, "an object"),
)
"""Kinds of JSON value, in words."""


@dataclass(frozen=True)
class Files:
    """Files of one config: split name to files in order.

    ``zip`` holds them where they are members of an archive.
    """

    splits: dict[str, tuple[str, ...]]
    archive: Path | None = None


def read_folder(folder: Path, name: str | None) -> tuple[DatasetDict, str]:
    """(splits, hash of the content of every file read) of one config.

    Raises DataError for an unknown config or unreadable files.
    """
    configs = list_configs(folder)
    if not configs:
        raise DataError(
            f"{folder}: no Parquet, JSONL or CSV files and no zip of CSV files; the hub's own layout is expected"
        )
    files = _choose(configs, name, folder)
    digest = hashlib.sha256()
    splits = {split: _read_split(folder, files, names, digest) for split, names in files.splits.items()}
    return as_dict(splits), digest.hexdigest()[:32]


def _choose(configs: dict[str, Files], name: str | None, folder: Path) -> Files:
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
        f"{folder.parent.name}/{folder.name}: no config {name!r} in {folder} ({len(configs)} are); nearest: {', '.join(near)}"
    )


def list_configs(folder: Path) -> dict[str, Files]:
    """Config name to its files: by the README where it says, else by the zip, else by folders and
    file names.
    """
    return _from_readme(folder) or _from_zip(folder) or _from_layout(folder)


def _from_readme(folder: Path) -> dict[str, Files]:
    try:
        front = _FRONT.match((folder / "README.md").read_text(encoding="utf-8"))
    except OSError:
        return {}
    try:
        said = yaml.load(front[1], Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if front else None
    except yaml.YAMLError as error:
        raise DataError(
            f"{folder / 'README.md'}: the front matter is no valid YAML ({' '.join(str(error).split())})"
        ) from error
    configs = said.get("configs") if isinstance(said, dict) else None
    found: dict[str, Files] = {}
    for item in configs or []:
        splits = _data_files(folder, item.get("data_files"), item.get("data_dir"))
        if splits:
            found[str(item.get("config_name", "default"))] = Files(splits)
            if item.get("default"):
                found.setdefault("default", found[str(item["config_name"])])
    return found


def _data_files(folder: Path, said: Any, data_dir: str | None) -> dict[str, tuple[str, ...]]:
    base = folder / data_dir if data_dir else folder
    if said is None:
        return _splits_by_name(base, folder) if data_dir else {}
    if isinstance(said, str) or (isinstance(said, list) and said and isinstance(said[0], str)):
        said = [{"split": "train", "path": said}]
    elif isinstance(said, dict):
        said = [{"split": split, "path": paths} for split, paths in said.items()]
    splits: dict[str, tuple[str, ...]] = {}
    for item in said:
        patterns = [item["path"]] if isinstance(item["path"], str) else item["path"]
        files = [path for pattern in patterns for path in _glob(base, pattern)]
        if files:
            splits[str(item["split"])] = tuple(path.relative_to(folder).as_posix() for path in files)
    return splits


def _glob(base: Path, pattern: str) -> list[Path]:
    plain = base / pattern
    return [plain] if plain.is_file() else sorted(path for path in base.glob(pattern) if path.is_file())


def _from_zip(folder: Path) -> dict[str, Files]:
    """A loading script with a zip of ``split/config.csv`` files, as cmmlu and aclue have."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    archives = sorted(folder.glob("*.zip"))
    for archive in archives[:1]:
        try:
            with zipfile.ZipFile(archive) as opened:
                names = opened.namelist()
        except (OSError, zipfile.BadZipFile) as error:
            raise DataError(f"{archive}: no readable zip ({error}); download it again") from error
        for member in names:
            parts = member.split("/")
            if (
                member.endswith(".csv")
                and len(parts) >= 2
                and parts[-2] in _SPLITS
                and not parts[-1].startswith(".")
            ):
                found.setdefault(parts[-1].removesuffix(".csv"), {})[parts[-2]] = (member,)
    return {name: Files(splits, archives[0]) for name, splits in found.items()}


def _from_layout(folder: Path) -> dict[str, Files]:
    """Files without a README: ``data/train-*.parquet`` or ``train.jsonl`` is one config,
    ``config/split…`` is several.
    """
    found: dict[str, Files] = {}
    for place in (folder, folder / "data"):
        if place.is_dir() and (splits := _splits_by_name(place, folder)):
            found["default"] = Files(splits)
            break
    for place in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        splits = _splits_by_name(place, folder) or _splits_by_folder(place, folder)
        if splits and place.name != "data":
            found[place.name] = Files(splits)
    return found


def _is_data(path: Path) -> bool:
    return (
        path.is_file() and path.name.endswith(_SUFFIXES) and not path.name.startswith((".", "dataset_info"))
    )


def _split_of(path: Path) -> str | None:
    stem = path.name.split(".")[0]
    while (shorter := _SHARD.sub("", stem)) != stem:
        stem = shorter
    return _SPLITS.get(stem) or next(
        (split for word, split in _SPLITS.items() if re.search(rf"(^|[-_]){word}([-_]|$)", stem)), None
    )


def _splits_by_name(place: Path, folder: Path) -> dict[str, tuple[str, ...]]:
    splits: dict[str, list[str]] = {}
    for path in sorted(place.iterdir()) if place.is_dir() else ():
        if _is_data(path) and (split := _split_of(path)):
            splits.setdefault(split, []).append(path.relative_to(folder).as_posix())
    return {split: tuple(paths) for split, paths in splits.items()}


def _splits_by_folder(place: Path, folder: Path) -> dict[str, tuple[str, ...]]:
    """``config/split/0000.parquet``, as the hub's refs/convert/parquet branch has it."""
    splits = {}
    for inner in sorted(path for path in place.iterdir() if path.is_dir()):
        files = tuple(
            path.relative_to(folder).as_posix() for path in sorted(inner.iterdir()) if _is_data(path)
        )
        if files:
            splits[inner.name.removeprefix("partial-")] = files
    return splits


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
    """Rows of CSV, TSV, JSON lines, or one JSON list. CSV cells stay texts (a cell "None" is no
    missing value); a nameless first column is an index and is left out, as pandas' ``index_col=0``
    does. Raises ValueError for what is neither.
    """
    if name.endswith((".csv", ".tsv")):
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if name.endswith(".tsv") else ",")
        found = []
        for number, row in enumerate(rows, start=1):
            if None in row or None in row.values():
                raise ValueError(
                    f"row {number} has {'more' if None in row else 'fewer'} cells than the header"
                )
            found.append({key: value for key, value in row.items() if key})
        return found
    if text.lstrip().startswith("["):
        listed: list[dict[str, Any]] = json.loads(text)
        return listed
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def as_dataset(parts: list[Any], fingerprint: str) -> Dataset:
    """One Dataset of pyarrow tables (features in their schema are respected) or lists of rows; the
    fingerprint is the content's.
    """
    import pyarrow as pa
    from datasets import Dataset

    if all(isinstance(part, list) for part in parts):
        rows = [row for part in parts for row in part]
        try:
            made = Dataset.from_list(rows)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise DataError(_mixed(rows) or f"rows that make no table ({reason_of(error)})") from error
        return Dataset(made.data, fingerprint=fingerprint)
    return Dataset(pa.concat_tables(parts, promote_options="default"), fingerprint=fingerprint)


def _mixed(rows: list[dict[str, Any]]) -> str | None:
    """The first row whose cell is of another kind than those above it, in words."""
    seen: dict[str, tuple[int, str]] = {}
    for number, row in enumerate(rows, start=1):
        for column, value in row.items():
            if value is None:
                continue
            kind = next((name for types, name in KINDS if isinstance(value, types)), type(value).__name__)
            first, before = seen.setdefault(column, (number, kind))
            if before != kind:
                return f"row {number}, column {column!r} is {kind}, while row {first} has {before}; write the column one way in every row"
    return None


def as_dict(splits: dict[str, Dataset]) -> DatasetDict:
    """A DatasetDict whose missing split is a DataError that names the splits there are."""
    from harness.tasks.splits import Splits

    return Splits(splits)

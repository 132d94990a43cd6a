"""Which files of a dataset folder belong to which config and split."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from harness.errors import DataError

if TYPE_CHECKING:
    pass

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


@dataclass(frozen=True)
class Files:
    """Files of one config: split name to files in order.

    ``archive`` holds them where they are members of a zip.
    """

    splits: dict[str, tuple[str, ...]]
    archive: Path | None = None


def list_configs(folder: Path) -> dict[str, Files]:
    """Config name to its files.

    They follow the README where it lists them, else the zip, else folders and file names.
    """
    return _from_readme(folder) or _from_zip(folder) or _from_layout(folder)


def _from_readme(folder: Path) -> dict[str, Files]:
    try:
        front = _FRONT.match((folder / "README.md").read_text(encoding="utf-8"))
    except OSError:
        return {}

    try:
        header = yaml.load(front[1], Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if front else None
    except yaml.YAMLError as error:
        raise DataError(
            f"{folder / 'README.md'}: the front matter is no valid YAML ({' '.join(str(error).split())})"
        ) from error
    configs = header.get("configs") if isinstance(header, dict) else None

    configs_by_name: dict[str, Files] = {}
    for item in configs or []:
        splits = _data_files(folder, item.get("data_files"), item.get("data_dir"))
        if splits:
            configs_by_name[str(item.get("config_name", "default"))] = Files(splits)
            # The default config is listed under both names, so that a task without a config gets
            # it.
            if item.get("default"):
                configs_by_name.setdefault("default", configs_by_name[str(item["config_name"])])
    return configs_by_name


def _data_files(folder: Path, listing: Any, data_dir: str | None) -> dict[str, tuple[str, ...]]:
    base = folder / data_dir if data_dir else folder

    # The hub allows one path, a list of paths, a mapping by split, and a list of such entries.
    if listing is None:
        return _splits_by_name(base, folder) if data_dir else {}
    if isinstance(listing, str) or (isinstance(listing, list) and listing and isinstance(listing[0], str)):
        listing = [{"split": "train", "path": listing}]
    elif isinstance(listing, dict):
        listing = [{"split": split, "path": paths} for split, paths in listing.items()]

    splits: dict[str, tuple[str, ...]] = {}
    for item in listing:
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
    by_config: dict[str, dict[str, tuple[str, ...]]] = {}

    # These two have one archive, with all subjects in it.
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
                by_config.setdefault(parts[-1].removesuffix(".csv"), {})[parts[-2]] = (member,)
    return {name: Files(splits, archives[0]) for name, splits in by_config.items()}


def _from_layout(folder: Path) -> dict[str, Files]:
    """Files without a README, by their names and folders.

    ``data/train-*.parquet`` or ``train.jsonl`` is one config, ``config/split…`` is several.
    """
    by_config: dict[str, Files] = {}
    for inner in (folder, folder / "data"):
        if inner.is_dir() and (splits := _splits_by_name(inner, folder)):
            by_config["default"] = Files(splits)
            break

    for inner in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        splits = _splits_by_name(inner, folder) or _splits_by_folder(inner, folder)
        if splits and inner.name != "data":
            by_config[inner.name] = Files(splits)
    return by_config


def _is_data(path: Path) -> bool:
    return (
        path.is_file() and path.name.endswith(_SUFFIXES) and not path.name.startswith((".", "dataset_info"))
    )


def _split_of(path: Path) -> str | None:
    # "train-00000-of-00002" and "test_001" name one shard of a split.
    stem = path.name.split(".")[0]
    while (shorter := _SHARD.sub("", stem)) != stem:
        stem = shorter

    return _SPLITS.get(stem) or next(
        (split for word, split in _SPLITS.items() if re.search(rf"(^|[-_]){word}([-_]|$)", stem)), None
    )


def _splits_by_name(inner: Path, folder: Path) -> dict[str, tuple[str, ...]]:
    splits: dict[str, list[str]] = {}
    for path in sorted(inner.iterdir()) if inner.is_dir() else ():
        if _is_data(path) and (split := _split_of(path)):
            splits.setdefault(split, []).append(path.relative_to(folder).as_posix())
    return {split: tuple(paths) for split, paths in splits.items()}


def _splits_by_folder(parent: Path, folder: Path) -> dict[str, tuple[str, ...]]:
    """``config/split/0000.parquet``, as the hub's refs/convert/parquet branch has it."""
    splits = {}
    for inner in sorted(path for path in parent.iterdir() if path.is_dir()):
        files = tuple(
            path.relative_to(folder).as_posix() for path in sorted(inner.iterdir()) if _is_data(path)
        )
        if files:
            splits[inner.name.removeprefix("partial-")] = files
    return splits

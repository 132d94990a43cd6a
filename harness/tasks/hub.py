"""Data sets of the hub and of ModelScope as splits: from the hub's cache, from the hub itself, and
from repositories whose loading script `datasets` refuses.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import DataError
from harness.hub import modelscope, presence
from harness.hub.caches import cache_only
from harness.tasks.folder import as_dict, read_folder
from harness.wording import reason_of

if TYPE_CHECKING:
    from datasets import DatasetDict

_DATA = (".parquet", ".csv", ".json", ".jsonl", ".tsv", ".zip")


def _fingerprint(splits: Any, revision: str | None) -> str:
    parts = [revision or "", *(f"{split}:{data._fingerprint}" for split, data in sorted(splits.items()))]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]


def from_cache(
    path: str, name: str | None, load: Any, kwargs: dict[str, Any]
) -> tuple[DatasetDict, str, str | None] | None:
    """(splits, fingerprint, revision) from the hub's or datasets' cache, or None."""
    from huggingface_hub import snapshot_download

    with cache_only():
        # Whatever a cache lacks or holds broken, the next place is asked.
        with contextlib.suppress(Exception):
            folder = Path(
                snapshot_download(
                    path, repo_type="dataset", revision=kwargs.get("revision"), local_files_only=True
                )
            )
            splits, fingerprint = read_folder(folder, name)
            return splits, fingerprint, folder.name

        with contextlib.suppress(Exception):
            splits = as_dict(dict(load(path, name, **kwargs)))
            return splits, _fingerprint(splits, None), None
    return None


def from_hub(
    path: str, name: str | None, load: Any, kwargs: dict[str, Any]
) -> tuple[DatasetDict, str, str | None]:
    """(splits, fingerprint, commit) from the hub.

    Raises DataError with the hub's own reason in one line.
    """
    from huggingface_hub import HfApi

    revision = None
    try:
        revision = HfApi().dataset_info(path, revision=kwargs.get("revision"), timeout=presence.WAIT).sha
        splits = as_dict(dict(load(path, name, **kwargs)))
        return splits, _fingerprint(splits, revision), revision
    except Exception as error:
        if "dataset scripts" in str(error).lower():
            return _script_repository(path, name, revision)
        raise DataError(f"{path}: {reason_of(error, 300, named=True)}") from error


def _script_repository(
    path: str, name: str | None, revision: str | None
) -> tuple[DatasetDict, str, str | None]:
    """A repository whose loading script `datasets` refuses.

    Its zip of CSV files is read instead, or the hub's own Parquet conversion.
    """
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download

    # The zip is what the script itself would read; the conversion is made by a robot and may lag
    # behind.
    try:
        files = HfApi().list_repo_files(path, repo_type="dataset", revision=revision)
        archive = next((file for file in sorted(files) if file.endswith(".zip")), None)
        if archive:
            folder = Path(hf_hub_download(path, archive, repo_type="dataset", revision=revision)).parent
        else:
            patterns = [f"{name}/*"] if name else None
            folder = Path(
                snapshot_download(
                    path, repo_type="dataset", revision="refs/convert/parquet", allow_patterns=patterns
                )
            )
    except Exception as error:
        raise DataError(
            f"{path}: a loading script, which datasets 4 refuses, and neither a zip nor a Parquet conversion "
            "could be fetched"
            f" ({reason_of(error)}); put the data under mirror: datasets/{path}"
        ) from error

    splits, fingerprint = read_folder(folder, name)
    return splits, fingerprint, revision


def from_modelscope(path: str, name: str | None) -> tuple[DatasetDict, str]:
    """(splits, fingerprint) by way of ModelScope's copy of the repository.

    Raises DataError where the package or the data is missing.
    """
    return read_folder(modelscope.fetch_dataset(path), name)

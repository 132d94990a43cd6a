"""The hub and ModelScope, reached quickly or given up quickly.

`huggingface_hub` retries for a minute where no network answers; here one short question decides
whether it is asked at all, and the answer is remembered for the rest of the process.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import DataError
from harness.tasks.folder import as_dict, read_folder

if TYPE_CHECKING:
    from datasets import DatasetDict

_TIMEOUT = 6.0
"""Seconds to wait for the hub's first answer."""
_DATA = (".parquet", ".csv", ".json", ".jsonl", ".tsv", ".zip")


def offline() -> bool:
    """True where the environment forbids the network."""
    return any(
        os.environ.get(name, "").upper() in ("1", "TRUE", "YES", "ON")
        for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")
    )


def endpoint() -> str:
    """The hub's address: HF_ENDPOINT or huggingface.co."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


@cache
def _answers(address: str) -> str | None:
    """None where the address answers at all, else why not; asked once per process."""
    outcome: list[str | None] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=_TIMEOUT):
                outcome.append(None)
        except urllib.error.HTTPError:
            outcome.append(None)  # an error is an answer, too
        except (OSError, ValueError) as error:
            outcome.append(str(getattr(error, "reason", error)))

    # A name look-up has no time limit of its own, hence the thread.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_TIMEOUT + 1)
    return outcome[0] if outcome else f"no answer in {_TIMEOUT:.0f} s"


_LOCAL_ONLY: ContextVar[bool] = ContextVar("local_only", default=False)


@contextlib.contextmanager
def local_only() -> Iterator[None]:
    """Inside, data is looked for on this machine only, whatever the environment says.

    Planning uses it, which must not wait for a network.
    """
    token = _LOCAL_ONLY.set(True)
    try:
        yield
    finally:
        _LOCAL_ONLY.reset(token)


def unreachable() -> str | None:
    """Why the hub is not asked, or None when it can be."""
    if _LOCAL_ONLY.get():
        return "the network is not asked"
    if offline():
        return "HF_HUB_OFFLINE is set"
    why = _answers(endpoint())
    return f"{endpoint()}: {why}" if why else None


@contextlib.contextmanager
def _forced_offline() -> Iterator[None]:
    """Only caches are read inside: both libraries' switches, which they look up at call time."""
    import datasets
    import huggingface_hub.constants as hub_constants

    before = (datasets.config.HF_HUB_OFFLINE, hub_constants.HF_HUB_OFFLINE)
    datasets.config.HF_HUB_OFFLINE = hub_constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE, hub_constants.HF_HUB_OFFLINE = before


def _fingerprint(splits: Any, revision: str | None) -> str:
    parts = [revision or "", *(f"{split}:{data._fingerprint}" for split, data in sorted(splits.items()))]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]


def from_cache(
    path: str, name: str | None, load: Any, kwargs: dict[str, Any]
) -> tuple[DatasetDict, str, str | None] | None:
    """(splits, fingerprint, revision) from the hub's or datasets' cache, or None."""
    from huggingface_hub import snapshot_download

    with _forced_offline():
        # Whatever a cache lacks or holds broken, the next place is tried.
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
        revision = HfApi().dataset_info(path, revision=kwargs.get("revision"), timeout=_TIMEOUT).sha
        splits = as_dict(dict(load(path, name, **kwargs)))
        return splits, _fingerprint(splits, revision), revision
    except Exception as error:
        if "dataset scripts" in str(error).lower():
            return _script_repository(path, name, revision)
        raise DataError(f"{path}: {type(error).__name__}: {' '.join(str(error).split())[:300]}") from error


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
            f"{path}: a loading script, which datasets 4 refuses, and neither a zip nor a Parquet"
            f" conversion could be fetched"
            f" ({' '.join(str(error).split())[:200]}); put the data under mirror: datasets/{path}"
        ) from error

    splits, fingerprint = read_folder(folder, name)
    return splits, fingerprint, revision


def from_modelscope(path: str, name: str | None) -> tuple[DatasetDict, str]:
    """(splits, fingerprint) by way of ModelScope's copy of the repository.

    Raises DataError where the package or the data is missing.
    """
    try:
        from modelscope import dataset_snapshot_download
    except ImportError as error:
        raise DataError("HARNESS_HUB=modelscope needs the package: pip install modelscope") from error

    try:
        folder = Path(dataset_snapshot_download(path))
    except Exception as error:
        raise DataError(f"{path}: ModelScope: {' '.join(str(error).split())[:200]}") from error
    return read_folder(folder, name)

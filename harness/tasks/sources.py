"""Where a task's data comes from.

Bundled files, own files, the mirror, the hub's cache, the hub, and ModelScope answer in that order.
lm-eval asks for data in one place, ``datasets.load_dataset``; while a task is built,
`DataSources.active` answers there instead.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigError, DataError
from harness.hub import presence
from harness.tasks import hub
from harness.tasks.api import Provenance
from harness.tasks.catalogue import DATA
from harness.tasks.folder import as_dataset, as_dict, parse_rows, read_folder
from harness.tasks.ownfile import FILE_PATH, Columns, read_file
from harness.wording import reason_of

if TYPE_CHECKING:
    from datasets import DatasetDict

_ACTIVE: ContextVar[DataSources | None] = ContextVar("harness_data_sources", default=None)
_LOCK = threading.RLock()
_BUILDERS = ("json", "csv", "parquet", "text")


class DataSources:
    """Reads datasets.

    ``mirror`` is a folder with datasets/<org>/<name>; ``base_dir`` is where relative paths of a
    task YAML count from.
    """

    def __init__(
        self,
        mirror: Path | None = None,
        *,
        base_dir: Path | None = None,
        bundled: Path = DATA / "tasks" / "data",
    ) -> None:
        self.mirror, self.base_dir, self.bundled = mirror, base_dir, bundled
        self.read: list[Provenance] = []
        """What has been read since `active` began, in order."""
        self._loaded: dict[tuple[str, str | None, str], tuple[Any, Provenance]] = {}

    def load(self, path: str, name: str | None = None, **kwargs: Any) -> tuple[DatasetDict, Provenance]:
        """(splits, provenance) of one dataset config.

        ``kwargs`` are those of ``datasets.load_dataset``. Raises DataError in one line: what was
        tried, and how to mend it.
        """
        kwargs = {
            key: value
            for key, value in kwargs.items()
            if value is not None and key not in ("trust_remote_code", "cache_dir")
        }

        # Building one task asks for the same data several times; each is read once.
        key = (path, name, repr(sorted(kwargs.items())))
        if key in self._loaded:
            return self._loaded[key]

        splits, provenance = self._find(path, name, kwargs)
        if _ACTIVE.get() is self:
            self._loaded[key] = (splits, provenance)
        splits.origin = f"{path}{f' ({name})' if name else ''}, read from {provenance.origin},"
        self.read.append(provenance)
        sys.audit("harness.data", provenance.origin, provenance.path, provenance.revision)
        return splits, provenance

    def _find(self, path: str, name: str | None, kwargs: dict[str, Any]) -> tuple[Any, Provenance]:
        if path == FILE_PATH:
            return self._own_file(name, kwargs)
        if path.startswith("bundled/"):
            splits, fingerprint = read_folder(self._bundled_folder(path), None)
            return splits, Provenance(path, name, "bundled", fingerprint)
        local = self._local(path, name, kwargs)
        return local or self._remote(path, name, kwargs)

    def _bundled_folder(self, path: str) -> Path:
        folder = self.bundled / path.removeprefix("bundled/")
        if not folder.is_dir():
            raise DataError(
                f"{path}: no such bundled data; the bundled sets are:"
                f" {', '.join(sorted(p.name for p in self.bundled.iterdir()))}"
            )
        return folder

    def _own_file(self, name: str | None, kwargs: dict[str, Any]) -> tuple[Any, Provenance]:
        file = Path(kwargs["file"])
        try:
            own_rows = read_file(file, Columns.of_kwargs(kwargs))
        except ConfigError as error:
            raise DataError(str(error)) from error

        # Of the rows as they were read: other columns, or another reading of them, are other data;
        # the folder is not, nor are the file's other categories.
        rows = own_rows.part(kwargs.get("form"), kwargs.get("category"))
        content = json.dumps(rows, ensure_ascii=True, sort_keys=True)
        fingerprint = hashlib.sha256(content.encode()).hexdigest()[:32]
        return as_dict({"test": as_dataset([rows], fingerprint)}), Provenance(
            file.name, name, "file", fingerprint
        )

    def _local(self, path: str, name: str | None, kwargs: dict[str, Any]) -> tuple[Any, Provenance] | None:
        """The data set as local files, or None.

        They are the mirror's folder, a folder that the task names itself, or the local files of
        datasets' json, csv and parquet builders.
        """
        if path in _BUILDERS and (files := self._local_files(kwargs.get("data_files"))):
            return self._plain_files(path, name, files)

        for folder, origin in self._folders(path):
            # Whoever wants to know whether a run's inputs changed hears of a folder that may come.
            sys.audit("harness.looked_for", str(folder))
            if folder.is_dir():
                splits, fingerprint = read_folder(folder, name)
                return splits, Provenance(path, name, "mirror" if origin == "mirror" else "file", fingerprint)
        return None

    def _folders(self, path: str) -> Iterator[tuple[Path, str]]:
        if path in _BUILDERS:
            return
        if self.mirror:
            yield self.mirror / "datasets" / path, "mirror"
            if "/" not in path:
                yield from (
                    (folder, "mirror") for folder in sorted((self.mirror / "datasets").glob(f"*/{path}"))
                )
        for base in (self.base_dir, Path.cwd()):
            if base and (path.startswith((".", "/")) or (self.base_dir and base == self.base_dir)):
                yield base / path, "file"

    def _local_files(self, data_files: Any) -> dict[str, list[Path]]:
        """Split to existing local files of ``data_files``; empty where one is not local."""
        if data_files is None:
            return {}
        splits = data_files if isinstance(data_files, dict) else {"train": data_files}
        by_split: dict[str, list[Path]] = {}
        for split, names in splits.items():
            for file_name in [names] if isinstance(names, str) else names:
                places = [
                    base / file_name
                    for base in (self.base_dir, Path.cwd())
                    if base and "://" not in file_name
                ]
                for file_path in places:
                    sys.audit("harness.looked_for", str(file_path))
                file = next((file_path for file_path in places if file_path.is_file()), None)
                if file is None:
                    return {}
                by_split.setdefault(str(split), []).append(file)
        return by_split

    def _plain_files(
        self, path: str, name: str | None, files: dict[str, list[Path]]
    ) -> tuple[Any, Provenance]:
        digest, splits = hashlib.sha256(), {}
        for split, paths in files.items():
            parts: list[Any] = []
            for file in paths:
                data = file.read_bytes()
                digest.update(file.name.encode() + b"\0" + hashlib.sha256(data).digest())
                parts.append(_rows_or_table(path, file, data))
            splits[split] = as_dataset(parts, digest.hexdigest()[:32])
        return as_dict(splits), Provenance(path, name, "file", digest.hexdigest()[:32])

    def _remote(self, path: str, name: str | None, kwargs: dict[str, Any]) -> tuple[Any, Provenance]:
        load, tried = _original_load(), []

        # The message of the error lists every source that was tried, in this order.
        if self.mirror:
            tried.append(
                f"mirror {self.mirror}: no {f'datasets/{path}' if self.mirror.is_dir() else 'such folder'}"
            )
        if presence.modelscope_chosen():
            splits, fingerprint = hub.from_modelscope(path, name)
            return splits, Provenance(path, name, "modelscope", fingerprint)
        why = presence.hub_absence(for_data=True)
        if why is None:
            splits, fingerprint, revision = hub.from_hub(path, name, load, kwargs)
            return splits, Provenance(path, name, "hub", fingerprint, revision)
        cached = hub.from_cache(path, name, load, kwargs)
        if cached:
            return cached[0], Provenance(path, name, "cache", cached[1], cached[2])

        sys.audit("harness.data", "missing", path, None)
        tried += [f"hub: {why}", "cache: nothing"]
        raise DataError(
            f"dataset {path}{f' ({name})' if name else ''} not found ({'; '.join(tried)}): {presence.REMEDY}"
        )

    @contextlib.contextmanager
    def active(self) -> Iterator[DataSources]:
        """While inside, ``datasets.load_dataset`` asks these sources. Clears `read` first."""
        import datasets

        self.read, self._loaded = [], {}

        # `datasets.load_dataset` is one for all threads, so one task is built at a time.
        with _LOCK:
            before = datasets.load_dataset
            datasets.load_dataset = before if before is _dispatch else _remember(before)
            token = _ACTIVE.set(self)
            try:
                yield self
            finally:
                _ACTIVE.reset(token)
                self._loaded = {}
                datasets.load_dataset = before


_ORIGINAL: list[Any] = []


def _remember(original: Any) -> Any:
    """Keeps the real loader, and gives the function that stands in for it.

    A module imported meanwhile may bind the stand-in for good, so it asks the sources only while
    some are active.
    """
    _ORIGINAL[:] = [original]
    return _dispatch


def _dispatch(path: str, name: str | None = None, *args: Any, **kwargs: Any) -> Any:
    sources = _ACTIVE.get()
    if sources is None or args:
        return _original_load()(path, name, *args, **kwargs)
    split = kwargs.pop("split", None)
    splits, _ = sources.load(path, name, **kwargs)
    return splits if split is None else splits[split]


def _original_load() -> Any:
    import datasets

    return datasets.load_dataset if datasets.load_dataset is not _dispatch else _ORIGINAL[0]


def _rows_or_table(builder: str, file: Path, data: bytes) -> Any:
    try:
        if builder == "parquet":
            import io

            import pyarrow.parquet as pq

            return pq.read_table(io.BytesIO(data))
        if builder == "text":
            return [{"text": line} for line in data.decode("utf-8-sig").splitlines()]
        return parse_rows("rows.csv" if builder == "csv" else "rows.json", data.decode("utf-8-sig"))
    except (ValueError, OSError) as error:
        raise DataError(f"{file}: cannot be read as {builder} ({reason_of(error)})") from error

"""The run folder: what lies where, who may use it now, and whose run it is."""

from __future__ import annotations

import fcntl
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from harness.errors import RunFolderError
from harness.names import file_name
from harness.results.files import disk_errors, write_text


@dataclass(frozen=True)
class RunFolder:
    """Paths inside one run's folder."""

    path: Path

    @property
    def config(self) -> Path:
        """The resolved config."""
        return self.path / "config.yaml"

    @property
    def journal(self) -> Path:
        """Every answer (SQLite)."""
        return self.path / "journal.sqlite"

    @property
    def results(self) -> Path:
        """The published results."""
        return self.path / "results.json"

    @property
    def manifest(self) -> Path:
        """What is needed to do it again."""
        return self.path / "manifest.json"

    def samples(self, model: str, task: str) -> Path:
        """One cell's samples (Parquet)."""
        return self.path / "samples" / file_name(model) / f"{file_name(task)}.parquet"

    def log(self, model: str, shard: int = 0) -> Path:
        """One worker's log."""
        return self.path / "logs" / f"{file_name(model)}{f'-{shard}' if shard else ''}.log"

    def prepare(self, name: str, models: set[str], config_yaml: str, *, fresh: bool = False) -> None:
        """Makes the folder ready for a run called ``name``; an old run is resumed, or moved aside.

        It is moved aside with ``fresh``. Raises RunFolderError where the folder holds another
        config's run, or cannot be written.
        """
        with disk_errors(self.path):
            if fresh and self.path.exists():
                self.path.rename(
                    self.path.with_name(f"{self.path.name}.old-{time.strftime('%Y%m%d-%H%M%S')}")
                )

            if self.path.exists() and not self.path.is_dir():
                raise RunFolderError(f"{self.path} is a file, not a folder: choose another folder with --out")
            if self.config.exists():
                self._check_owner(name, models)
            # A folder of other things is refused: results would lie among somebody's files.
            elif self.path.exists() and any(entry for entry in self.path.iterdir() if entry.name != ".lock"):
                raise RunFolderError(
                    f"{self.path} holds files that are no run: choose another folder with --out, "
                    "or --fresh to move it aside"
                )
            self.path.mkdir(parents=True, exist_ok=True)
        write_text(self.config, config_yaml)

    def _check_owner(self, name: str, models: set[str]) -> None:
        """Raises RunFolderError unless the folder's run may be resumed by this config.

        It may where it has the same name and at least one model in common: cells are keyed by
        content, so a config that grew or shrank mixes nothing up, while a copied YAML with its old
        name must not overwrite another run's table.
        """
        import yaml

        # Read loosely: a config of another version need not be valid to tell whose the folder is.
        try:
            old: dict[str, Any] = yaml.safe_load(self.config.read_text(encoding="utf-8")) or {}
            old_models = {
                model.get("name") or model["id"].rstrip("/").rsplit("/", 1)[-1]
                for model in old.get("models", [])
            }
        except (yaml.YAMLError, AttributeError, TypeError, KeyError) as error:
            raise RunFolderError(
                f"{self.config} cannot be read ({type(error).__name__}): move the folder aside with --fresh"
            ) from error
        if old.get("name") != name or not old_models & models:
            raise RunFolderError(
                f"{self.path} holds the run {old.get('name')!r} of "
                f"{', '.join(sorted(old_models)) or 'no models'}, not this config's: "
                "choose another folder with --out, or move the old run aside with --fresh"
            )


class FolderLock:
    """One run at a time in a folder, as a context manager.

    The lock goes with the process, also when that is killed.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / ".lock"
        self._file: IO[str] | None = None

    def __enter__(self) -> FolderLock:
        with disk_errors(self._path.parent):
            self._file = self._path.open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise RunFolderError(
                f"another run is writing in {self._path.parent}: wait for it, or choose another with --out"
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

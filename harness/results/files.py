"""Files are written whole or not at all: under a temporary name beside the target, then moved."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from harness.errors import RunFolderError


@contextlib.contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turns the operating system's refusals (no space, no permission) into a `RunFolderError`."""
    try:
        yield
    except OSError as error:
        raise explain(error, folder) from error


def explain(error: OSError, folder: Path) -> RunFolderError:
    """The one-line error for a failed write in ``folder``."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RunFolderError(
            f"no space left on the disk of {folder}: free some and run the same command again; "
            "nothing kept is lost"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return RunFolderError(f"no permission to write in {folder}: choose another folder with --out")
    return RunFolderError(f"cannot write in {folder}: {error.strerror or error}")


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Calls ``write`` with a temporary path beside ``path``, then moves the result over it.

    Raises RunFolderError.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")

    with disk_errors(path.parent):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(part)
            part.replace(path)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text whole or not at all. Raises RunFolderError."""

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            # Before it is moved: after a power cut the new name must not stand for an empty file.
            file.flush()
            os.fsync(file.fileno())

    write_whole(path, write)


def write_json(path: Path, data: Any) -> None:
    """Writes JSON (UTF-8, indented; NaN is refused, since JSON has none).

    Raises RunFolderError, ValueError for NaN.
    """
    write_text(path, json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n")

"""SHA-256 of a model's files, without reading gigabytes twice.

A file in the hub's cache is a link to a blob whose name is its SHA-256 (for LFS files); a local
file is read once and remembered in our cache folder under its path, its number on the disk,
its size and when its content and its entry last changed: a copy that keeps the modification time
(``cp -p``, ``rsync -a``) still changes the latter.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from harness.hub.caches import own_cache

_SHA256 = re.compile(r"^[0-9a-f]{64}$")
_WORTH_REMEMBERING = 1 << 20  # bytes: below a megabyte, hashing is as quick as looking up


def hash_files(folder: Path, files: Iterable[Path]) -> dict[str, str]:
    """Path inside ``folder`` (with ``/``) -> SHA-256 in hex, sorted by path.

    Raises OSError when a file cannot be read.
    """
    return {path.relative_to(folder).as_posix(): hash_file(path) for path in sorted(files)}


def hash_file(path: Path) -> str:
    """SHA-256 of one file, in hex; raises OSError when it cannot be read."""
    real = path.resolve()
    if path.is_symlink() and real.parent.name == "blobs" and _SHA256.match(real.name):
        return real.name

    # Gigabytes are read once: the note holds as long as nothing about the file has changed.
    stat = real.stat()
    if stat.st_size < _WORTH_REMEMBERING:
        return hashlib.sha256(real.read_bytes()).hexdigest()
    note = own_cache() / "hashes" / (hashlib.sha256(str(real).encode()).hexdigest()[:32] + ".json")
    stamp = [str(real), stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        entry = json.loads(note.read_text(encoding="utf-8"))
        if entry["stamp"] == stamp:
            return str(entry["sha256"])

    with real.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    _remember(note, {"stamp": stamp, "sha256": digest})
    return digest


def _remember(note: Path, content: dict[str, object]) -> None:
    """Writes the note whole or not at all; a read-only home only costs time."""
    with contextlib.suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=note.parent, delete=False, encoding="utf-8") as stream:
            json.dump(content, stream)
        Path(stream.name).replace(note)

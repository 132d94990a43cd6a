"""What lies in the caches: our own, and those that the libraries fill on a harness's behalf."""

from __future__ import annotations

import datetime
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.hub.caches import hub_cache, own_cache

OWN = {"names": "task-names.json*", "hashes": "hashes"}
"""Kinds of our own, and where in the folder they lie."""
REST = "rest"
"""Whatever else lies in our own folder, of other versions too."""


@dataclass(frozen=True)
class Stored:
    """One kind of what is kept."""

    kind: str
    path: Path
    own: bool
    entries: tuple[Path, ...]
    size: int
    """Bytes on the disk; a file that several links name counts once."""
    files: int
    newest: datetime.datetime | None
    """When the youngest file was written; None where there is none."""


def stores() -> list[Stored]:
    """Our own kinds, then the libraries' caches, those that are there."""
    top = own_cache()
    own: list[Stored] = []
    rest = set(top.iterdir()) if top.is_dir() else set()
    for kind, pattern in OWN.items():
        entries = sorted(top.glob(pattern))
        rest -= set(entries)
        own.append(_stored(kind, top, True, entries))
    if rest:
        own.append(_stored(REST, top, True, sorted(rest)))
    return own + [_stored(kind, path, False, entries) for kind, path, entries in _foreign()]


def clean(store: Stored) -> int:
    """Deletes what is kept of one of our own kinds; how many bytes that frees.

    Raises OSError where something cannot be deleted, ValueError for a kind that is not ours.
    """
    if not store.own:
        raise ValueError(f"{store.kind} belongs to another program")
    for entry in store.entries:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
    return store.size


def _foreign() -> Iterator[tuple[str, Path, list[Path]]]:
    hub, home = hub_cache(), Path.home() / ".cache"
    data = Path(os.environ.get("HF_DATASETS_CACHE") or hub.parent / "datasets")
    scope = Path(os.environ.get("MODELSCOPE_CACHE") or home / "modelscope")
    vllm = Path(os.environ.get("VLLM_CACHE_ROOT") or home / "vllm")
    folders = (
        ("hub models", hub, "models--*"),
        ("hub data", hub, "datasets--*"),
        ("tables", data, "*"),
        ("ModelScope", scope, "*"),
        ("vLLM", vllm, "*"),
    )
    for kind, path, pattern in folders:
        if entries := sorted(path.glob(pattern)) if path.is_dir() else []:
            yield kind, path, entries


def _stored(kind: str, path: Path, own: bool, entries: list[Path]) -> Stored:
    sizes: dict[tuple[int, int], int] = {}
    newest = 0.0
    for entry in entries:
        for file in [entry] if entry.is_file() else entry.rglob("*"):
            # Snapshots of the hub are links to the files that hold the bytes.
            if file.is_symlink() or not file.is_file():
                continue
            stat = file.stat()
            sizes[stat.st_dev, stat.st_ino] = stat.st_size
            newest = max(newest, stat.st_mtime)
    day = datetime.datetime.fromtimestamp(newest).astimezone() if sizes else None
    return Stored(kind, path, own, tuple(entries), sum(sizes.values()), len(sizes), day)

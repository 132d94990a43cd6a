"""How far a download is, seen from outside: the bytes that the hub's cache holds for a model,
whichever library fetches them and how.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from harness.config.schema import ModelSpec
from harness.workers.events import EventStream

PATIENCE = 2.0
"""Seconds before a download is worth a line."""


def cache_folder(model_id: str) -> Path:
    """The hub cache's folder of a model."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / f"models--{model_id.replace('/', '--')}"


def folder_bytes(folder: Path) -> int:
    """Bytes of the files below a folder, unfinished ones included; links count nothing.

    0 where there is none.
    """
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and not path.is_symlink():
                total += path.stat().st_size
    return total


@contextlib.contextmanager
def watched(spec: ModelSpec, events: EventStream, expected: int | None, every: float = 1.0) -> Iterator[None]:
    """While the model is fetched inside, sends ``download`` events (bytes done, bytes expected or
    0) as the cache grows.
    """
    if Path(spec.id).is_dir() or spec.id.startswith("bundled/"):
        yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_watch, args=(spec, events, expected or 0, every, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=5)


def _watch(spec: ModelSpec, events: EventStream, expected: int, every: float, done: threading.Event) -> None:
    folder = cache_folder(spec.id)
    before, begun = folder_bytes(folder), time.monotonic()
    while not done.wait(every):
        size = folder_bytes(folder)
        if size > before and time.monotonic() - begun >= PATIENCE:
            events.send("download", model=spec.label, done=size, total=max(expected, size) if expected else 0)
            before = size

"""What is on this machine already: the hub's cache, and the one cache folder of our own."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


def own_cache() -> Path:
    """The folder for what can be made again (lm-eval's task names, hashes of big files).

    HARNESS_CACHE, or ``harness`` in the user's cache folder: XDG_CACHE_HOME where it is set,
    ``~/.cache`` on Linux, ``~/Library/Caches`` on macOS, ``%LOCALAPPDATA%`` on Windows. It may be
    read-only or absent: whoever writes there has to take that as a loss of time only.
    """
    if chosen := os.environ.get("HARNESS_CACHE"):
        return Path(chosen).expanduser()
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "harness"

    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "harness"
    if sys.platform == "win32" and (base := os.environ.get("LOCALAPPDATA")):
        return Path(base) / "harness"
    return Path.home() / ".cache" / "harness"


def hub_cache() -> Path:
    """Where huggingface_hub keeps downloads (HF_HUB_CACHE, HF_HOME)."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def token_source() -> str | None:
    """Where a token for the hub comes from, in words, or None where there is none; never the token."""
    from huggingface_hub import constants

    if os.environ.get("HF_TOKEN"):
        return "in HF_TOKEN"
    file = Path(constants.HF_TOKEN_PATH)
    return f"in {file}" if file.is_file() else None


def cached_file(model: str, name: str, revision: str | None) -> Path | None:
    """A file of a model in the hub's cache, or None; asks no network."""
    from huggingface_hub import try_to_load_from_cache

    try:
        path = try_to_load_from_cache(model, name, revision=revision)
    except ValueError:  # not a name that the hub could have
        return None
    # The third possibility is an object that says: the hub has no such file.
    return Path(path) if isinstance(path, str) else None


@contextlib.contextmanager
def cache_only() -> Iterator[None]:
    """Only caches are read inside: the switches of both libraries, which they look up at each call."""
    import datasets
    import huggingface_hub.constants as hub_constants

    before = (datasets.config.HF_HUB_OFFLINE, hub_constants.HF_HUB_OFFLINE)
    datasets.config.HF_HUB_OFFLINE = hub_constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE, hub_constants.HF_HUB_OFFLINE = before

"""Hashes of what a task's config says, functions included."""

from __future__ import annotations

import functools
import hashlib
import inspect
from pathlib import Path
from typing import Any


@functools.cache
def readers_hash() -> str:
    """A hash of the code that reads letters and numbers out of free answers."""
    files = sorted((Path(__file__).parent / "reading").glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def hashable(value: Any) -> Any:
    """A config value as JSON, a function by its name and its module's source.

    Helpers in the module count, too. Nothing may be written by its repr: that holds an address, and
    the same task would be another one in the next process.
    """

    if isinstance(value, functools.partial):
        return [hashable(value.func), hashable(value.args), hashable(value.keywords)]
    if callable(value):
        module = inspect.getmodule(value)

        # A function made at run time has no source: its name alone has to stand for it.
        try:
            source = Path(inspect.getsourcefile(module) or "").read_bytes() if module else b""
        except (OSError, TypeError):
            source = b""
        name = getattr(value, "__qualname__", None) or type(value).__qualname__
        return f"{name}:{hashlib.sha256(source).hexdigest()[:16]}"

    if isinstance(value, dict):
        return {str(key): hashable(inner) for key, inner in value.items()}
    return [hashable(inner) for inner in value] if isinstance(value, (list, tuple)) else value

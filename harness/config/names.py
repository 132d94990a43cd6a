"""Names of models and tasks as file names, and which of them cannot be told apart there."""

from __future__ import annotations

import unicodedata


def file_name(name: str) -> str:
    """A file name for a model or task: anything but letters, digits, dot, dash and underscore becomes an underscore."""
    safe = "".join(char if char.isalnum() or char in "._-" else "_" for char in name)
    return safe.lstrip(".") or "_"


def clash_key(name: str) -> str:
    """Equal for names that would share a file on some file system, or that a reader cannot tell apart: white space around them,
    signs that file names do not keep, full and half width, capitals."""
    return file_name(" ".join(unicodedata.normalize("NFKC", name).split())).casefold()


def clash(name: str, other: str) -> str:
    """How two names with equal keys are refused, without a place."""
    if name == other:
        return f"are called {name!r}"
    return f"are called {other!r} and {name!r}, which differ only in spaces, capitals or signs that a file name does not keep"

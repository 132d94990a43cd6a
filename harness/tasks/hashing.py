"""Hashes of what a task's config says, functions included."""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import io
import tokenize
from pathlib import Path
from typing import Any

ROOM = Path(__file__).parent
READERS = (ROOM / "reading", ROOM.parent / "thoughts.py", ROOM.parent / "thought_markers.py")
"""Code that says what an answer is: where its thought ends, and which letter or number it gives."""


@functools.cache
def readers_hash() -> str:
    """A hash of the code that reads letters and numbers out of free answers."""
    files = [file for path in READERS for file in (sorted(path.glob("*.py")) if path.is_dir() else [path])]
    code = "\n".join(code_of(file.read_text(encoding="utf-8")) for file in files)
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def code_of(source: str) -> str:
    """Python without docstrings, comments and empty lines: a better explanation marks nothing anew."""
    skipped: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))

    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    kept = [line.rstrip() for number, line in enumerate(lines, 1) if number not in skipped]
    return "\n".join(line for line in kept if line)


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

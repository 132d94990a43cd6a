"""Names of columns: when two are one, and how one that is not there is refused."""

from __future__ import annotations

from collections.abc import Sequence

from harness.config.problems import suggest
from harness.errors import ConfigError
from harness.names import tidy


def key_of(name: str) -> str:
    """A column's name without case, width and a colon at its end."""
    return tidy(name).casefold().rstrip(": ")


def same(name_in_task: str, names: Sequence[str]) -> str | None:
    """The column of that name, else the only one that differs by case or spaces alone.

    Raises ConfigError where several differ by these alone.
    """
    if name_in_task in names:
        return name_in_task
    like = [name for name in names if key_of(name) == key_of(name_in_task)]
    if len(like) > 1:
        raise ConfigError(f"{listed(like)} differ by case or spaces alone; rename one")
    return like[0] if like else None


def listed(names: Sequence[str]) -> str:
    """``column 'A'`` or ``columns 'A', 'B'``."""
    return ("column " if len(names) == 1 else "columns ") + ", ".join(map(repr, names))


def absent(key: str, name_in_task: str, names: Sequence[str]) -> str:
    """Why a column that the task names is refused, with the nearest and all that there are."""
    header = "; is the header missing? The first line of a CSV names the columns" if _headless(names) else ""
    nearest, present = suggest(name_in_task, names), ", ".join(names) or "none"
    # The default is no name that anybody wrote: what is to be written is the file's own.
    way_out = "" if nearest or header or name_in_task != key else f"; name it in the task, as {key}: COLUMN"
    return f"no column {name_in_task!r} ({key}:){nearest}; it has: {present}{header}{way_out}"


def _headless(names: Sequence[str]) -> bool:
    """Whether the column names look like data: long, or all unlike any word that a header holds."""
    return bool(names) and (
        any(len(name) > 60 or name.endswith(("?", "？", "。")) for name in names)
        or all(name.isdigit() for name in names)
    )

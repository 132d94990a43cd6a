"""Small words for people: one line of a long text, the first few of many names, sizes, reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

REASON = 200
"""Characters of a reason within a message: enough to search for, and still one line."""


class ValidationProblems(Protocol):
    """What is used of pydantic's ``ValidationError``, which is not imported for its sake."""

    def errors(self) -> Sequence[Mapping[str, Any]]: ...

    def error_count(self) -> int: ...


def one_line(text: str, most: int | None = None) -> str:
    """A text with all white space as single spaces; only its first ``most`` characters."""
    return " ".join(text.split())[:most]


def shorten(text: str, most: int) -> str:
    """A text on one line of at most ``most`` characters; an ellipsis stands for what is cut off."""
    return clipped(one_line(text), most)


def clipped(text: str, most: int) -> str:
    """A text as it is, of at most ``most`` characters; an ellipsis stands for what is cut off."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def quoted(text: str, most: int) -> str:
    """`shorten` in quotes, with escapes for what cannot be seen."""
    return repr(shorten(text, most))


def reason_of(error: BaseException, most: int = REASON, *, named: bool = False) -> str:
    """What an error says, on one line, with its type in front where ``named``; the type's name alone
    where it says nothing.
    """
    return _reason(error, one_line(str(error), most), named)


def first_line(error: BaseException, most: int = REASON, *, named: bool = False) -> str:
    """The first line of what an error says, else as `reason_of`.

    For errors of libraries that put the reason first and pages of advice behind it.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return _reason(error, lines[0][:most] if lines else "", named)


def named_line(error: BaseException) -> str:
    """An unexpected error's type and first line, no longer than a table's cell bears."""
    return first_line(error, 300, named=True)


def _reason(error: BaseException, text: str, named: bool) -> str:
    kind = type(error).__name__
    return f"{kind}: {text}" if named and text else text or kind


def first_problem(error: ValidationProblems, *, shown: int = 0, root: str = "") -> str:
    """A validation's first mistake on one line: where, what, how many more; with ``shown`` also so
    many characters of what was got. ``root`` names the whole where no field is to blame.
    """
    problem = error.errors()[0]
    where = ".".join(map(str, problem["loc"])) or root
    got = f"; got {str(problem['input'])[:shown]!r}" if shown else ""
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{where}: {problem['msg']}{got}{more}" if where else f"{problem['msg']}{got}{more}"


def list_some(names: Iterable[str], most: int, noun: str = "") -> str:
    """The first names with commas, "and 3 more" behind them where there are more than ``most``;
    with a ``noun``, "and 3 more tasks".
    """
    every = list(names)
    rest = f" and {len(every) - most} more{f' {noun}' if noun else ''}" if len(every) > most else ""
    return ", ".join(every[:most]) + rest


def list_first(names: Iterable[str], most: int, mark: str = " …") -> str:
    """The first names with commas, and a mark where there are more than ``most``."""
    every = list(names)
    return ", ".join(every[:most]) + (mark if len(every) > most else "")


def listed_names(text: str) -> list[str]:
    """The names of a list with commas, also with those of a Chinese keyboard."""
    return [name.strip() for name in text.replace("，", ",").replace("、", ",").split(",")]


def plural(count: int, noun: str, many: str = "") -> str:
    """ "1 task", "2 tasks"; ``many`` is the plural of a noun that does not take an s."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def size_text(size: float | None, *, unknown: str = "?") -> str:
    """Bytes in the largest binary unit that they fill: "1.5 GiB", "823 MiB", "12 B".

    ``unknown`` stands for None.
    """
    if size is None:
        return unknown
    for unit, scale in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size:.0f} B"


def gibibytes(size: float) -> str:
    """Bytes in GiB, as memory and disks are sold: one decimal below ten, none above."""
    amount = size / 2**30
    return f"{amount:.1f} GiB" if amount < 9.95 else f"{amount:.0f} GiB"


def duration_text(seconds: float) -> str:
    """Seconds as people say a duration that is not exact: "8 s", "1.5 min", "12 min", "3.2 h"."""
    for unit, size, most in (("s", 1.0, 99.5), ("min", 60.0, 99.5 * 60)):
        if seconds < most:
            amount = seconds / size
            return f"{amount:.1f} {unit}" if unit == "min" and amount < 9.95 else f"{amount:.0f} {unit}"
    return f"{seconds / 3600:.1f} h" if seconds < 99.5 * 3600 else f"{seconds / 86400:.1f} d"


def range_text(low: float, high: float) -> str:
    """Two durations as ``40 s to 2 min``, one where they read the same."""
    first, last = duration_text(low), duration_text(high)
    return first if first == last else f"{first} to {last}"

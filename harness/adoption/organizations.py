"""Where a namespace of the hub has its seat.

A packaged table with a source for each line, and a user's own. Nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.errors import DataError
from harness.textfiles import Unreadable, columns, rows

FOLDER = Path(__file__).resolve().parent.parent / "data" / "adoption"
FILE = FOLDER / "organizations.csv"
PLACES = ("CN", "US", "EU", "other", "none", "?")
"""Places of a seat.

China, the United States, the European Union, elsewhere, of no one place (as the source has it), and
not in the table.
"""
_PLACES = {"china": "CN", "us": "US", "eu": "EU", "other": "other", "unknown": "none"}
COLUMNS = ("organization", "region", "source")


@dataclass(frozen=True)
class Organization:
    """A namespace: one of PLACES but ``?``, and who says so."""

    name: str
    place: str
    source: str


class Organizations:
    """The table; namespaces are matched without regard to case, as the hub does."""

    def __init__(self, table: dict[str, Organization]) -> None:
        self._table = table

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._table

    def place(self, name: str) -> str:
        """One of PLACES; ``?`` for a namespace that is not in the table."""
        entry = self._table.get(name.lower())
        return entry.place if entry else "?"


@cache
def organizations(more: Path | None = None) -> Organizations:
    """The packaged table, with a user's lines on top.

    Raises DataError for a broken file or a line without a source.
    """
    table = _read(FILE)
    if more is not None:
        table |= _read(more)
    return Organizations(table)


def _read(path: Path) -> dict[str, Organization]:
    try:
        names = columns(path)
        lines = [(number + 1, row) for number, row in rows(path) if row]
    except Unreadable as error:
        raise DataError(f"{path}: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error}") from error

    if lacking := [name for name in COLUMNS if name not in names]:
        raise DataError(f"{path}: no column {', '.join(lacking)}; expected {', '.join(COLUMNS)}")
    organizations = {}
    for number, row in lines:
        name, region, source = (str(row[key] or "").strip() for key in COLUMNS)
        if region not in _PLACES or not name or not source:
            raise DataError(
                f"{path}:{number}: expected a name, one of {', '.join(_PLACES)}, and a source; got {row}"
            )
        organizations[name.lower()] = Organization(name, _PLACES[region], source)
    return organizations

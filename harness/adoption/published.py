"""What others published on adoption.

Dated lists of the hub (`snapshots.csv.gz`) and single figures (`figures.csv`), each with its
source. `scripts/published_adoption.py` makes both files.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from harness.adoption.files import SUFFIXES, read_snapshots
from harness.adoption.organizations import FOLDER
from harness.adoption.rows import Snapshot
from harness.errors import DataError
from harness.published.sources import read_yaml

SNAPSHOTS = FOLDER / "snapshots.csv.gz"
FIGURES = FOLDER / "figures.csv"
USER_FOLDER = Path("results") / "adoption"
"""Where `harness adoption snapshot` writes, and where studies look for newer lists."""


class ListSource(BaseModel):
    """Where a dated list was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    url: str
    commit: str
    licence: str | None
    dates: str


@dataclass(frozen=True)
class PublishedCount:
    """A single published figure.

    ``printed`` is how it was written down, which shows how far it was rounded.
    """

    id: str
    claim: str
    who: str
    what: str
    printed: str
    unit: str
    date: str
    source: str
    kind: str

    @property
    def value(self) -> float:
        """The figure as a number."""
        return float(self.printed)

    @property
    def half(self) -> float:
        """Half a unit of its last digit: 50 for 12800, 0.05 for 17.1.

        Closing noughts count as rounded.
        """
        # "12800" may be exact, but nothing says so: the wider reading is the honest one.
        whole, _, decimals = self.printed.partition(".")
        if decimals.strip("0"):
            return 0.5 * 10.0 ** -len(decimals)
        noughts = len(whole) - len(whole.rstrip("0"))
        return 0.5 * 10.0**noughts


@cache
def figures() -> dict[str, PublishedCount]:
    """The single figures by id."""
    with FIGURES.open(encoding="utf-8", newline="") as file:
        return {row["id"]: PublishedCount(**row) for row in csv.DictReader(file)}


@cache
def list_sources() -> dict[str, ListSource]:
    """The sources of the packaged lists by the name that their rows carry."""
    return {name: ListSource.model_validate(one) for name, one in read_yaml(FOLDER / "sources.yaml").items()}


@cache
def packaged() -> tuple[Snapshot, ...]:
    """The packaged lists, by date."""
    return tuple(read_snapshots([SNAPSHOTS]))


def snapshots(folder: Path | None = USER_FOLDER) -> list[Snapshot]:
    """The packaged lists and those of ``folder`` (None: none), by date.

    Raises DataError for one that cannot be read.
    """
    lists = list(packaged())
    if folder is not None and folder.is_dir():
        lists += read_snapshots(
            path for path in sorted(folder.iterdir()) if path.name.endswith(SUFFIXES) and path.name[0] != "."
        )
    return sorted(lists, key=lambda one: (one.date, one.source))


def find_figure(name: str) -> PublishedCount:
    """A single figure by its id. Raises DataError with the known ones."""
    if name not in figures():
        raise DataError(f"unknown published figure {name!r}; known: {', '.join(figures())}")
    return figures()[name]

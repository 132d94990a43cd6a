"""Published ratings and scores: one row a figure, from the packaged file and from what a user imported.

Ratings of different snapshots share a scale only roughly (anchor and method of LMArena changed): compare within one snapshot.
"""

from __future__ import annotations

import csv
import datetime
import gzip
import io
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from harness.errors import ConfigError
from harness.published.sources import FOLDER, USER_FOLDER, check_source, first_problem

FILE = FOLDER / "ratings.csv.gz"
FIELDS = ("date", "board", "category", "style", "model", "rating", "lower", "upper", "source")
LMARENA = "lmarena-text"

Finite = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Rating:
    """One published figure of one model.

    ``rating`` is on the board's own scale (Elo-like points for LMArena, per cent for the others); ``lower`` and ``upper`` bound the 95 %
    interval and are None where none was published. ``style`` is ``style_control`` or ``default``; ``source`` is a key of sources.yaml or a
    URL.
    """

    date: datetime.date
    board: Text
    category: Text
    style: Text
    model: Text
    rating: Finite
    lower: Finite | None
    upper: Finite | None
    source: Annotated[str, AfterValidator(check_source)]

    def __post_init__(self) -> None:
        if (self.lower is None) != (self.upper is None):
            raise ValueError("an interval needs both ends")
        if self.lower is not None and self.upper is not None and not self.lower <= self.rating <= self.upper:
            raise ValueError(f"the rating {self.rating} is outside its interval {self.lower} to {self.upper}")

    @property
    def snapshot(self) -> tuple[str, datetime.date, str, str, str]:
        """What the figure may be compared within: board, date, source, style, category."""
        return (self.board, self.date, self.source, self.style, self.category)


_ROWS: TypeAdapter[list[Rating]] = TypeAdapter(list[Rating])


def load_ratings(folder: Path | None = USER_FOLDER, board: str | None = LMARENA) -> list[Rating]:
    """Packaged ratings and the imported ones of ``folder`` (None: none), of one board or with None of all.

    Sorted by board, date, source, style, category and falling rating. Raises ConfigError for a file that cannot be read or a figure without
    a source.
    """
    found = list(_packaged())
    if folder is not None and folder.is_dir():
        for path in sorted([*folder.glob("*.csv"), *folder.glob("*.csv.gz")]):
            found += read_ratings(path)
    chosen = [one for one in found if board is None or one.board == board]
    return sorted(chosen, key=lambda one: (one.board, one.date, one.source, one.style, one.category, -one.rating, one.model))


@cache
def _packaged() -> tuple[Rating, ...]:
    return tuple(read_ratings(FILE))


def read_ratings(path: Path) -> list[Rating]:
    """The rows of one file in this project's own form (``.csv`` or ``.csv.gz``). Raises ConfigError that names file and line."""
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""))
        if set(reader.fieldnames or ()) != set(FIELDS):
            raise ConfigError(f"{path}: expected the columns {', '.join(FIELDS)}; got {', '.join(reader.fieldnames or ['none'])}")
        rows = [{key: value if value or key not in ("lower", "upper") else None for key, value in row.items()} for row in reader]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    try:
        return _ROWS.validate_python(rows)
    except ValidationError as error:
        line = int(error.errors()[0]["loc"][0]) + 2
        raise ConfigError(f"{path}:{line}: {first_problem(error)}") from error


def write_ratings(path: Path, ratings: Iterable[Rating]) -> int:
    """Writes rows as ``.csv`` or ``.csv.gz`` (without a time stamp, so that equal rows give equal bytes), whole or not at all; how many."""
    from harness.results.files import write_whole

    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(FIELDS)
    count = 0
    for one in ratings:
        writer.writerow(["" if value is None else value for value in (getattr(one, field) for field in FIELDS)])
        count += 1
    data = file.getvalue().encode("utf-8")
    packed = gzip.compress(data, 9, mtime=0) if path.suffix == ".gz" else data
    write_whole(path, lambda part: part.write_bytes(packed))
    return count

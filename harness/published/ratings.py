"""Published ratings and scores: one row per figure, packaged ones and a user's imports.

Ratings of different snapshots share a scale only roughly (anchor and method of LMArena changed):
compare within one snapshot. Ratings of different methods do not share one at all: the method is
part of what a snapshot is.
"""

from __future__ import annotations

import csv
import datetime
import gzip
import io
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from harness.errors import ConfigError
from harness.published.sources import FOLDER, USER_FOLDER, check_source, first_problem

FILE = FOLDER / "ratings.csv.gz"
NEEDED = ("date", "board", "category", "style", "model", "rating", "lower", "upper", "source")
FIELDS = (*NEEDED[:4], "method", *NEEDED[4:8], "votes", "flag", "source")
LMARENA = "lmarena-text"
STYLES = ("default", "style_control")

RatingMethod = Literal["online-elo", "elo-bootstrap-median", "bradley-terry", "bradley-terry-refit", "score"]
"""How a figure was made from its data. ``online-elo``: updated vote by vote, so that the order of
the votes counts. ``elo-bootstrap-median``: the median of online Elo over shuffled votes.
``bradley-terry``: maximum likelihood over all votes, by the board. ``bradley-terry-refit``: the
same by a third party on public votes. ``score``: a share of right answers or an index, no votes at
all.
"""
METHODS: tuple[RatingMethod, ...] = get_args(RatingMethod)

Finite = Annotated[float, Field(allow_inf_nan=False)]
NonEmpty = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class PublishedRating:
    """One published figure of one model.

    ``rating`` is on the board's own scale (Elo-like points for LMArena, per cent for the others);
    ``lower`` and ``upper`` bound the 95 % interval and are None where none was published. ``style``
    is ``style_control`` or ``default``; ``votes`` are the model's battles, None where not
    published; ``flag`` is what the board or its copy says of the figure (preliminary …), ``source``
    a key of sources.yaml or a URL. An online Elo rating has no interval: what depends on the order
    of the votes is no estimate with one.
    """

    date: datetime.date
    board: NonEmpty
    category: NonEmpty
    style: NonEmpty
    model: NonEmpty
    rating: Finite
    lower: Finite | None
    upper: Finite | None
    source: Annotated[str, AfterValidator(check_source)]
    method: RatingMethod = "bradley-terry"
    votes: Annotated[int, Field(ge=0)] | None = None
    flag: str = ""

    def __post_init__(self) -> None:
        if self.method == "online-elo" and self.lower is not None:
            raise ValueError("online Elo has no confidence interval")
        if (self.lower is None) != (self.upper is None):
            raise ValueError("an interval needs both ends")
        if self.lower is not None and self.upper is not None and not self.lower <= self.rating <= self.upper:
            raise ValueError(f"the rating {self.rating} is outside its interval {self.lower} to {self.upper}")

    @property
    def snapshot(self) -> tuple[str, datetime.date, str, str, str, RatingMethod]:
        """What the figure may be compared within: board, date, source, style, category, method."""
        return (self.board, self.date, self.source, self.style, self.category, self.method)


_ROWS: TypeAdapter[list[PublishedRating]] = TypeAdapter(list[PublishedRating])


def load_ratings(folder: Path | None = USER_FOLDER, board: str | None = LMARENA) -> list[PublishedRating]:
    """Packaged ratings and the imported ones of ``folder`` (None: none).

    Of one board, or with None of all. Sorted by board, date, source, style, category and falling
    rating. Raises ConfigError for a file that cannot be read or a figure without a source.
    """
    ratings = list(_packaged())
    if folder is not None and folder.is_dir():
        for path in sorted([*folder.glob("*.csv"), *folder.glob("*.csv.gz")]):
            ratings += read_ratings(path)

    of_board = [one for one in ratings if board is None or one.board == board]
    return sorted(
        of_board,
        key=lambda one: (one.board, one.date, one.source, one.style, one.category, -one.rating, one.model),
    )


@cache
def _packaged() -> tuple[PublishedRating, ...]:
    return tuple(read_ratings(FILE))


def read_ratings(path: Path) -> list[PublishedRating]:
    """The rows of one file in this project's own form (``.csv`` or ``.csv.gz``).

    Raises ConfigError that names file and line.
    """
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""))
        columns = set(reader.fieldnames or ())
        if not set(NEEDED) <= columns <= set(FIELDS):
            raise ConfigError(
                f"{path}: expected the columns {', '.join(FIELDS)}; got"
                f" {', '.join(reader.fieldnames or ['none'])}"
            )

        # An empty cell is "not published"; zero would be a rating.
        empty = ("lower", "upper", "votes")
        rows = [
            {key: value if value or key not in empty else None for key, value in row.items()}
            for row in reader
        ]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error

    try:
        return _ROWS.validate_python(rows)
    except ValidationError as error:
        line = int(error.errors()[0]["loc"][0]) + 2
        raise ConfigError(f"{path}:{line}: {first_problem(error)}") from error


def write_ratings(path: Path, ratings: Iterable[PublishedRating]) -> int:
    """Writes rows as ``.csv`` or ``.csv.gz``, whole or not at all; returns how many.

    Without a time stamp, so that equal rows give equal bytes.
    """
    from harness.results.files import write_whole

    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(FIELDS)
    count = 0
    for one in ratings:
        writer.writerow(
            ["" if value is None else value for value in (getattr(one, field) for field in FIELDS)]
        )
        count += 1

    # A compressed file holds the time of its making, unless that is set to zero.
    data = file.getvalue().encode("utf-8")
    packed = gzip.compress(data, 9, mtime=0) if path.suffix == ".gz" else data
    write_whole(path, lambda part: part.write_bytes(packed))
    return count

"""Published ratings as snapshots: one leaderboard's models at one date, rated by one method.

Only models of one snapshot are compared.
"""

from __future__ import annotations

import datetime
import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from harness.errors import ConfigError
from harness.published import PublishedRating, RatedModel
from harness.published.ratings import RatingMethod

MARGIN = 8.0
"""Rating points that a difference without published intervals may be off.

The median, over the open top ten of the snapshots of 2025, of √2 times an interval's half width
(7.9).
"""
EARLY_MARGIN = 20.0
"""The same for boards of before 2024-03-27, which had fewer votes.

√2 times the median half width of the models with 1,000 to 2,000 votes on the board of 2024-03-29
(14.4).
"""
EARLY = datetime.date(2024, 3, 27)
_SIZE = re.compile(r"(?<![\dx.ae])(\d+(?:\.\d+)?)b(?![a-z])")
_PARTLY = re.compile(r"\d+e(?![a-z0-9])|(?<![a-z])e\d+b")
"""Names that say active or effective parameters only: 17b-128e, e4b."""


@dataclass(frozen=True)
class BoardEntry:
    """One model in a snapshot.

    ``low`` and ``high`` are None where no interval was published; ``margin`` is what a difference
    without them may be off (`margin_of`). Where the board has them: ``parameters`` and ``active``
    in billions, ``price`` in $ per million tokens (blended), ``speed`` in output tokens/s.
    ``official`` is False for models that the board's keepers did not mark as a maker's own.
    """

    name: str
    rating: float
    low: float | None
    high: float | None
    facts: RatedModel
    margin: float = MARGIN
    parameters: float | None = None
    active: float | None = None
    official: bool = True
    price: float | None = None
    speed: float | None = None

    @property
    def size(self) -> float | None:
        """Total parameters in billions, as the board or the model's own name has them.

        None where neither does (8x7b shares parts, 17b-128e and e4b name what is active).
        """
        if self.parameters is not None:
            return self.parameters
        name = self.name.lower()
        match = _SIZE.search(name)
        return float(match[1]) if match and not _PARTLY.search(name) else None


class Side(BaseModel):
    """Which models stand on one side of a comparison: those that fit all that is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    country: str | None = Field(None, description="The maker's, ISO 3166 alpha-2.")
    maker: str | tuple[str, ...] | None = None
    name: str | None = Field(None, description="Regular expression in the model's name, lower case.")
    open: bool | None = Field(None, description="Weights can be downloaded.")
    at_most: float | None = Field(None, gt=0, description="Parameters in billions that its name says.")
    official: bool | None = Field(
        None, description="Marked by the board as the maker's own (Open LLM Leaderboard)."
    )
    own: bool = Field(False, description="Leave out models tuned from another country's weights.")

    def holds(self, entry: BoardEntry) -> bool:
        """Whether a model stands on this side. What is unknown of it does not fit."""
        facts = entry.facts
        return (
            self.country in (None, facts.country)
            and (
                self.maker is None
                or facts.maker in ((self.maker,) if isinstance(self.maker, str) else self.maker)
            )
            and self.open in (None, facts.open)
            and self.official in (None, entry.official)
            and (self.name is None or re.search(self.name, entry.name.lower()) is not None)
            and (self.at_most is None or (entry.size is not None and entry.size <= self.at_most))
            and not (self.own and facts.base_country not in (None, facts.country))
        )


@dataclass(frozen=True)
class BoardSnapshot:
    """All rated models of one board at one date, best first.

    ``board``: the leaderboard's name, ``method``: how its figures were made.
    """

    date: datetime.date
    source: str
    style: str
    category: str
    entries: tuple[BoardEntry, ...]
    method: RatingMethod = "bradley-terry"
    board: str = "lmarena-text"

    @property
    def kind(self) -> tuple[str, str, str, RatingMethod]:
        """What snapshots must share to stand in one window."""
        return (self.board, self.style, self.category, self.method)

    def best(self, side: Side) -> BoardEntry | None:
        """The best-rated model of a side."""
        return next((entry for entry in self.entries if side.holds(entry)), None)

    def top(self, count: int, side: Side) -> tuple[BoardEntry, ...]:
        """The best ``count`` of a side."""
        return tuple(entry for entry in self.entries if side.holds(entry))[:count]


@dataclass(frozen=True)
class RatingDifference:
    """``ahead`` − ``behind`` in rating points within one snapshot.

    ``published`` says whether both intervals were published. The interval takes the two published
    ones as independent: √(h_a² + h_b²) on each side; without published ones ± the larger `margin`,
    which is infinite for online Elo: nothing follows from it for sure.
    """

    value: float
    low: float
    high: float
    published: bool


def difference(one: BoardEntry, other: BoardEntry) -> RatingDifference:
    """one − other."""
    value = one.rating - other.rating
    if one.low is None or one.high is None or other.low is None or other.high is None:
        margin = max(one.margin, other.margin)
        return RatingDifference(value, value - margin, value + margin, False)
    down = math.hypot(one.rating - one.low, other.high - other.rating)
    up = math.hypot(one.high - one.rating, other.rating - other.low)
    return RatingDifference(value, value - down, value + up, True)


def margin_of(method: RatingMethod, date: datetime.date) -> float:
    """Points that a difference of a board without published intervals may be off."""
    if method == "online-elo":
        return math.inf
    return EARLY_MARGIN if method == "elo-bootstrap-median" or date < EARLY else MARGIN


def one_kind(snapshots: Sequence[BoardSnapshot]) -> None:
    """Raises ConfigError where snapshots of more than one kind stand together.

    A kind is a board, style, category and method.
    """
    kinds = sorted({one.kind for one in snapshots})
    if len(kinds) > 1:
        names = " and ".join("/".join(kind) for kind in kinds)
        raise ConfigError(
            f"ratings of different methods are never compared in one window; got {names}; give one"
            f" method, style and category"
        )


@dataclass(frozen=True)
class Board:
    """A leaderboard over time."""

    snapshots: tuple[BoardSnapshot, ...]

    @classmethod
    def of(cls, ratings: Sequence[PublishedRating], models: dict[str, RatedModel]) -> Board:
        """Ratings grouped by snapshot.

        A model that is not in ``models`` has no facts and stands on no side with one.
        """
        grouped: dict[tuple[str, datetime.date, str, str, str, RatingMethod], list[BoardEntry]] = defaultdict(
            list
        )
        for one in ratings:
            facts = models.get(one.model) or _unknown(one)
            margin = margin_of(one.method, one.date)
            grouped[one.snapshot].append(
                BoardEntry(one.model, one.rating, one.lower, one.upper, facts, margin)
            )

        # Sorted once here: everything that reads a snapshot relies on its best being first.
        snapshots = [
            BoardSnapshot(
                date,
                source,
                style,
                category,
                tuple(sorted(entries, key=lambda entry: (-entry.rating, entry.name))),
                method,
                board,
            )
            for (board, date, source, style, category, method), entries in grouped.items()
        ]
        return cls(
            tuple(
                sorted(snapshots, key=lambda one: (one.date, one.source, one.style, one.category, one.method))
            )
        )

    def series(
        self, style: str = "default", category: str = "full", method: RatingMethod = "bradley-terry"
    ) -> tuple[BoardSnapshot, ...]:
        """The snapshots of one way of rating, by date: methods are never mixed."""
        return tuple(
            one
            for one in self.snapshots
            if (one.style, one.category, one.method) == (style, category, method)
        )

    @cached_property
    def first_rated(self) -> dict[str, datetime.date]:
        """When each model was first in any snapshot: its release was not later."""
        dates: dict[str, datetime.date] = {}
        for one in self.snapshots:
            for entry in one.entries:  # snapshots of all methods, by date
                dates.setdefault(entry.name, one.date)
        return dates

    def released(self, entry: BoardEntry) -> tuple[datetime.date, bool]:
        """The release date where a source has it (True), else the date of the first rating (False).

        The first rating is not earlier than the release.
        """
        released = entry.facts.released
        return (released, True) if released is not None else (self.first_rated[entry.name], False)


def _unknown(one: PublishedRating) -> RatedModel:
    nothing: dict[str, Any] = dict.fromkeys(
        (
            "maker",
            "country",
            "open",
            "licence",
            "released",
            "released_source",
            "made_from",
            "base_country",
            "base_source",
        )
    )
    return RatedModel(name=one.model, also=(), source=one.source, note=None, **nothing)

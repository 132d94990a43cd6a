"""The shape of an exhibit: a table, sentences, and rows for a plot.

And the keys that several kinds share.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from harness.published.ratings import RatingMethod
from harness.studies import gap
from harness.studies.board import BoardEntry, BoardSnapshot, Side
from harness.studies.claims import Text
from harness.studies.finding import joined, say

Cell = str | Text
TableRows = tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Exhibit:
    """One exhibit.

    ``points`` are the plot's rows (language-free), ``arena`` says that ratings by votes are shown
    and need their caution.
    """

    kind: str
    title: Text
    headers: tuple[Text, ...]
    rows: TableRows
    points: tuple[dict[str, Any], ...]
    lines: tuple[Text, ...] = ()
    names: tuple[Text, ...] = ()
    arena: bool = False

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "kind": self.kind,
            "title": self.title.model_dump(),
            "lines": [line.model_dump() for line in self.lines],
            "headers": [one.model_dump() for one in self.headers],
            "rows": [[cell.en if isinstance(cell, Text) else cell for cell in row] for row in self.rows],
            "points": [
                {key: str(value) if isinstance(value, datetime.date) else value for key, value in one.items()}
                for one in self.points
            ],
        }


class Keys(BaseModel):
    """Which ratings: how styles count, and the category of the questions."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    style: str = "default"
    category: str = "full"
    method: RatingMethod = "bradley-terry"


class Top(Keys):
    """The best of a side in the last snapshot up to a day."""

    side: Side = Side()
    top: int = Field(10, ge=1)
    date: datetime.date = datetime.date(9999, 12, 31)


def segments(dates: Sequence[datetime.date]) -> list[int]:
    """A number for each stretch without a hole, so that no line is drawn across one."""
    parts: list[int] = []
    for index, date in enumerate(dates):
        broken = index > 0 and (date - dates[index - 1]).days > gap.HOLE
        parts.append((parts[-1] if parts else 0) + broken)
    return parts


def of_date(snapshot: BoardSnapshot) -> Text:
    """The day of a snapshot, and how its ratings were made."""
    methods = [
        say(f"method_{snapshot.method}"),
        *([say("style_control")] if snapshot.style == "style_control" else []),
    ]
    return say("of_date", date=snapshot.date, method=say("method_of", method=joined(methods, ", ", "，")))


def interval(entry: BoardEntry) -> Cell:
    """A rating's published interval, or that there is none."""
    return (
        f"{entry.low:.0f} … {entry.high:.0f}"
        if entry.low is not None and entry.high is not None
        else say("point")
    )

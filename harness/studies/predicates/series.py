"""Which snapshots a predicate looks at, and how it says what they are."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.published.ratings import LMARENA, RatingMethod
from harness.published.scoreboards import OPEN_LLM
from harness.studies import gap
from harness.studies.board import BoardSnapshot, Side
from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.finding import Basis, StatementFinding, joined, say

IMPORT = "harness published import FILE"
"""The command that brings ratings of other dates."""


class BoardSeries(BaseModel):
    """Snapshots of one board, style, category and method: within a span of days, or the newest.

    Methods are never mixed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    board: str = Field(
        LMARENA,
        description="lmarena-text, open-llm-leaderboard-2, artificial-analysis-v2.2 … or an imported one.",
    )
    style: str = "default"
    category: str = "full"
    method: RatingMethod | None = Field(
        None, description="Default: Bradley–Terry for votes, score for the others."
    )
    begin: datetime.date | None = None
    end: datetime.date | None = None
    newest: int = Field(0, ge=0, description="Only the last so many snapshots that have what is compared.")
    released_by: datetime.date | None = Field(None, description="Only models released up to this day.")

    @model_validator(mode="after")
    def _span(self) -> Self:
        if (self.begin is None or self.end is None) and not self.newest:
            raise ValueError("give begin and end, or newest")
        return self

    @property
    def rated_by(self) -> RatingMethod:
        """The method asked for."""
        return self.method or ("bradley-terry" if self.board == LMARENA else "score")

    def of(self, data: Data) -> list[BoardSnapshot]:
        """The snapshots of the span.

        All of them where only the newest are wanted (`last` and `leads` choose).
        """
        begin, end = self.begin or datetime.date.min, self.end or datetime.date.max
        snapshots = gap.within(
            data.board_of(self.board).series(self.style, self.category, self.rated_by), begin, end
        )
        return [_until(one, self.released_by) for one in snapshots] if self.released_by else snapshots

    def last(self, snapshots: list[BoardSnapshot]) -> list[BoardSnapshot]:
        """The newest of the snapshots where only those are asked for."""
        return snapshots[-self.newest :] if self.newest else snapshots

    def leads(self, data: Data, one: Side, other: Side) -> list[gap.SideLead]:
        """The best of both sides in each snapshot that has both."""
        side_leads = gap.leads(self.of(data), one, other)
        return side_leads[-self.newest :] if self.newest else side_leads

    def basis(self, begin: datetime.date | None = None, end: datetime.date | None = None) -> Basis:
        """Board and method in words, and the days."""
        has_words = self.board in (LMARENA, OPEN_LLM) or "-v" in self.board
        board = say(f"board_{self.board}") if has_words else say("board", name=self.board)
        method = [] if self.rated_by == "score" else [say(f"method_{self.rated_by}")]
        style = [say("style_control")] if self.style == "style_control" else []
        return Basis(board, joined([*method, *style], ", ", "，") if method or style else None, begin, end)


def _until(snapshot: BoardSnapshot, day: datetime.date) -> BoardSnapshot:
    entries = tuple(
        one for one in snapshot.entries if one.facts.released is not None and one.facts.released <= day
    )
    return dataclasses.replace(snapshot, entries=entries)


def absent(what: BoardSeries) -> StatementFinding:
    """No snapshot at hand."""
    span = (
        say("no_newest")
        if what.begin is None or what.end is None
        else say("no_snapshot", begin=what.begin, end=what.end)
    )
    return StatementFinding("missing", "none", span, say("add_ratings"), IMPORT, basis=what.basis())


def span(snapshots: Sequence[BoardSnapshot]) -> str:
    """First and last day, or the one day."""
    dates = [one.date.isoformat() for one in snapshots]
    return dates[0] if dates[0] == dates[-1] else f"{dates[0]} – {dates[-1]}"


def basis(what: BoardSeries, snapshots: Sequence[BoardSnapshot]) -> Basis:
    """Board, method and days."""
    return what.basis(min(one.date for one in snapshots), max(one.date for one in snapshots))


def counted(n: int) -> Text:
    """A number of snapshots."""
    return say("one_snapshot" if n == 1 else "snapshots", n=n)


def how(what: BoardSeries, leads: Sequence[gap.SideLead]) -> Text:
    """Where the intervals come from, of all snapshots and not of one."""
    if what.board == OPEN_LLM:
        return say("from_items")
    if what.board.startswith("artificial-analysis"):
        return say("as_stated")

    # Boards of votes: some snapshots have intervals, the others a margin that depends on their
    # method.
    having = sum(one.difference.published for one in leads)
    if having == len(leads):
        return say("with_intervals")

    margins = {max(one.one.margin, one.other.margin) for one in leads if not one.difference.published}
    if math.inf in margins:
        return say("no_error")

    margin = "–".join(f"{value:g}" for value in sorted(margins))
    return (
        say("as_points", margin=margin)
        if having == 0
        else say("some_intervals", k=having, n=len(leads), margin=margin)
    )

"""Predicates over published facts that are counted.

Open releases by country, and the tokens that models were trained on.
"""

from __future__ import annotations

import datetime
import statistics
from functools import cache
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from harness.analysis.intervals import wilson
from harness.errors import ConfigError
from harness.published.scoreboards import analysed
from harness.published.sources import FOLDER, check_source, first_problem, read_yaml
from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.finding import Basis, Outcome, StatementFinding, say

FILE = FOLDER / "training_tokens.yaml"


class Trained(BaseModel):
    """On how many tokens a model was trained first, as its maker published it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    model: str
    maker: str
    country: str = Field(pattern="^[A-Z]{2}$")
    released: datetime.date
    trillions: float = Field(gt=0)
    source: Annotated[str, AfterValidator(check_source)]
    unread: bool = Field(
        False, description="The report is cited, and the figure was not looked up in it again."
    )
    note: str | None = None


class Releases(BaseModel):
    """Makers of ``one`` released open weights on more days than those of ``other``."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    one: str
    other: str
    begin: datetime.date
    end: datetime.date


class TrainingTokens(BaseModel):
    """Models of ``one`` were trained on fewer tokens than those of ``other``.

    Of the models released up to a day: the most of any, or the median.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    one: str
    other: str
    begin: datetime.date
    end: datetime.date
    of: Literal["most", "median"]


@cache
def trained() -> tuple[Trained, ...]:
    """The packaged figures by release. Raises ConfigError for one without a source."""
    rows = []
    for entry in read_yaml(FILE):
        try:
            rows.append(Trained.model_validate(entry))
        except ValidationError as error:
            raise ConfigError(f"{FILE.name}: {entry.get('model')}: {first_problem(error)}") from error
    return tuple(sorted(rows, key=lambda one: (one.released, one.model)))


def release_days(begin: datetime.date, end: datetime.date) -> dict[str, set[tuple[str, datetime.date]]]:
    """Country to its (maker, day) with at least one open-weights release.

    As Artificial Analysis lists them; a day counts once.
    """
    days: dict[str, set[tuple[str, datetime.date]]] = {}
    for row in analysed():
        if row.open and row.country and row.released is not None and begin <= row.released <= end:
            days.setdefault(row.country, set()).add((row.creator, row.released))
    return days


def board_days(
    data: Data, begin: datetime.date, end: datetime.date
) -> dict[str, set[tuple[str, datetime.date]]]:
    """The same of LMArena's rated open models.

    Released, or first rated where no date is sourced.
    """
    days: dict[str, set[tuple[str, datetime.date]]] = {}
    entries = {entry.name: entry for snapshot in data.board.snapshots for entry in snapshot.entries}
    for entry in entries.values():
        facts, day = entry.facts, data.board.released(entry)[0]
        if facts.open and facts.country and facts.maker and begin <= day <= end:
            days.setdefault(facts.country, set()).add((facts.maker, day))
    return days


def releases(what: Releases, data: Data) -> StatementFinding:
    """Holds where the ratio of the two counts surely exceeds one.

    Fails where it surely does not (Wilson's interval of a share).
    """
    days = release_days(what.begin, what.end)
    rated = board_days(data, what.begin, what.end)
    mine, theirs = (len(days.get(country, ())) for country in (what.one, what.other))
    if mine + theirs == 0:
        return StatementFinding("missing", "none", say("no_releases"), say("add_ratings"))

    # If both sides released as often, each release day would be either one's with probability one
    # half.
    low, high = wilson(mine, mine + theirs)
    outcome: Outcome = "holds" if low > 0.5 else "fails" if high < 0.5 else "unclear"
    measured = _releases_words(what, days, rated, (low, high))

    figures = {"one": mine, "other": theirs, "share": mine / (mine + theirs), "ci95": [low, high]}
    basis = Basis(say("by_release"), None, what.begin, what.end)
    return StatementFinding(
        outcome,
        "published",
        measured,
        say("near_half") if outcome == "unclear" else None,
        figures=figures,
        basis=basis,
        brief=say("brief_days", one=mine, other=theirs),
    )


def _releases_words(
    what: Releases,
    days: dict[str, set[tuple[str, datetime.date]]],
    rated: dict[str, set[tuple[str, datetime.date]]],
    ends: tuple[float, float],
) -> Text:
    """Release days of both countries by two sources, as a sentence."""
    low, high = ends
    mine, theirs = (len(days.get(country, ())) for country in (what.one, what.other))
    months = (what.end - what.begin).days / (365.25 / 12)

    return say(
        "releases",
        begin=what.begin,
        end=what.end,
        mine=mine,
        theirs=theirs,
        makers=len({maker for maker, _ in days.get(what.one, ())}),
        rivals=len({maker for maker, _ in days.get(what.other, ())}),
        a=f"{mine / months:.1f}",
        b=f"{theirs / months:.1f}",
        share=f"{100 * mine / (mine + theirs):.0f}",
        low=f"{100 * low:.0f}",
        high=f"{100 * high:.0f}",
        rated=len(rated.get(what.one, ())),
        rated_theirs=len(rated.get(what.other, ())),
    )


def training_tokens(what: TrainingTokens, data: Data) -> StatementFinding:
    """Holds where the figure of ``one`` is lower, fails where it is not.

    Published figures of open models, counted, without error.
    """
    sides = [
        [row for row in trained() if row.country == country and what.begin <= row.released <= what.end]
        for country in (what.one, what.other)
    ]
    if not all(sides):
        return StatementFinding("missing", "none", say("no_training"), say("add_ratings"))

    if what.of == "most":
        values = [max(row.trillions for row in side) for side in sides]
    else:
        values = [statistics.median(row.trillions for row in side) for side in sides]

    outcome: Outcome = "holds" if values[0] < values[1] else "fails"

    # The model with the most tokens is named, so that the figure can be looked up.
    best = [max(side, key=lambda row: row.trillions) for side in sides]
    measured = say(
        f"trained_{what.of}",
        begin=what.begin,
        end=what.end,
        n=len(sides[0]),
        m=len(sides[1]),
        one=f"{values[0]:.3g}",
        other=f"{values[1]:.3g}",
        most=best[0].model,
        rival=best[1].model,
        ratio=f"{values[0] / values[1]:.2f}",
    )
    figures = {"one": values[0], "other": values[1]}
    basis = Basis(say("by_training"), None, what.begin, what.end)
    brief = say("brief_trillions", one=f"{values[0]:.3g}", other=f"{values[1]:.3g}")
    return StatementFinding(outcome, "published", measured, None, figures=figures, basis=basis, brief=brief)

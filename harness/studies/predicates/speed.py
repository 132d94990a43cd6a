"""A predicate over published measurements of one engine and model on several chips.

The figures stand in data/published/speeds.yaml.
"""

from __future__ import annotations

import datetime
from functools import cache
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from harness.errors import ConfigError
from harness.published.sources import FOLDER, check_source, first_problem, read_yaml
from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.finding import Basis, Outcome, StatementFinding, joined, say

FILE = FOLDER / "speeds.yaml"


class MeasuredKeys(BaseModel):
    """Tokens per second and chip, reading (``prefill``) or writing (``decode``).

    As the source printed them per ``chips`` chips.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    chip: str
    engine: str
    model: str
    phase: Literal["prefill", "decode"]
    tokens_per_s: float = Field(gt=0)
    chips: int = Field(ge=1, description="Over how many chips the printed figure is: 8 for a node.")
    input_tokens: int | None = Field(None, description="Length of the prompts.")
    precision: str
    date: datetime.date
    source: Annotated[str, AfterValidator(check_source)]
    note: str | None = None

    @property
    def per_chip(self) -> float:
        """Tokens per second of one chip."""
        return self.tokens_per_s / self.chips


class Slower(BaseModel):
    """A chip was measured slower than the reference at reading or writing.

    ``engine`` as both sources name it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    chip: str
    reference: str = "H100"
    phase: Literal["prefill", "decode"]
    engine: str | None = None


@cache
def speeds() -> tuple[MeasuredKeys, ...]:
    """The packaged measurements. Raises ConfigError for one without a source."""
    rows = []
    for entry in read_yaml(FILE):
        try:
            rows.append(MeasuredKeys.model_validate(entry))
        except ValidationError as error:
            raise ConfigError(f"{FILE.name}: {entry.get('chip')}: {first_problem(error)}") from error
    return tuple(rows)


MARGIN = 1.5
"""A ratio within this factor decides nothing.

The two measurements may differ in input length, number format or engine.
"""


def slower(what: Slower, data: Data) -> StatementFinding:
    """Whether a chip was measured slower than the reference.

    Holds where every pair of measurements is slower by more than `MARGIN`, fails where every one is
    faster by as much.
    """
    mine, reference = (_measured(what, chip) for chip in (what.chip, what.reference))
    if not mine or not reference:
        return StatementFinding(
            "missing", "none", say("no_speed", chip=what.chip, reference=what.reference), say("run_first")
        )

    # All pairs: no two published measurements were made under the same settings.
    ratios = [a.per_chip / b.per_chip for a in mine for b in reference]
    outcome: Outcome = "holds" if max(ratios) < 1 / MARGIN else "fails" if min(ratios) > MARGIN else "unclear"

    measured = _slower_words(what, mine, reference, ratios)
    days = sorted(one.date for one in (*mine, *reference))
    basis = Basis(say("by_speed"), None, days[0], days[-1])
    limits = (
        say("speed_limits", factor=f"{1 / max(ratios):.1f}", margin=f"{MARGIN:g}")
        if outcome == "holds"
        else None
    )

    why = say("near_factor", margin=f"{MARGIN:g}") if outcome == "unclear" else None
    figures = {"ratios": ratios, "input_tokens": [one.input_tokens for one in (*mine, *reference)]}
    ends = "–".join(dict.fromkeys(f"{value:.2f}" for value in (min(ratios), max(ratios))))
    brief = say("brief_speed", ratio=ends, reference=what.reference)
    return StatementFinding(
        outcome, "published", measured, why, figures=figures, limits=limits, basis=basis, brief=brief
    )


def _measured(what: Slower, chip: str) -> list[MeasuredKeys]:
    """The measurements of a chip in the claim's phase, by its engine where it names one."""
    of_chip = [one for one in speeds() if one.chip == chip and one.phase == what.phase]
    return [one for one in of_chip if what.engine in (None, one.engine)]


def _slower_words(
    what: Slower, mine: list[MeasuredKeys], reference: list[MeasuredKeys], ratios: list[float]
) -> Text:
    """All measurements of both chips and their ratios, as a sentence."""
    rows = [
        say(
            "speed_row",
            chip=one.chip,
            engine=one.engine,
            value=f"{one.per_chip:,.0f}",
            input=one.input_tokens or "?",
            precision=one.precision,
        )
        for one in (*mine, *reference)
    ]
    return say(
        f"slower_{what.phase}",
        chip=what.chip,
        reference=what.reference,
        ratio="–".join(f"{value:.2f}" for value in sorted({round(min(ratios), 2), round(max(ratios), 2)})),
        listed=joined(rows),
        model=mine[0].model,
    )

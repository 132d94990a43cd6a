"""What makers publish of their models, beside what was measured here.

The figures stand in `data/published/figures.yaml`. A published figure is compared only by model and
task; whether the setting is the same is said beside it, and in what it is not. Where a report does
not say how it asked, the setting counts as another one.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from harness.analysis.contestants import Contestant
from harness.analysis.notes import listed, note

if TYPE_CHECKING:
    from harness.analysis.comparison import Comparison

FIGURES = Path(__file__).resolve().parent.parent / "data" / "published" / "figures.yaml"


class PublishedFigure(BaseModel):
    """One published figure.

    ``value`` is a share (0 to 1). ``how`` is "lm-eval" where the figure was made with the very task
    named.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    model: str = Field(description="Hub id.", min_length=3)
    task: str = Field(description="Task or group of this harness that asks the same questions.", min_length=1)
    value: float = Field(ge=0, le=1)
    setting: str = Field(description="As the source says it: examples, metric, sampling.", min_length=3)
    fewshot: int | None = Field(None, ge=0)
    how: str = Field("own", pattern="^(own|lm-eval)$")
    source: str = Field(description="Where it was read: a URL.", pattern="^https://")
    date: datetime.date = Field(description="Of the source.")


@dataclass(frozen=True)
class Match:
    """A published figure with the measured one.

    ``delta`` is measured − published; ``differs`` says what is not the same.
    """

    place: int
    task: str
    claim: PublishedFigure
    measured: float
    ci95: tuple[float, float] | None
    differs: str

    @property
    def delta(self) -> float:
        """Measured − published."""
        return self.measured - self.claim.value

    @property
    def same(self) -> bool:
        """Whether nothing is known to differ."""
        return not self.differs


@lru_cache(maxsize=1)
def claims() -> tuple[PublishedFigure, ...]:
    """Every packaged figure.

    Raises pydantic.ValidationError for one without a source, a date or a setting.
    """
    return read_claims(FIGURES)


def read_claims(path: Path) -> tuple[PublishedFigure, ...]:
    """Figures of a YAML file.

    It holds blocks of a source with its date and figures [model, task, per cent, examples, setting,
    how].
    """
    import yaml

    figures = []
    for block in yaml.safe_load(path.read_text(encoding="utf-8")):
        shared = {"source": block.get("source"), "date": block.get("date")}
        for figure in block["figures"]:
            facts = {**figure, **shared}
            facts["value"] = facts.pop("percent") / 100
            figures.append(PublishedFigure.model_validate(facts))
    return tuple(figures)


def matches(comparison: Comparison, figures: tuple[PublishedFigure, ...] | None = None) -> list[Match]:
    """Published figures of what was measured, in the comparison's order of models."""
    pairs = []
    for index, model in enumerate(comparison.models):
        for claim in figures if figures is not None else claims():
            scope = comparison.scope(claim.task)
            if claim.model.lower() == model.model.id.lower() and scope is not None and index in scope.scores:
                score = scope.scores[index]
                parts = [scope.apart[index]] if index in scope.lacking else []
                differs = listed([*parts, *_differs(comparison, claim, model)])
                pairs.append(Match(index, claim.task, claim, score.value, score.ci95, differs))
    return pairs


def _differs(comparison: Comparison, claim: PublishedFigure, model: Contestant) -> list[str]:
    """What is not the same, or not known to be."""
    tasks = comparison.members.get(claim.task, [claim.task])
    rows = [cell.rows[0] for task in tasks for cell in model.asked(task)]
    parts: list[str] = []

    # A report that does not name its number of examples counts as another setting.
    shots = {row.fewshot for row in rows}
    if claim.fewshot is None or shots != {claim.fewshot}:
        ours = "/".join(str(shot) for shot in sorted(shots, key=str)) or "?"
        theirs = claim.fewshot if claim.fewshot is not None else note("not_said")
        parts.append(note("published_examples", ours=ours, theirs=theirs))

    if claim.how != "lm-eval":
        parts.append(note("own_evaluation"))
    if any(row.status == "partial" for row in rows) or _limited(tasks, model):
        parts.append(note("not_all_items"))
    return parts


def _limited(tasks: list[str], model: Contestant) -> bool:
    """Whether a run was told to take only the first documents."""
    for task in tasks:
        for cell in model.asked(task):
            config = cell.run.manifest.get("config", {})
            if config.get("limit") or any(entry.get("limit") for entry in config.get("tasks", [])):
                return True
    return False

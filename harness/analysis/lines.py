"""The words of a table: a figure is one score, a line is one task, group, subject or average with a
figure a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.analysis.strata import Strata

Kind = Literal["task", "group", "subject", "filter", "average"]
"""``filter``: the same answers as in the line before, extracted in another way."""
LANGUAGES = {"zh": "Chinese", "en": "English"}
AVERAGES = {"zh": "Chinese average", "en": "English average"}
"""What a language's average is called."""


@dataclass(frozen=True)
class ScoreFigure:
    """One model's score on one line.

    ``status`` is a cell's status, ``random`` for random weights, None where it was not asked.
    """

    value: float | None = None
    half: float | None = None
    n: int = 0
    status: str | None = None
    truncated: int = 0
    empty: int = 0
    unparsable: int = 0
    missing: int = 0
    """Subjects of a group, or lines of an average, that gave no value."""
    prompt_id: str | None = None
    strata: Strata | None = None
    """The answers that the value is a weighted mean of, for the interval of an average."""
    ci95: tuple[float, float] | None = None
    """The interval that ``half`` is half of; it is not symmetrical near 0 and 1."""
    apart: str | None = None
    """In what it was asked otherwise than most others: no comparison pairs it with them."""
    fewer: bool = False
    """Whether another model has more documents here."""

    @property
    def skewed(self) -> bool:
        """Whether ``value`` ± ``half`` would reach beyond what its interval ends at: 0 or 1."""
        if self.value is None or self.half is None or self.ci95 is None:
            return False
        low, high = self.ci95
        return self.value - self.half < 0 <= low or self.value + self.half > 1 >= high

    @property
    def mark(self) -> str:
        """What stands beside the value: † asked otherwise, * fewer documents or subjects."""
        return ("†" if self.apart else "") + ("*" if self.status == "partial" or self.fewer else "")

    @property
    def faults(self) -> str:
        """Bad answers as ``3t 1e 2u`` (truncated, empty, unparsable), or nothing."""
        counts = ((self.truncated, "t"), (self.empty, "e"), (self.unparsable, "u"))
        return " ".join(f"{count}{letter}" for count, letter in counts if count)


@dataclass(frozen=True)
class Line:
    """One task, group, subject or average, with one figure a model in the table's order."""

    name: str
    kind: Kind
    language: str | None
    metric: str | None
    filter: str | None
    fewshot: int | None
    chance: float | None
    higher_is_better: bool
    figures: tuple[ScoreFigure, ...]
    form: str | None = None
    """logprobs, generated or perplexity; None where it is not known, or the line holds several."""
    alternative: bool = False
    """The other form of a task, asked of the models that cannot answer the first: in no average
    with it.
    """
    apart: bool = False
    """A task of which the table holds both forms: which one this is, is said beside the metric."""

    @property
    def averaged(self) -> bool:
        """Whether the line counts into its language's average: a task or group whose metric is a
        share, higher is better.
        """
        values = [figure.value for figure in self.figures if figure.value is not None]
        counted = self.kind in ("task", "group") and not self.alternative
        return counted and self.higher_is_better and bool(values) and max(values) <= 1

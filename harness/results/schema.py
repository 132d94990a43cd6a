"""What is kept: the published form of ``results.json``.

Readers outside may rely on it; ``schema_version`` says when it changes.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.results.cost import CostRow
from harness.sanity import Level

SCHEMA_VERSION = 4
"""2 added how an interval was made, clusters, chance-corrected values and rates of bad answers; 3
added what answers cost (`costs`); 4 added what may make a number wrong (`sanity`). Older versions
are read and brought up to it.
"""
READABLE = (1, 2, 3, 4)
Status = Literal["ok", "failed", "oom", "skipped", "partial"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TokenCounts(_Record):
    """Tokens of all answers of a cell."""

    prompt: int = Field(0, description="Logical prompt tokens: what one-by-one work would read.")
    computed: int = Field(0, description="Tokens that went through the model.")
    shared: int = Field(0, description="Tokens read from another item's work instead.")
    output: int = Field(0, description="Generated tokens.")


SHARES = ("acc", "acc_norm", "acc_mutual_info", "exact_match")
"""Metrics whose value is the share of questions answered rightly, so that a task's chance level is
theirs.
"""
Method = Literal["wilson", "t", "wilson-clustered", "t-clustered", "normal"]


def is_share(metric: str | None) -> bool:
    """Whether a metric (also under avg@k, maj@k) is the share of questions answered rightly.

    Then it lies between 0 and 1, and higher is better.
    """
    return metric is not None and metric.rpartition("@")[2].lstrip("0123456789").lstrip("_") in SHARES


def above_chance(value: float, chance: float) -> float:
    """(value − chance)/(1 − chance), as the Open LLM Leaderboard 2 does.

    0 for guessing, 1 for all right, below 0 for worse than guessing.
    """
    return (value - chance) / (1 - chance)


class Picks(_Record):
    """What a cell answers how often, beside what is right how often.

    An answer is an option's letter (or yes, no …), or a short text without its dress.
    """

    commonest: str = Field(description="The answer that was given most often.")
    given: int = Field(description="How often it was given.")
    right: int = Field(description="For how many of the questions it is right.")
    p_lopsided: float | None = Field(
        None,
        description="p that it is given as often as it is right, times the number of different answers.",
    )
    constant: str = Field(description="The answer that would score best if always given.")
    constant_right: int = Field(description="For how many of the questions that one is right.")
    constant_score: float = Field(description="The score of always giving it.")
    p_above: float | None = Field(
        None, description="p of the difference between the score and the constant's, on the same questions."
    )
    of: int = Field(description="Questions whose right answer is known.")
    answers: dict[str, int] = Field(
        default_factory=dict, description="How often each was given; only where there are few."
    )
    keys: dict[str, int] = Field(default_factory=dict, description="How often each is right.")


class Row(_Record):
    """One (cell, metric, filter).

    A cell that gave no value has one row with metric and value null and its reason.
    """

    cell_id: str
    prompt_id: str | None = Field(None, description="Equal for two cells that asked exactly the same.")
    marking_id: str | None = Field(
        None, description="Equal for two cells whose answers were read and marked by the same rules."
    )
    model: str
    task: str
    group: str | None = Field(None, description="Group that the task is a subject of (ceval-valid, mmlu).")
    language: str | None = Field(None, description="zh or en where known.")
    fewshot: int | None = None
    form: str | None = Field(
        None, description="How it was asked: logprobs, generated or perplexity; null where it was not asked."
    )
    asked_as: str | None = Field(
        None, description="The generative form that this model was asked in this task's place."
    )
    dtype: str | None = None
    engine: str | None = None
    metric: str | None = None
    filter: str | None = None
    value: float | None = None
    stderr: float | None = None
    ci95: tuple[float, float] | None = Field(None, description="95 % interval, made as `interval` says.")
    interval: Method | None = Field(
        None, description="Wilson for counted metrics, Student's t for means, normal for other aggregates."
    )
    clusters: int | None = Field(
        None, description="Sources that the items share (passages …); null where items are independent."
    )
    higher_is_better: bool | None = None
    chance: float | None = Field(None, description="Score of blind guessing, where it is known.")
    corrected: float | None = Field(
        None, description="(value − chance)/(1 − chance), for shares of right answers."
    )
    n: int = Field(0, description="Documents that were marked.")
    n_truncated: int | None = Field(
        0,
        description="Answers or prompts cut by a length limit (an unended thought counts); null "
        "where it is not known.",
    )
    n_empty: int | None = Field(0, description="Answers without any text; null where it is not known.")
    n_unparsable: int | None = Field(
        0, description="Answers in which the filter found nothing; null where it is not known."
    )
    rate_truncated: float | None = Field(None, description="n_truncated / n.")
    rate_empty: float | None = Field(None, description="n_empty / n.")
    rate_unparsable: float | None = Field(None, description="n_unparsable / n.")
    picks: Picks | None = Field(
        None, description="What is answered how often, for shares of right answers; null where not known."
    )
    tokens: TokenCounts = Field(default_factory=TokenCounts)
    seconds: float | None = Field(
        None, description="Engine seconds spent on the cell's items, over all sessions."
    )
    status: Status
    reason: str | None = None

    @model_validator(mode="after")
    def _derive(self) -> Row:
        """Fills in what follows from the other fields, in rows of version 1, too."""
        self.corrected = None
        if self.value is not None and self.chance is not None and self.chance < 1 and is_share(self.metric):
            self.corrected = above_chance(self.value, self.chance)

        for kind in ("truncated", "empty", "unparsable"):
            count = getattr(self, f"n_{kind}")
            setattr(self, f"rate_{kind}", count / self.n if self.n and count is not None else None)
        return self


class GroupRow(_Record):
    """A group's score, derived from its subjects' rows.

    Weighted by items where the group says so.
    """

    group: str
    model: str
    language: str | None = None
    metric: str
    filter: str
    value: float
    stderr: float | None = None
    ci95: tuple[float, float] | None = Field(
        None,
        description="95 % score interval of the subjects' weighted mean (docs/statistics.md); ± "
        "1.96 SE for other figures.",
    )
    chance: float | None = Field(
        None, description="Chance level of the subjects, weighted as their scores are."
    )
    corrected: float | None = Field(
        None,
        description="(value − chance)/(1 − chance) where all subjects have one chance level, else "
        "the plain mean of the subjects' own.",
    )
    weighted: bool = Field(True, description="Whether subjects count by their number of items.")
    n: int
    tasks: list[str]
    missing: list[str] = Field(default_factory=list, description="Subjects of the group that gave no value.")
    categories: bool = Field(False, description="Whether its subjects are the categories of an own file.")


class ModelRow(_Record):
    """A model and what its worker did."""

    model: str
    id: str
    model_id: str | None = None
    revision: str | None = None
    weights: str = "pretrained"
    dtype: str | None = None
    engine: str | None = None
    device: str | None = None
    parameters: int | None = None
    chat_template: bool | None = None
    load_seconds: float | None = None
    peak_rss_bytes: int | None = None
    peak_device_bytes: int | None = None
    status: Status
    reason: str | None = None


class SanityRow(_Record):
    """One thing that may make a number wrong, or that was done so that it is not (`harness.sanity`)."""

    check: str = Field(
        description="What was looked at: tokenizer, finite, options, form, instructions, letters, "
        "thoughts, defaults …"
    )
    kind: str = Field(description="What was found; the catalogue has its sentence in both languages.")
    level: Level = Field(
        description="warning: a number may be wrong; note: what was done instead; info: in the manifest only."
    )
    model: str
    task: str | None = Field(None, description="null where it concerns every task of the model.")
    count: int | None = Field(
        None, description="Answers, documents or options that are concerned, where counted."
    )
    of: int | None = Field(None, description="How many were looked at.")
    values: dict[str, str | int | float | None] = Field(
        default_factory=dict, description="What fills the sentence in."
    )
    text: str = Field(description="The sentence in English.")


class ExpectationRow(_Record):
    """One threshold of the config's ``expect``, with what it met: one per model and task it matched."""

    model: str | None = None
    task: str | None = None
    language: str | None = None
    sanity: str | None = None
    metric: str | None = Field(None, description="As expected, or the one that the table shows.")
    filter: str | None = None
    figure: str | None = None
    min: float | None = None
    max: float | None = None
    sure: bool = Field(False, description="Whether the whole 95 % interval must lie within the bounds.")
    value: float | str | None = None
    ci95: tuple[float, float] | None = None
    held: bool
    reason: str | None = Field(None, description="Why there is no value.")
    source: str | None = Field(None, description="Where it is written: file:line:column.")


class Results(_Record):
    """The whole of ``results.json``."""

    schema_version: int = SCHEMA_VERSION
    name: str
    harness_version: str
    created: str = Field(description="UTC time, ISO 8601.")
    config_hash: str
    models: list[ModelRow]
    rows: list[Row]
    groups: list[GroupRow] = Field(default_factory=list)
    costs: list[CostRow] = Field(
        default_factory=list,
        description="What answers cost: one per (model, task), then one per (model, language).",
    )
    definitions: dict[str, str] = Field(default_factory=dict, description="What the figures of `costs` mean.")
    expectations: list[ExpectationRow] = Field(
        default_factory=list, description="Each expectation with its value and whether it held."
    )
    sanity: list[SanityRow] = Field(
        default_factory=list, description="What may make a number wrong, and what was done so that it is not."
    )

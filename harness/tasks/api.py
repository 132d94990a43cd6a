"""The shared data types of the tasks room.

A task before its data is read (`TaskSpec`), how prompts are dressed (`PromptStyle`), and what
marking gives back (`Marks`). Plain data; lm-eval and datasets are imported only by the modules that
read data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.config.schema import GenerationSettings
from harness.items import ThinkTags
from harness.sanity import Finding

ItemKind = Literal["choice", "completion", "passage"]
ChatRenderer = Callable[[list[dict[str, str]], bool], str]
"""(messages, add_generation_prompt) -> prompt text, by the model's own chat template."""


@dataclass(frozen=True)
class TaskSpec:
    """One leaf task (a subject, not a group) and its settings; None means: as the task says."""

    name: str
    yaml_path: Path | None
    """The task's lm-eval YAML; None for an own task, whose whole config is in ``config``."""
    config: dict[str, Any] = field(default_factory=dict)
    """Overrides that a group or an own task brings (lm-eval config keys)."""
    groups: tuple[str, ...] = ()
    """Groups that asked for it, outermost first. Group scores are derived from them."""
    language: str | None = None
    fewshot: int | None = None
    limit: int | None = None
    repeats: int | None = None
    generation: GenerationSettings = field(default_factory=GenerationSettings)
    known_items: int | None = None
    """Number of documents where the catalogue knows it without reading data."""
    notes: tuple[str, ...] = ()
    """What a person should know of how an own file was read, one line each."""
    output: str | None = None
    """lm-eval's output_type, None where the task's code decides."""
    twin: TaskSpec | None = None
    """The generative form of a multiple-choice task, where there is one.

    It is what a model that thinks is asked instead.
    """

    @property
    def own(self) -> bool:
        """Whether its questions are a file of one's own."""
        return self.yaml_path is None and "file" in (self.config.get("dataset_kwargs") or {})


@dataclass(frozen=True)
class GroupSpec:
    """A group whose score is derived from its subjects.

    ``members`` are leaf task names; ``weighted`` says whether by number of items.
    """

    name: str
    members: tuple[str, ...]
    weighted: bool = True
    metrics: tuple[str, ...] = ()
    """Metrics that the group aggregates; empty: every metric that all members share."""
    categories: bool = False
    """Its members are the categories of one file of one's own."""


@dataclass(frozen=True)
class Expansion:
    """What the config's ``tasks:`` mean: every leaf task once, and the groups over them."""

    tasks: tuple[TaskSpec, ...]
    groups: tuple[GroupSpec, ...]

    @property
    def twins(self) -> Expansion:
        """The same with the generative twin of each task behind it, and groups over the twins.

        A twin that the config lists by itself is not added again.
        """
        names = {task.name for task in self.tasks}
        tasks = [
            each
            for task in self.tasks
            for each in (task, task.twin)
            if each is not None and (each is task or each.name not in names)
        ]
        return Expansion(tuple(tasks), (*self.groups, *_twin_groups(self)))


def _twin_groups(expansion: Expansion) -> list[GroupSpec]:
    """A group over the twins of a group's tasks, weighted as it is.

    None where the config lists that group by itself.
    """
    twins = {task.name: task.twin for task in expansion.tasks if task.twin is not None}
    names = {group.name for group in expansion.groups}
    by_name: dict[str, GroupSpec] = {}

    for group in expansion.groups:
        mine = [twins[name] for name in group.members if name in twins]
        name = mine[0].groups[0] if mine and mine[0].groups else None
        if name is not None and name not in names and len(mine) == len(group.members):
            members = tuple(twin.name for twin in mine)
            # Two groups may share a twin group (a subset and the whole): the larger one has all its
            # members.
            if name not in by_name or len(by_name[name].members) < len(members):
                by_name[name] = GroupSpec(name, members, group.weighted, ("exact_match",), group.categories)
    return list(by_name.values())


@dataclass(frozen=True)
class Provenance:
    """Where a task's data came from.

    ``revision`` is the hub's commit where known; ``fingerprint`` is a hash of the content read.
    """

    path: str
    name: str | None
    origin: Literal["bundled", "mirror", "cache", "hub", "modelscope", "file", "custom"]
    fingerprint: str
    revision: str | None = None


@dataclass(frozen=True)
class PromptStyle:
    """How prompts are dressed for one model. ``chat`` None means plain text."""

    chat: ChatRenderer | None = None
    system_prompt: str | None = None
    multiturn: bool = True
    think: ThinkTags | None = None
    max_new_tokens: int | None = None
    """Budget that the model spec sets instead of the task's."""
    date: str | None = None
    """The day that the chat template is told, ISO 8601."""


@dataclass(frozen=True)
class SampleMark:
    """One document under one filter, marked.

    ``metrics`` holds one number per metric where it is a number, else null.
    """

    doc_id: int
    filter: str
    prompt: str
    target: str
    answer: str
    """What the filter left of the answer; for choices the picked option's text."""
    metrics: dict[str, float | None]
    keys: tuple[str, ...]
    """Keys of the items that were asked for this document."""
    truncated: bool = False
    empty: bool = False
    unparsable: bool = False
    tied: bool = False
    """Two options shared the best score (the first one counts, as in lm-eval)."""
    item: str = ""
    """The item's name in every language that asks it.

    Its position in the data where nothing better names it.
    """
    cluster: str | None = None
    """What items of one source (a passage, a premise) have in common.

    None where items are independent.
    """
    reading: str | None = None
    """How the harness's own reader read the answer: ``rule: words``, one line per repeat.

    None where no reader ran.
    """
    picks: tuple[str, ...] = ()
    """The answer's label (`harness.tasks.keys`): of options by likelihood and by that per character.

    Nothing where it cannot be read.
    """
    right: tuple[str, ...] = ()
    """The labels of the right answers, as far as the task tells them."""


@dataclass(frozen=True)
class MetricValue:
    """A metric over all marked documents. ``counted`` is true where each document gives 0 or 1."""

    metric: str
    filter: str
    value: float
    stderr: float | None
    n: int
    higher_is_better: bool
    counted: bool


@dataclass(frozen=True)
class Marks:
    """What marking a cell gives."""

    samples: tuple[SampleMark, ...]
    metrics: tuple[MetricValue, ...]
    n: int
    """Documents whose every answer was there, and that could be marked."""
    failed: tuple[tuple[int, str], ...] = ()
    """(document, reason) where all answers were there but the task's own code raised in marking."""
    findings: tuple[Finding, ...] = ()
    """What may make the scores wrong, as far as the answers show."""

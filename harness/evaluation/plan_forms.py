"""What a plan says of forms: what each model does before it answers, and how each task is asked of
it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.config.schema import ModelSpec

if TYPE_CHECKING:
    from harness.tasks.api import TaskSpec


@dataclass(frozen=True)
class ThinkingPlan:
    """A model's thoughts: see `harness.engines.thinking.Thinking`.

    ``refusal`` says why nothing can be asked of it.
    """

    kind: Literal["base", "instruct", "closed", "thinks"] = "base"
    why: str = ""
    tags: tuple[str, str] | None = None
    found: bool = False
    """Whether the markers come from its files, not from the config."""
    switch: bool | None = False
    folds: bool = False
    """Whether a system message goes into the first user turn."""
    refusal: str | None = None


@dataclass(frozen=True)
class FormPlan:
    """How one task is asked of one model: logprobs, generated, perplexity, twin (``asked_as`` names
    it) or refused, with the reason.
    """

    model: str
    task: str
    group: str | None
    form: str
    asked_as: str | None = None
    reason: str | None = None


def plan_thinking(spec: ModelSpec, mirror: Path | None) -> ThinkingPlan:
    """What is known of a model without a network: from its files where they are here, else from the
    config and its preset.
    """
    from harness.engines.thinking import local_tokenizer, thinking_of

    found = thinking_of(spec, local_tokenizer(spec, mirror))
    tags = (found.tags.open, found.tags.close) if found.tags else None
    return ThinkingPlan(found.kind, found.why, tags, found.found, found.switch, found.folds, found.refusal)


def plan_forms(
    model: str, thinking: ThinkingPlan, tasks: Sequence[TaskSpec], kinds: Mapping[str, str | None]
) -> list[FormPlan]:
    """The form of every task for a model; ``kinds`` of the tasks whose data is here."""
    from harness.tasks.forms import OUTPUTS, form_of

    found = []
    for spec in tasks:
        group = spec.groups[0] if spec.groups else None
        if thinking.refusal is not None:
            found.append(FormPlan(model, spec.name, group, "refused", None, thinking.refusal))
            continue
        asked = form_of(thinking, spec, OUTPUTS.get(kinds.get(spec.name) or ""))
        twin = asked.task.name if asked.form == "twin" and asked.task else None
        found.append(FormPlan(model, spec.name, group, asked.form, twin, asked.reason))
    return found


def budget_warnings(models: Sequence[str], forms: Sequence[FormPlan]) -> list[str]:
    """A line for the models that think on the tasks' own budgets, which are made for answers
    without a thought.
    """
    asked = [
        model
        for model in models
        if any(form.model == model and form.form in ("generated", "twin") for form in forms)
    ]
    if not asked:
        return []
    return [
        f"{', '.join(asked)}: no max_new_tokens: a thought seldom ends within the tasks' own 256 to 2,048 tokens; say e.g. 8192"
    ]


def form_warnings(forms: Sequence[FormPlan]) -> list[str]:
    """One line a reason for which a model's tasks are refused."""
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    counts: dict[str, int] = {}
    for form in forms:
        counts[form.model] = counts.get(form.model, 0) + 1
        if form.form == "refused":
            reasons.setdefault((form.model, form.reason or ""), {})[form.task] = None
    groups = {(form.model, form.task): form.group or form.task for form in forms}
    lines = []
    for (model, reason), tasks in reasons.items():
        names = list(dict.fromkeys(groups[model, task] for task in tasks))
        what = f"all {len(tasks)} tasks" if len(tasks) == counts[model] > 1 else ", ".join(names)
        lines.append(f"{model}: refused: {what}: {reason}")
    return lines

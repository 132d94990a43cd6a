"""What a plan says of forms: what each model does before it answers, and how each task is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.config.schema import ModelSpec
from harness.wording import list_first

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
    """How one task is asked of one model: logprobs, generated, perplexity, twin or refused.

    ``asked_as`` names the twin, ``reason`` says why it is asked or why the task is refused.
    """

    model: str
    task: str
    group: str | None
    form: str
    asked_as: str | None = None
    reason: str | None = None


def plan_thinking(spec: ModelSpec, mirror: Path | None) -> ThinkingPlan:
    """What a model does before it answers, as far as is known without a network.

    From its files where they are here, else from the config and its preset.
    """
    from harness.engines.thinking import local_tokenizer, thinking_of

    model = thinking_of(spec, local_tokenizer(spec, mirror))
    tags = (model.tags.open, model.tags.close) if model.tags else None
    return ThinkingPlan(model.kind, model.why, tags, model.found, model.switch, model.folds, model.refusal)


def plan_forms(
    model: str, thinking: ThinkingPlan, tasks: Sequence[TaskSpec], kinds: Mapping[str, str | None]
) -> list[FormPlan]:
    """The form of every task for a model; ``kinds`` of the tasks whose data is here."""
    from harness.tasks.forms import OUTPUTS, form_of

    plans = []
    for spec in tasks:
        group = spec.groups[0] if spec.groups else None
        # A model that is told not to think and cannot be is asked nothing at all.
        if thinking.refusal is not None:
            plans.append(FormPlan(model, spec.name, group, "refused", None, thinking.refusal))
            continue

        choice = form_of(thinking, spec, OUTPUTS.get(kinds.get(spec.name) or ""))
        twin = choice.task.name if choice.form == "twin" and choice.task else None
        plans.append(FormPlan(model, spec.name, group, choice.form, twin, choice.reason))
    return plans


def budget_warnings(models: Sequence[str], forms: Sequence[FormPlan]) -> list[str]:
    """A line for the models that think on the tasks' own budgets, made for answers without thoughts."""
    generating = [
        model
        for model in models
        if any(form.model == model and form.form in ("generated", "twin") for form in forms)
    ]
    if not generating:
        return []

    return [
        f"{', '.join(generating)}: no max_new_tokens: a thought seldom ends within the tasks' own "
        "256 to 2,048 tokens; say e.g. 8192"
    ]


def template_warnings(chats: Mapping[str, bool | None]) -> list[str]:
    """A line where some models are asked through a chat template and others are not.

    Their scores stand side by side, but no comparison pairs them.
    """
    through = [model for model, chat in chats.items() if chat]
    plain = [model for model, chat in chats.items() if not chat]
    if not through or not plain:
        return []
    return [
        f"{list_first(through, 4)}: asked through the chat template, {list_first(plain, 4)} without: their "
        "scores stand side by side (†), but are not compared; say chat_template: false (or true, where "
        "they have one) for all models"
    ]


def form_warnings(forms: Sequence[FormPlan]) -> list[str]:
    """One line per reason for which a model's tasks are refused."""
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    counts: dict[str, int] = {}
    for form in forms:
        counts[form.model] = counts.get(form.model, 0) + 1
        if form.form == "refused":
            reasons.setdefault((form.model, form.reason or ""), {})[form.task] = None

    # Subjects of one group are refused together: the group's name stands for them all.
    groups = {(form.model, form.task): form.group or form.task for form in forms}
    lines = []
    for (model, reason), tasks in reasons.items():
        names = list(dict.fromkeys(groups[model, task] for task in tasks))
        what = f"all {len(tasks)} tasks" if len(tasks) == counts[model] > 1 else ", ".join(names)
        lines.append(f"{model}: refused: {what}: {reason}")
    return lines

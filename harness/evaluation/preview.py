"""What a model would be asked: one document of a task, rendered through that model's own template."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config.schema import Config, ModelSpec
from harness.errors import ConfigError
from harness.tasks.forms import OUTPUTS, form_of

if TYPE_CHECKING:
    from harness.engines.files import ModelFiles
    from harness.engines.thinking import Thinking
    from harness.tasks import Task
    from harness.tasks.api import PromptStyle, TaskSpec
    from harness.tasks.sources import DataSources

ASKED = {
    "multiple_choice": "by the log-probabilities of its options",
    "loglikelihood": "by the log-probability of a continuation",
    "generate_until": "in writing: the answer is generated",
    "loglikelihood_rolling": "by the log-probability of whole texts",
}
"""lm-eval's output_type in words."""


@dataclass(frozen=True)
class Preview:
    """One document of a task as a model gets it, and how its answer is marked.

    ``facts`` are short words on the task; ``model`` says who is asked and in which form.
    """

    name: str
    facts: tuple[str, ...]
    model: str
    prompt: str
    marking: str


def first_of_each_form(specs: Sequence[TaskSpec]) -> list[TaskSpec]:
    """The first task of each way of asking: of an own file with both, one with options and one"
    " without."""
    by_output: dict[str | None, TaskSpec] = {}
    for spec in specs:
        by_output.setdefault(spec.output, spec)
    return list(by_output.values())


def preview(
    spec: TaskSpec, sources: DataSources, config: Config, model: ModelSpec | None, position: int
) -> Preview:
    """A task's document at ``position`` (from 0), as ``model`` gets it; None: as plain text.

    Raises ConfigError for a document that is not there, or a form that the model cannot answer, and
    what loading the task or the model's template raises.
    """
    from harness.tasks import PromptStyle, load

    style, who = PromptStyle(), ""
    task = load(spec, sources, seed=config.seed, allow_code=True)
    if model is not None:
        files, thinking = _template(model, sources.mirror)
        style = _style(model, files, thinking, config)
        choice = form_of(thinking, spec, OUTPUTS[task.kind])
        if choice.task is None:
            raise ConfigError(f"{spec.name}: {model.label} is not asked this task: it {choice.reason}")
        if choice.task is not spec:
            task = load(choice.task, sources, seed=config.seed, allow_code=True)
        who = _who(model, task, choice.reason)

    if position >= task.available:
        raise ConfigError(
            f"{task.name} has {task.available} documents: --item {position + 1} is none of them"
        )
    prompt, marking = task.example(style, position)
    return Preview(task.name, _facts(task), who, _readable(prompt), marking)


def _template(model: ModelSpec, mirror: Path | None) -> tuple[ModelFiles, Thinking]:
    """The files of a model's tokenizer, and what it does before it answers; no weights are read."""
    from harness.engines import backend_of
    from harness.engines.files import ModelFiles, locate
    from harness.engines.thinking import local_tokenizer, thinking_of

    folder = local_tokenizer(model, mirror)
    # An endpoint renders its own template; anything else is asked as the tokenizer's files say.
    if folder is None and (model.tokenizer or backend_of(model).loads_files):
        folder = locate(model.tokenizer or model.id, model, mirror, weights=False)[0]
    place = folder or Path()
    files = ModelFiles(place, None, "folder", {}, model.id, place)

    template_folder = backend_of(model).template_folder(model, files) if model.chat_template else None
    thinking = thinking_of(model, template_folder)
    if thinking.refusal is not None:
        raise ConfigError(f"{model.label}: {thinking.refusal}")
    return files, thinking


def _style(model: ModelSpec, files: ModelFiles, thinking: Thinking, config: Config) -> PromptStyle:
    from harness.engines import chat_renderer
    from harness.tasks import PromptStyle

    style = PromptStyle(
        system_prompt=model.system_prompt,
        multiturn=config.fewshot_as_multiturn,
        think=thinking.tags,
        max_new_tokens=model.max_new_tokens,
    )
    if not model.chat_template:
        return style
    return replace(style, chat=chat_renderer(model, files, config.date), date=config.date.isoformat())


def _who(model: ModelSpec, task: Task, reason: str | None) -> str:
    from harness.engines import backend_of

    output = task.spec.output or {"choice": "multiple_choice"}.get(task.kind, OUTPUTS[task.kind])
    how = f"asked {ASKED[output]}" + (f" ({reason})" if reason else "")
    dress = "through its chat template" if model.chat_template else "as plain text, without a chat template"
    if task.kind == "choice" and "score" not in backend_of(model).can(model):
        how += (
            "; its endpoint gives no log-probabilities of prompts, so the run will refuse it: of"
            " a file of your own say"
            " form: generated, else ask the task's -gen form"
        )
    return f"{model.label}, {dress}; {how}"


def _facts(task: Task) -> tuple[str, ...]:
    data = task.provenance
    chance = [f"chance {task.chance:.3f}"] if task.chance is not None else []
    return (
        task.language or "language unknown",
        task.kind,
        f"{task.fewshot}-shot",
        f"{task.available:,} documents",
        *chance,
        f"{data.path}{f' ({data.name})' if data.name else ''} from {data.origin}",
    )


def _readable(prompt: str) -> str:
    """The prompt; the messages of a chat that a server renders by itself, one after another."""
    if not prompt.startswith('{"messages": ['):
        return prompt
    messages = json.loads(prompt)["messages"]
    return "\n".join(f"[{message['role']}]\n{message['content']}" for message in messages)

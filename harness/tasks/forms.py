"""In which form a task is asked of a model.

This is the decision table of docs/tasks.md ("Models that think"), which the plan shows before a run
and the worker follows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, Protocol

from harness.tasks.api import TaskSpec

TaskForm = Literal["logprobs", "generated", "perplexity", "twin", "refused"]
ModelKind = Literal["base", "instruct", "closed", "thinks"]
_PLAIN: dict[str, TaskForm] = {
    "multiple_choice": "logprobs",
    "loglikelihood": "logprobs",
    "generate_until": "generated",
    "loglikelihood_rolling": "perplexity",
}
OUTPUTS = {"choice": "loglikelihood", "completion": "generate_until", "passage": "loglikelihood_rolling"}
"""lm-eval's output_type by our kind of task, for tasks whose code alone says it."""


class Thinker(Protocol):
    """What is known of a model: see `harness.engines.thinking.Thinking`."""

    @property
    def kind(self) -> ModelKind: ...
    @property
    def why(self) -> str: ...
    @property
    def switch(self) -> bool | None: ...


@dataclass(frozen=True)
class Asked:
    """One task of one model.

    ``task`` is what is really asked (the twin, where ``form`` is "twin"), None where refused.
    """

    form: TaskForm
    task: TaskSpec | None
    reason: str | None = None


def form_of(model: Thinker, spec: TaskSpec, output: str | None = None) -> Asked:
    """The form of a task for a model.

    ``output`` is lm-eval's output_type, for tasks whose spec does not know it.
    """
    output_type = spec.output or output
    form = _PLAIN.get(output_type or "", "generated")

    # Only log-probabilities mean nothing behind a thought; whatever is generated or summed can be
    # asked.
    if model.kind != "thinks" or form != "logprobs":
        return Asked(form, spec)
    if spec.twin is not None:
        name = spec.twin.groups[0] if spec.twin.groups else spec.twin.name
        return Asked("twin", spec.twin, f"asked as {name}: the model thinks before it answers ({model.why})")

    what = (
        "the log-probabilities of its options"
        if output_type == "multiple_choice"
        else "the log-probability of a continuation"
    )
    off = {
        True: "say thinking: false, or",
        False: "its template knows no thinking: false;",
        None: "say thinking: false (where its template knows it), or",
    }[model.switch]

    generative = "ask a generative task instead (ceval-valid-gen, cmmlu-gen, mmlu-gen or another -gen task)"
    # A file of one's own is refused only where its entry asks for log-probabilities.
    if spec.own:
        generative = "leave out form: logprobs (or say form: generated)"
    ways = f"{off} {generative}"
    return Asked(
        "refused",
        None,
        f"compares {what}, which mean nothing where a thought comes first ({model.why}): {ways}",
    )


def leftover(choice: Asked, names: Collection[str]) -> TaskSpec | None:
    """The twin that is to be asked in a task's place.

    None where the config lists it by itself anyway.
    """
    return (
        choice.task
        if choice.form == "twin" and choice.task is not None and choice.task.name not in names
        else None
    )

"""What a plan says of tasks: documents, prompt tokens, and the smallest difference they can show."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.analysis.intervals import smallest_gap
from harness.errors import ExamplesError, HarnessError
from harness.wording import first_line

if TYPE_CHECKING:
    from harness.tasks import DataSources, Task
    from harness.tasks.api import TaskSpec

PATIENCE = 5.0
"""Seconds between two lines that say how far a plan is."""
TOO_FEW = "too few examples"
"""How the note of a task begins that asks for more examples than there are."""
SAMPLED = 4
"""Prompts rendered per task to estimate its tokens."""
CHARACTERS_PER_TOKEN = {"zh": 1.5, "en": 4.2}
"""Used where no tokenizer is at hand; Qwen's and Llama's tokenizers lie near it."""


@dataclass(frozen=True)
class TaskPlan:
    """One task: its documents, their prompt tokens, and the smallest gap that so many can detect.

    ``prompt_tokens`` of all documents for one model; ``smallest_gap`` in accuracy, from 0 to 1.
    """

    name: str
    group: str | None
    language: str | None
    kind: str | None
    fewshot: int | None
    items: int | None
    prompt_tokens: int | None
    tokens_exact: bool
    smallest_gap: float | None
    note: str = ""
    budget: int | None = None
    """Tokens that an answer may take, where answers are generated."""
    sent_tokens: int | None = None
    """Prompt tokens where each option is a request of its own, as endpoints are asked."""
    keys: dict[str, int] = field(default_factory=dict)
    """How many questions each answer is right for, where these are few: letters, yes and no."""
    chance: float | None = None
    """The score of blind guessing."""


def plan_task(spec: TaskSpec, sources: DataSources, seed: int) -> TaskPlan:
    """One task, from this machine's data where there is some, else from the catalogue's counts."""
    from harness.tasks import load

    try:
        task = load(spec, sources, seed=seed, allow_code=True)
    except ExamplesError as error:
        return _task_plan(spec, None, spec.fewshot, None, None, f"{TOO_FEW}: {first_line(error, 200)}")
    except HarnessError as error:
        items = min(spec.known_items, spec.limit or spec.known_items) if spec.known_items else None
        reason = first_line(error, 120)
        unknown = f"data not on this machine, size unknown: {reason}"
        note = "data not on this machine" if items else unknown
        return _task_plan(spec, None, spec.fewshot, items, None, note)

    items = min(task.available, spec.limit or task.available)
    tokens, sent, budget = _prompt_tokens(task, items)
    plan = _task_plan(spec, task.kind, task.fewshot, items, tokens, "", task.language)
    return replace(plan, sent_tokens=sent, budget=budget, keys=task.right_counts(items), chance=task.chance)


def _task_plan(
    spec: TaskSpec,
    kind: str | None,
    fewshot: int | None,
    items: int | None,
    tokens: int | None,
    note: str,
    language: str | None = None,
) -> TaskPlan:
    group = spec.groups[0] if spec.groups else None
    # A perplexity is no share of right answers: the smallest gap of shares says nothing of it.
    gap = smallest_gap(items) if items and kind != "passage" else None
    return TaskPlan(
        spec.name, group, language or spec.language, kind, fewshot, items, tokens, False, gap, note
    )


def _prompt_tokens(task: Task, items: int) -> tuple[int | None, int | None, int | None]:
    """From the first few prompts: prompt tokens of all items, the same with every option asked by
    itself, and the tokens that one answer may take.
    """
    from harness.items import Choice, Completion
    from harness.tasks.api import PromptStyle

    try:
        first = list(task.items(PromptStyle(), SAMPLED))
    except Exception:
        return None, None, None  # an estimate is not worth an error; the run will say what is wrong
    if not first:
        return None, None, None

    # Contexts that a choice's options share are read once, however many options there are.
    lengths, sent, budgets = [], [], []
    for item in first:
        if isinstance(item, Choice):
            contexts = {context for context, _ in item.pairs}
            lengths.append(sum(map(len, contexts)) + sum(len(continuation) for _, continuation in item.pairs))
            sent.append(sum(len(context) + len(continuation) for context, continuation in item.pairs))
        else:
            lengths.append(len(item.prompt) if isinstance(item, Completion) else len(item.text))
            sent.append(lengths[-1])
            budgets += [item.max_tokens] if isinstance(item, Completion) else []

    scale = items / len(first) / CHARACTERS_PER_TOKEN.get(task.language or "en", 3.0)
    return round(sum(lengths) * scale), round(sum(sent) * scale), max(budgets, default=None)


def with_lines(specs: Sequence[TaskSpec], say: Callable[[str], None]) -> Iterator[TaskSpec]:
    """The tasks, with a line where the next one comes late."""
    last = time.monotonic()
    for index, spec in enumerate(specs):
        if time.monotonic() - last >= PATIENCE:
            last = time.monotonic()
            say(f"reading data: {index} of {len(specs)} tasks")
        yield spec

"""What is asked: real questions of the mirror, rendered by harness (its prompts equal lm-eval's to
the character; see tests/tasks).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config.schema import TaskEntry
from harness.items import Choice, Completion
from harness.tasks import DataSources, expand, load
from harness.tasks.api import PromptStyle


@dataclass(frozen=True)
class Case:
    """Tasks asked together.

    ``limit``: questions a task; ``least`` and ``aim``: issue 4's ratios against lm-eval's engine.
    """

    name: str
    tasks: tuple[str, ...]
    shots: int
    limit: int
    least: float
    aim: float


CASES = (
    Case("C-Eval 5-shot", ("ceval-valid_art_studies",), 5, 16, 20, 40),
    Case("CMMLU 5-shot", ("cmmlu_anatomy",), 5, 16, 20, 40),
    Case("MMLU 5-shot", ("mmlu_anatomy",), 5, 16, 20, 40),
    Case("HellaSwag 4-shot", ("hellaswag",), 4, 12, 2, 5),
    Case("ARC-easy 25-shot", ("arc_easy",), 25, 6, 2, 5),
    Case("ARC-easy 0-shot", ("arc_easy",), 0, 48, 2, 5),
)
TEXTS = "gsm8k"


def questions(case: Case, mirror: Path, limit: int | None) -> list[Choice]:
    """The items of a case, with keys that are its own."""
    choices = []
    for name in case.tasks:
        items = _items(name, case.shots, mirror, limit or case.limit)
        choices += [Choice(f"{name} {item.key}", item.pairs) for item in items if isinstance(item, Choice)]
    return choices


def prompts(mirror: Path, limit: int, tokens: int) -> list[Completion]:
    """Generation items of a real task: its prompts without examples, with the task's own stop texts
    and ``tokens`` to write.
    """
    items = _items(TEXTS, 0, mirror, limit)
    return [
        Completion(item.key, item.prompt, item.stop, tokens) for item in items if isinstance(item, Completion)
    ]


def _items(name: str, shots: int, mirror: Path, limit: int) -> list[Any]:
    (spec,) = expand([TaskEntry(task=name, fewshot=shots)], limit=limit, base_dir=mirror).tasks
    task = load(spec, DataSources(mirror=mirror), seed=1234, allow_code=False)
    return list(task.items(PromptStyle(chat=None, multiturn=False), limit))

"""What is asked: real questions of the mirror, rendered by harness (its prompts equal lm-eval's to
the character; see tests/tasks).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.config.schema import TaskEntry
from harness.items import Choice
from harness.tasks import DataSources, expand, load
from harness.tasks.api import PromptStyle

SUBJECTS = (
    "college_economics",
    "civil_servant",
    "urban_and_rural_planner",
    "teacher_qualification",
    "college_programming",
    "art_studies",
)


@dataclass(frozen=True)
class Case:
    """Tasks asked together. ``limit``: questions a task; ``dtypes``: number formats it is measured
    in; ``least``, ``aim``: what is asked of the ratio to lm-eval. ``sketch``: the sketch answers it
    too; ``rival``: lm-eval does (in bf16 on a processor without bf16 it takes many minutes).
    """

    name: str
    tasks: tuple[str, ...]
    shots: int
    limit: int | None
    least: float
    aim: float
    dtypes: tuple[str, ...] = ("float32",)
    sketch: bool = False
    rival: bool = True


CASES = (
    Case(
        "C-Eval, six subjects, 5-shot",
        tuple(f"ceval-valid_{name}" for name in SUBJECTS),
        5,
        None,
        15,
        25,
        sketch=True,
    ),
    Case("C-Eval, one subject, 5-shot", ("ceval-valid_art_studies",), 5, None, 15, 25, sketch=True),
    Case(
        "C-Eval, one subject, 5-shot, bf16",
        ("ceval-valid_art_studies",),
        5,
        None,
        15,
        25,
        ("bfloat16",),
        True,
        rival=False,
    ),
    Case("CMMLU, one subject, 5-shot, bf16", ("cmmlu_anatomy",), 5, 16, 15, 25, ("bfloat16",)),
    Case("CMMLU, one subject, 5-shot", ("cmmlu_anatomy",), 5, 48, 15, 25),
    Case("MMLU, one subject, 5-shot", ("mmlu_anatomy",), 5, 48, 15, 25),
    Case("HellaSwag, 4-shot, resampled", ("hellaswag",), 4, 24, 3, 6),
    Case("ARC-easy, 25-shot, resampled", ("arc_easy",), 25, 16, 3, 6),
    Case("PIQA, 0-shot", ("piqa",), 0, 128, 2, 4),
    Case("ARC-easy, 0-shot", ("arc_easy",), 0, 96, 2, 4),
    Case("XCOPA zh, 0-shot", ("xcopa_zh",), 0, 100, 2, 4),
)


def questions(case: Case, mirror: Path, root: Path, limit: int | None) -> list[list[Choice]]:
    """The items of each task of a case: tasks are asked one after the other, as cells are.

    ``limit`` asks for fewer questions a task, except of the case that the sketch, which always
    takes all, answers too.
    """
    most = case.limit if limit is None or case.sketch else limit

    tasks = []
    for name in case.tasks:
        entry = TaskEntry.model_validate({"task": name, "fewshot": case.shots})
        (spec,) = expand([entry], limit=most, base_dir=root).tasks
        task = load(spec, DataSources(mirror=mirror), seed=1234, allow_code=False)
        tasks.append(
            [
                item
                for item in task.items(PromptStyle(chat=None, multiturn=False), most)
                if isinstance(item, Choice)
            ]
        )
    return tasks

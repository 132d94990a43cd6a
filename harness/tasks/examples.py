"""How many few-shot examples a task's data can give."""

from __future__ import annotations

from typing import Any

from harness.errors import ExamplesError


def most_examples(task: Any) -> int | None:
    """The most examples that a prompt of lm-eval's task can have; None where its own code draws them.

    Where examples come from the documents that are asked, the asked one is left out.
    """
    from lm_eval.api.samplers import ContextSampler, FirstNSampler

    sampler = getattr(task, "sampler", None)
    if sampler is None or type(sampler) not in (ContextSampler, FirstNSampler):
        return None
    pool = len(sampler.fewshot_indices or sampler.df)
    own = task.fewshot_cfg.split == task.config.test_split
    return max(0, pool - 1) if own else pool


def check_examples(name: str, wanted: int, most: int | None) -> None:
    """Raises ExamplesError where a task cannot give so many examples."""
    if most is not None and wanted > most:
        remedy = f"say fewshot: {most}{' or fewer' if most else ''}"
        raise ExamplesError(f"task {name}: fewshot: {wanted}, but the data has {most} examples: {remedy}")

"""Generation at real sizes: tokens per second, greedy and sampled, and whether a batch changes texts."""

from __future__ import annotations

from functools import partial

from gpu_check.common import Record, Setting, prompts, timed
from gpu_check.shapes import SHAPES, model_of
from harness.items import Sampling

WAYS = {
    "greedy": Sampling(),
    "penalty 1.05": Sampling(repetition_penalty=1.05),
    "top_p 0.95": Sampling(temperature=0.6, top_p=0.95, seed=1),
    "top_k 20, penalty": Sampling(temperature=0.7, top_p=0.8, top_k=20, repetition_penalty=1.05, seed=1),
}


def check(setting: Setting, record: Record) -> None:
    """Each shape, number of rows and way of choosing tokens."""
    for shape in SHAPES[: setting.size(2, 1)]:
        with setting.engine(**model_of(setting, shape)) as engine:
            for rows in (1, 64, 256)[: setting.size(3, 2)]:
                count = min(rows, setting.size(256, 6))
                for name, sampling in WAYS.items():
                    budget = setting.size(64, 3)
                    items = prompts(count, 4, (budget,), sampling=sampling, ignore_eos=True)
                    list(engine.generate(items[:2]))
                    seconds, answers = timed(setting, partial(list, engine.generate(items)))
                    written = sum(answer.tokens.output for answer in answers)
                    figures = {"tokens_per_second": written / seconds, "ms_per_step": 1000 * seconds / budget}
                    record.note(f"{shape}, {count} rows, {name}", figures)
            _batches(setting, record, shape, engine)


def _batches(setting: Setting, record: Record, shape: str, engine: object) -> None:
    """In bf16 a matrix product's rounding depends on the number of rows, so near-ties may flip."""
    items = prompts(setting.size(64, 4), 4, (setting.size(32, 4),), ignore_eos=True)
    together = {answer.key: answer.text for answer in engine.generate(items)}  # type: ignore[attr-defined]
    alone = {
        answer.key: answer.text
        for item in items
        for answer in engine.generate([item])  # type: ignore[attr-defined]
    }
    flips = sum(together[key] != text for key, text in alone.items())
    record.note(f"{shape}: texts that another batch changes", f"{flips} of {len(items)}")

"""Memory that runs out: fewer tokens at a time with equal answers, one clear line, memory given back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from gpu_check.common import Record, Setting, prompts, sums
from harness.errors import HarnessError, OutOfMemoryError
from harness.items import Completion


def check(setting: Setting, record: Record) -> None:
    """The packaged model, first with all the memory, then with little of it."""
    items, texts = sums(setting.size(400, 8), 8), _long(setting)
    before = torch.cuda.mem_get_info()[0]
    with setting.engine("bundled/tiny-qwen", dtype="float32") as engine:
        want = {answer.key: list(answer.logprobs) for answer in engine.score(items)}
        written = {answer.key: answer.text for answer in engine.generate(texts)}
    with setting.engine("bundled/tiny-qwen", dtype="float32") as engine, _scarce(setting, engine):
        scores = {answer.key: list(answer.logprobs) for answer in engine.score(items)}
        error = max(abs(a - b) for key in want for a, b in zip(want[key], scores[key], strict=True))
        record.hold("scores with little memory", error, "≤ 0.0001", error <= 1e-4)
        same = sum(written[answer.key] == answer.text for answer in engine.generate(texts))
        record.hold("texts with little memory", f"{same} of {len(texts)}", "all equal", same == len(texts))
        record.note("passes that did not fit", engine.info.extra["out_of_memory"])
        if not setting.pretended:
            said = _too_long(engine)
            record.hold("too long a text", said, "one line", "\n" not in said)
    torch.cuda.empty_cache()
    left = before - torch.cuda.mem_get_info()[0]
    record.hold("memory after closing", left, "≤ 64 MiB more", left <= 64 << 20)


def _long(setting: Setting) -> list[Completion]:
    return [
        Completion(item.key, f"{item.key} {item.prompt * setting.size(6, 1)}", (), 3)
        for item in prompts(setting.size(256, 6), 4, (3,))
    ]


def _too_long(engine: Any) -> str:
    """What is said of a prompt with an answer that no memory holds."""
    try:
        list(engine.generate([Completion("0", "计算：" * 1800, (), 64)]))
    except OutOfMemoryError as error:
        return str(error)
    except HarnessError as error:
        return f"{type(error).__name__}: {error}"
    return "answered"


@contextlib.contextmanager
def _scarce(setting: Setting, engine: Any) -> Iterator[None]:
    """A hundredth of the device's memory; the pretended one fails three products instead."""
    if setting.pretended:
        failures = iter([True] * 2)
        setting.cuda.fail(lambda name: name == "mm" and next(failures, False))
        try:
            yield
        finally:
            setting.cuda.fail(None)
        return
    total = torch.cuda.mem_get_info()[1]
    torch.cuda.set_per_process_memory_fraction(max(0.01, 1.5 * 2**30 / total))
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)

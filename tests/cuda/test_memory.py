"""Memory that runs out on the pretended CUDA: less at a time, the same answers, or one clear line."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from support.endpoint import load
from support.pretended_cuda import pretended_cuda
from support.pretended_engine import choices, completions, engine_on, logprobs, texts

from harness.config.schema import ModelSpec
from harness.engines import open_engine
from harness.engines.transformers import load as loading
from harness.errors import OutOfMemoryError

MIB = 2**20


@pytest.fixture(scope="module")
def on_cpu() -> Any:
    return load("tiny-qwen")


def test_passes_are_halved_and_the_scores_stay(on_cpu: Any) -> None:
    items = choices(40)
    want = logprobs(on_cpu, items)
    with pretended_cuda() as cuda, engine_on(cuda) as engine:
        failures = iter([True, True, True])
        cuda.fail(lambda name: name == "mm" and next(failures, False))
        scores = logprobs(engine, items)
        assert engine.info.extra["out_of_memory"] == 3
    assert {key: pytest.approx(values, abs=1e-4) for key, values in want.items()} == scores


def test_prompts_are_read_as_memory_allows(on_cpu: Any) -> None:
    """Many long prompts on a small device: reading ahead stops, and nothing is asked in vain."""
    prompts = completions(60, [3], shared="")
    long = [type(one)(one.key, f"{one.key}. {'一二三四五六七八九十。' * 25}", (), 3) for one in prompts]
    written = texts(on_cpu, long)
    with pretended_cuda(memory=48 * MIB) as cuda, engine_on(cuda) as engine:
        assert texts(engine, long) == written
        assert cuda.memories[0].peak > 40 * MIB  # memory was short indeed


def test_memory_comes_back_when_the_engine_is_closed() -> None:
    with pretended_cuda(memory=256 * MIB) as cuda:
        with engine_on(cuda) as engine:
            logprobs(engine, choices(4))
            assert cuda.memories[0].used > MIB
        del engine
        assert cuda.memories[0].used < MIB


def test_weights_that_do_not_fit_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(loading, "_pretrained", full)
    with (
        pretended_cuda(),
        pytest.raises(OutOfMemoryError, match="do not fit into the memory of cuda as float32") as refusal,
    ):
        open_engine(ModelSpec(id="bundled/tiny-qwen", dtype="float32"), device="cuda")
    assert "\n" not in str(refusal.value)

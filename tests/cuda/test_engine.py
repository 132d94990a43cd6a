"""The transformers engine on one pretended GPU answers as it does on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.endpoint import load
from support.pretended_cuda import pretended_cuda
from support.pretended_engine import choices, completions, engine_on, logprobs, texts

from harness.items import Passage

TOLERANCE = 1e-4
"""Of a log-probability: the kernels add in another order."""


@pytest.fixture(scope="module")
def on_cpu() -> Iterator[Any]:
    engine = load("tiny-qwen")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def on_gpu(on_cpu: Any) -> Iterator[Any]:
    with pretended_cuda() as cuda, engine_on(cuda) as engine:
        yield engine


def _close(one: dict[str, list[float]], other: dict[str, list[float]]) -> bool:
    assert one.keys() == other.keys()
    return all(other[key] == pytest.approx(values, abs=TOLERANCE) for key, values in one.items())


def test_prefixes_are_shared_on_a_gpu(on_gpu: Any) -> None:
    extra = on_gpu.info.extra
    assert extra["shared_prefixes"]["reason"] is None
    assert extra["continuous_batching"]["reason"] is None
    assert on_gpu.info.device == "NVIDIA H100 80GB HBM3"


def test_scores_are_equal(on_cpu: Any, on_gpu: Any) -> None:
    items = choices(24)
    want = logprobs(on_cpu, items)
    assert _close(want, logprobs(on_gpu, items))


@pytest.mark.parametrize(
    ("rows", "budgets"),
    [(1, [6]), (2, [8, 4]), (3, [5]), (4, [3, 9]), (33, [4, 7, 11]), (70, [2, 3, 5, 7])],
    ids=lambda value: str(value),
)
def test_texts_are_equal_where_rows_and_slots_differ(
    on_cpu: Any, on_gpu: Any, rows: int, budgets: list[int]
) -> None:
    """Slots double, rows leave one by one, and a kernel call takes 32 rows: each count once."""
    items = completions(rows, budgets)
    assert texts(on_gpu, items) == texts(on_cpu, items)


def test_samples_are_equal(on_cpu: Any, on_gpu: Any) -> None:
    """Draws come from a generator per item, on the CPU, so they do not depend on the device."""
    items = completions(12, [6, 10], sampled=True)
    assert texts(on_gpu, items) == texts(on_cpu, items)


def test_whole_texts_are_equal(on_cpu: Any, on_gpu: Any) -> None:
    items = [Passage(str(n), f"计算：{n} + 7 = {n + 7}。" * 40) for n in range(3)]
    want = {answer.key: answer.logprob for answer in on_cpu.perplexity(items)}
    assert {answer.key: answer.logprob for answer in on_gpu.perplexity(items)} == pytest.approx(
        want, rel=1e-5
    )


@pytest.mark.parametrize("engine_args", [{"shared_prefixes": False}, {"attention": "eager"}], ids=str)
def test_padded_batches_give_the_same(on_cpu: Any, engine_args: dict[str, Any]) -> None:
    items, prompts = choices(6), completions(5, [4, 6])
    want, written = logprobs(on_cpu, items), texts(on_cpu, prompts)
    with pretended_cuda() as cuda, engine_on(cuda, engine_args=engine_args) as engine:
        assert _close(want, logprobs(engine, items))
        assert texts(engine, prompts) == written


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_sharing_stays_on_in_half_precision(dtype: str) -> None:
    """The check at loading allows what rounding does to a trained model, and no more."""
    with pretended_cuda() as cuda, engine_on(cuda, dtype=dtype) as engine:
        assert engine.info.extra["shared_prefixes"]["reason"] is None
        assert engine.info.extra["continuous_batching"]["reason"] is None
        assert len(logprobs(engine, choices(4))) == 4

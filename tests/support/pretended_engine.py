"""Engines on the pretended CUDA, and items to ask them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from harness.config.schema import ModelSpec
from harness.engines import open_engine
from harness.engines.transformers import load
from harness.engines.transformers.engine import TransformersEngine
from harness.items import Choice, Completion, Sampling
from support.pretended_cuda import Cuda

EXAMPLES = "".join(f"计算：{n} + {n} = {2 * n}\n" for n in range(3, 9))
"""What several prompts begin with."""


@contextmanager
def engine_on(
    cuda: Cuda,
    name: str = "tiny-qwen",
    place: Callable[[Any], Any] | None = None,
    **settings: Any,
) -> Iterator[TransformersEngine]:
    """A packaged model, or one of a folder, on pretended devices, opened by the product's own code.

    Its weights are read on the CPU and moved by ``place`` (default: all to cuda:0), since safetensors
    would write into real device memory, past every operator.
    """
    load_model = load.load_model

    def moved(spec: ModelSpec, files: Any, placement: load.Placement) -> Any:
        model = load_model(spec, files, load.Placement("cpu", placement.dtype, placement.attention))
        return cuda.move(model) if place is None else place(model)

    spec = ModelSpec(id=name if "/" in name else f"bundled/{name}", **{"dtype": "float32", **settings})
    with mock.patch.object(load, "load_model", moved):
        engine = open_engine(spec, device="cuda")
    assert isinstance(engine, TransformersEngine)
    try:
        yield engine
    finally:
        engine.close()


def choices(count: int, shared: str = EXAMPLES) -> list[Choice]:
    """Sums with four options; the prompts have their beginning in common."""
    return [
        Choice(str(n), tuple((f"{shared}计算：{n} + 7 =", f" {n + k}") for k in (5, 7, 8, 17)))
        for n in range(count)
    ]


def completions(
    count: int, budgets: Sequence[int], sampled: bool = False, shared: str = EXAMPLES
) -> list[Completion]:
    """Sums to go on with, their budgets in turn; ``sampled``: with a seed of each item's own."""
    return [
        Completion(
            str(n),
            f"{shared}计算：{n} + 7 =",
            (),
            budgets[n % len(budgets)],
            Sampling(temperature=0.8, top_p=0.9, seed=n) if sampled else Sampling(),
        )
        for n in range(count)
    ]


def texts(engine: Any, items: Sequence[Completion]) -> dict[str, str]:
    """What an engine wrote, by key."""
    return {answer.key: answer.text for answer in engine.generate(items)}


def logprobs(engine: Any, items: Sequence[Choice]) -> dict[str, list[float]]:
    """What an engine gives each option, by key."""
    return {answer.key: list(answer.logprobs) for answer in engine.score(items)}

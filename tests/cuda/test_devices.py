"""A model over two pretended GPUs, with accelerate's own hooks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from accelerate.hooks import AlignDevicesHook, add_hook_to_module
from support.endpoint import load
from support.pretended_cuda import pretended_cuda
from support.pretended_engine import choices, completions, engine_on, logprobs, texts

FIRST, SECOND = "cuda:0", "cuda:1"


class _Align(AlignDevicesHook):  # type: ignore[misc]
    """Moves a part's inputs to its device, as `dispatch_model` has it. The weights are there already:
    accelerate would look for tied ones by their address, which pretended tensors do not have.
    """

    def init_hook(self, module: Any) -> Any:
        return module


def _halves(model: Any) -> dict[str, str]:
    """The device map that accelerate makes for two GPUs: a tied head stays with the embedding."""
    layers = len(model.model.layers)
    first = {f"model.layers.{n}": FIRST if n < layers // 2 else SECOND for n in range(layers)}
    return {
        "model.embed_tokens": FIRST,
        "lm_head": FIRST,
        "model.rotary_emb": FIRST,
        "model.norm": SECOND,
        **first,
    }


@pytest.mark.parametrize("name", ["tiny-qwen", "tiny-llama"])
def test_two_gpus_answer_as_the_cpu(name: str) -> None:
    on_cpu = load(name)
    items, prompts = choices(10), completions(35, [3, 5, 8])
    want, written = logprobs(on_cpu, items), texts(on_cpu, prompts)
    on_cpu.close()

    with pretended_cuda(devices=2) as cuda:

        def place(model: Any) -> Any:
            mapping = _halves(model)
            cuda.move(model, lambda part: _device(mapping, part))
            for part, device in mapping.items():
                add_hook_to_module(model.get_submodule(part), _Align(device))
            return add_hook_to_module(model, _Align(FIRST, io_same_device=True))

        with engine_on(cuda, name, place) as engine:
            assert engine.info.extra["shared_prefixes"]["reason"] is None
            assert engine.info.extra["continuous_batching"]["reason"] is None
            scores = logprobs(engine, items)
            assert {key: pytest.approx(values, abs=1e-4) for key, values in want.items()} == scores
            assert texts(engine, prompts) == written


def _device(mapping: dict[str, str], part: str) -> str:
    """The device of the longest name that holds this module."""
    holders = [name for name in mapping if part == name or part.startswith(f"{name}.")]
    return mapping[max(holders, key=len)] if holders else FIRST


def test_a_device_that_is_not_there_is_refused() -> None:
    with pretended_cuda(devices=1), pytest.raises(RuntimeError, match="invalid device ordinal"):
        torch.zeros(2, device="cuda:1")

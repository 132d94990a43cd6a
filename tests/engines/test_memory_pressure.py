"""What the engine does where memory is short, and what CUDA's kernels ask that the CPU's do not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from harness.engines.transformers import continuous, kernels, sharing, slots
from harness.engines.transformers.prompts import PromptReader
from harness.engines.transformers.slots import SlotCache
from harness.items import Completion, Sampling

from .conftest import Opened


def _items(count: int, budget: int = 8) -> list[Completion]:
    prompts = [f"{n} {'Lily went to the park and saw a dog. ' * 3}" for n in range(count)]
    return [
        Completion(str(n), text, (), budget + n % 3, Sampling(temperature=0.9, seed=n))
        for n, text in enumerate(prompts)
    ]


def _texts(engine: Any, items: list[Completion]) -> dict[str, str]:
    return {answer.key: answer.text for answer in engine.generate(items)}


@pytest.fixture
def stream(stories: Opened, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The engine's continuous batcher, with the number of rows that it came with."""
    batcher = stories.engine._decoder.continuous
    monkeypatch.setattr(batcher, "max_rows", batcher.rules.max_rows)
    return batcher


def test_a_kernel_call_has_as_many_keys_as_queries(
    stories: Opened, stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CUDA's kernel refuses others; slots outnumber rows as soon as one has left."""
    real = kernels.fused_attention

    def strict(
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        scale: float,
        bias: torch.Tensor | None,
        causal: bool = False,
    ) -> Any:
        assert q.shape[0] == k.shape[0] == v.shape[0]
        assert bias is None or bias.shape[0] == q.shape[0]
        return real(q, k, v, scale, bias, causal)

    want = _texts(stories.engine, _items(35))
    monkeypatch.setattr(slots, "fused_attention", strict)
    assert _texts(stories.engine, _items(35)) == want


def test_reading_ahead_is_bounded_by_the_cache(
    stories: Opened, stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Both the cache and a pass are so small that a few prompts fill them.
    items = _items(40)
    want = _texts(stories.engine, items)
    size = max(len(ids) for ids in stories.engine._text.prompts(items))
    monkeypatch.setattr(stream, "rules", replace(stream.rules, cache_tokens=4 * size))
    monkeypatch.setattr(stream, "budget", type(stream.budget)(size))
    tokens: list[int] = []
    real = continuous._RunningBatch._admit

    def watch(batch: Any) -> None:
        tokens.append(
            sum(ready.tokens for ready in batch._ready) + sum(row.length for row in batch._cache.rows)
        )
        real(batch)

    monkeypatch.setattr(continuous._RunningBatch, "_admit", watch)
    assert _texts(stories.engine, items) == want
    assert max(tokens) <= 5 * size + 40


def test_reading_waits_where_others_hold_the_memory(
    stories: Opened, stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass that fails while prompts and rows hold memory is put off, not made smaller."""
    items = _items(24)
    want = _texts(stories.engine, items)
    monkeypatch.setattr(stream, "budget", type(stream.budget)(200))
    batches: list[Any] = []
    real_try, real_init = PromptReader._try, continuous._RunningBatch.__init__

    def remember(running: Any, *args: Any) -> None:
        real_init(running, *args)
        batches.append(running)

    # As `_try` does where memory runs out: the pass is taken back.
    def tight(reader: Any, batch: Any, chosen: Any, postpone: bool) -> Any:
        if len(batches[-1]._ready) + len(batches[-1]._rows) >= 6:
            reader._packer.undo(batch)
            return None
        return real_try(reader, batch, chosen, postpone)

    monkeypatch.setattr(continuous._RunningBatch, "__init__", remember)
    monkeypatch.setattr(PromptReader, "_try", tight)
    assert _texts(stories.engine, items) == want
    assert stream.budget.halvings == 0


def test_out_of_memory_evicts_the_newer_half_only(
    stories: Opened, stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = _items(16, 30)
    want = _texts(stories.engine, items)
    monkeypatch.setattr(stream, "max_rows", 16)
    steps, evictions = [0], []
    real, make_room = SlotCache.step, continuous._RunningBatch._make_room

    def once(store: SlotCache) -> Any:
        steps[0] += 1
        if steps[0] == 20:
            real(store)
            raise MemoryError  # in the middle of a step: lengths have grown
        return real(store)

    def watch(batch: Any, evict: int = 0) -> None:
        before = len(batch._rows)
        make_room(batch, evict)
        evictions.append((before, [len(job.written) for job in batch._rows]))

    monkeypatch.setattr(SlotCache, "step", once)
    monkeypatch.setattr(continuous._RunningBatch, "_make_room", watch)
    assert _texts(stories.engine, items) == want

    # What stays goes on where it was: its tokens are not written again.
    ((before, lengths),) = evictions
    assert len(lengths) == before - before // 2
    assert min(lengths) >= 19


def test_a_slot_is_wiped_of_numbers_that_are_none() -> None:
    store = SlotCache()
    for value in (1.0, float("nan"), 2.0):
        part = torch.full((5, 1, 4), value)
        store.enter([[(part, part)]], [])
    store.leave(1, wipe=True)
    store.leave(1, wipe=False)
    assert all(bool(side.isfinite().all()) for pair in store._layers for side in pair)


def test_masks_follow_the_queries_format(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quantised model's queries may have another number format than the model.

    CUDA refuses a bias of another format than the queries'.
    """
    formats: list[Any] = []
    real = kernels.fused_attention

    def watch(q: Any, k: Any, v: Any, scale: float, bias: Any, causal: bool = False) -> Any:
        formats.append(bias.dtype)
        return real(q, k, v, scale, bias, causal)

    monkeypatch.setattr(kernels, "fused_attention", watch)
    q, k = torch.randn(3, 1, 2, 8).bfloat16(), torch.randn(3, 1, 8).bfloat16()
    kernels.grouped_attention(q, k, k, 1.0, torch.zeros(3, 3), causal=False)
    assert formats == [torch.bfloat16]


def test_generation_that_differs_leaves_scoring_shared(
    stories: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "_compare_steps", lambda *_: "differ by 1")
    engine = stories.engine
    result = sharing.find_sharing(engine._forward, engine.window, engine._text.rows, "auto")
    assert (result.limit, result.reason) == (engine.window, None)
    assert (result.steps, result.steps_reason) == (0, "differ by 1")


def test_half_precision_is_judged_by_the_context_and_by_roundings() -> None:
    """Two roundings of bf16 at logits beyond 16 are 0.25, which a gate of 0.25 passes by chance."""
    assert sharing._half_tolerance(torch.bfloat16, 0.1, 24.0) == 0.5
    assert sharing._half_tolerance(torch.bfloat16, 0.1, 40.0) == 1.0
    assert sharing._half_tolerance(torch.bfloat16, 6.0, 8.0) == 1.5
    assert sharing._half_tolerance(torch.float16, 0.1, 24.0) == 0.25


@pytest.mark.parametrize(("noise", "agrees"), [(0.1, True), (8.0, False), (float("nan"), False)])
def test_steps_that_differ_by_more_are_found_out(
    noise: float, agrees: bool, stories: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = stories.engine._forward
    real = forward.next_logits

    # Noise in the steps only, which have no chosen positions; prefill stays as it is.
    def noisy(ids: Any, positions: Any, plan: Any, chosen: Any) -> Any:
        logits = real(ids, positions, plan, chosen)
        if chosen is None:
            signs = torch.where(
                torch.rand(logits.shape, generator=torch.Generator().manual_seed(0)) < 0.5, -1.0, 1.0
            )
            logits = logits + noise * signs
        return logits

    monkeypatch.setattr(forward, "next_logits", noisy)
    monkeypatch.setattr(sharing, "_is_half", lambda forward: True)
    reason = sharing._compare_steps(forward, stories.engine.window, stories.engine._text.rows)
    assert (reason is None) == agrees

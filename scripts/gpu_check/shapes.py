"""Scoring at real sizes with random weights: tokens per second, and what of the ceiling is reached."""

from __future__ import annotations

from typing import Any

import torch

from gpu_check.common import Record, Setting, median, sums, timed
from harness.items import Choice
from harness.meter.calibration import TorchBench, ceiling

SHAPES = ("qwen2.5-0.5b", "qwen2.5-7b")
LEAST_SHARE = 0.6
REPEATS = 5


def check(setting: Setting, record: Record) -> None:
    """Each shape: few-shot questions that share their examples, and ones that share nothing."""
    best = None if setting.pretended else ceiling(TorchBench("cuda", "bfloat16")).flops
    for shape in SHAPES[: setting.size(2, 1)]:
        with setting.engine(**model_of(setting, shape)) as engine:
            _equal_without_sharing(setting, record, shape, engine)
            for name, items in cases(setting).items():
                _measure(setting, record, f"{shape}, {name}", engine, items, best)


def model_of(setting: Setting, shape: str) -> dict[str, Any]:
    """A preset with random weights; on the pretended device a packaged model in its place."""
    if setting.pretended:
        return {"model": "bundled/tiny-qwen", "dtype": "bfloat16"}
    return {"model": shape, "weights": "random", "dtype": "bfloat16"}


def cases(setting: Setting) -> dict[str, list[Choice]]:
    """Shapes of C-Eval (33 questions), CMMLU (148), and of prompts drawn anew for each question."""
    alone = [
        Choice(f"{n}.{k}", item.pairs)
        for n in range(setting.size(200, 4))
        for k, item in enumerate(sums(1, 8, digits=f"{n}{n}"))
    ]
    return {
        "33 questions, 24 shots": sums(setting.size(33, 4), setting.size(24, 4)),
        "148 questions, 24 shots": sums(setting.size(148, 6), setting.size(24, 4)),
        "nothing shared": alone,
    }


def _equal_without_sharing(setting: Setting, record: Record, shape: str, engine: Any) -> None:
    """The prefix tree changes rounding only: against the same engine with sharing switched off."""
    items = sums(setting.size(200, 6), 6)
    shared = {answer.key: answer.logprobs for answer in engine.score(items)}
    limit, engine._scorer.share_limit = engine._scorer.share_limit, 0
    try:
        whole = {answer.key: answer.logprobs for answer in engine.score(items)}
    finally:
        engine._scorer.share_limit = limit
    error = max(abs(a - b) for key in shared for a, b in zip(shared[key], whole[key], strict=True))
    record.hold(f"{shape}: shared against whole", error, "≤ 0.25 (bf16)", error <= 0.25)


def _measure(
    setting: Setting, record: Record, name: str, engine: Any, items: list[Choice], best: float | None
) -> None:
    list(engine.score(items))  # first use: kernels are loaded, memory is taken, algorithms are chosen
    runs = [timed(setting, lambda: list(engine.score(items))) for _ in range(setting.size(REPEATS, 1))]
    seconds = median([spent for spent, _ in runs])
    computed = sum(answer.tokens.computed for answer in runs[0][1])
    row = {"seconds": seconds, "tokens": computed, "tokens_per_second": computed / seconds}
    row |= _launches(setting, engine, items)
    record.note(name, row)
    if best is None:
        return

    # 2 FLOPs per weight and token; attention's own products are left out, so the share is on the low side.
    weights = sum(
        part.weight.numel() for part in engine._model.modules() if isinstance(part, torch.nn.Linear)
    )
    head = engine._model.get_output_embeddings().weight.numel()
    share = 2 * (weights - head) * computed / seconds / best
    record.hold(f"{name}: of the ceiling", share, f"≥ {LEAST_SHARE:.0%}", share >= LEAST_SHARE)


def _launches(setting: Setting, engine: Any, items: list[Choice]) -> dict[str, Any]:
    """Kernels launched per layer, and waits, in one go over the items."""
    layers = engine._model.config.num_hidden_layers
    if setting.pretended:
        setting.cuda.counters.reset()
        list(engine.score(items))
        return {
            "launches_per_layer": setting.cuda.counters.launches / layers,
            "waits": setting.cuda.counters.syncs,
        }
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiler:
        list(engine.score(items))
        torch.cuda.synchronize()
    events = profiler.key_averages()
    launched = sum(event.count for event in events if event.key.startswith("cudaLaunchKernel"))
    waited = sum(event.count for event in events if "Synchronize" in event.key)
    on_gpu = sum(event.self_device_time_total for event in events) / 1e6
    return {"launches_per_layer": launched / layers, "waits": waited, "gpu_seconds": on_gpu}

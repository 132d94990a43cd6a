"""Achieved FLOP/s in scoring, Qwen2.5-0.5B's shape, as a share of the best square matrix product:
``python -m engine_bench.ceiling …``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from engine_bench.cases import CASES, questions
from harness.config.schema import ModelSpec
from harness.engines import open_engine

SIZES = (1024, 2048, 3072)
# seconds a size: a format that the processor only emulates is slow, and larger sizes are then left
# out
_PATIENCE = 5.0


def best_square(dtype: torch.dtype, device: str = "cpu", sizes: Sequence[int] = SIZES) -> float:
    """FLOP/s of the fastest of a few square products (2 n^3 each)."""
    best = 0.0
    for size in sizes:
        left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
        until = time.perf_counter() + _PATIENCE
        for _ in range(4):
            started = time.perf_counter()
            product = left @ right
            product[0, 0].item()  # waits for the device
            best = max(best, 2 * size**3 / (time.perf_counter() - started))
            if time.perf_counter() > until:
                return best
    return best


def linear_flops(model: Any) -> tuple[list[tuple[torch.nn.Module, int]], list[Any]]:
    """Counts 2 × weights × rows at every linear layer as it is called.

    Returns (the count so far as a one-item list holder, hooks).
    """
    counted: list[tuple[torch.nn.Module, int]] = []

    def count(module: Any, args: tuple[Any, ...], _: Any) -> None:
        counted.append(
            (
                module,
                2 * module.weight.numel() * (args[0].numel() // args[0].shape[-1] if args[0].numel() else 0),
            )
        )

    hooks = [
        part.register_forward_hook(count) for part in model.modules() if isinstance(part, torch.nn.Linear)
    ]
    return counted, hooks


def measure(dtype: str, mirror: Path, root: Path) -> dict[str, Any]:
    """Counts linear layers and the head's scored rows; attention's products are left out, so the
    share is on the low side.

    The product is measured before and after in the format that was asked for, though the engine may
    compute in a wider one.
    """
    from harness.engines import resolve_model

    spec = ModelSpec(id="Qwen/Qwen2.5-0.5B-Instruct", weights="random", dtype=dtype)
    engine: Any = open_engine(spec, resolve_model(spec, mirror), "cpu")
    case = next(case for case in CASES if case.sketch and len(case.tasks) == 1)
    (items,) = questions(case, mirror, root, None)
    items = items[:16]
    list(engine.score(items[:1]))

    # The machine may slow down meanwhile: the ceiling is the better of before and after.
    before = best_square(getattr(torch, dtype))
    counted, hooks = linear_flops(engine._model)
    started = time.perf_counter()
    answers = list(engine.score(items))
    seconds = time.perf_counter() - started
    for hook in hooks:
        hook.remove()

    gemm = max(before, best_square(getattr(torch, dtype)))
    flops = sum(
        count for _, count in counted
    ) + 2 * engine._model.get_output_embeddings().weight.numel() * len(answers)

    figures = {
        "dtype": dtype,
        "flops": flops,
        "seconds": seconds,
        "questions": len(answers),
        "achieved": flops / seconds,
        "gemm": gemm,
    }
    return {**figures, "computed_in": engine.info.extra["compute_dtype"], "share": flops / seconds / gemm}


def main() -> None:
    """usage: ceiling.py MIRROR ROOT OUT: a JSON list, an entry a number format."""
    mirror, root, out = map(Path, sys.argv[1:])
    out.write_text(json.dumps([measure(dtype, mirror, root) for dtype in ("float32", "bfloat16")]))


if __name__ == "__main__":
    main()

"""Whether models are measured in turn: all loaded at once, one repeat of each after the other.

So what the machine does meanwhile falls on all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.benchmark.shapes import longest
from harness.config.memory import dtype_bytes, known_architecture, memory_fit
from harness.config.schema import ModelSpec, Speed
from harness.errors import HarnessError
from harness.workers.devices import Machine

_PROCESS = 3 * 2**30 // 2
"""Bytes that a worker takes without its model: torch, transformers, buffers."""
_SHARE = 0.8


def interleaves(models: Sequence[ModelSpec], speed: Speed, machine: Machine, mirror: Path | None) -> bool:
    """What the config says, else whether several models fit beside each other.

    On GPUs an engine takes what memory there is, so only models with GPUs of their own fit, or
    those whose `gpu_memory_utilization` sums to less than one.
    """
    from harness.engines.registry import candidates

    if len(models) < 2:
        return False
    if speed.interleave is not None:
        return speed.interleave
    if machine.device == "cuda":
        shares = [backend.gpu_share(model) for model in models for backend in candidates(model)]
        limits = [share for share in shares if share is not None]
        return (len(limits) == len(models) and sum(limits) <= 0.95) or len(machine.gpus) >= sum(
            model.gpus or 1 for model in models
        ) > 1
    import psutil

    needs = [_need(model, speed, mirror) for model in models]
    return (
        all(need is not None for need in needs)
        and sum(need or 0 for need in needs) < _SHARE * psutil.virtual_memory().available
    )


def _need(model: ModelSpec, speed: Speed, mirror: Path | None) -> int | None:
    """Bytes that a model's worker takes on a CPU; None where its architecture is not known."""
    from harness.engines import backend_of

    backend = backend_of(model)
    if backend.simulated:
        return _PROCESS
    try:
        arch = known_architecture(model, str(mirror) if mirror else None)
    except HarnessError:
        return None
    if arch is None:
        return None

    fit = memory_fit(
        arch, dtype_bytes(model.dtype, arch, "cpu"), longest(speed), max(speed.concurrency, default=1)
    )
    return _PROCESS + fit.total + backend.cpu_cache_bytes

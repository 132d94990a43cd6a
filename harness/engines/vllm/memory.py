"""Whether weights and cache fit, before anything is loaded; how large a CPU's cache shall be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.config.architecture import Architecture
from harness.config.architecture_reading import architecture_of
from harness.config.memory import BYTES
from harness.errors import ModelError

GIB = 2**30
SHARE = 0.92
"""Of a GPU's memory: vLLM's own default of gpu_memory_utilization."""
_CPU_CACHE = 4 * GIB
_FIXED = ("kv_cache_memory_bytes", "num_gpu_blocks_override")


@dataclass(frozen=True)
class CacheNeed:
    """Bytes of weights, and of the cache of one sequence as long as the window."""

    weights: int
    sequence: int


def cache_need(
    config: Mapping[str, Any], dtype: str, window: int, cache_dtype: str = "auto"
) -> CacheNeed | None:
    """Bytes by formula; None for an architecture without one. ``window`` in tokens."""
    try:
        arch: Architecture = architecture_of(config)
    except ModelError:
        return None
    number_bytes = BYTES.get(dtype, 2)
    cache_bytes = 1 if cache_dtype.startswith("fp8") else number_bytes

    # vLLM caches the latent of multi-head latent attention, not the keys and values made from it.
    return CacheNeed(
        weights=arch.weight_bytes(number_bytes, checkpoint=True),
        sequence=arch.kv_bytes(window, cache_bytes, latent=True),
    )


def cpu_cache(label: str, need: CacheNeed | None, free: int) -> int:
    """Bytes of cache on a CPU: 4 GiB, less where memory is short, more where a sequence needs it.

    vLLM's own default is nearly all of the machine's memory. Raises ModelError where weights and
    one sequence do not fit into ``free`` bytes.
    """
    if need is None:
        return min(_CPU_CACHE, free // 3)

    if need.weights + need.sequence > free:
        raise ModelError(
            f"{label}: too little memory: {_gib(need.weights)} of weights and {_gib(need.sequence)} "
            f"of cache for one text as long as the window, {_gib(free)} free; "
            "set max_length lower, or dtype: bfloat16, or take a smaller model"
        )
    return max(need.sequence, min(_CPU_CACHE, (free - need.weights) // 4))


def check_gpu(
    label: str, need: CacheNeed | None, memory: tuple[int, int], arguments: Mapping[str, Any], gpus: int
) -> None:
    """Raises ModelError where vLLM would find too little memory on the GPU.

    ``memory``: (free, total) bytes of one; ``gpus``: how many share the model.
    """
    # vLLM takes its share of the whole GPU, so that share must be free, whatever the model needs.
    free, total = memory
    share = float(arguments.get("gpu_memory_utilization", SHARE))
    if free < share * total and not any(name in arguments for name in _FIXED):
        # The largest multiple of 0.05 that leaves some room.
        fitting = max(0.05, int(free / total * 20 - 1) / 20)
        raise ModelError(
            f"{label}: only {_gib(free)} of the GPU's {_gib(total)} are free, "
            f"fewer than the share of {share:g} that vLLM takes; "
            f"end what else uses it, or set engine_args.gpu_memory_utilization: {fitting:g}"
        )

    # Quantised or offloaded weights take less than the formula says: vLLM's own check decides.
    if need is None or "quantization" in arguments or "cpu_offload_gb" in arguments:
        return
    room = share * total * gpus
    if need.weights + need.sequence > room:
        raise ModelError(
            f"{label}: too little GPU memory: {_gib(need.weights)} of weights and {_gib(need.sequence)} "
            f"of cache for one text as long as the window, {_gib(int(room))} to be had; "
            "set max_length lower, engine_args.tensor_parallel_size higher, or quantization"
        )


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"

"""In which number format a processor computes best.

Half precision without hardware for it is emulated, several times slower than fp32.
"""

from __future__ import annotations

import platform
from typing import Any

import torch

from harness.engines.transformers.memory import free_bytes

_ROOM = 0.6  # of the free memory that the wider weights may take


def has_hardware(dtype: torch.dtype) -> bool:
    """Whether this CPU multiplies matrices in ``dtype`` itself.

    On x86 that takes AMX or AVX512-bf16 for bf16, AMX-fp16 for fp16; other families are assumed to.
    """
    if dtype == torch.float32 or platform.machine().lower() not in ("x86_64", "amd64"):
        return True
    if dtype == torch.bfloat16:
        return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())
    return bool(torch.cpu._is_amx_fp16_supported())


def widen(model: Any) -> str:
    """Turns a half-precision model on a CPU without hardware for it to fp32, in place.

    The weights stay the rounded ones; only the arithmetic is exact. Returns the name of the format
    computed in. A model is left as it is where the wider weights would take too much of the free
    memory.
    """
    dtype: torch.dtype = model.dtype
    on_cpu = all(parameter.device.type == "cpu" for parameter in model.parameters())
    wide = 4 * sum(parameter.numel() for parameter in model.parameters())

    # Without room for the wider weights, slow is better than swapping.
    if (
        dtype.itemsize < 4
        and on_cpu
        and not has_hardware(dtype)
        and wide < _ROOM * free_bytes(torch.device("cpu"))
    ):
        model.float()
    return str(model.dtype).removeprefix("torch.")

"""Memory: what counts as running out of it, how much is free, and a token budget that halves."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import psutil
import torch

P = ParamSpec("P")
T = TypeVar("T")

_SIGNS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "alloc_failed",
)


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA's own error, Python's, or the RuntimeError that the CPU allocator raises."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS)


def unless_out_of_memory(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """What the work returns (never None), or None when memory ran out."""
    try:
        return work(*args, **kwargs)
    except Exception as error:
        if not is_out_of_memory(error):
            raise

    # Outside the handler: the error, whose traceback holds the tensors of the failed call, is gone,
    # so that they can be freed before the next try.
    return None


def release(device: torch.device) -> None:
    """Gives unused memory back before the next try."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def free_bytes(device: torch.device) -> int:
    """Free memory of the device, in bytes.

    On CUDA, what the allocator holds but does not use counts as free.
    """
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + unused
    return int(psutil.virtual_memory().available)


class Budget:
    """How many tokens (padding included) a batch may hold."""

    def __init__(self, tokens: int) -> None:
        self.tokens = max(1, tokens)
        self.halvings = 0

    def halve(self, failed: int) -> None:
        """After a batch of ``failed`` tokens did not fit: half of it, and never more again."""
        self.tokens = max(1, min(self.tokens, failed) // 2)
        self.halvings += 1

"""How much memory this process took at most, in main memory and on its GPUs.

torch is asked only where it is imported already: a worker whose answers are all kept loads nothing.
"""

from __future__ import annotations

import sys
from typing import Any


def peak_rss() -> int:
    """Greatest resident memory of this process so far, in bytes."""
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return usage if sys.platform == "darwin" else usage * 1024


def peak_device_bytes() -> int | None:
    """Greatest memory of this process's CUDA tensors since `forget_peak`; None without CUDA."""
    cuda = _cuda()
    if cuda is None:
        return None
    return int(sum(cuda.max_memory_allocated(index) for index in range(cuda.device_count())))


def forget_peak() -> None:
    """Lets `peak_device_bytes` count from now on."""
    cuda = _cuda()
    if cuda is not None:
        for index in range(cuda.device_count()):
            cuda.reset_peak_memory_stats(index)


def _cuda() -> Any:
    """torch.cuda where this process uses it already, else None."""
    torch = sys.modules.get("torch")
    used = torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized()
    return torch.cuda if torch is not None and used else None

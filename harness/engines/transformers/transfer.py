"""Few and large copies between host and device: a copy of a few numbers costs as much as one of many.

On CUDA a copy from ordinary memory makes the host wait until the device has done all it was told
before. From pinned memory it does not, so a pass's whole plan goes over in one buffer, and what a
pass found comes back while the next one runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def upload(arrays: Mapping[str, NDArray[Any]], device: torch.device) -> dict[str, Tensor]:
    """Integers by name as int32 tensors [n] of a device, all in one copy that nobody waits for."""
    names, parts = list(arrays), [np.asarray(part, np.int32).ravel() for part in arrays.values()]
    sizes = [len(part) for part in parts]
    buffer = torch.empty(sum(sizes), dtype=torch.int32, pin_memory=device.type == "cuda")
    if parts:
        np.concatenate(parts, out=buffer.numpy())
    there = buffer.to(device, non_blocking=True)
    return dict(zip(names, torch.split(there, sizes), strict=True))


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """A small tensor of the CPU on a device, by a copy that nobody waits for."""
    if device.type != "cuda":
        return tensor
    pinned = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return pinned.copy_(tensor).to(device, non_blocking=True)


class Download:
    """A tensor on its way to the host. `read` waits for that copy only, not for what came after it."""

    def __init__(self, tensor: Tensor) -> None:
        self._event: Any = None
        cuda: Any = torch.cuda
        if tensor.device.type != "cuda":
            self._host = tensor
            return
        self._host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
        self._host.copy_(tensor, non_blocking=True)
        self._event = cuda.Event()
        self._event.record(cuda.current_stream(tensor.device))

    def read(self) -> Tensor:
        """The tensor on the CPU."""
        if self._event is not None:
            self._event.synchronize()
        return self._host

"""What the pretended devices remember: launches, synchronisations, attention calls, memory in use."""

from __future__ import annotations

import sys
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import torch

ALLOCATION = 512
"""Bytes that every block is rounded up to (c10/cuda/CUDACachingAllocator.cpp, kMinBlockSize)."""
Site = tuple[str, str]
"""What happened, and the line of the product that caused it."""


@dataclass
class Counters:
    """Sums since the last `reset`. ``attention`` counts calls by (kernel, batch, heads, queries, keys)."""

    launches: int = 0
    syncs: int = 0
    launch_sites: Counter[Site] = field(default_factory=Counter)
    sync_sites: Counter[Site] = field(default_factory=Counter)
    attention: Counter[tuple[str, int, int, int, int]] = field(default_factory=Counter)

    def reset(self) -> None:
        """Begins to count anew."""
        self.launches = self.syncs = 0
        self.launch_sites.clear()
        self.sync_sites.clear()
        self.attention.clear()

    def launch(self, name: str, kernels: int = 1) -> None:
        """Some kernels were put on the stream."""
        self.launches += kernels
        self.launch_sites[name, _line()] += kernels

    def sync(self, name: str) -> None:
        """The host waited for the device."""
        self.syncs += 1
        self.sync_sites[name, _line()] += 1


@dataclass
class Memory:
    """One device's memory in bytes. No ``limit`` means that nothing is accounted."""

    limit: int | None = None
    used: int = 0
    peak: int = 0
    _blocks: dict[int, list[int]] = field(default_factory=dict)

    def hold(self, owner: object, raw: torch.Tensor) -> None:
        """Accounts the storage of ``raw`` for as long as ``owner`` (or another view of it) lives.

        Raises torch.OutOfMemoryError where it does not fit.
        """
        if self.limit is None:
            return
        storage = raw.untyped_storage()
        pointer = storage.data_ptr()
        if pointer == 0:
            return

        if pointer not in self._blocks:
            size = -(-storage.nbytes() // ALLOCATION) * ALLOCATION
            if self.used + size > self.limit:
                raise torch.OutOfMemoryError(
                    f"CUDA out of memory. Tried to allocate {size} bytes; {self.limit - self.used} are free."
                )
            self._blocks[pointer] = [0, size]
            self.used += size
            self.peak = max(self.peak, self.used)
        self._blocks[pointer][0] += 1
        weakref.finalize(owner, self._release, pointer)

    def _release(self, pointer: int) -> None:
        block = self._blocks.get(pointer)
        if block is None:
            return
        block[0] -= 1
        if block[0] == 0:
            self.used -= block[1]
            del self._blocks[pointer]


@dataclass
class State:
    """Everything about the pretended machine. ``fails`` may make an operator run out of memory."""

    counters: Counters = field(default_factory=Counters)
    memories: list[Memory] = field(default_factory=lambda: [Memory()])
    fails: Callable[[str], bool] | None = None

    def memory(self, device: torch.device) -> Memory:
        """A device's memory. Raises RuntimeError as CUDA does for a device that is not there."""
        index = device.index or 0
        if index >= len(self.memories):
            raise RuntimeError("CUDA error: invalid device ordinal")
        return self.memories[index]


CURRENT = State()
"""The machine that tensors report to; `pretended_cuda` replaces its contents."""
_PRODUCT = str(Path(__file__).resolve().parents[3] / "harness")


def _line() -> str:
    """The innermost line of the product on the stack, "?" outside it."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and not frame.f_code.co_filename.startswith(_PRODUCT):
        frame = frame.f_back
    return "?" if frame is None else f"{frame.f_code.co_filename[len(_PRODUCT) + 1 :]}:{frame.f_lineno}"


def device_of(given: object) -> torch.device | None:
    """A device with its index ("cuda" is cuda:0), None for nothing."""
    if given is None:
        return None
    device = torch.device(given)  # type: ignore[call-overload]
    return torch.device("cuda", 0) if device.type == "cuda" and device.index is None else device

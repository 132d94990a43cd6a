"""What this machine's arithmetic and memory give, measured: the ceilings of the roofline, and the
small probe that tells whether the machine was the same before and after a repeat.

FLOP/s: a square matrix product C = A·B of n³ multiply-adds, two FLOPs each. Bytes/s: copying a
block larger than the caches, read and write counted (as STREAM's Copy does: McCalpin 1995). A
*ceiling* is the best of many over several sizes with all cores; a *probe* is the best of a stretch
of time with the threads that the engine uses: of the statistics tried (median, mean, quartile,
best) the one on which two probes of an unchanged machine agree most often. The longer a probe, the
oftener they do (docs/bench.md).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.errors import OutOfMemoryError
from harness.meter.checks import require_positive
from harness.meter.roofline import Ceiling

PROBE_SECONDS = 0.25
CEILING_SECONDS = 0.5
_LEAST = 5
# seconds: a probe multiplies and copies in turn, so that both see the whole stretch of time
_SLICE = 0.05
_MIB = 2**20


@dataclass(frozen=True)
class MachineRates:
    """FLOP/s of a matrix product and bytes/s of a copy."""

    flops: float
    bandwidth: float


class Bench(Protocol):
    """Something that can multiply and copy. Each call does it once and returns its seconds."""

    name: str

    def product(self, size: int) -> Callable[[], float]:
        """A square product of this size, ready to be timed. Raises OutOfMemoryError."""

    def copy(self, size: int) -> Callable[[], float]:
        """A copy of so many bytes, ready to be timed. Raises OutOfMemoryError."""

    @property
    def sizes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """(products', copies') sizes: the first is the probe's, all are the ceiling's."""


def probe(bench: Bench, seconds: float = PROBE_SECONDS) -> MachineRates:
    """The machine as it is now, by ``seconds`` of products and as many of copies.

    Raises ClockError where the clock does not move.
    """
    products, copies = bench.sizes
    product, copied = bench.product(products[0]), bench.copy(copies[0])

    # In turn, so that a change of the clock during the probe touches both figures.
    slices = max(1, round(seconds / _SLICE))
    pairs = [
        (min(_times(product, seconds / slices)), min(_times(copied, seconds / slices))) for _ in range(slices)
    ]

    flops = 2 * products[0] ** 3 / require_positive("matrix product", min(pair[0] for pair in pairs))
    return MachineRates(flops, 2 * copies[0] / require_positive("copy", min(pair[1] for pair in pairs)))


def ceiling(bench: Bench, seconds: float = CEILING_SECONDS) -> Ceiling:
    """The best that this machine was seen to do, for a number format.

    Sizes that do not fit into memory are left out.
    """
    products, copies = bench.sizes
    flops = _best(bench.product, products, seconds, lambda size: 2.0 * size**3)
    return Ceiling(
        f"{bench.name}, measured", flops, _best(bench.copy, copies, seconds, lambda size: 2.0 * size)
    )


def drift(before: MachineRates, after: MachineRates) -> float:
    """How much the machine changed: the larger of both figures' max/min − 1."""
    pairs = ((before.flops, after.flops), (before.bandwidth, after.bandwidth))
    return max(max(pair) / min(pair) - 1 for pair in pairs)


def _best(
    make: Callable[[int], Callable[[], float]],
    sizes: Sequence[int],
    seconds: float,
    amount: Callable[[int], float],
) -> float:
    rates = []
    for size in sizes:
        try:
            rates.append(
                amount(size) / require_positive("calibration", min(_times(make(size), seconds / len(sizes))))
            )
        except OutOfMemoryError:
            continue

    if not rates:
        raise OutOfMemoryError(
            "no memory left to measure the machine's ceilings; lower gpu_memory_utilization"
        )
    return max(rates)


def _times(work: Callable[[], float], seconds: float) -> list[float]:
    """Seconds of each call, after one that warms up; at least `_LEAST` calls."""
    work()
    times: list[float] = []
    begin = time.perf_counter()
    while len(times) < _LEAST or time.perf_counter() - begin < seconds:
        times.append(work())
    return times


class TorchBench:
    """Products and copies by torch, as the engines compute.

    ``threads`` None leaves torch's own choice.
    """

    def __init__(self, device: str, dtype: str, threads: int | None = None) -> None:
        import torch

        self._torch = torch
        self._device = torch.device("cuda" if device.startswith("cuda") and ":" not in device else device)
        self._dtype = getattr(torch, dtype)
        self._threads = threads
        self._kept: dict[tuple[str, int], Callable[[], float]] = {}
        self.name = f"{device} {dtype}" + (
            f", {threads or torch.get_num_threads()} threads" if self._device.type == "cpu" else ""
        )

    @property
    def sizes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """A GPU needs larger ones to be busy."""
        if self._device.type == "cpu":
            return (512, 1024, 2048), (64 * _MIB, 256 * _MIB)
        return (4096, 8192), (256 * _MIB, 1024 * _MIB)

    def product(self, size: int) -> Callable[[], float]:
        """C = A·B of noise in the number format, C given."""

        def make() -> Callable[[], Any]:
            torch = self._torch
            a, b = (
                torch.randn(size, size, device=self._device, dtype=torch.float32).to(self._dtype)
                for _ in range(2)
            )
            c = torch.empty_like(a)
            return lambda: torch.mm(a, b, out=c)

        return self._timed("product", size, make)

    def copy(self, size: int) -> Callable[[], float]:
        """y ← x of bytes."""

        def make() -> Callable[[], Any]:
            x = self._torch.ones(size // 4, device=self._device, dtype=self._torch.float32)
            y = self._torch.empty_like(x)
            return lambda: y.copy_(x)

        return self._timed("copy", size, make)

    def release(self) -> None:
        """Gives the memory back."""
        self._kept.clear()
        if self._device.type == "cuda":
            self._torch.cuda.empty_cache()

    def _timed(self, kind: str, size: int, make: Callable[[], Callable[[], Any]]) -> Callable[[], float]:
        """The probe's buffers are kept, so that a probe does not allocate; others are made anew."""
        if (kind, size) in self._kept:
            return self._kept[kind, size]

        try:
            work = make()
        except (RuntimeError, MemoryError) as error:
            if isinstance(error, MemoryError) or "memory" in str(error).lower():
                raise OutOfMemoryError(f"no memory for a {kind} of {size}") from error
            raise

        timed = self._on_gpu(work) if self._device.type == "cuda" else self._on_cpu(work)
        if size in (self.sizes[0][0], self.sizes[1][0]):
            self._kept[kind, size] = timed
        return timed

    def _on_cpu(self, work: Callable[[], Any]) -> Callable[[], float]:
        torch, threads = self._torch, self._threads

        def timed() -> float:
            # torch has one number of threads per process, which the engine needs back.
            own = torch.get_num_threads()
            if threads is not None and threads != own:
                torch.set_num_threads(threads)
            begin = time.perf_counter()
            work()
            spent = time.perf_counter() - begin
            if threads is not None and threads != own:
                torch.set_num_threads(own)
            return spent

        return timed

    def _on_gpu(self, work: Callable[[], Any]) -> Callable[[], float]:
        cuda = self._torch.cuda

        def timed() -> float:
            begin, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
            begin.record()
            work()
            end.record()
            end.synchronize()
            return float(begin.elapsed_time(end)) / 1000

        return timed


class NumpyBench:
    """Products and copies by numpy, for engines that compute without torch (the mock)."""

    name = "cpu float32 (numpy)"
    sizes = ((256,), (16 * _MIB,))

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], Callable[[], float]] = {}

    def product(self, size: int) -> Callable[[], float]:
        """C = A·B in float32."""
        import numpy as np

        def make() -> Callable[[], Any]:
            a = np.random.default_rng(0).random((size, size), dtype=np.float32)
            c = np.empty_like(a)
            return lambda: np.matmul(a, a, out=c)

        return self._timed("product", size, make)

    def copy(self, size: int) -> Callable[[], float]:
        """y ← x of bytes."""
        import numpy as np

        def make() -> Callable[[], Any]:
            x = np.ones(size, dtype=np.uint8)
            y = np.empty_like(x)
            return lambda: np.copyto(y, x)

        return self._timed("copy", size, make)

    def release(self) -> None:
        """Gives the memory back."""
        self._kept.clear()

    def _timed(self, kind: str, size: int, make: Callable[[], Callable[[], Any]]) -> Callable[[], float]:
        if (kind, size) not in self._kept:
            work = make()

            def timed() -> float:
                begin = time.perf_counter()
                work()
                return time.perf_counter() - begin

            self._kept[kind, size] = timed
        return self._kept[kind, size]

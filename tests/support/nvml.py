"""A stand-in for ``pynvml``: GPUs made up, some cut into MIG slices, calls that fail on request."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace


@dataclass
class FakeGpu:
    """A GPU or a slice of one; ``slices`` None: its MIG mode is off."""

    uuid: str
    name: str = "NVIDIA H200"
    memory: int | None = 140 << 30
    slices: list[FakeGpu | None] | None = None
    closed: bool = False
    """Whether this process may not use it."""


@dataclass
class FakeNvml:
    """The functions over two GPUs, or those given; watts and millijoules of each alike.

    ``broken`` names calls that fail: init, power, counter, count.
    """

    watts: float = 300.0
    broken: tuple[str, ...] = ()
    gpus: list[FakeGpu] = field(default_factory=lambda: [FakeGpu("GPU-abc0"), FakeGpu("GPU-abd1")])
    millijoules: float = 5_000_000.0
    users: int = 0

    class NVMLError(Exception):
        pass

    def _may(self, what: str) -> None:
        if what in self.broken:
            raise self.NVMLError("Not Supported")

    def nvmlInit(self) -> None:
        self._may("init")
        self.users += 1

    def nvmlShutdown(self) -> None:
        self.users -= 1

    def nvmlSystemGetDriverVersion(self) -> str:
        return "580.1"

    def nvmlDeviceGetCount(self) -> int:
        self._may("count")
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> FakeGpu:
        if self.gpus[index].closed:
            raise self.NVMLError("Insufficient Permissions")
        return self.gpus[index]

    def nvmlDeviceGetUUID(self, handle: FakeGpu) -> str:
        return handle.uuid

    def nvmlDeviceGetName(self, handle: FakeGpu) -> bytes:
        return handle.name.encode()

    def nvmlDeviceGetMemoryInfo(self, handle: FakeGpu) -> SimpleNamespace:
        if handle.memory is None:
            raise self.NVMLError("Not Supported")
        return SimpleNamespace(total=handle.memory)

    def nvmlDeviceGetMigMode(self, handle: FakeGpu) -> list[int]:
        return [int(handle.slices is not None)] * 2

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: FakeGpu) -> int:
        return len(handle.slices or [])

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: FakeGpu, index: int) -> FakeGpu:
        part = (handle.slices or [])[index]
        if part is None:
            raise self.NVMLError("Not Found")
        return part

    def nvmlDeviceGetPowerUsage(self, handle: FakeGpu) -> float:
        self._may("power")
        return self.watts * 1000

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: FakeGpu) -> float:
        self._may("counter")
        return self.millijoules


def sliced() -> list[FakeGpu]:
    """A whole GPU and one cut into two slices of seven that there could be."""
    parts: list[FakeGpu | None] = [
        FakeGpu("MIG-11", "NVIDIA H200 MIG 3g.71gb", 70 << 30),
        None,
        FakeGpu("MIG-22", "NVIDIA H200 MIG 1g.18gb", 18 << 30),
        None,
    ]
    return [FakeGpu("GPU-aaaa"), FakeGpu("GPU-bbbb", slices=parts)]

"""The energy and the power of NVIDIA GPUs, from the driver by nvidia-ml-py."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import Any, ClassVar

from harness.meter.checks import EnergyError


class NvmlDevices:
    """Some GPUs read as one: joules and watts are their sums.

    ``nvml`` is `pynvml` or what stands in for it.
    """

    period: ClassVar[float] = 0.1

    def __init__(self, handles: Sequence[Any], nvml: Any) -> None:
        self.handles, self.nvml = list(handles), nvml

    @classmethod
    def visible(cls, index: int | None = None, nvml: Any = None) -> NvmlDevices:
        """The GPUs that CUDA_VISIBLE_DEVICES lets be seen, or the one at ``index`` among them.
        Raises EnergyError with the reason.

        Numbers are NVML's, which count by bus; CUDA's do where CUDA_DEVICE_ORDER=PCI_BUS_ID, and
        where all GPUs are of one kind.
        """
        nvml = nvml or _pynvml()
        try:
            nvml.nvmlInit()
        except nvml.NVMLError as error:
            raise EnergyError(f"NVML cannot be used: {error}") from None
        try:
            handles = _handles(nvml, index)
            if not handles:
                raise EnergyError("no GPU is visible, so none can be read")
            for handle in handles:
                _check(nvml, handle)
        except nvml.NVMLError as error:
            nvml.nvmlShutdown()
            raise EnergyError(f"NVML does not tell the GPU's power: {error}") from None
        except EnergyError:
            nvml.nvmlShutdown()
            raise
        return cls(handles, nvml)

    def counter(self) -> float | None:
        """Joules since the driver was loaded; None where the GPU has no counter (before Volta)."""
        return self._sum(lambda handle: self.nvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000)

    def power(self) -> float | None:
        """Watts of the whole board."""
        return self._sum(lambda handle: self.nvml.nvmlDeviceGetPowerUsage(handle) / 1000)

    def _sum(self, read: Any) -> float | None:
        try:
            return float(sum(read(handle) for handle in self.handles))
        except self.nvml.NVMLError:
            return None

    def close(self) -> None:
        """Lets go of NVML, which counts its users."""
        with contextlib.suppress(self.nvml.NVMLError):
            self.nvml.nvmlShutdown()


def _pynvml() -> Any:
    try:
        import pynvml
    except ImportError:
        raise EnergyError("nvidia-ml-py is not installed: pip install nvidia-ml-py") from None
    return pynvml


def _handles(nvml: Any, index: int | None) -> list[Any]:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        names = [str(number) for number in range(nvml.nvmlDeviceGetCount())]
    else:
        names = [name.strip() for name in visible.split(",") if name.strip()]
    if index is not None:
        if index >= len(names):
            raise EnergyError(f"cuda:{index} is not visible; visible: {', '.join(names) or 'none'}")
        names = [names[index]]
    return [_handle(nvml, name) for name in names]


def _handle(nvml: Any, name: str) -> Any:
    if name.startswith("MIG"):
        raise EnergyError("a MIG slice has no power meter of its own")
    if name.isdigit():
        return nvml.nvmlDeviceGetHandleByIndex(int(name))
    return nvml.nvmlDeviceGetHandleByUUID(name)


def _check(nvml: Any, handle: Any) -> None:
    """Raises where the power cannot be read, or is not this device's own."""
    _whole(nvml, handle)
    nvml.nvmlDeviceGetPowerUsage(handle)


def _whole(nvml: Any, handle: Any) -> None:
    with contextlib.suppress(nvml.NVMLError):  # GPUs without MIG say that they do not know it
        if nvml.nvmlDeviceGetMigMode(handle)[0] == 1:
            raise EnergyError(
                "the GPU is cut into MIG slices, which have no meter and no datasheet of their own"
            )


def visible_names(nvml: Any = None) -> list[str]:
    """The driver's names of the visible GPUs.

    Raises EnergyError where NVML cannot be used, and for MIG slices: their name is the GPU's.
    """
    nvml = nvml or _pynvml()
    try:
        nvml.nvmlInit()
        try:
            handles = _handles(nvml, None)
            for handle in handles:
                _whole(nvml, handle)
            names = [nvml.nvmlDeviceGetName(handle) for handle in handles]
        finally:
            nvml.nvmlShutdown()
    except nvml.NVMLError as error:
        raise EnergyError(f"NVML cannot be used: {error}") from None
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]

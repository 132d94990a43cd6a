"""The energy and the power of NVIDIA GPUs, from the driver by nvidia-ml-py."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from harness.gpus import Device, NvmlError, list_gpus, opened, visible_devices
from harness.meter.checks import EnergyError

_SLICED = "the GPU is cut into MIG slices, which have no meter and no datasheet of their own"


class NvmlDevices:
    """Some GPUs read as one: joules and watts are their sums.

    ``nvml`` is `pynvml` or what stands in for it; ``close`` ends its use.
    """

    period: ClassVar[float] = 0.1

    def __init__(self, handles: Sequence[Any], nvml: Any, close: Callable[[], None] = lambda: None) -> None:
        self.handles, self.nvml, self.close = list(handles), nvml, close

    @classmethod
    def visible(cls, index: int | None = None, nvml: Any = None) -> NvmlDevices:
        """The GPUs that CUDA_VISIBLE_DEVICES lets be seen, or the one at ``index`` among them.

        Raises EnergyError with the reason. For the numbers see `harness.gpus`.
        """
        try:
            with contextlib.ExitStack() as stack:
                library = stack.enter_context(opened(nvml))
                devices = _chosen(visible_devices(library), index)
                for device in devices:
                    _require_power(library, device)

                # From here on the library stays open, until these devices are closed.
                close = stack.pop_all().close
        except NvmlError as error:
            raise EnergyError(str(error)) from None
        return cls([device.handle for device in devices], library, close)

    def counter(self) -> float | None:
        """Joules since the driver was loaded; None where the GPU has no counter (before Volta)."""
        return self._sum(lambda handle: self.nvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000)

    def power(self) -> float | None:
        """Watts of the whole board."""
        return self._sum(lambda handle: self.nvml.nvmlDeviceGetPowerUsage(handle) / 1000)

    def _sum(self, read: Callable[[Any], float]) -> float | None:
        try:
            return float(sum(read(handle) for handle in self.handles))
        except self.nvml.NVMLError:
            return None


def _chosen(devices: Sequence[Device], index: int | None) -> Sequence[Device]:
    if index is None:
        if not devices:
            raise EnergyError("no GPU is visible, so none can be read")
        return devices
    if index >= len(devices):
        names = ", ".join(device.gpu.index for device in devices) or "none"
        raise EnergyError(f"cuda:{index} is not visible; visible: {names}")
    return [devices[index]]


def _require_power(nvml: Any, device: Device) -> None:
    """Raises EnergyError where the power cannot be read, or is not this device's own."""
    if device.gpu.mig:
        raise EnergyError(_SLICED)
    try:
        nvml.nvmlDeviceGetPowerUsage(device.handle)
    except nvml.NVMLError as error:
        raise EnergyError(f"NVML does not tell the GPU's power: {error}") from None


def visible_names(nvml: Any = None) -> list[str]:
    """The driver's names of the visible GPUs.

    Raises EnergyError where NVML cannot be used, and for MIG slices: their price and their peak are
    not the GPU's.
    """
    try:
        gpus = list_gpus(nvml)
    except NvmlError as error:
        raise EnergyError(str(error)) from None
    if any(gpu.mig for gpu in gpus):
        raise EnergyError(_SLICED)
    return [gpu.name for gpu in gpus]

"""The energy and the power of NVIDIA GPUs, from the driver by nvidia-ml-py."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import Any

from harness.meter.checks import EnergyError


class NvmlDevices:
    """Some GPUs read as one: joules and watts are their sums. ``library`` is `pynvml` or what stands in for it."""

    def __init__(self, handles: Sequence[Any], library: Any) -> None:
        self.handles, self.library = list(handles), library

    @classmethod
    def visible(cls, index: int | None = None, library: Any = None) -> NvmlDevices:
        """The GPUs that CUDA_VISIBLE_DEVICES lets be seen, or the one at ``index`` among them. Raises EnergyError with the reason.

        Numbers are NVML's, which count by bus; CUDA's do where CUDA_DEVICE_ORDER=PCI_BUS_ID, and where all GPUs are of one kind.
        """
        library = library or _pynvml()
        try:
            library.nvmlInit()
        except library.NVMLError as error:
            raise EnergyError(f"NVML cannot be used: {error}") from None
        try:
            handles = _handles(library, index)
            if not handles:
                raise EnergyError("no GPU is visible, so none can be read")
            for handle in handles:
                _check(library, handle)
        except library.NVMLError as error:
            library.nvmlShutdown()
            raise EnergyError(f"NVML does not tell the GPU's power: {error}") from None
        except EnergyError:
            library.nvmlShutdown()
            raise
        return cls(handles, library)

    def counter(self) -> float | None:
        """Joules since the driver was loaded; None where the GPU has no counter (before Volta)."""
        return self._sum(lambda handle: self.library.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000)

    def power(self) -> float | None:
        """Watts of the whole board."""
        return self._sum(lambda handle: self.library.nvmlDeviceGetPowerUsage(handle) / 1000)

    def _sum(self, read: Any) -> float | None:
        try:
            return float(sum(read(handle) for handle in self.handles))
        except self.library.NVMLError:
            return None

    def close(self) -> None:
        """Lets go of NVML, which counts its users."""
        with contextlib.suppress(self.library.NVMLError):
            self.library.nvmlShutdown()


def _pynvml() -> Any:
    try:
        import pynvml
    except ImportError:
        raise EnergyError("nvidia-ml-py is not installed: pip install nvidia-ml-py") from None
    return pynvml


def _handles(library: Any, index: int | None) -> list[Any]:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        names = [str(number) for number in range(library.nvmlDeviceGetCount())]
    else:
        names = [name.strip() for name in visible.split(",") if name.strip()]
    if index is not None:
        if index >= len(names):
            raise EnergyError(f"cuda:{index} is not visible; visible: {', '.join(names) or 'none'}")
        names = [names[index]]
    return [_handle(library, name) for name in names]


def _handle(library: Any, name: str) -> Any:
    if name.startswith("MIG"):
        raise EnergyError("a MIG slice has no power meter of its own")
    if name.isdigit():
        return library.nvmlDeviceGetHandleByIndex(int(name))
    return library.nvmlDeviceGetHandleByUUID(name)


def _check(library: Any, handle: Any) -> None:
    """A GPU that others use, too, tells their joules and ours in one figure."""
    with contextlib.suppress(library.NVMLError):
        if library.nvmlDeviceGetMigMode(handle)[0] == 1:
            raise EnergyError("the GPU is cut into MIG slices, which have no power meter of their own")
    library.nvmlDeviceGetPowerUsage(handle)

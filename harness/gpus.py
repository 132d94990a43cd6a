"""The NVIDIA GPUs of this machine, from the driver's own library (NVML), without importing torch.

Planning, the doctor, energy, prices and manifests all count the GPUs listed here: those that
CUDA_VISIBLE_DEVICES lets be seen, in its order, MIG slices included.

Numbers are NVML's, which count by bus; CUDA's do where CUDA_DEVICE_ORDER=PCI_BUS_ID, and where all
GPUs are of one kind.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

VISIBLE = "CUDA_VISIBLE_DEVICES"


class NvmlError(Exception):
    """Why the GPUs cannot be listed: one line."""


@dataclass(frozen=True)
class Gpu:
    """One CUDA device; memory in bytes. ``index`` is what CUDA_VISIBLE_DEVICES calls it: a number,
    or a MIG slice's UUID.
    """

    index: str
    name: str
    memory: int
    uuid: str = ""
    mig: bool = False
    """Whether it is a slice of a GPU, which has no meter and no datasheet of its own."""


@dataclass(frozen=True)
class Device:
    """A GPU or a slice of one, with NVML's handle of it, good until the library is closed.

    ``board`` is the UUID of the whole GPU.
    """

    gpu: Gpu
    handle: Any
    board: str


def list_gpus(nvml: Any = None) -> tuple[Gpu, ...]:
    """The visible GPUs, in the order of CUDA_VISIBLE_DEVICES. Raises NvmlError where NVML fails."""
    with opened(nvml) as library:
        return tuple(device.gpu for device in visible_devices(library))


def driver_version(nvml: Any = None) -> str | None:
    """The NVIDIA driver's version, or None where there is no driver."""
    try:
        with opened(nvml) as library:
            return _text(library.nvmlSystemGetDriverVersion())
    except NvmlError:
        return None


@contextlib.contextmanager
def opened(nvml: Any = None) -> Iterator[Any]:
    """NVML, or what stands in for it, initialised; its errors inside become NvmlError."""
    library = nvml or _pynvml()
    try:
        library.nvmlInit()
    except library.NVMLError as error:
        raise NvmlError(f"NVML cannot be used: {error}") from None

    try:
        yield library
    except library.NVMLError as error:
        raise NvmlError(f"NVML failed: {error}") from None
    finally:
        with contextlib.suppress(library.NVMLError):
            library.nvmlShutdown()


def _pynvml() -> Any:
    try:
        import pynvml
    except ImportError:
        raise NvmlError("nvidia-ml-py is not installed: pip install nvidia-ml-py") from None
    return pynvml


def visible_devices(nvml: Any) -> list[Device]:
    """What CUDA_VISIBLE_DEVICES lets be seen, of an initialised library.

    CUDA's rules: the list ends at the first entry that names no device (so -1 hides all), a UUID
    may be shortened to what is still unique, and ``MIG-…`` is one slice. A GPU that is cut into
    slices stands for them, for CUDA cannot use it whole.
    """
    every = _all_devices(nvml)
    names = os.environ.get(VISIBLE)
    if names is None:
        return [device for devices in every for device in devices]

    visible: list[Device] = []
    for name in names.split(","):
        named = _named(name.strip(), every)
        if not named:
            break
        visible += [device for device in named if device not in visible]
    return visible


def _named(name: str, every: Sequence[list[Device]]) -> list[Device]:
    """The devices that one entry of CUDA_VISIBLE_DEVICES names; none for one that names no device."""
    if name.isdigit():
        return every[int(name)] if int(name) < len(every) else []
    fitting: list[list[Device]] = []
    if name.startswith("GPU-"):
        fitting = [devices for devices in every if devices and devices[0].board.startswith(name)]
    elif name.startswith("MIG-"):
        slices = [device for devices in every for device in devices if device.gpu.mig]
        fitting = [[device] for device in slices if device.gpu.uuid.startswith(name)]
    return fitting[0] if len(fitting) == 1 else []


def _all_devices(nvml: Any) -> list[list[Device]]:
    """Every GPU by number, each as it can be used. Raises NVML's error where none can be read."""
    every: list[list[Device]] = []
    failure = None
    for number in range(nvml.nvmlDeviceGetCount()):
        # A container sees the numbers of GPUs that it may not use, and one GPU may be broken.
        try:
            every.append(_devices_of(nvml, nvml.nvmlDeviceGetHandleByIndex(number), str(number)))
        except nvml.NVMLError as error:
            every.append([])
            failure = error

    if failure is not None and not any(every):
        raise failure
    return every


def _devices_of(nvml: Any, handle: Any, index: str) -> list[Device]:
    """A GPU as it can be used: itself, or its slices."""
    board = _text(nvml.nvmlDeviceGetUUID(handle))
    if not _is_cut(nvml, handle):
        return [Device(_describe(nvml, handle, index, board), handle, board)]

    slices = []
    for number in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        # The number is of slices that there could be; those that were not made are errors.
        with contextlib.suppress(nvml.NVMLError):
            part = nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number)
            uuid = _text(nvml.nvmlDeviceGetUUID(part))
            slices.append(Device(_describe(nvml, part, uuid, uuid, mig=True), part, board))
    return slices


def _is_cut(nvml: Any, handle: Any) -> bool:
    with contextlib.suppress(nvml.NVMLError):  # GPUs without MIG answer that they do not support it
        return bool(nvml.nvmlDeviceGetMigMode(handle)[0] == 1)
    return False


def _describe(nvml: Any, handle: Any, index: str, uuid: str, *, mig: bool = False) -> Gpu:
    return Gpu(index, _text(nvml.nvmlDeviceGetName(handle)), _memory(nvml, handle), uuid, mig)


def _memory(nvml: Any, handle: Any) -> int:
    """Bytes of a GPU's memory; the machine's where the GPU has none of its own (GB10, Jetson)."""
    try:
        return int(nvml.nvmlDeviceGetMemoryInfo(handle).total)
    except nvml.NVMLError:
        import psutil

        return int(psutil.virtual_memory().total)


def _text(value: Any) -> str:
    """Older versions of the bindings answer in bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)

"""Which device an engine of this process runs on, and what a result may depend on of it."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.errors import ModelError


def resolve_device(device: str) -> str:
    """The device that is meant: ``auto`` is cuda where there is one, else cpu.

    Raises ModelError for a CUDA device that is not there.
    """
    if device == "cpu":
        return "cpu"
    if (
        device == "auto"
        and sys.platform == "linux"
        and not (Path("/dev/nvidiactl").exists() or Path("/dev/dxg").exists())
    ):
        return "cpu"

    # torch takes seconds to import, so it is asked only where there may be a GPU.
    import torch

    if torch.cuda.is_available():
        index = int(device.partition(":")[2] or 0)
        if index >= torch.cuda.device_count():
            raise ModelError(f"device {device}: only {torch.cuda.device_count()} CUDA devices are visible")
        return "cuda" if device == "auto" else device

    if device == "auto":
        return "cpu"
    raise ModelError(
        f"device {device}: torch sees no CUDA device; say device: cpu, or see what harness doctor says"
    )


def device_kind(device: str) -> str:
    """``cpu``, or the GPU's name: what a result may depend on."""
    if device == "cpu":
        return "cpu"
    import torch

    return torch.cuda.get_device_name(torch.device(device))

"""What this machine has to run on, found without importing torch, so that planning stays quick."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ConfigError
from harness.gpus import VISIBLE, Gpu, NvmlError, list_gpus


@dataclass(frozen=True)
class Machine:
    """The devices a run may use. ``memory`` is the machine's own, in bytes."""

    device: str
    gpus: tuple[Gpu, ...]
    memory: int
    cpu: str
    cores: int

    @property
    def describe(self) -> str:
        """One line for people."""
        if self.device == "cuda":
            return ", ".join(f"{gpu.name} ({gpu.memory / 2**30:.0f} GiB)" for gpu in self.gpus)
        return f"CPU {self.cpu}, {self.cores} cores, {self.memory / 2**30:.0f} GiB"


def find_machine(device: str = "auto") -> Machine:
    """The machine as asked for: auto takes CUDA where present.

    Raises ConfigError for cuda where there is none.
    """
    import psutil

    gpus, reason = ((), "") if device == "cpu" else _cuda_gpus()
    if device == "cuda" and not gpus:
        raise ConfigError(
            f"device: cuda asked for, but {reason}: use device: cpu or auto, or see `harness doctor`"
        )
    return Machine(
        device="cuda" if gpus else "cpu",
        gpus=gpus,
        memory=int(psutil.virtual_memory().total),
        cpu=cpu_name(),
        cores=psutil.cpu_count(logical=False) or 1,
    )


def _cuda_gpus() -> tuple[tuple[Gpu, ...], str]:
    """The GPUs that CUDA_VISIBLE_DEVICES lets be seen, and, where there are none, why."""
    try:
        gpus = list_gpus()
    except NvmlError as error:
        return (), str(error)
    hidden = f" that {VISIBLE}={os.environ[VISIBLE]} lets be seen" if VISIBLE in os.environ else ""
    return gpus, "" if gpus else f"NVML shows no GPU{hidden}"


def cpu_name() -> str:
    """The processor's name as the system names it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

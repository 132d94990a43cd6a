"""What this machine has to run on, found without importing torch, so that planning stays quick."""

from __future__ import annotations

import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ConfigError


@dataclass(frozen=True)
class Gpu:
    """One CUDA device as `CUDA_VISIBLE_DEVICES` names it; memory in bytes."""

    index: str
    name: str
    memory: int


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

    gpus = cuda_gpus() if device != "cpu" else ()
    if device == "cuda" and not gpus:
        raise ConfigError(
            "device: cuda asked for, but nvidia-smi shows no GPU: use device: cpu or auto, or see "
            "`harness doctor`"
        )
    return Machine(
        device="cuda" if gpus else "cpu",
        gpus=gpus,
        memory=int(psutil.virtual_memory().total),
        cpu=cpu_name(),
        cores=psutil.cpu_count(logical=False) or 1,
    )


def cuda_gpus() -> tuple[Gpu, ...]:
    """The GPUs that nvidia-smi shows, as far as CUDA_VISIBLE_DEVICES lets them be seen."""
    import os

    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    query = [tool, "--query-gpu=index,uuid,name,memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    found = [
        [part.strip() for part in line.split(",")]
        for line in done.stdout.splitlines()
        if line.count(",") == 3
    ]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        wanted = [part.strip() for part in visible.split(",") if part.strip()]
        rank = {name: place for place, name in enumerate(wanted)}
        found = sorted(
            (row for row in found if row[0] in rank or row[1] in rank),
            key=lambda row: rank.get(row[0], rank.get(row[1], 0)),
        )
    return tuple(Gpu(index, name, int(float(memory)) * 2**20) for index, _, name, memory in found)


def cpu_name() -> str:
    """The processor's name as the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

"""GPUs: what the driver shows and what torch can use of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.doctor.findings import Check
from harness.gpus import Gpu, NvmlError, driver_version, list_gpus
from harness.wording import gibibytes


@dataclass(frozen=True)
class DriverFacts:
    """What NVML says: the driver's version, the visible GPUs, or why it says nothing."""

    version: str | None
    gpus: Sequence[Gpu] = ()
    failure: str | None = None


def probe_driver() -> DriverFacts:
    """NVML's view of this machine."""
    try:
        return DriverFacts(driver_version(), list_gpus())
    except NvmlError as error:
        return DriverFacts(driver_version(), failure=str(error))


def check_cuda(facts: Mapping[str, Any], driver: DriverFacts) -> Check:
    """GPUs as torch sees them (``facts``), or why it sees none."""
    if facts.get("cuda"):
        return _usable(facts, driver)
    if driver.version is None:
        advice = "small models run on the CPU; models over 2B parameters want a GPU"
        return Check("CUDA", "ok", "no NVIDIA GPU found", advice)

    text = f"driver {driver.version}, but"
    if "error" in facts:
        return Check("CUDA", "warn", f"{text} torch cannot be asked", "mend torch first")
    if not facts.get("built"):
        advice = "install a CUDA build of torch (pytorch.org)"
        return Check("CUDA", "warn", f"{text} this torch is built for the CPU", advice)
    advice = "update the driver, or install a torch for an older CUDA; see CUDA_VISIBLE_DEVICES"
    return Check("CUDA", "warn", f"{text} torch (CUDA {facts['built']}) sees no device", advice)


def _usable(facts: Mapping[str, Any], driver: DriverFacts) -> Check:
    names = ", ".join(f"{name} ({gibibytes(memory)})" for name, memory in facts["devices"])
    if not driver.gpus:
        # Planning counts NVML's GPUs, so it would take this machine for one without.
        reason = driver.failure or "it lists none"
        advice = "planning and energy count no GPU until NVML works: does nvidia-smi list it?"
        return Check("CUDA", "warn", f"torch sees {names}, but NVML shows no GPU ({reason})", advice)
    bf16 = "bf16" if facts.get("cuda_bf16") else "no bf16: use dtype: float16"
    text = f"{names}; driver {driver.version or 'unknown'}, CUDA {facts.get('built')}, {bf16}"
    return Check("CUDA", "ok", text)

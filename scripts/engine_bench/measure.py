"""Clocks and memory of this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_STATUS = Path("/proc/self/status")


def _kilobytes(field: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(field + ":"))
    return int(line.split()[1])


def resident_mb() -> float:
    """Resident memory now, in MB (10^6 bytes)."""
    return _kilobytes("VmRSS") * 1024 / 1e6


def measured(work: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """(what the work returns, seconds, processor seconds and peak resident memory in MB).

    Linux: the kernel's own peak, reset before.
    """
    Path("/proc/self/clear_refs").write_text("5")  # proc(5): resets the peak resident set size
    wall, cpu = time.perf_counter(), time.process_time()
    value = work()
    seconds = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    return value, seconds | {"peak_mb": _kilobytes("VmHWM") * 1024 / 1e6}

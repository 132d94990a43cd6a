"""The interpreter, the packages and torch, as the doctor sees them.

torch is asked in a process of its own: a broken CUDA installation may hang or crash whoever imports
it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from harness.doctor.findings import Check, in_range

RANGES = {
    "torch": ">=2.11,<2.14",
    "transformers": ">=5.16.1,<5.20",
    "lm-eval": "==0.4.13",
    "datasets": ">=4.0",
    "accelerate": ">=1.10",
    "pydantic": ">=2.10",
}
"""Supported versions, as in pyproject.toml (a test compares them)."""
PROBE = """
import json, torch
cuda = torch.cuda.is_available()
cpu = getattr(torch.backends.cpu, "get_cpu_capability", lambda: "")()
names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
fast = [name for name in names if getattr(torch.cpu, name, bool)()]
devices = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())] if cuda else []
print(json.dumps({
    "version": torch.__version__, "threads": torch.get_num_threads(), "cpu": cpu, "cpu_bf16": bool(fast),
    "built": torch.version.cuda, "cuda": cuda, "devices": [[d.name, d.total_memory] for d in devices],
    "cuda_bf16": cuda and torch.cuda.is_bf16_supported(),
}))
"""


def check_python() -> Check:
    """The interpreter; one older than 3.11 does not get this far."""
    return Check("Python", "ok", f"{sys.version.split()[0]} ({sys.executable})")


def check_packages() -> list[Check]:
    """Installed versions against the supported ranges, without importing anything."""
    return [check_package(name, wanted) for name, wanted in RANGES.items() if name != "torch"]


def check_package(name: str, wanted: str) -> Check:
    """One package against its range."""
    own = installed(name)
    if own is None:
        return Check(name, "bad", "not installed", f"`pip install '{name}{wanted}'`")
    if not in_range(own, wanted):
        return Check(name, "warn", own, f"tested with {wanted}: `pip install '{name}{wanted}'`")
    return Check(name, "ok", own)


def installed(name: str) -> str | None:
    """A distribution's version, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def run_probe(code: str, timeout: float) -> tuple[str, str | None]:
    """(standard output, None) of Python code in a process of its own, or ("", why it failed)."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        return "", f"importing it took more than {timeout:.0f} s"
    except OSError as error:
        return "", str(error)

    # The last line of a traceback says what went wrong; the rest is other people's code.
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    if done.returncode != 0:
        return "", lines[-1][:300] if lines else f"importing it ended with code {done.returncode}"
    return done.stdout, None


def probe_torch(timeout: float = 120) -> dict[str, Any]:
    """What torch says of itself and its devices, or ``{"error": one line}``."""
    output, failure = run_probe(PROBE, timeout)
    if failure is not None:
        return {"error": failure}
    facts: dict[str, Any] = json.loads(output.splitlines()[-1])
    return facts


def check_torch(facts: Mapping[str, Any]) -> list[Check]:
    """torch, and what the CPU is good for."""
    if "error" in facts:
        advice = f"`pip install 'torch{RANGES['torch']}'`"
        return [Check("torch", "bad", f"cannot be used: {facts['error']}", advice)]

    inside = in_range(facts["version"], RANGES["torch"])
    hint = "" if inside else f"tested with {RANGES['torch']}"
    torch = Check("torch", "ok" if inside else "warn", facts["version"], hint)

    # Without bf16 units torch converts each number to float32 and back, which costs more than the
    # halved memory gains.
    bf16 = "bf16 in hardware" if facts["cpu_bf16"] else "bf16 emulated"
    slow = not facts["cpu_bf16"] and not facts["cuda"]
    hint = "keep dtype: float32 on this CPU; bf16 is slower here" if slow else ""
    text = f"{facts['threads']} threads, {facts['cpu'] or 'capability unknown'}, {bf16}"
    return [torch, Check("CPU", "ok", text, hint)]

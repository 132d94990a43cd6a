"""`harness doctor` on vLLM: whether ``engine: vllm`` and ``engine: auto`` can use it here, and what
to do if not.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from harness.doctor.findings import Check, in_range

RANGE = ">=0.26,<0.33"
"""Tested versions, as the extra ``vllm`` in pyproject.toml says (a test compares them)."""
PROBE = """
import inspect, vllm
from harness.engines.vllm.abilities import find_abilities
params = vllm.SamplingParams
fields = getattr(params, "__struct_fields__", None) or inspect.signature(params).parameters
find_abilities(fields, set(inspect.signature(vllm.RequestOutput.__init__).parameters), False, None, vllm.__version__)
"""


def probe_vllm(timeout: float = 120) -> str | None:
    """Why the installed vLLM cannot be used, in one line, or None.

    Asked in a process of its own, which a broken one may crash.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        return f"importing it took more than {timeout:.0f} s"
    except OSError as error:
        return str(error)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return (
        None
        if done.returncode == 0
        else (lines[-1][:300] if lines else f"importing it ended with code {done.returncode}")
    )


def check_vllm(found: Mapping[str, Any], probe: Callable[[], str | None] = probe_vllm) -> Check:
    """vLLM is optional; ``found`` is what torch said of itself. Its build must fit the device."""
    from harness.engines.vllm.package import find_package
    from harness.engines.vllm.preflight import INSTALL

    package = find_package()
    cuda = bool(found.get("cuda"))
    if package is None:
        advice = (
            "only for engine: vllm: pip install 'open-weight-harness[vllm]'"
            if cuda
            else "only for engine: vllm"
        )
        return Check("vLLM", "ok", "not installed", advice)
    text = f"{package.version}, built for {package.built_for}"
    broken = probe()
    if broken is not None:
        return Check(
            "vLLM",
            "warn",
            f"{text}, cannot be used: {broken}",
            "install it anew, or say engine: transformers",
        )
    if package.built_for == "cuda" and not cuda:
        return Check(
            "vLLM",
            "warn",
            f"{text}, but torch sees no GPU",
            "engine: auto takes transformers; for the CPU build see docs/vllm.md",
        )
    if package.built_for == "cpu" and cuda:
        return Check("vLLM", "warn", f"{text}: it cannot use this machine's GPU", INSTALL)
    if not in_range(package.version, RANGE):
        return Check("vLLM", "warn", text, f"tested with {RANGE}")
    return Check("vLLM", "ok", text)

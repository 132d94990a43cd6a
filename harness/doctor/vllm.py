"""`harness doctor` on vLLM: whether ``engine: vllm`` and ``engine: auto`` can use it here, and what
to do if not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.doctor.findings import Check, in_range
from harness.doctor.software import run_probe

RANGE = ">=0.26,<0.33"
"""Tested versions, as the extra ``vllm`` in pyproject.toml says (a test compares them)."""
PROBE = """
import inspect, vllm
from harness.engines.vllm.abilities import find_abilities
params = vllm.SamplingParams
fields = getattr(params, "__struct_fields__", None) or inspect.signature(params).parameters
outputs = set(inspect.signature(vllm.RequestOutput.__init__).parameters)
find_abilities(fields, outputs, False, None, vllm.__version__)
"""


def probe_vllm(timeout: float = 120) -> str | None:
    """Why the installed vLLM cannot be used, in one line, or None.

    Asked in a process of its own, which a broken one may crash.
    """
    return run_probe(PROBE, timeout)[1]


def check_vllm(facts: Mapping[str, Any], probe: Callable[[], str | None] = probe_vllm) -> Check:
    """vLLM is optional; ``facts`` are what torch says of itself. Its build must fit the device."""
    from harness.engines.vllm.package import find_package
    from harness.engines.vllm.preflight import INSTALL

    package = find_package()
    cuda = bool(facts.get("cuda"))
    if package is None:
        install = ": `pip install 'open-weight-harness[vllm]'`" if cuda else ""
        return Check("vLLM", "ok", "not installed", f"only for engine: vllm{install}")

    # A build that cannot be imported is the first thing to mend, whatever device it is for.
    text = f"{package.version}, built for {package.built_for}"
    failure = probe()
    if failure is not None:
        advice = "install it anew, or say engine: transformers"
        return Check("vLLM", "warn", f"{text}, cannot be used: {failure}", advice)

    if package.built_for == "cuda" and not cuda:
        advice = "engine: auto takes transformers; for the CPU build see docs/vllm.md"
        return Check("vLLM", "warn", f"{text}, but torch sees no GPU", advice)
    if package.built_for == "cpu" and cuda:
        return Check("vLLM", "warn", f"{text}: it cannot use this machine's GPU", INSTALL)
    if not in_range(package.version, RANGE):
        return Check("vLLM", "warn", text, f"tested with {RANGE}")
    return Check("vLLM", "ok", text)

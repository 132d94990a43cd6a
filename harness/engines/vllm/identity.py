"""What this engine will be, before a model is loaded.

That is: versions, device, number format, and the arguments that may change an answer.
"""

from __future__ import annotations

from typing import Any

from harness.config.schema import ModelSpec
from harness.engines.files import ModelFiles
from harness.engines.transformers import identity as plain
from harness.engines.vllm.options import identity_of
from harness.engines.vllm.preflight import need_package


def versions(label: str) -> dict[str, str]:
    """The versions that a result may depend on."""
    package = need_package(label)
    return {"vllm": package.version, **plain.versions()}


def vllm_identity(spec: ModelSpec, device: str, files: ModelFiles | None) -> dict[str, Any]:
    """The engine's part of a cell's identity. Raises ModelError where there is no vLLM."""
    resolved = plain.resolve_device(device)
    return {
        "engine": "vllm",
        "versions": versions(spec.label),
        "device": plain.device_kind(resolved),
        "dtype": plain.resolve_dtype(spec, resolved, files),
        "arguments": identity_of(spec),
    }

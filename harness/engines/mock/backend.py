"""The mock engine, registered: no model, no files, answers made from a hash."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from harness.config.schema import ModelSpec, Speed
from harness.engines.backend import Backend
from harness.engines.files import ModelFiles
from harness.engines.options import EngineOptions
from harness.engines.protocol import Engine

_AFTER = "after so many items of this engine's life"


class MockOptions(EngineOptions):
    """What the mock answers, and how it fails when a test wants to see what is done about it."""

    not_in_identity: ClassVar[frozenset[str]] = frozenset(
        {"delay", "fail_after", "oom_after", "crash_after", "not_finite", "trace"}
    )

    answer: str | None = Field(None, description="Text of every generation. Default: words by a hash.")
    delay: float = Field(0.0, ge=0, allow_inf_nan=False, description="Seconds that each item takes.")
    fail_after: int | None = Field(None, ge=0, description=f"Raise ModelError {_AFTER}.")
    oom_after: int | None = Field(None, ge=0, description=f"Raise OutOfMemoryError {_AFTER}.")
    crash_after: int | None = Field(None, ge=0, description=f"End the process {_AFTER}.")
    not_finite: int | None = Field(None, ge=1, description="Every so-manieth answer is no finite number.")
    trace: str | None = Field(
        None, description="File that gets one line per item asked, so that a test sees what was asked twice."
    )


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

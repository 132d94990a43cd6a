"""What ``engine_args`` may say to the mock engine."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from harness.engines.options import EngineOptions

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

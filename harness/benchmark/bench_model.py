"""A model while it is measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.benchmark.shapes import Shape
from harness.config.schema import ModelSpec
from harness.workers.conversation import Conversation


@dataclass
class BenchModel:
    """A model on its way: the talk with its worker, who it says it is, why it failed."""

    spec: ModelSpec
    talk: Conversation | None = None
    who: dict[str, Any] = field(default_factory=dict)
    loaded: bool = False
    failed: str | None = None
    gpus: int = 0
    waves: dict[Shape, int] = field(default_factory=dict)

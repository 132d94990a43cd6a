"""What ``engine_args`` may say to the transformers engine."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from harness.engines.options import EngineOptions
from harness.engines.transformers.identity import DEFAULT_ATTENTION


class TransformersOptions(EngineOptions):
    """Batches, attention, and what is taken from the checkpoint."""

    not_in_identity: ClassVar[frozenset[str]] = frozenset({"batch_tokens", "batch_rows", "shared_prefixes"})

    batch_tokens: int | None = Field(
        None, ge=1, description="Padded tokens per forward pass. Default: 1024 on a CPU, 16384 on CUDA."
    )
    batch_rows: int | None = Field(
        None, ge=1, description="Answers generated together. Default: 128 on a CPU, 256 on CUDA."
    )
    attention: str = Field(
        DEFAULT_ATTENTION,
        min_length=1,
        description="transformers' attention: auto, eager, sdpa, flash_attention_2 …",
    )
    generation_defaults: bool = Field(
        True, description="Apply the checkpoint's repetition penalty where an item has none."
    )
    shared_prefixes: bool = Field(
        True, description="Compute what prompts share once; false computes every prompt whole, for measuring."
    )

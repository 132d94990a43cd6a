"""Rows that only want a next token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from harness.engines.transformers.sampling import BatchSampler
from harness.items import Sampling


@dataclass
class Row:
    """A text of one token so far."""

    sampling: Sampling
    generator: torch.Generator | None
    prompt: list[int] = field(default_factory=lambda: [0])
    written: list[int] = field(default_factory=list)


def choose(
    logits: Tensor, settings: Sequence[Sampling], generators: Sequence[torch.Generator | None]
) -> Tensor:
    """The next token of each row."""
    rows = [Row(sampling, generator) for sampling, generator in zip(settings, generators, strict=True)]
    return BatchSampler().choose(rows, logits)

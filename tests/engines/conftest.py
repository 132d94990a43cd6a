"""Real models of the mirror, one engine and one lm-eval model each, loaded once.

Where the mirror is absent, their tests are skipped with a reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from support.mirror import models_or_skip

from harness.config.schema import ModelSpec
from harness.engines import ModelFiles, open_engine, resolve_model

# Tiny models gain nothing from a second thread, and two threads on busy cores wait for each other
# at every operation.
torch.set_num_threads(1)

QWEN = "Qwen/Qwen2.5-0.5B-Instruct"
STORIES = "karpathy/stories260K"


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The mirror's folder, or a skip."""
    return models_or_skip()


@dataclass
class Opened:
    """One model twice: our engine, and lm-eval's HFLM on the very same weights."""

    spec: ModelSpec
    files: ModelFiles
    engine: Any
    hflm: Any


def both(spec: ModelSpec, mirror: Path, batch_size: int = 1, **options: Any) -> Opened:
    """Opens a model in fp32 on the CPU and wraps the same module in lm-eval's class."""
    from lm_eval.models.huggingface import HFLM

    files = resolve_model(spec, mirror)
    engine: Any = open_engine(spec, files, "cpu")
    hflm = HFLM(
        pretrained=engine._model,
        tokenizer=str(files.tokenizer),
        batch_size=batch_size,
        max_length=spec.max_length,
        **options,
    )
    return Opened(spec, files, engine, hflm)


@pytest.fixture(scope="session")
def stories(mirror: Path) -> Iterator[Opened]:
    """Real trained weights, window 512."""
    opened = both(ModelSpec(id=STORIES, dtype="float32"), mirror)
    yield opened
    opened.engine.close()


@pytest.fixture(scope="session")
def qwen(mirror: Path) -> Iterator[Opened]:
    """Random weights of Qwen2.5-0.5B's shape cut to two layers.

    With the real vocabulary of 151,936, and a window of 256.
    """
    spec = ModelSpec(
        id=QWEN,
        weights="random",
        dtype="float32",
        max_length=256,
        config_overrides={
            "num_hidden_layers": 2,
            "hidden_size": 128,
            "intermediate_size": 256,
            "num_attention_heads": 4,
        },
    )
    opened = both(spec, mirror, batch_size=4)
    yield opened
    opened.engine.close()

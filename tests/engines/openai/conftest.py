"""Two packaged models, loaded once: the one that servers answer with, and that answers are held
against.
"""

from __future__ import annotations

import pytest
import torch
from support.endpoint import load

from harness.engines.transformers.engine import TransformersEngine

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def qwen() -> TransformersEngine:
    """Plain text, window 4096."""
    return load()


@pytest.fixture(scope="session")
def distill() -> TransformersEngine:
    """Has a chat template and thinks aloud."""
    return load("tiny-deepseek-distill")

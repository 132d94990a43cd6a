"""Real vLLM on real models: skipped, with the reason, where the package is not installed (``make
test-vllm`` installs its CPU build).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.mirror import models_or_skip

from harness.config.schema import ModelSpec
from harness.engines import open_engine, resolve_model
from harness.engines.vllm.package import find_package

SHAPES = {"Qwen/Qwen2.5-0.5B-Instruct": 2, "meta-llama/Llama-3.2-1B-Instruct": 1}
"""Random-weight shapes with their real tokenizers, and the layers they are cut to."""
CACHE = 1 << 29
"""Bytes of cache: enough for a window of the models used here."""


@pytest.fixture(scope="session", autouse=True)
def vllm_package() -> Any:
    """The installed vLLM, or a skip."""
    package = find_package()
    if package is None:
        pytest.skip("vLLM is not installed here; make test-vllm runs these tests")
    return package


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The mirror's folder, or a skip."""
    return models_or_skip()


@dataclass
class Both:
    """One model behind both engines; ``close`` ends both."""

    plain: Any
    vllm: Any

    def close(self) -> None:
        """Frees both."""
        self.plain.close()
        self.vllm.close()


def both(
    model: str | Path, dtype: str = "float32", arguments: dict[str, Any] | None = None, **more: Any
) -> Both:
    """Opens a model with the transformers engine and with vLLM, on the CPU."""
    plain = ModelSpec.model_validate({"id": str(model), "dtype": dtype, "engine": "transformers", **more})
    small = {
        "kv_cache_memory_bytes": CACHE,
        "max_num_batched_tokens": 1024,
        "max_num_seqs": 32,
        **(arguments or {}),
    }
    vllm = ModelSpec.model_validate(
        {"id": str(model), "dtype": dtype, "engine": "vllm", "engine_args": small, **more}
    )
    return Both(open_engine(plain, device="cpu"), open_engine(vllm, device="cpu"))


def write_shape(name: str, layers: int, mirror: Path, folder: Path) -> Path:
    """The architecture of a model of the mirror, cut to a few layers, with seeded weights and the
    real tokenizer, as files.
    """
    import shutil

    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    source = mirror / "models" / name
    config = AutoConfig.from_pretrained(source)
    config.num_hidden_layers = layers
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:layers]
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(folder)
    for file in source.iterdir():
        if file.name != "config.json":
            shutil.copyfile(file, folder / file.name)
    return folder


@pytest.fixture(scope="module", params=["bundled/tiny-qwen", "bundled/tiny-llama"])
def tiny(request: pytest.FixtureRequest) -> Iterator[Both]:
    """A bundled model (real weights, heads of 32) behind both engines."""
    opened = both(request.param)
    yield opened
    opened.close()


@pytest.fixture(scope="module", params=SHAPES)
def shape(
    request: pytest.FixtureRequest, mirror: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Both]:
    """A real architecture and tokenizer with random weights behind both engines, window 512."""
    folder = write_shape(request.param, SHAPES[request.param], mirror, tmp_path_factory.mktemp("shape"))
    opened = both(folder, max_length=512)
    yield opened
    opened.close()


__all__ = ["Both", "both", "resolve_model", "write_shape"]

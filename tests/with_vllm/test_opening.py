"""What is refused, and how: before anything is loaded, in one line, with what to do."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.config.schema import ModelSpec
from harness.engines import engine_identity, open_engine, resolve_model
from harness.errors import ModelError
from harness.items import Completion

TINY = "bundled/tiny-qwen"


def refused(model: str, device: str = "cpu", mirror: Path | None = None, **more: Any) -> str:
    with pytest.raises(ModelError) as caught:
        open_engine(ModelSpec(id=model, engine="vllm", **more), device=device, mirror=mirror)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 500
    return line


def test_a_head_without_a_kernel(mirror: Path) -> None:
    begun = time.monotonic()
    line = refused("karpathy/stories260K", mirror=mirror)
    assert "head dimension of 8" in line
    assert "engine: transformers" in line
    assert time.monotonic() - begun < 10, "refused before vLLM is loaded"


def test_an_architecture_without_an_implementation(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(resolve_model(ModelSpec(id=TINY)).path, tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"architectures": ["StrangeForCausalLM"]}))
    assert "no implementation of StrangeForCausalLM" in refused(str(tmp_path / "model"))


def test_a_misspelt_argument() -> None:
    assert "gpu_memory_utilization" in refused(TINY, engine_args={"gpu_memory_utilisation": 0.5})
    assert "say max_length" in refused(TINY, engine_args={"max_model_len": 100})


def test_a_wrong_value() -> None:
    assert "cannot load it" in refused(TINY, engine_args={"kv_cache_dtype": "nonsense"})


def test_too_little_memory(mirror: Path) -> None:
    line = refused("Qwen/Qwen3-8B", mirror=mirror, weights="random", max_length=40000, dtype="float32")
    assert "too little memory" in line
    assert "max_length" in line


def test_auto_takes_transformers_on_the_cpu_build() -> None:
    files = resolve_model(ModelSpec(id=TINY))
    engine = open_engine(ModelSpec(id=TINY), files, "cpu")
    assert engine.info.engine == "transformers"
    assert "CPU build" in engine.info.extra["chosen"]
    assert engine_identity(ModelSpec(id=TINY), "cpu", files)["engine"] == "transformers"
    engine.close()


def test_arguments_environment_and_random_weights(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARNESS_TEST_MARK", raising=False)
    overrides = {
        "num_hidden_layers": 1,
        "hidden_size": 128,
        "num_attention_heads": 4,
        "intermediate_size": 64,
    }
    arguments = {
        "max_num_seqs": 3,
        "block_size": 64,
        "env": {"HARNESS_TEST_MARK": "set"},
        "kv_cache_memory_bytes": 1 << 28,
    }
    spec = ModelSpec(
        id="Qwen/Qwen2.5-0.5B-Instruct",
        engine="vllm",
        weights="random",
        config_overrides=overrides,
        engine_args=arguments,
        max_length=300,
    )
    engine: Any = open_engine(spec, device="cpu", mirror=mirror)
    import os

    assert os.environ["HARNESS_TEST_MARK"] == "set"
    assert engine._loaded.config.scheduler_config.max_num_seqs == 3
    assert engine.info.extra["prefix_cache"]["block"] == 64
    assert engine.info.context_length == 300
    assert len(list(engine.generate([Completion(str(n), "北京", max_tokens=3) for n in range(7)]))) == 7
    engine.close()
    with pytest.raises(RuntimeError, match="closed"):
        list(engine.generate([Completion("x", "y")]))


def test_lora(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    config = {
        "peft_type": "LORA",
        "r": 4,
        "lora_alpha": 64,
        "target_modules": ["q_proj"],
        "bias": "none",
        "task_type": "CAUSAL_LM",
    }
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    torch.manual_seed(0)
    layers = [f"base_model.model.model.layers.{layer}.self_attn.q_proj" for layer in range(4)]
    parts = {
        f"{name}.lora_{half}.weight": torch.randn(size)
        for name in layers
        for half, size in (("A", (4, 128)), ("B", (128, 4)))
    }
    save_file(parts, tmp_path / "adapter_model.safetensors")
    texts = []
    for arguments in ({}, {"lora": str(tmp_path)}):
        engine = open_engine(ModelSpec(id=TINY, engine="vllm", engine_args=arguments), device="cpu")
        texts.append(
            [answer.text for answer in engine.generate([Completion("x", "the cat sat on", max_tokens=30)])]
        )
        engine.close()
    assert texts[0] != texts[1]
    assert "no adapter_config.json" in refused(TINY, engine_args={"lora": str(tmp_path / "nowhere")})


def test_memory_comes_back() -> None:
    sizes = []
    for _ in range(3):
        engine = open_engine(
            ModelSpec(id=TINY, engine="vllm", engine_args={"kv_cache_memory_bytes": 1 << 29}), device="cpu"
        )
        list(engine.generate([Completion("x", "y", max_tokens=2)]))
        engine.close()
        sizes.append(psutil.Process().memory_info().rss)
    assert sizes[-1] - sizes[0] < 1 << 28, "half a GiB of cache a round would show"

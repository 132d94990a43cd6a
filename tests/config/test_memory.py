from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.config import dtype_bytes, find_preset, known_architecture, memory_fit
from harness.config.architecture import Architecture
from harness.config.schema import ModelSpec
from harness.errors import ModelError


def arch(name: str) -> Architecture:
    found = find_preset(name).arch
    assert found is not None
    return found


def test_weights_and_cache_of_a_dense_model() -> None:
    llama = arch("llama-3.1-8b")
    # the size of its four safetensors files, headers aside
    assert llama.weight_bytes(2) == 16_060_522_496
    assert llama.kv_bytes_per_token(2) == 2 * 32 * 8 * 128 * 2 == 131_072
    fit = memory_fit(llama, 2, context=4096, batch=8)
    assert fit.kv_bytes == 8 * 4096 * 131_072
    assert fit.total == fit.weights_bytes + fit.kv_bytes + fit.activation_bytes
    one = memory_fit(llama, 2, context=4096, batch=1)
    assert fit.activation_bytes == 8 * one.activation_bytes > 0


def test_experts_in_mxfp4_keep_their_size() -> None:
    model = arch("gpt-oss-20b")
    assert model.active_parameters < model.parameters / 4
    # 12.8 GiB, as its model card says
    assert round(model.weight_bytes(2, checkpoint=True) / 1e9, 1) == 13.8
    assert model.weight_bytes(2) == 2 * model.parameters


def test_a_sliding_layer_keeps_its_window_only() -> None:
    model = arch("gemma-2-9b")
    assert (model.sliding_window, model.sliding_layers, model.num_hidden_layers) == (4096, 21, 42)
    assert model.kv_bytes(4096) == 4096 * model.kv_bytes_per_token()
    assert model.kv_bytes(8192) == 4096 * model.kv_bytes_per_token() * 3 // 2
    assert (arch("gemma-3-1b").sliding_layers, arch("gpt-oss-20b").sliding_layers) == (22, 12)


def test_latent_attention_caches_little_where_the_engine_can() -> None:
    model = arch("deepseek-v2-lite")
    assert model.kv_bytes_per_token(2, latent=True) == 27 * (512 + 64) * 2
    assert model.kv_bytes_per_token(2) == 27 * 16 * (128 + 64 + 128) * 2


def test_auto_dtype_is_the_checkpoints_on_cuda_and_float32_on_the_cpu() -> None:
    model = arch("llama-2-7b")
    assert [
        dtype_bytes("auto", model, "cuda"),
        dtype_bytes("auto", model, "cpu"),
        dtype_bytes("bfloat16", model, "cpu"),
    ] == [2, 4, 2]


def test_overrides_change_what_is_known() -> None:
    full = arch("qwen2.5-0.5b")
    cut = known_architecture(
        ModelSpec(
            id="Qwen/Qwen2.5-0.5B",
            weights="random",
            config_overrides={"num_hidden_layers": 4, "rope_theta": 1},
        )
    )
    assert cut is not None
    embeddings = full.vocab_size * full.hidden_size + full.hidden_size
    assert (cut.parameters - embeddings) * 6 == full.parameters - embeddings
    assert known_architecture(ModelSpec(id="nobody/knows")) is None
    with pytest.raises(ModelError, match="config_overrides"):
        known_architecture(
            ModelSpec(id="Qwen/Qwen2.5-0.5B", weights="random", config_overrides={"num_hidden_layers": -4})
        )


def test_a_folder_is_read_and_a_broken_one_is_named(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"model_type": "rwkv"}))
    assert known_architecture(ModelSpec(id=str(tmp_path))) is None
    config.write_text("{")
    with pytest.raises(ModelError, match="cannot be read as JSON"):
        known_architecture(ModelSpec(id=str(tmp_path)))
    config.write_text(json.dumps({"model_type": "llama", "num_attention_heads": "two", "hidden_size": 4}))
    with pytest.raises(ModelError, match=r"config\.json has a number that makes no sense"):
        known_architecture(ModelSpec(id=str(tmp_path)))

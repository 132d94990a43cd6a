"""Presets: complete, unique, and every figure of them checked: by the published totals, by transformers, by real config.json files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness.config import bundled_model_dir, find_preset, known_architecture, presets
from harness.config.architecture import Architecture, architecture_of
from harness.config.schema import ModelSpec
from harness.errors import ConfigError, ModelError

MIRROR = Path(os.environ.get("HARNESS_MIRROR") or Path(__file__).resolve().parents[2] / "../shared/mirror").resolve()
CONFIGS = sorted((MIRROR / "models").glob("*/*/config.json"))
WITH_ARCH = [preset for preset in presets().values() if preset.arch and not preset.id.startswith("bundled/")]
needs_mirror = pytest.mark.skipif(not CONFIGS, reason=f"no mirror with models at {MIRROR}")


def test_every_preset_says_who_made_it_and_where_its_figures_come_from():
    for preset in presets().values():
        assert preset.maker
        assert preset.licence
        assert preset.source
        assert preset.name == preset.name.lower()
        assert preset.chat_template == preset.instruct
        assert bool(preset.think_tags) == bool(preset.thinking)
        assert preset.base_model or not preset.instruct or preset.family in {"tiny", "Phi", "gpt-oss", "Command R", "GLM-4", "Qwen3"}
        if not preset.id.startswith("bundled/"):
            assert preset.released is not None
            assert preset.source == f"https://huggingface.co/{preset.id}"
            assert preset.country in {"CN", "US", "FR", "CA"}


def test_hub_ids_are_unique_and_found_by_name_or_id():
    assert len({preset.id.lower() for preset in presets().values()}) == len(presets())
    assert find_preset("Qwen/Qwen3-8B") is find_preset("qwen3-8b") is find_preset("QWEN3-8B")


def test_families_that_the_articles_name_are_there():
    assert {"Qwen2.5", "Qwen3", "Llama", "DeepSeek-R1-Distill", "Yi-1.5", "GLM-4", "gpt-oss", "ERNIE-4.5", "Seed-OSS", "Mistral"} <= {
        preset.family for preset in presets().values()
    }


def test_an_unknown_preset_is_named_with_the_nearest():
    with pytest.raises(ConfigError, match=r"unknown preset 'lama-3.1-8b'; did you mean 'llama-3.1-8b'"):
        find_preset("lama-3.1-8b")


def test_bundled_models_are_resolved_to_their_folder():
    preset = find_preset("tiny-qwen")
    assert preset.folder == bundled_model_dir("tiny-qwen") == bundled_model_dir("bundled/tiny-qwen")
    if (bundled_model_dir("tiny-qwen") / "config.json").is_file():
        assert preset.arch is not None
        assert preset.parameters == preset.arch.parameters


@pytest.mark.parametrize("preset", WITH_ARCH, ids=lambda preset: preset.name)
def test_formula_gives_the_published_parameter_count(preset):
    assert preset.arch.parameters == preset.parameters


@needs_mirror
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.parent.name)
def test_presets_equal_real_configs_field_by_field(path: Path):
    config = json.loads(path.read_text(encoding="utf-8"))
    real = architecture_of(config)
    model_id = f"{path.parent.parent.name}/{path.parent.name}"
    if model_id == "karpathy/stories260K":
        assert real.parameters == 260_032
        return
    preset = find_preset(model_id)
    assert preset.arch == real
    assert known_architecture(ModelSpec(id=model_id), str(MIRROR)) == real
    assert known_architecture(ModelSpec(id=str(path.parent))) == real


def transformers_arguments(arch: Architecture) -> dict[str, Any]:
    """The arguments of the architecture's transformers config class."""
    kind = arch.model_type
    given = arch.model_dump(
        include={"num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads", "vocab_size"}
        | {"tie_word_embeddings", "max_position_embeddings"}
    )
    if kind in {"llama", "glm", "glm4", "seed_oss"}:
        given["attention_bias"] = arch.attention_bias
    if kind == "seed_oss":
        given["attention_out_bias"] = arch.attention_out_bias
    if kind == "cohere":
        given["use_qk_norm"] = arch.qk_norm
    if arch.num_experts:
        given["num_experts_per_tok"] = arch.num_experts_per_tok
        given["num_experts" if kind == "qwen3_moe" else "n_routed_experts" if arch.kv_lora_rank else "num_local_experts"] = arch.num_experts
        given["moe_intermediate_size"] = arch.moe_intermediate_size
    if not arch.kv_lora_rank:
        return given | {"head_dim": arch.head_dim}
    given |= arch.model_dump(include={"kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"})
    shared = arch.shared_expert_size // arch.moe_intermediate_size
    return given | {"q_lora_rank": arch.q_lora_rank or None, "n_shared_experts": shared, "first_k_dense_replace": arch.dense_layers}


@pytest.mark.slow
@pytest.mark.parametrize(
    "arch", dict.fromkeys(preset.arch for preset in WITH_ARCH), ids=lambda arch: f"{arch.model_type}-{arch.parameters}"
)
def test_formula_counts_what_transformers_builds(arch: Architecture):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(arch.model_type, **transformers_arguments(arch))
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    model.tie_weights()
    corrections = sum(buffer.numel() for name, buffer in model.named_buffers() if name.endswith("e_score_correction_bias"))
    assert sum(parameter.numel() for parameter in model.parameters()) + corrections == arch.parameters


def test_architectures_without_a_formula_are_refused_by_name():
    with pytest.raises(ModelError, match="'rwkv'"):
        architecture_of({"model_type": "rwkv"})
    with pytest.raises(ModelError, match="lacks 'hidden_size'"):
        architecture_of({"model_type": "llama", "num_attention_heads": 2})

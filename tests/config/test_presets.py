"""Presets: complete, unique, and every figure of them checked: by the published totals, by
transformers, by real config.json files.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from harness.config import bundled_model_dir, find_preset, known_architecture, missing_models
from harness.config.architecture import REMOTE, Architecture
from harness.config.architecture_reading import architecture_of
from harness.config.presets import Preset, origin_country, presets, read_family
from harness.config.schema import ModelSpec
from harness.errors import ConfigError, ModelError

MIRROR = Path(
    os.environ.get("HARNESS_MIRROR") or Path(__file__).resolve().parents[2] / "../shared/mirror"
).resolve()
CONFIGS = sorted((MIRROR / "models").glob("*/*/config.json"))
WITH_ARCH = [preset for preset in presets().values() if preset.arch and not preset.id.startswith("bundled/")]
needs_mirror = pytest.mark.skipif(not CONFIGS, reason=f"no mirror with models at {MIRROR}")


NOT_TUNED_FROM_A_PRESET = {
    "tiny",
    "Phi",
    "gpt-oss",
    "Command R",
    "Aya",
    "GLM-4",
    "GLM-4.6",
    "Qwen3",
    "ChatGLM",
    "MiniCPM",
    "Mistral",
}


UNDATED = {"baichuan-7b", "baichuan-13b", "baichuan-13b-chat", "iflytekspark-13b", "iflytekspark-13b-chat"}
"""In missing_models.yaml: no source that says the day was read."""


def test_every_preset_says_who_made_it_and_where_its_figures_come_from() -> None:
    for preset in presets().values():
        assert preset.maker
        assert preset.licence
        assert preset.source
        assert preset.name == preset.name.lower()
        assert preset.chat_template == preset.instruct
        assert bool(preset.think_tags) == (preset.thinking is not None)
        assert preset.base_model or not preset.instruct or preset.family in NOT_TUNED_FROM_A_PRESET, (
            preset.name
        )
        if not preset.id.startswith("bundled/"):
            assert (
                preset.name in UNDATED
                if preset.released is None
                else str(preset.released_source).startswith("https://")
            )
            assert preset.source == f"https://huggingface.co/{preset.id}" or preset.family == "Spark"
            assert preset.country in {"CN", "US", "FR", "CA"}
            assert preset.parameters


GOOD = {
    "name": "x-1", "family": "X", "maker": "X", "country": "CN", "id": "x/x-1", "instruct": False,
    "chat_template": False, "licence": "mit", "source": "https://huggingface.co/x/x-1",
    "released": "2025-01-02", "released_source": "https://example.org/news",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": None}, "source"),
        ({"source": ""}, "source"),
        ({"released_source": None}, "a release date and released_source go together"),
        ({"released": None}, "a release date and released_source go together"),
        ({"released_source": "hearsay"}, "released_source"),
        ({"country": "China"}, "country"),
        ({"licence": None}, "licence"),
        ({"released": None, "released_source": None, "unread": True}, "unread is about a release date"),
    ],
)
def test_a_preset_without_a_source_is_refused(change: dict[str, Any], said: str) -> None:
    assert str(Preset.model_validate(GOOD).released).startswith("2025")
    with pytest.raises(ValidationError, match=said):
        Preset.model_validate({key: value for key, value in (GOOD | change).items() if value is not None})


def test_maker_and_weights_may_have_different_countries() -> None:
    distill = find_preset("deepseek-r1-distill-llama-8b")
    assert (distill.country, distill.made_from, origin_country(distill)) == (
        "CN",
        "meta-llama/Llama-3.1-8B",
        "US",
    )
    assert origin_country(find_preset("deepseek-r1-distill-qwen-7b")) == "CN"
    assert origin_country(find_preset("minicpm-llama3-v-2.5")) == "US"
    for preset in presets().values():
        assert origin_country(preset) is not None, preset.name


def test_what_is_not_there_is_listed_with_a_reason() -> None:
    gaps = missing_models()
    assert {"Llama 3-V (a Stanford team)", "iFlytekSpark-13B (iFlytek)"} <= {gap["model"] for gap in gaps}
    assert all(preset.arch for preset in presets().values())


def test_a_day_that_was_not_read_in_its_source_is_said_to_be_so() -> None:
    unread = {preset.name for preset in presets().values() if preset.unread}
    assert {"deepseek-llm-67b", "moonlight-16b-a3b", "phi-4"} <= unread
    assert not unread & {
        "deepseek-v2.5",
        "deepseek-v3",
        "deepseek-r1",
        "qwen2.5-72b-instruct",
        "yi-34b",
        "gpt-oss-120b",
    }
    listed = ", ".join(
        gap["model"] for gap in missing_models() if gap["lacks"] == "a release date that was read"
    ).split(", ")

    assert sorted(listed) == sorted(unread)


def test_models_that_only_a_formula_counts_are_as_worked_by_hand() -> None:
    """Where no published total was read: embeddings, then a layer's matrices, biases and norms,
    then the last norm.
    """
    spark = (
        60_000 * 5120
        + 40 * (4 * 5120 * 5120 + 4 * 5120 + 3 * 5120 * 14336 + 2 * 14336 + 5120 + 2 * 2 * 5120)
        + 2 * 5120
    )
    assert find_preset("iflytekspark-13b").parameters == spark == 13_312_542_720
    zhinao = 2 * 158_464 * 4096 + 32 * (4 * 4096 * 4096 + 3 * 4096 + 3 * 4096 * 11008 + 2 * 4096) + 4096

    assert find_preset("360zhinao-7b").parameters == zhinao
    second = (
        2 * 158_464 * 4096
        + 32 * (2 * 4096 * (4096 + 1024) + 4096 + 2 * 1024 + 3 * 4096 * 13056 + 2 * 4096)
        + 4096
    )
    assert find_preset("360zhinao2-7b").parameters == second


def test_hub_ids_are_unique_and_found_by_name_or_id() -> None:
    assert len({preset.id.lower() for preset in presets().values()}) == len(presets())
    assert find_preset("Qwen/Qwen3-8B") is find_preset("qwen3-8b") is find_preset("QWEN3-8B")


def test_families_that_the_articles_name_are_there() -> None:
    families = {preset.family for preset in presets().values()}
    assert {
        "Qwen2.5",
        "Qwen3",
        "Llama",
        "DeepSeek-R1-Distill",
        "Yi-1.5",
        "GLM-4",
        "gpt-oss",
        "ERNIE-4.5",
        "Seed-OSS",
        "Mistral",
    } <= families
    assert {
        "Qwen",
        "DeepSeek",
        "DeepSeek-R1",
        "Yi",
        "Kimi",
        "Moonlight",
        "ChatGLM",
        "Baichuan",
        "Hunyuan",
        "360Zhinao",
    } <= families
    assert {"Command R", "Gemma", "Phi", "MiniCPM", "Spark"} <= families


def test_an_unknown_preset_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"unknown preset 'lama-3.1-8b'; did you mean 'llama-3.1-8b'"):
        find_preset("lama-3.1-8b")


def test_bundled_models_are_resolved_to_their_folder() -> None:
    preset = find_preset("tiny-qwen")
    assert preset.folder == bundled_model_dir("tiny-qwen") == bundled_model_dir("bundled/tiny-qwen")
    if (bundled_model_dir("tiny-qwen") / "config.json").is_file():
        assert preset.arch is not None
        assert preset.parameters == preset.arch.parameters


@pytest.mark.parametrize("preset", WITH_ARCH, ids=lambda preset: preset.name)
def test_formula_gives_the_published_parameter_count(preset: Preset) -> None:
    assert preset.arch is not None
    assert preset.arch.parameters == preset.parameters


@needs_mirror
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.parent.name)
def test_presets_equal_real_configs_field_by_field(path: Path) -> None:
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


SIZES = {
    "num_hidden_layers",
    "hidden_size",
    "intermediate_size",
    "num_attention_heads",
    "num_key_value_heads",
    "vocab_size",
}
LATENT = {"kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"}
EXPERTS = {
    "qwen3_moe": "num_experts",
    "hunyuan_v1_moe": "num_experts",
    "ernie4_5_moe": "moe_num_experts",
    "glm4_moe": "n_routed_experts",
}


def transformers_arguments(arch: Architecture) -> dict[str, Any]:
    """The arguments of the architecture's transformers config class."""
    kind = arch.model_type
    numbers = arch.model_dump(include=SIZES | {"tie_word_embeddings", "max_position_embeddings"})
    if kind in {"llama", "glm", "glm4", "glm4_moe", "seed_oss"}:
        numbers["attention_bias"] = arch.attention_bias
    if kind == "seed_oss":
        numbers["attention_out_bias"] = arch.attention_out_bias
    if kind in {"cohere", "glm4_moe"}:
        numbers["use_qk_norm"] = arch.qk_norm
    if arch.num_experts:
        numbers |= expert_arguments(arch)
    if not arch.kv_lora_rank:
        return numbers | {"head_dim": arch.head_dim}
    shared = arch.shared_expert_size // arch.moe_intermediate_size
    numbers |= arch.model_dump(include=LATENT)
    return numbers | {
        "q_lora_rank": arch.q_lora_rank or None,
        "n_shared_experts": shared,
        "first_k_dense_replace": arch.dense_layers,
    }


def expert_arguments(arch: Architecture) -> dict[str, Any]:
    kind, shared = arch.model_type, arch.shared_expert_size // arch.moe_intermediate_size
    name = EXPERTS.get(kind, "n_routed_experts" if arch.kv_lora_rank else "num_local_experts")
    numbers = {
        name: arch.num_experts,
        "num_experts_per_tok": arch.num_experts_per_tok,
        "moe_intermediate_size": arch.moe_intermediate_size,
    }
    if kind == "ernie4_5_moe":
        last = arch.num_hidden_layers - 1
        numbers |= {
            "moe_k": arch.num_experts_per_tok,
            "moe_num_shared_experts": shared,
            "moe_layer_start_index": arch.dense_layers,
        }
        return numbers | {"moe_layer_end_index": last}
    if kind == "glm4_moe":
        return numbers | {"n_shared_experts": shared, "first_k_dense_replace": arch.dense_layers}
    if kind == "llama4_text":  # the class calls an expert's width intermediate_size
        step = arch.num_hidden_layers // (arch.num_hidden_layers - arch.dense_layers)
        widths = {
            "intermediate_size": arch.moe_intermediate_size,
            "intermediate_size_mlp": arch.intermediate_size,
        }
        return numbers | widths | {"interleave_moe_layer_step": step, "moe_layers": None}
    return numbers | ({"moe_topk": arch.num_experts_per_tok} if kind == "hunyuan_v1_moe" else {})


BUILT = [preset.arch for preset in WITH_ARCH if preset.arch and preset.arch.model_type not in REMOTE]


@pytest.mark.slow
@pytest.mark.parametrize(
    "arch", dict.fromkeys(BUILT), ids=lambda arch: f"{arch.model_type}-{arch.parameters}"
)
def test_formula_counts_what_transformers_builds(arch: Architecture) -> None:
    """To the unit.

    Kimi K2 is DeepSeek-V3's class under another name; what is outside the language model is tested
    below.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    kind = "deepseek_v3" if arch.model_type == "kimi_k2" else arch.model_type
    config = AutoConfig.for_model(kind, **transformers_arguments(arch))
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    model.tie_weights()
    corrections = sum(
        buffer.numel() for name, buffer in model.named_buffers() if name.endswith("e_score_correction_bias")
    )
    assert (
        sum(parameter.numel() for parameter in model.parameters()) + corrections
        == arch.parameters - arch.other_parameters
    )


@pytest.mark.slow
def test_the_vision_part_of_llama_4_is_what_transformers_builds() -> None:
    import torch
    from transformers import Llama4Config, Llama4ForConditionalGeneration

    vision = {
        "hidden_size": 1408,
        "num_attention_heads": 16,
        "image_size": 336,
        "vision_output_dim": 4096,
    }  # the hub's config.json
    config = Llama4Config(vision_config=vision)
    config.text_config.num_hidden_layers = 1
    with torch.device("meta"):
        model = Llama4ForConditionalGeneration._from_config(config)
    outside = sum(
        parameter.numel() for name, parameter in model.named_parameters() if "language_model" not in name
    )
    scout = find_preset("llama-4-scout").arch
    assert scout is not None
    assert outside == scout.other_parameters


@pytest.mark.parametrize(
    "name", sorted({preset.name for preset in WITH_ARCH if preset.arch and preset.arch.model_type in REMOTE})
)
def test_where_the_code_is_in_the_repository_the_preset_says_so(name: str) -> None:
    """No class of transformers to build: the count comes from the formula, held against the
    (rounded) sizes that the makers state.
    """
    preset = find_preset(name)
    assert preset.remote_code or preset.family == "Spark"  # nothing here loads that one
    assert preset.counted_by == "formula"
    # in billions; the others' are in their names
    stated = {"chatglm": 6.2, "minicpm": 2.7, "minicpmv": 8.5}
    assert preset.arch is not None
    assert preset.parameters is not None
    size = stated.get(preset.arch.model_type) or float(name.split("-")[1].rstrip("b"))

    # the "7B" of 360Zhinao leaves out one of its two large embeddings
    assert size * 0.98 <= preset.parameters / 1e9 <= size * (1.12 if preset.family == "360Zhinao" else 1.11)


def test_architectures_without_a_formula_are_refused_by_name() -> None:
    with pytest.raises(ModelError, match="'rwkv'"):
        architecture_of({"model_type": "rwkv"})
    with pytest.raises(ModelError, match="lacks 'hidden_size'"):
        architecture_of({"model_type": "llama", "num_attention_heads": 2})


def test_a_mistake_in_a_family_names_its_preset(tmp_path: Path) -> None:
    """One line, without the schema's own words about how it looks at values."""
    path = tmp_path / "mine.yaml"
    entries = ", ".join(f"{key}: {json.dumps(value)}" for key, value in (GOOD | {"country": "China"}).items())
    path.write_text(f"models:\n  - {{{entries}}}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.yaml: preset 'x-1': country: ") as refusal:
        read_family(path)
    assert "\n" not in str(refusal.value)
    assert "pydantic" not in str(refusal.value)

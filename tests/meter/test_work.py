"""FLOPs and bytes against values worked out by hand, and parameter counts against models on the
meta device.
"""

from __future__ import annotations

import pytest

from harness.config import architecture_of, find_preset
from harness.config.architecture import Architecture
from harness.errors import ConfigError
from harness.meter.work import (
    NumberFormat,
    attended,
    decode_step,
    distinct_experts,
    generation,
    prefill,
    weights_read,
)

QWEN25_7B = {
    "model_type": "qwen2",
    "num_hidden_layers": 28,
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "vocab_size": 152064,
    "tie_word_embeddings": False,
    "max_position_embeddings": 32768,
}
LLAMA31_8B = {
    "model_type": "llama",
    "num_hidden_layers": 32,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "tie_word_embeddings": False,
    "max_position_embeddings": 131072,
}
QWEN3_30B_A3B = {
    "model_type": "qwen3_moe",
    "num_hidden_layers": 48,
    "hidden_size": 2048,
    "intermediate_size": 6144,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "vocab_size": 151936,
    "tie_word_embeddings": False,
    "max_position_embeddings": 40960,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 768,
    "norm_topk_prob": True,
}
DEEPSEEK_V3 = {
    "model_type": "deepseek_v3",
    "num_hidden_layers": 61,
    "hidden_size": 7168,
    "intermediate_size": 18432,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "vocab_size": 129280,
    "tie_word_embeddings": False,
    "max_position_embeddings": 163840,
    "n_routed_experts": 256,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 2048,
    "n_shared_experts": 1,
    "first_k_dense_replace": 3,
    "kv_lora_rank": 512,
    "q_lora_rank": 1536,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
}
SHAPES = {
    "qwen2.5-7b": QWEN25_7B,
    "llama-3.1-8b": LLAMA31_8B,
    "qwen3-30b-a3b": QWEN3_30B_A3B,
    "deepseek-v3": DEEPSEEK_V3,
}


def shape(name: str) -> Architecture:
    return architecture_of(SHAPES[name])


@pytest.mark.parametrize("name", SHAPES)
def test_parameters_equal_the_meta_device_models_to_the_unit(name: str) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(**SHAPES[name])
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    # The correction of DeepSeek-V3's router scores is a buffer in transformers, and part of every
    # checkpoint.
    corrections = sum(
        b.numel() for key, b in model.named_buffers() if key.endswith("e_score_correction_bias")
    )
    assert corrections == (58 * 256 if name == "deepseek-v3" else 0)
    assert shape(name).parameters == sum(p.numel() for p in model.parameters()) + corrections
    # N_body is what is left of the layers' weights without vectors (norms, biases) and the experts
    # that a token is not sent to.
    layers = [(key, p) for key, p in model.named_parameters() if ".layers." in key]
    matrices = sum(p.numel() for _, p in layers if p.dim() > 1)
    arch = shape(name)
    idle = (
        arch.expert_parameters * (arch.num_experts - arch.num_experts_per_tok) // arch.num_experts
        if arch.num_experts
        else 0
    )
    assert arch.layer_matrices == matrices - idle


def test_qwen25_7b_by_hand() -> None:
    arch = shape("qwen2.5-7b")
    # a layer: queries and output 2·3584·3584 = 25,690,112; keys and values 2·3584·(4·128) =
    # 3,670,016; feed-forward 3·3584·18944 = 203,685,888; together 233,046,016; 28 of them
    # 6,525,288,448
    assert arch.layer_matrices == 6_525_288_448
    assert arch.head_matrix == 152064 * 3584 == 544_997_376
    # 1000 tokens read: 2·1000·6,525,288,448 = 13,050,576,896,000; attention 2·28·28·128·1000·1001 =
    # 200,904,704,000 (2LHd·n(n+1)); one row of logits 2·544,997,376 = 1,089,994,752
    assert (
        prefill(arch, 1000).flops
        == 13_050_576_896_000 + 200_904_704_000 + 1_089_994_752
        == 13_252_571_594_752
    )
    # the 1001st token: 2·(6,525,288,448 + 544,997,376) = 14,140,571,648, and 4·28·28·128·1001 =
    # 401,809,408
    step = decode_step(arch, [1001])
    assert step.flops == 14_140_571_648 + 401_809_408
    # weights: layers' matrices, biases 28·(3584 + 2·512) = 129,024, norms 57·3584 = 204,288, the
    # head, one embedding row of 3584; cache: 2·28·4·128·1001·2 bytes = 57,401,344
    weights = 6_525_288_448 + 129_024 + 204_288 + 544_997_376 + 3584
    assert step.bytes == 2 * weights + 57_401_344


def test_llama31_8b_by_hand() -> None:
    arch = shape("llama-3.1-8b")
    # a layer: 2·4096·4096 = 33,554,432; 2·4096·1024 = 8,388,608; 3·4096·14336 = 176,160,768;
    # together 218,103,808; 32 of them
    assert arch.layer_matrices == 6_979_321_856
    # a batch of three at contexts 10, 20 and 30: 3·2·(6,979,321,856 + 525,336,576) =
    # 45,027,950,592; 4·32·32·128·60 = 31,457,280
    step = decode_step(arch, [10, 20, 30])
    assert step.flops == 45_027_950_592 + 31_457_280
    # weights once: 8,030,261,248 parameters less the embedding table of 525,336,576, and three rows
    # of it; cache 2·32·8·128·60·2
    assert step.bytes == 2 * (8_030_261_248 - 525_336_576 + 3 * 4096) + 7_864_320
    # scoring: a context of 90 tokens cached, 10 read with 4 rows: 2·10·N_body; keys 91 + … + 100 =
    # 955, so 4·32·32·128·955; 4 rows
    scored = prefill(arch, 10, past=90, rows=4)
    assert scored.flops == 139_586_437_120 + 500_695_040 + 2 * 4 * 525_336_576
    # cache: 90 tokens read and 10 written, 131,072 bytes each
    assert scored.bytes == 2 * (8_030_261_248 - 525_336_576 + 10 * 4096) + 100 * 131_072


def test_qwen3_30b_a3b_by_hand() -> None:
    arch = shape("qwen3-30b-a3b")
    # a layer: queries and output 2·2048·4096 = 16,777,216; keys and values 2·2048·512 = 2,097,152;
    # router 2048·128 = 262,144; eight experts 8·3·2048·768 = 37,748,736; together 56,885,248; 48 of
    # them 2,730,491,904
    assert arch.layer_matrices == 2_730_491_904
    # a token: 2·(2,730,491,904 + 151936·2048 = 311,164,928) = 6,083,313,664; attention at 100:
    # 4·48·32·128·100 = 78,643,200
    assert decode_step(arch, [100]).flops == 6_083_313_664 + 78_643_200
    # one token touches 8 experts, two 128·(1 − (15/16)²) = 15.5, very many all 128
    assert [distinct_experts(arch, n) for n in (1, 2, 10_000)] == [8, 15.5, 128]
    # so two tokens read the 30,532,122,624 parameters without the embedding table (311,164,928, two
    # rows of it) and without the 112.5 idle experts of 3·2048·768 = 4,718,592 in each of 48 layers:
    # 25,480,396,800
    assert weights_read(arch, 2) == 30_532_122_624 - 311_164_928 + 2 * 2048 - 25_480_396_800


def test_deepseek_v3_by_hand() -> None:
    arch = shape("deepseek-v3")
    # attention: down 7168·1536 = 11,010,048; queries 1536·128·192 = 37,748,736; latent 7168·576 =
    # 4,128,768; up 512·128·256 = 16,777,216; output 128·128·7168 = 117,440,512; together
    # 187,105,280; 61 of them 11,413,422,080 three dense layers: 3·3·7168·18432 = 1,189,085,184 58
    # sparse: router 7168·256 = 1,835,008; (8 + 1)·3·7168·2048 = 396,361,728; together 398,196,736;
    # 23,095,410,688
    assert arch.layer_matrices == 11_413_422_080 + 1_189_085_184 + 23_095_410_688 == 35_697_917_952
    # head 129280·7168 = 926,679,040; a token's linear part 2·36,624,596,992 = 73,249,193,984
    # (DeepSeek's "37B activated")
    linear = 73_249_193_984
    # keys and values in full: 128·(192 + 128) = 40,960 multiply-adds a layer and key; at 1000 keys
    # 2·61·40,960·1000
    assert decode_step(arch, [1000]).flops == linear + 4_997_120_000
    # absorbed into the latent: 128·(2·512 + 64) = 139,264; more arithmetic …
    latent = decode_step(arch, [1000], form=NumberFormat(latent=True))
    assert latent.flops == linear + 16_990_208_000
    # … but 576 numbers a token and layer are read and not 40,960: 61·1000·2 bytes of each
    assert decode_step(arch, [1000]).bytes - latent.bytes == 61 * 1000 * 2 * (40_960 - 576)


def test_a_sliding_layer_looks_at_its_window_only() -> None:
    arch = architecture_of({**LLAMA31_8B, "model_type": "mistral", "sliding_window": 4})
    # contexts 1, 2, 3, 4, 4, 4 in 32 layers
    assert attended(arch, 0, 6) == 32 * 18
    assert attended(arch, 5, 2) == 32 * 8
    gemma = find_preset("gemma-2-9b").arch
    assert gemma is not None
    # 21 layers full, 21 with a window of 4096: one token at 8192
    assert (
        decode_step(gemma, [8192]).flops - decode_step(gemma, [4096]).flops
        == 2 * gemma.attention_width() * 21 * 4096
    )


@pytest.mark.parametrize("name", [*SHAPES, "gemma"])
def test_a_generation_is_the_sum_of_its_steps(name: str) -> None:
    arch = find_preset("gemma-2-9b").arch if name == "gemma" else shape(name)
    assert arch is not None
    form = NumberFormat(weight=1, cache=1, latent=name == "deepseek-v3")
    total = prefill(arch, 4090, batch=3, form=form)
    for context in range(4091, 4100):
        total += decode_step(arch, [context] * 3, form=form)
    whole = generation(arch, 4090, 10, batch=3, form=form)
    assert whole.flops == total.flops
    assert whole.bytes == pytest.approx(total.bytes, rel=1e-12)


def test_reading_in_two_passes_costs_the_same_arithmetic() -> None:
    arch = shape("qwen3-30b-a3b")
    once = prefill(arch, 500, rows=7)
    assert prefill(arch, 300, rows=0).flops + prefill(arch, 200, past=300, rows=7).flops == once.flops


def test_impossible_shapes_are_refused() -> None:
    arch = shape("qwen2.5-7b")
    with pytest.raises(ConfigError, match="no more rows than tokens"):
        prefill(arch, 3, rows=4)
    with pytest.raises(ConfigError, match="past must be a number of tokens"):
        prefill(arch, 3, past=-1)
    with pytest.raises(ConfigError, match="at least one token"):
        decode_step(arch, [5, 0])
    with pytest.raises(ConfigError, match="at least one output token"):
        generation(arch, 5, 0)

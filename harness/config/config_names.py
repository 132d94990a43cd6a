"""Architectures that name the numbers of their config.json otherwise: the same numbers under the
names used here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def with_common_names(kind: str, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The config with the names used here, for architectures that name their numbers otherwise.

    What is already there is kept.
    """
    if kind == "chatglm":
        grouped = config.get("multi_query_attention", True)
        names = {
            "num_hidden_layers": "num_layers",
            "vocab_size": "padded_vocab_size",
            "intermediate_size": "ffn_hidden_size",
            "head_dim": "kv_channels",
            "max_position_embeddings": "seq_length",
            "num_key_value_heads": "multi_query_group_num" if grouped else "num_attention_heads",
        }
        return {ours: config[theirs] for ours, theirs in names.items() if theirs in config} | dict(config)
    if (
        kind == "qwen" and "kv_channels" in config
    ):  # its intermediate_size is that of both halves of the gated layer
        return {
            **config,
            "intermediate_size": int(config["intermediate_size"]) // 2,
            "head_dim": config["kv_channels"],
        }
    if kind == "ernie4_5_moe" and "moe_num_experts" in config:
        width, shared = config["moe_intermediate_size"], config.get("moe_num_shared_experts") or 0
        named = {
            "num_experts": config["moe_num_experts"],
            "num_experts_per_tok": config["moe_k"],
            "shared_expert_size": shared * width,
        }
        return {**config, **named, "dense_layers": config.get("moe_layer_start_index", 1)}
    if kind == "hunyuan_v1_moe" and "moe_topk" in config:
        first = {
            key: value[0] if isinstance(value := config.get(key), list) else value
            for key in ("moe_topk", "num_shared_expert")
        }
        named = {
            "num_experts_per_tok": first["moe_topk"],
            "moe_intermediate_size": config["intermediate_size"],
        }
        return {
            **config,
            **named,
            "shared_expert_size": (first["num_shared_expert"] or 1) * config["intermediate_size"],
        }
    # its intermediate_size is an expert's
    if kind == "llama4_text" and "intermediate_size_mlp" in config:
        layers, width = config["num_hidden_layers"], config["intermediate_size"]
        named = {
            "moe_intermediate_size": width,
            "shared_expert_size": width,
            "intermediate_size": config["intermediate_size_mlp"],
        }
        return {
            **config,
            **named,
            "dense_layers": layers - layers // (config.get("interleave_moe_layer_step") or 1),
        }
    return config

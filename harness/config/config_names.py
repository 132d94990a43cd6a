"""Architectures that name the numbers of their config.json otherwise: the same numbers under the
names used here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Numbers = Mapping[str, Any]


def with_common_names(kind: str, config: Numbers) -> Numbers:
    """The config with the names used here, for architectures that name their numbers otherwise.

    What is already there is kept.
    """
    if kind not in _TRANSLATIONS:
        return config
    mark, translate = _TRANSLATIONS[kind]
    # A preset's numbers have our names already.
    return translate(config) if not mark or mark in config else config


def _chatglm(config: Numbers) -> Numbers:
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


def _qwen(config: Numbers) -> Numbers:
    """Its intermediate_size is that of both halves of the gated layer."""
    width = int(config["intermediate_size"]) // 2
    return {**config, "intermediate_size": width, "head_dim": config["kv_channels"]}


def _ernie(config: Numbers) -> Numbers:
    return {
        **config,
        "num_experts": config["moe_num_experts"],
        "num_experts_per_tok": config["moe_k"],
        "shared_expert_size": (config.get("moe_num_shared_experts") or 0) * config["moe_intermediate_size"],
        "dense_layers": config.get("moe_layer_start_index", 1),
    }


def _hunyuan(config: Numbers) -> Numbers:
    """Its numbers of experts may be lists with one number per layer, which are all alike."""
    first = {
        key: value[0] if isinstance(value := config.get(key), list) else value
        for key in ("moe_topk", "num_shared_expert")
    }
    return {
        **config,
        "num_experts_per_tok": first["moe_topk"],
        "moe_intermediate_size": config["intermediate_size"],
        "shared_expert_size": (first["num_shared_expert"] or 1) * config["intermediate_size"],
    }


def _llama4(config: Numbers) -> Numbers:
    """Its intermediate_size is an expert's."""
    layers, width = config["num_hidden_layers"], config["intermediate_size"]
    return {
        **config,
        "moe_intermediate_size": width,
        "shared_expert_size": width,
        "intermediate_size": config["intermediate_size_mlp"],
        "dense_layers": layers - layers // (config.get("interleave_moe_layer_step") or 1),
    }


_TRANSLATIONS: dict[str, tuple[str, Callable[[Numbers], Numbers]]] = {
    "chatglm": ("", _chatglm),
    "qwen": ("kv_channels", _qwen),
    "ernie4_5_moe": ("moe_num_experts", _ernie),
    "hunyuan_v1_moe": ("moe_topk", _hunyuan),
    "llama4_text": ("intermediate_size_mlp", _llama4),
}
"""By ``model_type``: a name that shows that the config has the architecture's own names, and how
they are translated; no such name: what is there under our names stays.
"""

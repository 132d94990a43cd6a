"""An `Architecture` from a config.json: what each family calls its numbers and leaves to defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from harness.config.architecture import (
    ATTENTION_BIAS,
    FOUR_NORMS,
    HUNYUAN,
    MIXTURES,
    MXFP4_BITS,
    PLAIN,
    QK_NORM,
    QKV_BIAS,
    REMOTE,
    Architecture,
)
from harness.config.config_names import with_common_names
from harness.errors import ModelError
from harness.wording import first_problem

SUPPORTED = tuple(sorted(QKV_BIAS | QK_NORM | FOUR_NORMS | ATTENTION_BIAS | PLAIN | REMOTE))
TIED_BY_DEFAULT = {"gemma", "gemma2", "gemma3_text", "cohere", "minicpm", "iflytekspark"}


def architecture_of(config: Mapping[str, Any]) -> Architecture:
    """Reads a config.json's mapping (or a preset's ``arch``, which uses the same names).

    Raises ModelError for an architecture that has no formula here, or where a number is missing.
    """
    kind = str(config.get("model_type", ""))
    config = with_common_names(kind, config)
    if kind == "gemma3" and isinstance(config.get("text_config"), Mapping):
        return architecture_of({**config["text_config"], "model_type": "gemma3_text"})

    if kind not in SUPPORTED:
        raise ModelError(f"no size formula for the architecture {kind!r}; known: {', '.join(SUPPORTED)}")

    # Configs leave out what is their architecture's default, and each has other defaults.
    own = {key: config[key] for key in Architecture.model_fields if config.get(key) is not None}
    try:
        heads = int(config["num_attention_heads"])
        own.setdefault("num_key_value_heads", heads)
        own.setdefault("head_dim", config["hidden_size"] // heads)
        own |= _attention_fields(kind, config) | _expert_fields(kind, config) | _sliding_fields(kind, config)
        own.setdefault("tie_word_embeddings", kind in TIED_BY_DEFAULT)
        own["torch_dtype"] = str(config.get("torch_dtype") or config.get("dtype") or "float32")
        return Architecture(**own)
    except KeyError as error:
        raise ModelError(f"the model's config.json lacks {error.args[0]!r}") from None
    except ValidationError as error:
        raise ModelError(f"the model's config.json: {first_problem(error, shown=60)}") from None
    except (ValueError, TypeError) as error:
        raise ModelError(f"the model's config.json has a number that makes no sense: {error}") from None


def _attention_fields(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    default = kind == "gpt_oss"
    biased = bool(config.get("attention_bias", default)) and kind in ATTENTION_BIAS

    fields: dict[str, Any] = {
        "attention_bias": kind in QKV_BIAS or biased,
        "attention_out_bias": biased and kind not in {"glm", "glm4", "glm4_moe", "seed_oss"},
        "mlp_bias": bool(config.get("mlp_bias", False)) and kind in {"llama", "iflytekspark"},
        # llama4's norm of queries and keys has no weights
        "qk_norm": kind in QK_NORM | HUNYUAN
        or (bool(config.get("use_qk_norm", False)) and kind != "llama4_text"),
    }
    if kind == "seed_oss":
        fields["attention_out_bias"] = bool(config.get("attention_out_bias", False))
    return fields


def _expert_fields(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    experts = (
        config.get("num_experts") or config.get("num_local_experts") or config.get("n_routed_experts") or 0
    )
    if not experts or kind not in MIXTURES:
        return {}

    width = config.get("moe_intermediate_size") or config["intermediate_size"]
    shared = config.get("shared_expert_intermediate_size") or (config.get("n_shared_experts") or 0) * width
    default = 3 if kind == "deepseek_v3" else 1 if kind in {"kimi_k2", "glm4_moe"} else 0

    fields = {
        "num_experts": experts,
        "moe_intermediate_size": width,
        "num_experts_per_tok": config["num_experts_per_tok"],
    }
    fields |= {"shared_expert_size": config.get("shared_expert_size") or shared}
    fields |= {"dense_layers": config.get("dense_layers", config.get("first_k_dense_replace", default))}
    if (config.get("quantization_config") or {}).get("quant_method") == "mxfp4":
        fields["expert_bits"] = MXFP4_BITS
    return fields


def _sliding_fields(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    window, layers = config.get("sliding_window"), int(config["num_hidden_layers"])
    if not window or config.get("use_sliding_window") is False:
        return {"sliding_window": None, "sliding_layers": 0}
    if "sliding_layers" in config:
        return {}

    # Newer configs list each layer; for older ones the pattern is in the model's code only.
    types = config.get("layer_types")
    if types:
        sliding = sum(name == "sliding_attention" for name in types)
    elif kind in {"gemma2", "gpt_oss"}:
        sliding = (layers + 1) // 2
    elif kind == "gemma3_text":
        sliding = layers - layers // int(config.get("sliding_window_pattern") or 6)
    else:
        sliding = layers if kind in {"mistral", "mixtral", "phi3"} else 0
    return {"sliding_layers": sliding}

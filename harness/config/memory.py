"""What fits where: weights, cache and working memory of a model, in bytes, before anything is
loaded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.config.architecture import Architecture
from harness.config.architecture_reading import architecture_of
from harness.config.presets import BUNDLED, bundled_model_dir, preset_or_none
from harness.config.schema import Dtype, ModelSpec
from harness.errors import ModelError
from harness.wording import first_problem

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True)
class MemoryFit:
    """Bytes that a model needs. The device's own context (some hundred MB on CUDA) comes on top."""

    weights_bytes: int
    kv_bytes: int
    activation_bytes: int

    @property
    def total(self) -> int:
        return self.weights_bytes + self.kv_bytes + self.activation_bytes


def memory_fit(
    arch: Architecture, dtype_bytes: float, context: int, batch: int, checkpoint: bool = False
) -> MemoryFit:
    """Bytes for ``batch`` sequences of ``context`` tokens, at ``dtype_bytes`` per number.

    The prompt is read in one pass.

    Weights and cache are exact (`Architecture.weight_bytes`, `Architecture.kv_bytes`). Activations
    are an estimate: the live tensors of one layer (residual twice, queries, keys, values, attention
    output, gate, up and their product) for all tokens, and one row of logits per sequence in fp32
    besides its own format; attention is taken to be fused, so no score matrix is kept.
    ``checkpoint`` keeps experts in the checkpoint's own format (gpt-oss: MXFP4).
    """
    routed = arch.num_experts_per_tok * arch.moe_intermediate_size + arch.shared_expert_size
    width = max(arch.intermediate_size, routed) if arch.dense_layers or not arch.num_experts else routed
    heads = arch.num_attention_heads * (arch.qk_nope_head_dim + arch.qk_rope_head_dim or arch.head_dim)

    # A layer's tensors live while it runs; the widest one decides, since all use the same memory
    # one after another.
    per_token = 3 * arch.hidden_size + 2 * heads + 2 * arch.num_key_value_heads * arch.head_dim + 3 * width
    activations = round(
        batch * context * per_token * dtype_bytes + batch * arch.vocab_size * (dtype_bytes + 4)
    )

    return MemoryFit(
        arch.weight_bytes(dtype_bytes, checkpoint), batch * arch.kv_bytes(context, dtype_bytes), activations
    )


def dtype_bytes(dtype: Dtype, arch: Architecture, device: str) -> int:
    """Bytes per number under a config's dtype: ``auto`` is the checkpoint's format on CUDA and
    float32 on the CPU.
    """
    if dtype != "auto":
        return BYTES[dtype]
    return 4 if device == "cpu" else BYTES[arch.torch_dtype]


def known_architecture(model: ModelSpec, mirror: str | None = None) -> Architecture | None:
    """The architecture of a config's model as far as it is known without a network, or None.

    Looked for in the model's folder, in the mirror's ``models/<org>/<name>``, and in the preset;
    ``config_overrides`` are applied. Raises ModelError where a config.json is there but is broken.
    """
    folders = [bundled_model_dir(model.id) if model.id.startswith(BUNDLED) else Path(model.id)]
    if mirror and not folders[0].is_absolute():
        folders.append(Path(mirror) / "models" / model.id)

    for folder in folders:
        config = folder / "config.json"
        if config.is_file():
            return _read(config, model.config_overrides)

    preset = preset_or_none(model.preset or model.id)
    if preset is None or preset.arch is None:
        return None
    return _overridden(preset.arch, model.config_overrides)


def _read(path: Path, overrides: Mapping[str, Any]) -> Architecture | None:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON: {error}") from None
    if not isinstance(config, dict):
        raise ModelError(f"{path}: expected a JSON object")

    try:
        return architecture_of(config | dict(overrides))
    except ModelError as error:
        if "no size formula" in str(error):
            return None
        raise ModelError(f"{path}: {error}") from None


def _overridden(arch: Architecture, overrides: Mapping[str, Any]) -> Architecture:
    changes = {key: value for key, value in overrides.items() if key in Architecture.model_fields}
    if not changes:
        return arch
    layers = changes.get("num_hidden_layers", arch.num_hidden_layers)
    changes.setdefault("sliding_layers", round(arch.sliding_layers * layers / arch.num_hidden_layers))
    try:
        return Architecture(**(arch.model_dump() | changes))
    except ValidationError as error:
        raise ModelError(f"config_overrides: {first_problem(error, shown=60)}") from None

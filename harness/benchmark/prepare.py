"""From a config's model to the one that is measured: its files, and an engine without caches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config.architecture import Architecture
from harness.config.architecture_reading import architecture_of
from harness.config.presets import BUNDLED, preset_or_none
from harness.config.schema import ModelSpec, Speed
from harness.engines.files import ModelFiles
from harness.errors import ModelError
from harness.results.files import write_json

TOKENIZER = "bundled/tiny-qwen"
"""Stands in for the tokenizer of an architecture built from the table: a shape's prompts are token
ids, so no text is ever encoded.
"""


def find_files(spec: ModelSpec, mirror: Path | None, folder: Path) -> tuple[ModelSpec, ModelFiles]:
    """The model's files, and the spec that names them.

    Random weights of a preset come from the built-in table of architectures: their config.json is
    written into ``folder``, and nothing is fetched. Raises ModelError.
    """
    from harness.engines import find_model

    arch = table_architecture(spec)
    if arch is not None:
        write_json(folder / "config.json", as_config(arch, spec.label))
        spec = spec.model_copy(
            update={"id": str(folder), "name": spec.label, "tokenizer": spec.tokenizer or TOKENIZER}
        )
    return spec, find_model(spec, mirror)


def table_architecture(spec: ModelSpec) -> Architecture | None:
    """The preset's architecture where the table is measured: random weights, and no folder named."""
    from harness.engines import backend_of

    if (
        spec.weights != "random"
        or not backend_of(spec).loads_files
        or spec.id.startswith(BUNDLED)
        or Path(spec.id).expanduser().is_dir()
    ):
        return None

    preset = preset_or_none(spec.preset or spec.id)
    return preset.arch if preset else None


def as_config(arch: Architecture, label: str) -> dict[str, Any]:
    """A config.json that says this architecture.

    Raises ModelError where these names do not say all of it (experts, latent attention …).
    """
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CLASSES

    if arch.model_type not in CLASSES:
        raise ModelError(
            f"{label}: transformers has no {arch.model_type}, whose code comes with the model; "
            "name a folder that has it"
        )
    config = {key: value for key, value in arch.model_dump().items() if value is not None}
    config |= {
        "architectures": [CLASSES[arch.model_type]],
        "dtype": arch.torch_dtype,
        "eos_token_id": 0,
        "bos_token_id": 0,
    }

    # What the table derives for itself, and what a dense model with plain attention does not have,
    # is no key of its config.json.
    for key in ("sliding_layers", "attention_out_bias", "qk_norm", "shared_expert_size", "dense_layers"):
        config.pop(key)
    if not arch.num_experts:
        config = {
            key: value
            for key, value in config.items()
            if "expert" not in key and key != "moe_intermediate_size"
        }
    if not arch.kv_lora_rank:
        config = {key: value for key, value in config.items() if "lora" not in key and key not in _LATENT}

    # Read back: an architecture that these keys do not say whole would be measured as another.
    if architecture_of(config) != arch:
        raise ModelError(
            f"{label}: the table does not say all of a {arch.model_type} config.json; name a "
            "folder or a mirror that has it"
        )
    return config


_LATENT = ("qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim")


def measured_spec(spec: ModelSpec, files: ModelFiles, device: str, speed: Speed) -> ModelSpec:
    """The spec with its engine named, no prefix cache, room for all requests at once, and no longer
    a window than the grid needs.

    Raises ConfigError for an engine that cannot be measured, or a spec that asks for a cache.
    """
    from harness.engines.choice import choose

    backend = choose(spec, device, files.path).backend
    arguments = backend.bench_args(spec, device, speed)
    window = None if backend.simulated else max(speed.input) + max(speed.output)
    return spec.model_copy(
        update={"engine": backend.name, "engine_args": arguments, "max_length": spec.max_length or window}
    )

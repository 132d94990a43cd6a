"""What a model needs, before anything is loaded: from its preset's architecture or its config.json, by formula."""

from __future__ import annotations

import json
from pathlib import Path

from harness.config.architecture import Architecture, architecture_of
from harness.config.presets import preset_or_none
from harness.config.schema import ModelSpec
from harness.errors import HarnessError

BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0}


def known_architecture(model: ModelSpec, mirror: Path | None = None) -> Architecture | None:
    """The model's architecture where it is known without a network: a preset, a folder, a bundled or mirrored config.json."""
    preset = preset_or_none(model.preset or model.id)
    if preset is not None and preset.arch is not None and not model.config_overrides:
        return preset.arch
    folders = [Path(model.id).expanduser(), *([mirror / "models" / model.id] if mirror else [])]
    for folder in folders:
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            return architecture_of({**config, **model.config_overrides})
        except (OSError, ValueError, HarnessError):
            continue
    return preset.arch if preset is not None else None


def bytes_each(model: ModelSpec, device: str) -> float:
    """Bytes a parameter: ``auto`` is float32 on the CPU and two bytes on CUDA, as the engine does."""
    if model.dtype == "auto":
        return 2.0 if device == "cuda" else 4.0
    return BYTES[model.dtype]


def weight_bytes(model: ModelSpec, device: str, mirror: Path | None = None) -> int | None:
    """Bytes of the loaded weights, or None for an architecture that is not known here."""
    arch = known_architecture(model, mirror)
    if arch is None:
        return None
    return arch.weight_bytes(bytes_each(model, device), checkpoint=device == "cuda" and model.dtype == "auto")


def need_bytes(arch: Architecture, model: ModelSpec, device: str, context: int) -> int:
    """Bytes to run one sequence of ``context`` tokens: weights, its cache, and fp32 logits of one row; activations are smaller."""
    size = bytes_each(model, device)
    weights = arch.weight_bytes(size, checkpoint=device == "cuda" and model.dtype == "auto")
    return round(weights + arch.kv_bytes(context, size) + 4 * arch.vocab_size)

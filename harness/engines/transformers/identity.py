"""What this engine will be, by the config and the machine alone; no model is loaded.

That is: versions, device, number format, attention.
"""

from __future__ import annotations

import json
import struct
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.config.schema import ModelSpec
from harness.engines.devices import device_kind as device_kind  # also found here
from harness.engines.devices import resolve_device as resolve_device
from harness.engines.files import ModelFiles
from harness.errors import ModelError

DTYPES = ("float32", "bfloat16", "float16")
_SAFETENSORS = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}
# sdpa where the architecture has it, else eager: transformers decides by model and version.
DEFAULT_ATTENTION = "auto"


def versions() -> dict[str, str]:
    """The versions that a result may depend on."""
    return {name: version(name) for name in ("torch", "transformers", "tokenizers")}


def checkpoint_dtype(files: ModelFiles) -> str:
    """The number format that the checkpoint says, float32 when it says none.

    config.json says it, else the first tensor file.
    """
    config = read_config(files.path)
    for part in (config, config.get("text_config") or {}):
        named = str(part.get("dtype") or part.get("torch_dtype") or "").removeprefix("torch.")
        if named in DTYPES:
            return named

    # Of several formats in one file the first by name, BF16 before F32: norms are often kept wider.
    for file in sorted(files.path.glob("*.safetensors")):
        kinds = {
            entry.get("dtype") for name, entry in safetensors_header(file).items() if name != "__metadata__"
        }
        dtypes = [_SAFETENSORS[kind] for kind in sorted(map(str, kinds)) if kind in _SAFETENSORS]
        if dtypes:
            return dtypes[0]
    return "float32"


def resolve_dtype(spec: ModelSpec, device: str, files: ModelFiles | None) -> str:
    """The number format asked for; auto is the checkpoint's on CUDA and float32 on the CPU.

    "auto" stays while the files are unknown.
    """
    if spec.dtype != "auto":
        return spec.dtype
    if device == "cpu":
        return "float32"
    return "auto" if files is None else checkpoint_dtype(files)


def read_config(folder: Path) -> dict[str, Any]:
    """config.json as data. Raises ModelError when it is missing or no JSON object."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / 'config.json'}: cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{folder / 'config.json'}: not a JSON object")
    return config


def safetensors_header(file: Path) -> dict[str, Any]:
    """The header of a safetensors file: tensor name -> dtype, shape, data_offsets.

    The format is https://github.com/huggingface/safetensors#format: the header's length in 8 bytes,
    the header as JSON, the tensors. Raises ModelError when the file is cut short or is no
    safetensors file.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        head = stream.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else size
        if length > size - 8:
            raise ModelError(f"{file}: not a safetensors file, or cut short; fetch it again")
        try:
            header = json.loads(stream.read(length))
        except ValueError as error:
            raise ModelError(f"{file}: its safetensors header is corrupted; fetch it again") from error

    # A download that broke off has a whole header and too few bytes behind it.
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    expected = 8 + length + max(ends, default=0)
    if expected != size:
        raise ModelError(f"{file}: {size} bytes where its header says {expected}; fetch it again")
    return dict(header)


def transformers_identity(spec: ModelSpec, device: str, files: ModelFiles | None) -> dict[str, Any]:
    """The engine's part of a cell's identity."""
    resolved = resolve_device(device)
    return {
        "engine": "transformers",
        "versions": versions(),
        "device": device_kind(resolved),
        "dtype": resolve_dtype(spec, resolved, files),
        "attention": str(spec.engine_args.get("attention", DEFAULT_ATTENTION)),
        "generation_defaults": bool(spec.engine_args.get("generation_defaults", True)),
    }

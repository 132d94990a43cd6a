"""Where a model's files are: packaged, a folder, the mirror, the hub's cache, the hub, ModelScope;
and what identifies them.

Nothing here imports torch or transformers. A failure is a `ModelError` of one line that says what
could not be reached and how to mend it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from harness.config.schema import ModelSpec
from harness.engines.hashes import hash_files
from harness.errors import ModelError
from harness.hub.local import local_folder
from harness.hub.models import Origin, Wanted, fetch

BUNDLED = "bundled/"
PACKAGED = Path(__file__).resolve().parent.parent / "data" / "models"
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
    "additional_chat_templates/*.jinja",
    "*.model",
    "*.tiktoken",
    "tekken.json",
)
VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "*.model", "*.tiktoken")
_SHARD_COPIES = "consolidated*"  # Mistral's second copy of the same weights in another layout


@dataclass(frozen=True)
class ModelFiles:
    """A model's files on this machine.

    ``hashes`` are SHA-256 by file name; ``model_id`` identifies model, files and how they are
    loaded. ``tokenizer`` is the folder of the tokenizer: the model's own unless the spec names
    another.
    """

    path: Path
    revision: str | None
    origin: Origin
    hashes: dict[str, str]
    model_id: str
    tokenizer: Path = field(default_factory=Path)


def resolve_model(spec: ModelSpec, mirror: Path | None = None) -> ModelFiles:
    """Finds (or downloads) what the spec names.

    Raises ModelError, one line, when it is nowhere or not loadable by this harness. Order:
    ``bundled/NAME``, a folder, ``mirror``/models/<org>/<name>, the hub (its cache included) or,
    with HARNESS_HUB=modelscope, ModelScope. With ``weights: random`` only the configuration and the
    tokenizer are needed.
    """
    path, revision, origin = locate(spec.id, spec, mirror, weights=spec.weights == "pretrained")
    if not (path / "config.json").is_file():
        raise ModelError(f"{spec.id}: {path} has no config.json; name the folder that holds the model itself")
    _refuse_adapter(spec, path)

    weights = (
        []
        if spec.weights == "random"
        else [*find_weights(path, spec.id), *path.glob("*.safetensors.index.json")]
    )

    tokenizer = path
    if spec.tokenizer:
        tokenizer, _, _ = locate(spec.tokenizer, spec, mirror, weights=False)
    if not tokenizer_files(tokenizer, VOCABULARIES) and not (
        spec.trust_remote_code and any(tokenizer.glob("*.py"))
    ):
        raise ModelError(
            f"{spec.id}: no tokenizer in {tokenizer}; add its tokenizer.json, or name another "
            "model's with tokenizer: ID"
        )

    # generation_config.json decides how texts end and a repetition penalty
    settings = [file for name in ("config.json", "generation_config.json") if (file := path / name).is_file()]
    try:
        hashes = hash_files(path, [*settings, *weights, *_code(spec, path)])
        own = hash_files(tokenizer, [*tokenizer_files(tokenizer), *_code(spec, tokenizer)])
    except OSError as error:
        raise ModelError(f"{spec.id}: cannot read {error.filename}: {error.strerror}") from error
    # A tokenizer of its own may have a file of the model's name, which must not stand for the
    # model's.
    hashes |= {
        name if hashes.get(name, value) == value else f"tokenizer/{name}": value
        for name, value in own.items()
    }
    name = path.name if origin in ("folder", "bundled") else spec.id
    return ModelFiles(path, revision, origin, hashes, model_identity(spec, name, hashes), tokenizer)


def _code(spec: ModelSpec, folder: Path) -> list[Path]:
    """Python files that decide an answer, in folders below too: only where they may be run."""
    return sorted(folder.rglob("*.py")) if spec.trust_remote_code else []


def _refuse_adapter(spec: ModelSpec, folder: Path) -> None:
    """Raises ModelError for a folder that holds an adapter.

    transformers leaves an adapter out where peft is missing, and else loads it over a base model
    from elsewhere: neither is what the files beside it say.
    """
    if (folder / "adapter_config.json").is_file():
        raise ModelError(
            f"{spec.id}: {folder} holds an adapter (adapter_config.json), which is not applied "
            "here; merge it into the weights "
            "(peft's merge_and_unload), or name the base model with engine: vllm and "
            "engine_args.lora: FOLDER"
        )


def locate(name: str, spec: ModelSpec, mirror: Path | None, weights: bool) -> tuple[Path, str | None, Origin]:
    """(folder, revision, origin) of a model or tokenizer name; ModelError when it is nowhere.

    ``weights``: fetch them too.
    """
    if name.startswith(BUNDLED):
        folder = PACKAGED / name.removeprefix(BUNDLED)
        if not folder.is_dir():
            known = (
                ", ".join(BUNDLED + path.name for path in sorted(PACKAGED.glob("*")) if path.is_dir())
                or "none"
            )
            raise ModelError(f"{name}: no such bundled model; there are: {known}")
        return folder, None, "bundled"
    local = local_folder(name, mirror)
    if local is not None:
        return local[0].resolve(), None, local[1]
    if _is_path(name):
        raise ModelError(f"{name}: no such folder")
    return fetch(name, Wanted(spec.revision, weights, spec.trust_remote_code), mirror)


def _is_path(name: str) -> bool:
    """Hub names are ``name`` or ``org/name``; all else can only have meant a folder."""
    return name.startswith(("/", ".", "~")) or name.count("/") > 1 or "\\" in name


def find_weights(path: Path, name: str) -> list[Path]:
    """The safetensors files of a model folder.

    ModelError when there are none: pickle files (.bin, .pt) run code when read.
    """
    weights = [file for file in path.glob("*.safetensors") if not file.match(_SHARD_COPIES)] or list(
        path.glob("*.safetensors")
    )
    if weights:
        return weights

    pickles = sorted(file.name for kind in ("*.bin", "*.pt", "*.pth") for file in path.glob(kind))
    if pickles:
        raise ModelError(
            f"{name}: only pickle weights ({pickles[0]}), which can run code when read; convert "
            "them to safetensors first"
        )
    raise ModelError(
        f"{name}: no *.safetensors weights in {path}; fetch them, or say weights: random to "
        "measure speed only"
    )


def tokenizer_files(path: Path, patterns: tuple[str, ...] = TOKENIZER_FILES) -> list[Path]:
    """The tokenizer's files in a folder, by well-known names."""
    return sorted({file for pattern in patterns for file in path.glob(pattern)})


def model_identity(spec: ModelSpec, name: str, hashes: dict[str, str]) -> str:
    """Sixteen hex digits, equal when the same files are loaded and talked to in the same way.

    Where the files lie does not count.
    """
    parts = {
        "id": name,
        "revision": None if hashes else spec.revision,
        "hashes": hashes,
        "dtype": spec.dtype,
        "weights": spec.weights,
        "seed": spec.seed if spec.weights == "random" else None,
        "config_overrides": spec.config_overrides,
        "tokenizer": spec.tokenizer,
        "thinking": spec.thinking,
        "max_length": spec.max_length,
        "trust_remote_code": spec.trust_remote_code,
    }

    # The text that is hashed must not change with the version: old journals are known by it.
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]

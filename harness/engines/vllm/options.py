"""What ``engine_args`` may say for this engine: a few words of our own, and every argument of the
installed vLLM by its name.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.config.schema import ModelSpec
from harness.engines.hashes import hash_files
from harness.engines.vllm.package import Package, engine_arguments
from harness.errors import ModelError

OURS = {
    "env": "environment variables set before vLLM is imported",
    "lora": "folder of a LoRA adapter, applied to every item",
    "multi_token": "how continuations of several tokens are scored: auto, rows, forced, tail or whole",
    "generation_defaults": "apply the checkpoint's repetition penalty where an item has none",
    "in_process": "run the engine core in this process instead of one of its own",
}
ELSEWHERE = {
    "model": "id",
    "tokenizer": "tokenizer",
    "revision": "revision",
    "dtype": "dtype",
    "max_model_len": "max_length",
    "seed": "seed",
    "trust_remote_code": "trust_remote_code",
    "enable_lora": "engine_args.lora",
}
"""vLLM's arguments that the model's own keys decide."""
WITHOUT_EFFECT = {
    "generation_config": "every sampling setting goes with every question; generation_defaults is about the checkpoint's penalty",
    "override_generation_config": "every sampling setting goes with every question; say generation: in the task",
    "logprobs_mode": "scores are raw log-probabilities",
}
"""vLLM's arguments that would change nothing here, or would make a score something else."""
METHODS = ("auto", "rows", "forced", "tail", "whole")
_CHANGES_NO_ANSWER = {
    "in_process",
    "gpu_memory_utilization",
    "kv_cache_memory_bytes",
    "disable_log_stats",
    "download_dir",
}
_RANK = 16  # vLLM's own default of the largest LoRA rank


@dataclass(frozen=True)
class VllmOptions:
    """``engine_args``, sorted out.

    ``arguments`` go to vLLM as they are; ``in_process`` None lets the device decide.
    """

    env: dict[str, str] = field(default_factory=dict)
    lora: str | None = None
    multi_token: str = "auto"
    generation_defaults: bool = True
    in_process: bool | None = None
    arguments: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, spec: ModelSpec, package: Package) -> VllmOptions:
        """Raises ModelError for a name that neither this engine nor the installed vLLM knows, with
        the nearest, and for a wrong value.
        """
        given = dict(spec.engine_args)
        own = {name: given.pop(name) for name in OURS if name in given}
        known = engine_arguments(package)
        for name in given:
            if name in ELSEWHERE:
                raise ModelError(
                    f"{spec.label}: engine_args.{name} is decided by the model's own key; say {ELSEWHERE[name]} instead"
                )
            if name in WITHOUT_EFFECT:
                raise ModelError(
                    f"{spec.label}: engine_args.{name} is not for here: {WITHOUT_EFFECT[name]}; take it out"
                )
            if known is not None and name not in known:
                raise ModelError(
                    f"{spec.label}: vLLM {package.version} has no engine_args.{name}; {_hint(name, known)}"
                )
        if own.get("multi_token", "auto") not in METHODS:
            raise ModelError(
                f"{spec.label}: engine_args.multi_token is one of {', '.join(METHODS)}; got {own['multi_token']!r}"
            )
        if not isinstance(own.get("env", {}), dict):
            raise ModelError(
                f"{spec.label}: engine_args.env maps names to values, e.g. {{VLLM_LOGGING_LEVEL: INFO}}; got {own['env']!r}"
            )
        own["env"] = {str(name): str(value) for name, value in own.get("env", {}).items()}
        return cls(**own, arguments=given)

    @property
    def gpus(self) -> int:
        """GPUs that the parallel sizes ask for."""
        return int(self.arguments.get("tensor_parallel_size", 1)) * int(
            self.arguments.get("pipeline_parallel_size", 1)
        )


def _hint(name: str, known: frozenset[str]) -> str:
    near = difflib.get_close_matches(name, [*sorted(known), *OURS], 3)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"see vllm serve --help for its {len(known)} arguments; ours are {', '.join(OURS)}"


def identity_of(spec: ModelSpec) -> dict[str, Any]:
    """The engine arguments that may change an answer, for the identity; a LoRA adapter by its
    files' hashes, wherever it lies.
    """
    found = {name: value for name, value in spec.engine_args.items() if name not in _CHANGES_NO_ANSWER}
    env = found.pop("env", None)
    if isinstance(env, dict):  # a variable may choose other kernels; what only talks does not count
        told = {name: value for name, value in env.items() if not re.search("LOG|USAGE|TELEMETRY", str(name))}
        found |= {"env": told} if told else {}
    if "lora" in found:
        folder = lora_folder(spec, str(found["lora"]))
        found["lora"] = hash_files(folder, [*folder.glob("adapter_*.json"), *folder.glob("*.safetensors")])
    return found


def lora_folder(spec: ModelSpec, path: str) -> Path:
    """The adapter's folder.

    Raises ModelError when it is none, or holds no safetensors (pickles run code when read).
    """
    folder = Path(path).expanduser()
    if not (folder / "adapter_config.json").is_file():
        raise ModelError(
            f"{spec.label}: engine_args.lora: {folder} has no adapter_config.json; name the folder that holds the adapter"
        )
    if not list(folder.glob("*.safetensors")):
        raise ModelError(
            f"{spec.label}: engine_args.lora: {folder} has no *.safetensors; convert the adapter to safetensors first"
        )
    return folder


def lora_arguments(spec: ModelSpec, folder: Path) -> dict[str, Any]:
    """What vLLM must be told to apply an adapter: that there is one, and the largest rank (its
    default refuses more than 16).
    """
    try:
        rank = int(json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))["r"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{spec.label}: engine_args.lora: {folder / 'adapter_config.json'} does not say its rank r: {error}"
        ) from error
    sizes = [size for size in (8, 16, 32, 64, 128, 256, 320, 512) if size >= max(rank, _RANK)]
    if not sizes:
        raise ModelError(
            f"{spec.label}: engine_args.lora: rank {rank} is larger than vLLM's 512; merge the adapter into the weights"
        )
    return {"enable_lora": True, "max_lora_rank": sizes[0]}

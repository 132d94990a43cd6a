"""What ``engine_args`` may say for this engine: a few words of our own, and every argument of the
installed vLLM by its name.
"""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from harness.config.schema import ModelSpec
from harness.engines.hashes import hash_files
from harness.engines.options import EngineOptions
from harness.engines.vllm import package as packages
from harness.engines.vllm.arguments import ARGUMENTS, VERSIONS
from harness.engines.vllm.package import Package, engine_arguments
from harness.errors import ModelError

OURS = ("env", "lora", "multi_token", "generation_defaults", "in_process")
"""Options of our own; every other one goes to vLLM as it is."""
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
_RANK = 16  # vLLM's own default of the largest LoRA rank


def _variable(value: Any) -> Any:
    """YAML reads ``1`` as a number and ``yes`` as true; a variable is text."""
    return str(value) if isinstance(value, bool | int | float) else value


Variable = Annotated[
    str, BeforeValidator(_variable), WithJsonSchema({"type": ["string", "number", "boolean"]})
]


class VllmOptions(EngineOptions):
    """Options of our own, the usual arguments of vLLM, and any other by name.

    The usual ones are checked for their types here, the others by vLLM when the model is loaded.
    """

    model_config = ConfigDict(extra="allow")
    not_in_identity: ClassVar[frozenset[str]] = frozenset(
        {
            "in_process",
            "gpu_memory_utilization",
            "kv_cache_memory_bytes",
            "disable_log_stats",
            "download_dir",
        }
    )

    env: dict[str, Variable] = Field(
        default_factory=dict, description="Environment variables set before vLLM is imported."
    )
    lora: str | None = Field(
        None, min_length=1, description="Folder of a LoRA adapter, applied to every item."
    )
    multi_token: Literal["auto", "rows", "forced", "tail", "whole"] = Field(
        "auto", description="How continuations of several tokens are scored (docs/vllm.md)."
    )
    generation_defaults: bool = Field(
        True, description="Apply the checkpoint's repetition penalty where an item has none."
    )
    in_process: bool | None = Field(
        None,
        description="Run the engine core in this process, not in one of its own. Default: on a CPU with one rank.",
    )
    tensor_parallel_size: int = Field(1, ge=1, description="vLLM's: GPUs that each layer is split over.")
    pipeline_parallel_size: int = Field(1, ge=1, description="vLLM's: GPUs that the layers are spread over.")
    gpu_memory_utilization: float | None = Field(
        None, gt=0, le=1, description="vLLM's: share of a GPU's memory that it takes."
    )
    kv_cache_memory_bytes: int | None = Field(None, gt=0, description="vLLM's: bytes of the cache.")
    kv_cache_dtype: str | None = Field(None, description="vLLM's: number format of the cache, e.g. fp8.")
    quantization: str | None = Field(None, description="vLLM's: how weights are quantised, e.g. fp8.")
    max_num_seqs: int | None = Field(None, ge=1, description="vLLM's: requests that run at once.")
    max_num_batched_tokens: int | None = Field(None, ge=1, description="vLLM's: tokens of a step at most.")
    block_size: int | None = Field(None, ge=1, description="vLLM's: tokens of a block of the cache.")
    enforce_eager: bool | None = Field(None, description="vLLM's: no CUDA graphs and no compilation.")
    enable_prefix_caching: bool | None = Field(None, description="vLLM's: keep what prompts begin with.")

    @classmethod
    def of(cls, spec: ModelSpec, context: Package | None = None) -> VllmOptions:
        """The spec's ``engine_args``, held against the arguments of a vLLM.

        ``context``: which one, by default the installed one. Raises ModelError for a name that
        neither this engine nor vLLM knows, with the nearest, and for a wrong value.
        """
        return super().of(spec, context)

    @model_validator(mode="before")
    @classmethod
    def _vllms_own(cls, value: Any, info: ValidationInfo) -> Any:
        """Names that are not ours are vLLM's, or a mistake."""
        if not isinstance(value, dict):
            return value

        vllms = [name for name in value if name not in OURS]
        arguments, whose = _arguments(info.context or packages.find_package())
        mistakes = [(name, text) for name in vllms if (text := _against(name, arguments, whose))]
        if mistakes:
            # One line per name, at the name's own place in the file.
            raise ValidationError.from_exception_data(
                cls.__name__,
                [
                    {
                        "type": PydanticCustomError("engine_argument", text, {"about": "key"}),
                        "loc": (name,),
                        "input": value[name],
                    }
                    for name, text in mistakes
                ],
            )
        return value

    @property
    def arguments(self) -> dict[str, Any]:
        """What goes to vLLM as it is: whatever was said that is not ours."""
        typed = {name: getattr(self, name) for name in self.model_fields_set if name not in OURS}
        return typed | (self.model_extra or {})

    @property
    def gpus(self) -> int:
        """GPUs that the parallel sizes ask for."""
        return self.tensor_parallel_size * self.pipeline_parallel_size


def _arguments(package: Package | None) -> tuple[frozenset[str] | None, str]:
    """The names of vLLM's arguments (None: not known), and of what they are the arguments."""
    if package is None:
        return ARGUMENTS, f"vLLM {VERSIONS}"
    return engine_arguments(package), f"vLLM {package.version}"


def _against(name: str, known: frozenset[str] | None, whose: str) -> str | None:
    """Why an argument that is not ours cannot be passed on, None where it can."""
    if name in ELSEWHERE:
        return f"decided by the model's own key; say {ELSEWHERE[name]} instead"
    if name in WITHOUT_EFFECT:
        return f"not for here: {WITHOUT_EFFECT[name]}; take it out"
    if known is None or name in known:
        return None

    near = difflib.get_close_matches(name, [*sorted(known), *OURS], 3)
    hint = (
        f"did you mean {' or '.join(near)}?"
        if near
        else f"see vllm serve --help for its {len(known)} arguments; ours are {', '.join(OURS)}"
    )
    return f"{whose} has no such argument; {hint}"


def identity_of(spec: ModelSpec) -> dict[str, Any]:
    """The engine arguments that may change an answer, for ``engine_id``.

    A LoRA adapter counts by its files' hashes, wherever it lies.
    """
    arguments = {
        name: value for name, value in spec.engine_args.items() if name not in VllmOptions.not_in_identity
    }

    # A variable may choose other kernels; what only talks does not count.
    env = arguments.pop("env", None)
    if isinstance(env, dict):
        deciding = {
            name: value for name, value in env.items() if not re.search("LOG|USAGE|TELEMETRY", str(name))
        }
        arguments |= {"env": deciding} if deciding else {}

    if "lora" in arguments:
        folder = lora_folder(spec, str(arguments["lora"]))
        arguments["lora"] = hash_files(
            folder, [*folder.glob("adapter_*.json"), *folder.glob("*.safetensors")]
        )
    return arguments


def lora_folder(spec: ModelSpec, path: str) -> Path:
    """The adapter's folder.

    Raises ModelError when it is none, or holds no safetensors (pickles run code when read).
    """
    folder = Path(path).expanduser()
    if not (folder / "adapter_config.json").is_file():
        raise ModelError(
            f"{spec.label}: engine_args.lora: {folder} has no adapter_config.json; name the "
            "folder that holds the adapter"
        )
    if not list(folder.glob("*.safetensors")):
        raise ModelError(
            f"{spec.label}: engine_args.lora: {folder} has no *.safetensors; convert the adapter "
            "to safetensors first"
        )
    return folder


def lora_arguments(spec: ModelSpec, folder: Path) -> dict[str, Any]:
    """What vLLM must be told to apply an adapter: that there is one, and the largest rank.

    Its default refuses ranks above 16.
    """
    try:
        rank = int(json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))["r"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{spec.label}: engine_args.lora: {folder / 'adapter_config.json'} does not say its "
            f"rank r: {error}"
        ) from error

    # vLLM knows these ranks only.
    sizes = [size for size in (8, 16, 32, 64, 128, 256, 320, 512) if size >= max(rank, _RANK)]
    if not sizes:
        raise ModelError(
            f"{spec.label}: engine_args.lora: rank {rank} is larger than vLLM's 512; merge the "
            "adapter into the weights"
        )
    return {"enable_lora": True, "max_lora_rank": sizes[0]}

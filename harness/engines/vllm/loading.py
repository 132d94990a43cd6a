"""Loading a model into vLLM: its arguments, and what goes wrong in one line."""

from __future__ import annotations

import contextlib
import inspect
import logging
import multiprocessing
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config.schema import ModelSpec
from harness.engines.files import ModelFiles
from harness.engines.vllm import environment, memory, preflight, reaper
from harness.engines.vllm.abilities import Abilities, find_abilities
from harness.engines.vllm.options import VllmOptions, lora_arguments, lora_folder
from harness.engines.vllm.package import Package
from harness.errors import HarnessError, ModelError, OutOfMemoryError
from harness.wording import named_line

log = logging.getLogger(__name__)

_CPU_BLOCK = 32
"""Tokens per block of the CPU's prefix cache: the smallest that its kernels like. vLLM's own 128
leaves half of a short context unshared.
"""


@dataclass(frozen=True)
class VllmPlacement:
    """Where and how: device (cpu or cuda[:N]), torch dtype's name, window in tokens."""

    device: str
    dtype: str
    window: int


@dataclass
class LoadedVllm:
    """A vLLM that answers, and what it can do.

    ``forcing``: `forcing` was loaded into it; ``guard``: the process that ends it should we die.
    """

    llm: Any
    abilities: Abilities
    package: Package
    in_process: bool
    forcing: bool
    lora: Any
    guard: subprocess.Popen[bytes] | None

    @property
    def config(self) -> Any:
        """vLLM's own resolved configuration."""
        return self.llm.llm_engine.vllm_config


def load_llm(
    spec: ModelSpec, files: ModelFiles, place: VllmPlacement, options: VllmOptions, config: Any
) -> LoadedVllm:
    """Checks, then loads.

    ``config``: transformers' configuration with overrides. Raises ModelError or OutOfMemoryError,
    one line each.
    """
    # Everything that can be refused is, before vLLM is imported: that alone takes many seconds.
    package = preflight.need_package(spec.label)
    cpu = place.device == "cpu"
    in_process = cpu and options.gpus == 1 if options.in_process is None else options.in_process
    raw = preflight.read_model(spec, files)
    arguments = options.arguments | _memory(spec, files, raw, place, options)

    environment.prepare(options.env, place.device, in_process)
    vllm = _import(spec, package)
    forcing = cpu and "logits_processors" not in arguments and options.multi_token in ("auto", "forced")
    guard = None if in_process else _start_guard()
    with contextlib.ExitStack() as stack:
        # The later wins: what engine_args say over what we say, except for what must be so.
        every = _arguments(spec, files, place, options) | arguments
        if cpu:
            every = {"enforce_eager": True, "block_size": _CPU_BLOCK} | every
        if forcing:
            every["logits_processors"] = ["harness.engines.vllm.forcing:Forced"]
        if spec.config_overrides:
            every["model"] = stack.enter_context(_overridden(config))
        try:
            llm = vllm.LLM(**every)
        except BaseException as error:
            release_guard(guard)
            if isinstance(error, HarnessError) or not isinstance(error, Exception):
                raise
            raise _explained(spec, error, in_process) from error
    abilities = _abilities(vllm, llm, package)
    return LoadedVllm(llm, abilities, package, in_process, forcing, _adapter(spec, options), guard)


def _adapter(spec: ModelSpec, options: VllmOptions) -> Any:
    """vLLM's request for the LoRA adapter, None without one."""
    if not options.lora:
        return None
    from vllm.lora.request import LoRARequest

    return LoRARequest("adapter", 1, str(lora_folder(spec, options.lora)))


def _memory(
    spec: ModelSpec, files: ModelFiles, raw: Mapping[str, Any], place: VllmPlacement, options: VllmOptions
) -> dict[str, Any]:
    """Arguments about memory and GPUs, by what there is.

    Raises ModelError where it is too little.
    """
    import os

    import psutil

    # One token more than the window, for the one that every request must generate.
    cache_dtype = str(options.arguments.get("kv_cache_dtype", "auto"))
    need = memory.cache_need(raw, place.dtype, place.window + 1, cache_dtype)
    if place.device == "cpu":
        if "kv_cache_memory_bytes" in options.arguments or "VLLM_CPU_KVCACHE_SPACE" in (
            os.environ | options.env
        ):
            return {}
        free = int(psutil.virtual_memory().available)
        return {"kv_cache_memory_bytes": memory.cpu_cache(spec.label, need, free)}

    import torch

    parallel = _parallel(spec, files, place, options)
    gpus = max(options.gpus, parallel.get("tensor_parallel_size", 1))
    free_and_total = torch.cuda.mem_get_info(torch.device(place.device))
    memory.check_gpu(spec.label, need, free_and_total, options.arguments, gpus)
    return parallel


def _parallel(
    spec: ModelSpec, files: ModelFiles, place: VllmPlacement, options: VllmOptions
) -> dict[str, int]:
    """Over how many GPUs the model goes where ``engine_args`` do not say.

    As many as ``gpus`` asks for, or all visible ones where one is too small.
    """
    from harness.engines.transformers.load import needs_several_gpus

    if options.gpus > 1 or not needs_several_gpus(spec, files, place.device):
        return {}
    import torch

    return {"tensor_parallel_size": spec.gpus or torch.cuda.device_count()}


def _import(spec: ModelSpec, package: Package) -> Any:
    try:
        import vllm
    except Exception as error:  # a binary built for another torch, a missing CUDA library
        raise ModelError(
            f"{spec.label}: {package.name} {package.version} cannot be imported: {named_line(error)}; "
            "install it anew"
        ) from error
    return vllm


def _arguments(
    spec: ModelSpec, files: ModelFiles, place: VllmPlacement, options: VllmOptions
) -> dict[str, Any]:
    """Arguments that the model's own keys decide."""
    arguments: dict[str, Any] = {
        "model": str(files.path),
        "tokenizer": str(files.tokenizer),
        "dtype": place.dtype,
        "max_model_len": place.window + 1,
        "trust_remote_code": spec.trust_remote_code,
        "seed": 0,
        "generation_config": "vllm",
        "disable_log_stats": False,  # else its outputs carry no times
    }

    # "dummy" is vLLM's own word for seeded noise.
    if spec.weights == "random":
        arguments["load_format"] = "dummy"
    if options.lora:
        arguments |= lora_arguments(spec, lora_folder(spec, options.lora))
    return arguments


@contextlib.contextmanager
def _overridden(config: Any) -> Any:
    """A folder with the configuration as overridden, for as long as vLLM reads it."""
    with tempfile.TemporaryDirectory(prefix="harness-config-") as folder:
        config.save_pretrained(folder)
        yield folder


def _explained(spec: ModelSpec, error: Exception, in_process: bool) -> HarnessError:
    """vLLM's failure in one line."""
    text = str(error)
    if "out of memory" in text.lower() or "No available memory for the cache" in text:
        return OutOfMemoryError(
            f"{spec.label}: vLLM ran out of memory loading it: {named_line(error)}; set max_length lower"
        )
    where = "" if in_process else "; the model's log has the reason"
    return ModelError(f"{spec.label}: vLLM cannot load it: {named_line(error)}{where}")


def _abilities(vllm: Any, llm: Any, package: Package) -> Abilities:
    """What the loaded vLLM can do, by the names that its own classes have."""
    fields = (
        getattr(vllm.SamplingParams, "__struct_fields__", None)
        or inspect.signature(vllm.SamplingParams).parameters
    )
    outputs = set(inspect.signature(vllm.RequestOutput.__init__).parameters)
    v2 = bool(getattr(llm.llm_engine.vllm_config, "use_v2_model_runner", False))
    limit = getattr(sys.modules.get("vllm.sampling_params"), "MAX_LOGPROB_TOKEN_IDS", None)
    return find_abilities(fields, outputs, v2, limit, package.version)


def _start_guard() -> subprocess.Popen[bytes] | None:
    """Starts the process that ends vLLM's own should this one die (`reaper`)."""
    if not sys.platform.startswith("linux"):
        return None

    import os

    # A session of its own, so that what kills this process's group leaves the guard alive.
    command = [sys.executable, "-I", "-S", str(Path(reaper.__file__)), str(os.getpid())]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def release_guard(guard: subprocess.Popen[bytes] | None) -> None:
    """Tells the guard that there is nothing left to end."""
    if guard is not None and guard.stdin is not None:
        with contextlib.suppress(OSError):
            guard.stdin.write(b"done")
            guard.stdin.close()
        guard.wait(timeout=10)


def shut_down(loaded: LoadedVllm) -> None:
    """Ends vLLM's processes and gives its memory back; failures are logged, not raised."""
    import gc

    steps: list[Callable[[], None]] = []
    core = getattr(loaded.llm.llm_engine, "engine_core", None)
    if core is not None and hasattr(core, "shutdown"):
        steps.append(core.shutdown)

    # No reference may be left here: the engine's own destructor has to run before the clean-up.
    del core
    loaded.llm = None
    if loaded.in_process:
        from vllm.distributed.parallel_state import cleanup_dist_env_and_memory

        steps.append(cleanup_dist_env_and_memory)

    for step in steps:
        try:
            step()
        except Exception as error:
            log.warning("vLLM did not shut down cleanly: %s", named_line(error))
    steps.clear()
    gc.collect()
    multiprocessing.active_children()  # as a side effect, joins those that have ended
    release_guard(loaded.guard)

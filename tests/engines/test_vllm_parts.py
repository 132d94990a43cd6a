"""What the vLLM engine decides without vLLM.

The installed package's lists, arguments, refusals, memory, the choice of engine, orphans.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from support.fake_vllm import FakeEngine

from harness.config.schema import ModelSpec
from harness.engines import choice, engine_name, open_engine, resolve_model
from harness.engines.prompting import fit_prompt, penalty_findings
from harness.engines.vllm import memory, preflight, reaper
from harness.engines.vllm import package as packages
from harness.engines.vllm.abilities import find_abilities
from harness.engines.vllm.client import VllmClient
from harness.engines.vllm.generation import VllmGenerator, VllmRules
from harness.engines.vllm.options import VllmOptions, identity_of
from harness.engines.vllm.package import Package
from harness.errors import ModelError
from harness.items import Completion, Sampling, ThinkTags

TINY = "bundled/tiny-qwen"
GIB = 2**30
NEEDED = {
    "max_tokens",
    "temperature",
    "seed",
    "stop",
    "stop_token_ids",
    "ignore_eos",
    "detokenize",
    "prompt_logprobs",
    "logprob_token_ids",
}
REGISTRY = """
_TEXT_GENERATION_MODELS = {"Qwen2ForCausalLM": ("qwen2", "Qwen2ForCausalLM")}
_EMBEDDING_MODELS = {"BertModel": ("bert", "BertModel")}
"""
ARGUMENTS = """
class EngineArgs:
    tensor_parallel_size: int = 1
    gpu_memory_utilization: float = 0.9
    kv_cache_dtype: str = ""
    not_a_field = None
"""
KERNELS = """
class B:
    def get_supported_head_sizes(cls):
        return [32, 64, 128]
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a vLLM of a given build look installed, by the files that are read."""
    # As vLLM has them, shortened.
    files = {
        "model_executor/models/registry.py": REGISTRY,
        "engine/arg_utils.py": ARGUMENTS,
        "v1/attention/backends/cpu_attn.py": KERNELS,
    }
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def make(built_for: Any) -> Package:
        package = Package("vllm", "0.32.0", built_for, tmp_path)
        for module in (packages, preflight):
            monkeypatch.setattr(module, "find_package", lambda: package)
        return package

    return make


def test_the_packages_own_lists_are_read(installed: Any, tmp_path: Path) -> None:
    package = installed("cpu")
    arguments = {"tensor_parallel_size", "gpu_memory_utilization", "kv_cache_dtype"}
    assert packages.architectures(package) == frozenset({"Qwen2ForCausalLM"})
    assert packages.engine_arguments(package) == frozenset(arguments)
    assert packages.cpu_head_sizes(package) == frozenset({32, 64, 128})

    # Of files that are not there nothing is known, which is not the same as an empty list.
    elsewhere = Package("vllm", "9", "cuda", tmp_path / "nowhere")
    assert packages.architectures(elsewhere) is None
    assert packages.engine_arguments(elsewhere) is None
    assert packages.cpu_head_sizes(elsewhere) is None


def test_what_is_not_known_is_not_refused(tmp_path: Path) -> None:
    strange = Package("vllm", "9", "cuda", tmp_path)
    assert preflight.unsupported(strange, {"architectures": ["AnyForCausalLM"], "head_dim": 8}, "cpu") is None
    assert VllmOptions.of(ModelSpec(id=TINY, engine_args={"whatever": 1}), strange).arguments == {
        "whatever": 1
    }


@pytest.mark.parametrize(
    ("config", "size"),
    [
        ({"head_dim": 8}, 8),
        ({"hidden_size": 64, "num_attention_heads": 8}, 8),
        ({"text_config": {"head_dim": 96}}, 96),
        ({"kv_lora_rank": 512, "hidden_size": 64, "num_attention_heads": 8}, None),
        ({"hidden_size": 64}, None),
    ],
)
def test_head_sizes(config: dict[str, Any], size: int | None) -> None:
    assert preflight.head_size(config) == size


def test_refusals(installed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="CUDA build: say engine: transformers"):
        preflight.check_device("m", installed("cuda"), "cpu")
    with pytest.raises(ModelError, match="cannot use the GPU"):
        preflight.check_device("m", installed("cpu"), "cuda:0")
    with pytest.raises(ModelError, match="CUDA_VISIBLE_DEVICES"):
        preflight.check_device("m", installed("cuda"), "cuda:1")
    with pytest.raises(ModelError, match="head dimension of 8 "):
        preflight.check_model(
            "m", installed("cpu"), {"architectures": ["Qwen2ForCausalLM"], "head_dim": 8}, "cpu"
        )
    with pytest.raises(ModelError, match="no implementation of OtherForCausalLM"):
        preflight.check_model("m", installed("cuda"), {"architectures": ["OtherForCausalLM"]}, "cuda")
    preflight.check_model(
        "m", installed("cuda"), {"architectures": ["Qwen2ForCausalLM"], "head_dim": 8}, "cuda"
    )

    monkeypatch.setattr(preflight, "find_package", lambda: None)
    with pytest.raises(ModelError, match="pip install"):
        open_engine(ModelSpec(id=TINY, engine="vllm"), device="cpu")


def test_arguments(installed: Any) -> None:
    package = installed("cuda")
    arguments = {"tensor_parallel_size": 2, "env": {"A": 1}, "lora": "x", "in_process": True}
    options = VllmOptions.of(ModelSpec(id=TINY, engine_args=arguments), package)
    assert options.arguments == {"tensor_parallel_size": 2}
    assert options.gpus == 2
    assert options.env == {"A": "1"}
    assert identity_of(
        ModelSpec(id=TINY, engine_args={"env": {}, "gpu_memory_utilization": 0.5, "kv_cache_dtype": "fp8"})
    ) == {"kv_cache_dtype": "fp8"}

    # Of the environment only what may change an answer counts.
    kernels = {"VLLM_ATTENTION_BACKEND": "TRITON_ATTN"}
    env = {**kernels, "VLLM_LOGGING_LEVEL": "INFO"}
    assert identity_of(ModelSpec(id=TINY, engine_args={"env": env})) == {"env": kernels}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"gpu_memory_utilisation": 1}, "did you mean gpu_memory_utilization"),
        ({"in_proces": 1}, "did you mean in_process"),
        ({"zzzz": 1}, "ours are env"),
        ({"dtype": "float32"}, "say dtype instead"),
        ({"max_model_len": 9}, "say max_length instead"),
        ({"multi_token": "fast"}, "expected auto, rows, forced, tail or whole"),
        ({"env": "A=1"}, "env: expected a mapping"),
        ({"override_generation_config": {"top_k": 5}}, "say generation: in the task"),
        ({"generation_config": "auto"}, "generation_defaults is about the checkpoint's penalty"),
        ({"logprobs_mode": "raw_logits"}, "scores are raw log-probabilities"),
    ],
)
def test_arguments_that_are_refused(installed: Any, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        VllmOptions.of(ModelSpec(id=TINY, engine_args=arguments), installed("cuda"))
    assert "\n" not in str(caught.value)


def test_an_adapter_is_known_by_its_files(tmp_path: Path) -> None:
    spec = ModelSpec(id=TINY, engine_args={"lora": str(tmp_path)})
    with pytest.raises(ModelError, match=r"no adapter_config\.json"):
        identity_of(spec)
    (tmp_path / "adapter_config.json").write_text('{"r": 8}')
    with pytest.raises(ModelError, match="safetensors"):
        identity_of(spec)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"one")
    before = identity_of(spec)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"two")
    assert identity_of(spec) != before


def test_abilities(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    modern = NEEDED | {
        "skip_reading_prefix_cache",
        "flat_logprobs",
        "skip_clone",
        "prompt_logprob_token_ids",
        "prompt_logprob_start",
    }
    outputs = {"num_cached_tokens", "prompt_token_id_logprobs"}

    # From the newest to one that can hardly do anything.
    assert find_abilities(modern, outputs, True, 64, "0.32").method("auto", False, "m") == "rows"
    assert not caplog.text
    assert find_abilities(modern, outputs, False, None, "0.32").method("auto", True, "m") == "forced"
    assert "no prompt_logprob_token_ids" in caplog.text
    older = find_abilities(NEEDED | {"skip_reading_prefix_cache"}, {"num_cached_tokens"}, True, None, "0.26")
    assert older.method("auto", False, "m") == "tail"
    assert find_abilities(NEEDED, set(), True, None, "0.2").method("rows", False, "m") == "whole"
    assert "falling back to whole" in caplog.text
    with pytest.raises(ModelError, match=r"no logprob_token_ids; install 0\.26 or newer"):
        find_abilities(NEEDED - {"logprob_token_ids"}, set(), True, None, "0.9")


def test_memory() -> None:
    config = json.loads((resolve_model(ModelSpec(id=TINY)).path / "config.json").read_text())
    need = memory.cache_need(config, "float32", 4096)
    assert need is not None
    # tokens × layers × (keys, values) × KV heads × head size × bytes
    assert need.sequence == 4096 * 4 * 2 * 2 * 32 * 4
    assert memory.cache_need({"model_type": "strange"}, "float32", 9) is None

    assert memory.cpu_cache("m", need, 20 * GIB) == 4 * GIB
    assert memory.cpu_cache("m", memory.CacheNeed(GIB, 6 * GIB), 20 * GIB) == 6 * GIB
    assert memory.cpu_cache("m", None, 3 * GIB) == GIB
    with pytest.raises(ModelError, match=r"too little memory: 9\.0 GiB of weights and 2\.0 GiB of cache"):
        memory.cpu_cache("m", memory.CacheNeed(9 * GIB, 2 * GIB), 10 * GIB)

    memory.check_gpu("m", memory.CacheNeed(9 * GIB, 2 * GIB), (23 * GIB, 24 * GIB), {}, 1)
    with pytest.raises(ModelError, match="too little GPU memory"):
        memory.check_gpu("m", memory.CacheNeed(30 * GIB, 2 * GIB), (23 * GIB, 24 * GIB), {}, 1)
    memory.check_gpu("m", memory.CacheNeed(30 * GIB, 2 * GIB), (23 * GIB, 24 * GIB), {}, 2)
    memory.check_gpu(
        "m", memory.CacheNeed(30 * GIB, 2 * GIB), (23 * GIB, 24 * GIB), {"quantization": "fp8"}, 1
    )
    with pytest.raises(ModelError, match=r"gpu_memory_utilization: 0\.35"):
        memory.check_gpu("m", None, (10 * GIB, 24 * GIB), {}, 1)


@pytest.mark.parametrize(
    ("built_for", "device", "config", "arguments", "name", "words"),
    [
        ("cuda", "cuda", {}, {}, "vllm", "CUDA GPU"),
        ("cuda", "cpu", {}, {}, "transformers", "no CUDA GPU"),
        ("cpu", "cuda", {}, {}, "transformers", "CPU build"),
        (None, "cuda", {}, {}, "transformers", "not installed"),
        ("cuda", "cuda", {"architectures": ["OtherForCausalLM"]}, {}, "transformers", "no implementation"),
        ("cuda", "cuda", {}, {"batch_rows": 3}, "transformers", "engine_args.batch_rows"),
    ],
)
def test_auto(
    built_for: Any,
    device: str,
    config: Any,
    arguments: Any,
    name: str,
    words: str,
    installed: Any,
    monkeypatch: Any,
    tmp_path: Path,
) -> None:
    installed(built_for)
    if built_for is None:
        monkeypatch.setattr(packages, "find_package", lambda: None)
    monkeypatch.setattr("harness.engines.transformers.identity.resolve_device", lambda asked: asked)
    (tmp_path / "config.json").write_text(
        json.dumps({"architectures": ["Qwen2ForCausalLM"], "head_dim": 64} | config)
    )
    spec = ModelSpec(id=str(tmp_path), engine_args=arguments)
    chosen = choice.automatic(spec, device, tmp_path)
    assert chosen.name == name
    assert words in chosen.reason
    files: Any = SimpleNamespace(path=tmp_path)
    assert engine_name(spec, device, files) == name
    assert engine_name(ModelSpec(id="x", engine="vllm")) == "vllm"


class Words:
    """A tokenizer of single letters."""

    prefix_id, eos_text, special_ids, rebuilt = 0, "", frozenset[int](), False
    raw = SimpleNamespace(convert_tokens_to_ids=lambda tag: None)

    @staticmethod
    def marker_ids(markers: tuple[str, ...]) -> frozenset[int]:
        """None of its letters is special."""
        return frozenset()

    @staticmethod
    def decode(ids: Any, skip_special: bool = True) -> str:
        """Letters."""
        return "".join("abcdefghijkl"[token] for token in ids)

    @staticmethod
    def may_hold(token: int, characters: frozenset[str]) -> bool:
        """A letter."""
        return "abcdefghijkl"[token] in characters


class Streaming(FakeEngine):
    """Writes given tokens, one per step, and stops where vLLM would: at stop ids and budget."""

    def __init__(self, script: list[int]) -> None:
        super().__init__()
        self.script, self.counts = script, dict[str, int]()

    def step(self) -> list[Any]:
        """One more token of each request."""
        outputs = []
        for name, (_, params) in list(self.waiting.items()):
            count = self.counts[name] = self.counts.get(name, 0) + 1
            token = self.script[count - 1]
            stopped = token in params.stop_token_ids
            finished = stopped or count == params.max_tokens
            pieces = [token] if params.output_kind == "pieces" else self.script[:count]
            answer = SimpleNamespace(
                token_ids=pieces, finish_reason="stop" if stopped else "length" if finished else None
            )
            if finished:
                del self.waiting[name]

            # Whole answers show at their end only, pieces at once.
            if finished or params.output_kind == "pieces":
                outputs.append(
                    SimpleNamespace(
                        request_id=name,
                        finished=finished,
                        outputs=[answer],
                        num_cached_tokens=0,
                        metrics=None,
                    )
                )
        return outputs


def write(script: list[int], item: Completion) -> tuple[Any, Streaming]:
    engine = Streaming(script)
    rules = VllmRules(20, frozenset({11}), "", 1.0)
    (answer,) = _generator(engine, rules, lambda **params: SimpleNamespace(**params)).run([(item, [1, 2])])
    return answer, engine


def _generator(engine: Streaming, rules: VllmRules, make: Any) -> VllmGenerator:
    abilities = find_abilities(NEEDED, set(), False, None, "0")
    encoder: Any = Words()
    return VllmGenerator(VllmClient(engine, "toy"), encoder, rules, make, abilities, ("whole", "pieces"))


def test_a_thought_is_not_stopped_by_stop_texts() -> None:
    think = ThinkTags("a", "c", opened=True)
    answer, engine = write([1, 3, 1, 2, 4, 3, 5, 6], Completion("x", "", ("d",), 8, think=think))
    assert (answer.text, answer.finish, answer.tokens.output) == ("bdbce", "stop", 6)
    assert engine.aborted
    assert not engine.waiting


def test_every_sampling_value_is_said_and_a_penalty_of_one_is_kept() -> None:
    every: list[dict[str, Any]] = []

    def make(**params: Any) -> Any:
        every.append(params)
        return SimpleNamespace(**params)

    for sampling, penalty in (
        (Sampling(), 1.05),
        (Sampling(repetition_penalty=1.0), 1.0),
        (Sampling(0.7, 0.9, 20, 1.2, 3), 1.2),
    ):
        rules = VllmRules(20, frozenset({11}), "", 1.05)
        writer = _generator(Streaming([4, 11]), rules, make)
        list(writer.run([(Completion("x", "", (), 4, sampling), [1, 2])]))
        params = every[-1]
        assert params["repetition_penalty"] == penalty
        assert (params["temperature"], params["top_p"], params["top_k"]) == (
            sampling.temperature,
            sampling.top_p,
            sampling.top_k,
        )
        assert (params["min_p"], params["presence_penalty"], params["frequency_penalty"]) == (0.0, 0.0, 0.0)

    assert penalty_findings(1.0) == ()
    (finding,) = penalty_findings(1.05)
    assert (finding.kind, finding.values["penalty"]) == ("checkpoint_penalty", 1.05)


def test_endings() -> None:
    answer, _ = write([4, 5, 11, 6], Completion("x", "", (), 4))
    assert (answer.text, answer.finish, answer.tokens.output) == ("ef", "eos", 3)
    answer, _ = write([4, 5, 11, 6], Completion("x", "", (), 4, ignore_eos=True))
    assert (answer.text, answer.finish) == ("eflg", "length")
    answer, _ = write([4, 5, 6, 7], Completion("x", "", ("h",), 4))
    assert (answer.text, answer.finish) == ("efg", "stop")


def test_prompts_are_fitted_as_lm_eval_does() -> None:
    fitted = fit_prompt(Completion("x", "", max_tokens=4), list(range(30)), 20)
    assert (fitted.prompt, fitted.budget, fitted.truncated) == (list(range(14, 30)), 4, 14)
    assert fit_prompt(Completion("x", "", max_tokens=99), list(range(30)), 20).budget == 10


CHILD = "import subprocess, time; print(subprocess.Popen(['sleep', '99']).pid, flush=True); time.sleep(99)"
PARENT = """
import os, subprocess, sys, time
guard, child = sys.argv[1:]
python = [sys.executable, "-I", "-S"]
watching = subprocess.Popen([*python, guard, str(os.getpid())], stdin=subprocess.PIPE, start_new_session=True)
started = subprocess.Popen([*python, "-c", child], start_new_session=True, stdout=subprocess.PIPE, text=True)
print(watching.pid, started.pid, started.stdout.readline().strip(), flush=True)
time.sleep(99)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_orphans_are_ended_when_their_parent_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, reaper.__file__, CHILD], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    family = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
    time.sleep(1)
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert all(one.status() == psutil.STATUS_ZOMBIE for one in alive)

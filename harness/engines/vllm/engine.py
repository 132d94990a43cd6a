"""The vLLM engine: real sizes and real speed, by the transformers engine's rules for text."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

from harness.config.schema import ModelSpec
from harness.engines.answering import TextSide
from harness.engines.files import ModelFiles
from harness.engines.prompting import penalty_findings
from harness.engines.protocol import EngineInfo
from harness.engines.tokenizer import ChatTemplate, TextEncoder, load_tokenizer
from harness.engines.transformers import identity as plain
from harness.engines.vllm import loading, preflight
from harness.engines.vllm.client import VllmClient
from harness.engines.vllm.generation import VllmGenerator, VllmRules
from harness.engines.vllm.identity import versions
from harness.engines.vllm.logprobs import LogprobRequests
from harness.engines.vllm.options import VllmOptions
from harness.engines.vllm.scoring import VllmScorer
from harness.items import Choice, Completion, Generation, Likelihood, Passage, Score
from harness.sanity import Finding

log = logging.getLogger(__name__)


class VllmEngine:
    """Any decoder that vLLM runs, behind the engine protocol.

    ``reason``: why this engine was taken, where the spec left it open. Raises ModelError or
    OutOfMemoryError, one line, when the model cannot be loaded.
    """

    def __init__(
        self, spec: ModelSpec, files: ModelFiles, device: str = "auto", reason: str | None = None
    ) -> None:
        started = time.perf_counter()
        self._spec, self._reason = spec, reason

        # Refusals first: they read a few files, where loading takes minutes.
        package = preflight.need_package(spec.label)
        resolved = plain.resolve_device(device)
        preflight.check_device(spec.label, package, resolved)
        self._options = VllmOptions.of(spec, package)
        preflight.check_model(spec.label, package, preflight.read_model(spec, files), resolved)

        self.encoder: TextEncoder = load_tokenizer(spec, files)
        from harness.engines.transformers import load

        config = load.load_config(spec, files.path)
        self.window = load.context_length(spec, config, self.encoder)
        self._place = loading.VllmPlacement(resolved, plain.resolve_dtype(spec, resolved, files), self.window)
        self._loaded: loading.LoadedVllm | None = loading.load_llm(
            spec, files, self._place, self._options, config
        )
        rows = int(self._loaded.llm.model_config.get_vocab_size())
        self._text = TextSide(self.encoder, self.window, rows, spec.label)
        self._build(files, config)
        self._load_seconds = time.perf_counter() - started

    def _build(self, files: ModelFiles, config: Any) -> None:
        """Makes what answers items out of the loaded model."""
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        loaded = self._loaded
        assert loaded is not None

        abilities = loaded.abilities
        cache = loaded.config.cache_config
        # vLLM turns it off by itself for architectures that it cannot share prefixes of.
        self._caching = bool(cache.enable_prefix_caching)
        if not self._caching:
            log.warning(
                "%s: vLLM has no prefix cache for this architecture; shared prompts are computed again",
                self._spec.label,
            )

        self.method = abilities.method(self._options.multi_token, loaded.forcing, self._spec.label)
        self._client = VllmClient(loaded.llm.llm_engine, self._spec.label, loaded.lora)
        requests = LogprobRequests(SamplingParams, abilities)
        self._scorer = VllmScorer(
            self._client, requests, self.method, int(cache.block_size), abilities.labels
        )
        kinds = (RequestOutputKind.FINAL_ONLY, RequestOutputKind.DELTA)
        self._rules = self._find_rules(files, config)
        self._generator = VllmGenerator(
            self._client, self.encoder, self._rules, SamplingParams, abilities, kinds
        )

    def _find_rules(self, files: ModelFiles, config: Any) -> VllmRules:
        """What ends a text, and its penalty, as transformers' own generate finds them.

        generation_config.json says it where there is one, else config.json; the tokenizer's EOS
        always ends a text.
        """
        from transformers import GenerationConfig

        if (files.path / "generation_config.json").is_file() and self._spec.weights == "pretrained":
            defaults = GenerationConfig.from_pretrained(files.path, local_files_only=True)
        else:
            defaults = GenerationConfig.from_model_config(config)

        # An id, a list of ids, or nothing at all.
        listed = defaults.eos_token_id
        ends = {listed} if isinstance(listed, int) else set(listed or ())
        if self.encoder.eos_id is not None:
            ends.add(self.encoder.eos_id)
        penalty = (
            float(getattr(defaults, "repetition_penalty", None) or 1.0)
            if self._options.generation_defaults
            else 1.0
        )
        return VllmRules(self.window, frozenset(ends), self.encoder.eos_text, penalty)

    @property
    def info(self) -> EngineInfo:
        """Versions, device, number format, window.

        ``extra``: how vLLM was set up and what scoring asked of it.
        """
        loaded = self._opened()
        cache, parallel = loaded.config.cache_config, loaded.config.parallel_config
        return EngineInfo(
            engine="vllm",
            versions=versions(self._spec.label),
            device=plain.device_kind(self._place.device),
            dtype=self._place.dtype,
            context_length=self.window,
            load_seconds=self._load_seconds,
            extra={
                "chosen": self._reason,
                "build": f"{loaded.package.name} for {loaded.package.built_for}",
                "in_process": loaded.in_process,
                "v2_runner": bool(getattr(loaded.config, "use_v2_model_runner", False)),
                "multi_token": self.method,
                "prefix_cache": {
                    "on": self._caching,
                    "block": cache.block_size,
                    "blocks": cache.num_gpu_blocks,
                },
                "parallel": {
                    "tensor": parallel.tensor_parallel_size,
                    "pipeline": parallel.pipeline_parallel_size,
                },
                "reissued": self._scorer.reissued,
                "primed": self._scorer.primed,
                "eos_ids": sorted(self._rules.eos_ids),
                "repetition_penalty": self._rules.penalty,
            },
            findings=self._findings(),
        )

    def _findings(self) -> tuple[Finding, ...]:
        """What loading the model showed that a reader of its scores should know."""
        findings = [*self.encoder.findings, *penalty_findings(self._rules.penalty)]
        if self._generator.unchecked:
            findings.append(Finding("finite_unchecked"))
        return tuple(findings)

    def chat_template(self) -> ChatTemplate:
        """The tokenizer's chat template. Raises ModelError when it has none."""
        return ChatTemplate(self.encoder, self._spec.thinking)

    def score(self, items: Sequence[Choice]) -> Iterator[Score]:
        """Log-probabilities of continuations. Raises ModelError when the engine dies."""
        self._opened()
        yield from self._text.score(items, self._scorer)

    def generate(self, items: Sequence[Completion]) -> Iterator[Generation]:
        """Continuations. Raises ModelError when the engine dies."""
        self._opened()
        yield from self._generator.run(zip(items, self._text.prompts(items), strict=True))

    def perplexity(self, items: Sequence[Passage]) -> Iterator[Likelihood]:
        """Log-probabilities of whole texts by rolling windows.

        Raises ModelError when the engine dies.
        """
        self._opened()
        yield from self._text.perplexity(items, self._scorer)

    def close(self) -> None:
        """Ends vLLM's processes and frees its memory; a second call does no harm."""
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            # All that refers to vLLM's engine, which ends when the last reference does.
            del self._client, self._scorer, self._generator
            loading.shut_down(loaded)

    def _opened(self) -> loading.LoadedVllm:
        if self._loaded is None:
            raise RuntimeError("this engine was closed")
        return self._loaded

"""The transformers engine: loads a model once and answers items with it.

Correct first: sums are fp32, and what counts as a context, a continuation or a stop is lm-eval's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from harness.config.schema import ModelSpec
from harness.engines.answering import TextSide
from harness.engines.files import ModelFiles
from harness.engines.prompting import penalty_findings
from harness.engines.protocol import EngineInfo
from harness.engines.tokenizer import ChatTemplate, load_tokenizer
from harness.engines.transformers import identity, load
from harness.engines.transformers.compute import widen
from harness.engines.transformers.continuous import ContinuousBatcher
from harness.engines.transformers.forward import Forward
from harness.engines.transformers.generation import Decoder
from harness.engines.transformers.jobs import GenerationRules, make_job
from harness.engines.transformers.memory import Budget, free_bytes, release
from harness.engines.transformers.options import TransformersOptions
from harness.engines.transformers.scoring import TreeScorer
from harness.engines.transformers.sharing import find_sharing
from harness.engines.transformers.weights import weight_findings
from harness.items import Choice, Completion, Generation, Likelihood, Passage, Score
from harness.sanity import Finding

log = logging.getLogger(__name__)

# Tokens per forward pass: more gains nothing on a CPU (docs/engine.md), and takes more memory.
_CPU_TOKENS = 1024
_CUDA_TOKENS = 16384


class TransformersEngine:
    """Any AutoModelForCausalLM behind the engine protocol.

    ``reason``: why this engine was taken. Raises ModelError or OutOfMemoryError, one line, when the
    model cannot be loaded.
    """

    def __init__(
        self, spec: ModelSpec, files: ModelFiles, device: str = "auto", reason: str | None = None
    ) -> None:
        started = time.perf_counter()
        self._spec, self._reason = spec, reason
        self._options = TransformersOptions.of(spec)
        place = self._place(spec, files, device)

        # Partial sums of a product stay in fp32, as everything that is said of sums here has it.
        torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
        torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
        self.encoder = load_tokenizer(spec, files)
        self._model: Any = load.load_model(spec, files, place)
        # The checkpoint's own numbers are looked at, so before anything changes their format.
        self._weights = weight_findings(self._model) if spec.weights == "pretrained" else ()
        self._computed_in = widen(self._model)
        rows = load.check_vocabulary(spec, self._model, self.encoder)
        if place.device == "cpu":
            load.choose_threads(self._model)
        self.window = load.context_length(spec, self._model.config, self.encoder)
        self._text = TextSide(self.encoder, self.window, rows, spec.label)

        # One budget for scoring and generation: memory that was too little for one is for the
        # other.
        self._forward = Forward(self._model)
        tokens = self._options.batch_tokens or (_CPU_TOKENS if place.device == "cpu" else _CUDA_TOKENS)
        self._budget = Budget(tokens)
        self._sharing = find_sharing(self._forward, self.window, rows, place.attention)
        share = self._options.shared_prefixes
        self._scorer = TreeScorer(self._forward, self._budget, self._sharing.limit if share else 0)
        self._decoder = Decoder(
            self._forward,
            self.encoder,
            ContinuousBatcher(self._forward, self._rules(place), self._budget, share),
            self._sharing.steps,
        )
        self._place_used = place
        self._load_seconds = time.perf_counter() - started

    @staticmethod
    def _place(spec: ModelSpec, files: ModelFiles, device: str) -> load.Placement:
        resolved = identity.resolve_device(device)
        several = load.needs_several_gpus(spec, files, resolved)
        attention = TransformersOptions.of(spec).attention
        return load.Placement(resolved, identity.resolve_dtype(spec, resolved, files), attention, several)

    def _rules(self, place: load.Placement) -> GenerationRules:
        """What ends a text and what a batch may hold."""
        config = getattr(self._model, "generation_config", None)
        listed = getattr(config, "eos_token_id", None)
        ends = {listed} if isinstance(listed, int) else set(listed or ())
        if self.encoder.eos_id is not None:
            ends.add(self.encoder.eos_id)
        penalty = (
            float(getattr(config, "repetition_penalty", None) or 1.0)
            if self._options.generation_defaults
            else 1.0
        )

        # Half of what is free: the rest is for the passes themselves.
        rows = self._options.batch_rows or (128 if place.device == "cpu" else 256)
        room = free_bytes(self._forward.device) // 2 // _cache_bytes(self._model)
        return GenerationRules(self.window, frozenset(ends), self.encoder.eos_text, penalty, rows, int(room))

    @property
    def info(self) -> EngineInfo:
        """Versions, device, number format, attention, window.

        ``extra``: how the model is in fact run, whatever was asked for, and counts of tokens
        forwarded, with padding and without.
        """
        place = self._place_used
        forwarded = {
            "real": self._scorer.real + self._decoder.real,
            "padded": self._scorer.padded + self._decoder.padded,
        }
        return EngineInfo(
            engine="transformers",
            versions=identity.versions(),
            device=identity.device_kind(place.device),
            dtype=place.dtype,
            attention=getattr(self._forward.model.config, "_attn_implementation", place.attention),
            context_length=self.window,
            parameters=self._forward.model.num_parameters(),
            load_seconds=self._load_seconds,
            extra={
                "chosen": self._reason,
                "architecture": type(self._forward.model).__name__,
                "head": self._forward.head_mode,
                "shared_prefixes": {"longest_row": self._scorer.share_limit, "reason": self._why_not()},
                "continuous_batching": {
                    "longest_row": self._sharing.steps,
                    "reason": self._sharing.steps_reason,
                },
                "batch_tokens": self._budget.tokens,
                "out_of_memory": self._budget.halvings,
                "forwarded_tokens": forwarded,
                "eos_ids": sorted(self._decoder.rules.eos_ids),
                "repetition_penalty": self._decoder.rules.penalty,
                "threads": torch.get_num_threads(),
                "compute_dtype": self._computed_in,
            },
            findings=self._findings(),
        )

    def _findings(self) -> tuple[Finding, ...]:
        """What loading the model showed that a reader of its scores should know."""
        findings: list[Finding] = [*self.encoder.findings, *self._weights]
        if self._options.shared_prefixes and not self._sharing.limit:
            findings.append(Finding("sharing_off", values={"reason": self._sharing.reason}))
        elif not self._sharing.steps:
            findings.append(Finding("batching_off", values={"reason": self._sharing.steps_reason}))
        findings += penalty_findings(self._decoder.rules.penalty)
        return tuple(findings)

    def _why_not(self) -> str | None:
        return self._sharing.reason if self._options.shared_prefixes else "engine_args.shared_prefixes: false"

    def chat_template(self) -> ChatTemplate:
        """The tokenizer's chat template. Raises ModelError when it has none."""
        return ChatTemplate(self.encoder, self._spec.thinking)

    def score(self, items: Sequence[Choice]) -> Iterator[Score]:
        """Log-probabilities of continuations.

        Raises OutOfMemoryError when one pair alone does not fit.
        """
        self._check_open()
        yield from self._text.score(items, self._scorer)

    def generate(self, items: Sequence[Completion]) -> Iterator[Generation]:
        """Continuations. Raises OutOfMemoryError when one row alone does not fit."""
        self._check_open()
        rules = self._decoder.rules
        prompts = self._text.prompts(items)
        yield from self._decoder.run(
            [make_job(item, prompt, self.encoder, rules) for item, prompt in zip(items, prompts, strict=True)]
        )

    def perplexity(self, items: Sequence[Passage]) -> Iterator[Likelihood]:
        """Log-probabilities of whole texts by rolling windows.

        Raises OutOfMemoryError when one window alone does not fit.
        """
        self._check_open()
        yield from self._text.perplexity(items, self._scorer)

    def close(self) -> None:
        """Frees the model's memory; a second call does no harm."""
        if self._model is not None:
            device = self._forward.device
            self._model = None
            del self._forward.model, self._forward._head
            release(device)

    def _check_open(self) -> None:
        if self._model is None:
            raise RuntimeError("this engine was closed")


def _cache_bytes(model: Any) -> int:
    """Bytes of keys and values per token, by the usual layout.

    2 × layers × KV heads × head size × bytes per number.
    """
    config = model.config.get_text_config()
    heads = getattr(config, "num_attention_heads", None) or 1
    kv_heads = getattr(config, "num_key_value_heads", None) or heads
    size = getattr(config, "head_dim", None) or config.hidden_size // heads
    return max(1, 2 * int(config.num_hidden_layers) * int(kv_heads) * int(size) * int(model.dtype.itemsize))

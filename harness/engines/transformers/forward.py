"""One forward pass with the vocabulary head on chosen rows only, for any AutoModelForCausalLM.

Most of a small model's work is its head: 151,936 columns for Qwen. Only rows that are scored need
it. transformers' ``logits_to_keep`` takes the same columns of every row, which ragged batches do
not have; so a hook before the head keeps the hidden states and lets the model finish on none. What
the architecture does after the head (Gemma's soft cap, Cohere's and Granite's scale) is found out
once, by comparing the head's output with the model's on a few tokens (`head.find_head_mode`); where
nothing known explains the difference, the head runs inside the model, on the chosen rows at once.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from harness.engines.transformers.attention import NAME, AttentionPlan, PackedAttention, active
from harness.engines.transformers.head import (
    Targets,
    TokenScores,
    find_head_mode,
    score_logits,
    score_tokens,
)

log = logging.getLogger(__name__)


class Forward:
    """Runs a model.

    ``device`` is where its token ids go; ``head_mode`` says how the head is run: chunked, inside or
    full.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.device: torch.device = model.get_input_embeddings().weight.device
        self._head = model.get_output_embeddings()
        self.vocabulary = int(model.config.get_text_config().vocab_size)
        self.accepts = set(inspect.signature(model.forward).parameters)

        # Names of arguments and caches differ: state-space models call theirs cache_params.
        self._without_cache: dict[str, Any] = {"use_cache": False} if "use_cache" in self.accepts else {}
        self._cache_name = "cache_params" if "cache_params" in self.accepts else "past_key_values"
        self._switch: list[tuple[Any, str, str]] = []
        self._post_head, self.head_mode = find_head_mode(model, self.device)
        if self.head_mode != "chunked":
            log.warning(
                "%s: the vocabulary head runs %s the model (no known step after it)",
                type(model).__name__,
                self.head_mode,
            )

    @torch.inference_mode()
    def score(self, ids: Tensor, targets: Targets) -> TokenScores:
        """Scores targets after ``ids`` [batch, width], padded on the right, onto the CPU.

        There is no attention mask: in a causal model nothing real sees what stands to its right.
        """
        return self._score(ids, targets, {})

    @torch.inference_mode()
    def score_packed(
        self, ids: Tensor, positions: Tensor, plan: AttentionPlan, targets: Targets
    ) -> TokenScores:
        """`score` for nodes of a prefix tree, attending by ``plan``.

        ``ids`` and ``positions`` (each token's in its own row) are [1, T]. Raises CannotShare where
        the model's attention is not what `attention` can do.
        """
        with self._packed(plan), self._last_layer_on(targets.positions, plan):
            return self._score(ids, targets, {"position_ids": positions})

    @torch.inference_mode()
    def next_logits(
        self, ids: Tensor, positions: Tensor, plan: AttentionPlan, chosen: Tensor | None
    ) -> Tensor:
        """Logits [n, vocabulary] in fp32 after chosen tokens, attending by ``plan``.

        ``ids`` and ``positions`` are [1, T]; ``chosen`` [n]: rising indices into T, None for all.
        """
        ids, options = ids.to(self.device), {"position_ids": positions.to(self.device)} | self._without_cache
        with self._packed(plan):
            if chosen is None:
                logits: Tensor = self.model(input_ids=ids, **options).logits[0]
                return logits.float()

            # Prefill: a prompt's keys and values need every token, its first token only the last.
            with self._last_layer_on(chosen, plan):
                return self._run_to_head(ids, chosen, options, keep_all=True)[1].flatten(0, -2).float()

    @torch.inference_mode()
    def step(self, ids: Tensor, mask: Tensor, positions: Tensor, cache: Any) -> tuple[Tensor, Any]:
        """One step of padded generation: (logits [batch, vocabulary] in fp32, cache).

        The logits are those of the last column. ``ids`` and ``positions`` [batch, new]; ``mask``
        [batch, all so far], 0 where padded on the left. ``cache`` is transformers' own, None at
        first and for a model without one.
        """
        options: dict[str, Any] = {"attention_mask": mask, "use_cache": True}
        if cache is not None:
            options[self._cache_name] = cache

        # A state-space model takes no mask in later steps: padding lies in the past, and its state
        # has left it out.
        if cache is not None and self._cache_name == "cache_params":
            del options["attention_mask"]

        if "position_ids" in self.accepts:
            options["position_ids"] = positions
        if "logits_to_keep" in self.accepts:
            options["logits_to_keep"] = 1
        out = self.model(input_ids=ids, **options)
        return out.logits[:, -1].float(), getattr(out, self._cache_name, None)

    def _score(self, ids: Tensor, targets: Targets, options: dict[str, Any]) -> TokenScores:
        """The pass itself; ``options`` are further arguments of the model."""
        positions, rows, tokens = targets
        ids, positions = ids.to(self.device), positions.to(self.device)
        options = {name: value.to(self.device) for name, value in options.items()}
        options |= self._without_cache
        if self._head is None or self.head_mode == "full":
            logits = self.model(input_ids=ids, **options).logits
            flat = logits.reshape(-1, logits.shape[-1])
            return score_logits(flat.index_select(0, positions.to(logits.device)), rows, tokens)

        inside = self.head_mode == "inside"
        hidden, logits = self._run_to_head(ids, positions, options, keep_all=inside)
        if inside:
            return score_logits(logits.reshape(-1, logits.shape[-1]), rows, tokens)

        # A tied head lies with the embedding, which over several devices is not the last layer's.
        hidden = hidden.to(self._head.weight.device)
        logprobs, greedy = score_tokens(
            self._head, self._post_head, hidden, rows.to(hidden.device), tokens.to(hidden.device)
        )
        return logprobs.cpu(), greedy.cpu()

    def _run_to_head(
        self, ids: Tensor, positions: Tensor, options: dict[str, Any], keep_all: bool
    ) -> tuple[Tensor, Tensor]:
        """(chosen hidden states [m, hidden], the model's logits).

        ``keep_all``: the head inside the model sees all chosen rows, else none.
        """
        chosen: list[Tensor] = []

        # The head still runs, so that the model's forward finds logits of the shape it expects.
        def choose(_: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
            hidden = args[0]
            chosen.append(hidden.reshape(-1, hidden.shape[-1]).index_select(0, positions.to(hidden.device)))
            return (chosen[0].unsqueeze(0) if keep_all else hidden[:1, :0], *args[1:])

        handle = self._head.register_forward_pre_hook(choose)
        try:
            logits = self.model(input_ids=ids, **options).logits
        finally:
            handle.remove()
        return chosen[0], logits

    @contextmanager
    def _packed(self, plan: AttentionPlan) -> Iterator[None]:
        """Replaces the model's attention for one call."""
        if not self._switch:
            self._switch = _attention_names(self.model)

        # Taken back after each call, since padded batches need the model's own attention.
        for config, name, _ in self._switch:
            config._attn_implementation = name
        try:
            with active(plan):
                yield
        finally:
            for config, _, before in self._switch:
                config._attn_implementation = before

    @contextmanager
    def _last_layer_on(self, positions: Tensor, plan: AttentionPlan) -> Iterator[None]:
        """Runs the last layer's queries and feed-forward part on ``positions`` (rising) only.

        No later layer reads the other tokens, and a feed-forward part works on each token alone.
        The others come out as zeros. Does nothing where the layers are not found by their usual
        names.
        """
        modules = getattr(getattr(self.model, "base_model", None), "layers", None)
        layers = list(modules) if isinstance(modules, torch.nn.ModuleList) else []
        feed_forward = getattr(layers[-1], "mlp", None) if layers else None
        if feed_forward is None or self.model.config.is_encoder_decoder:
            yield
            return

        # Only a packed pass can leave queries out; otherwise just the feed-forward part is
        # narrowed.
        if isinstance(plan, PackedAttention):
            plan.queries_only = len(layers) - 1, positions
        handles = _narrow(feed_forward, positions)
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def _narrow(module: torch.nn.Module, positions: Tensor) -> list[Any]:
    """Hooks that run a module of one output per token on some positions only, zeros elsewhere."""
    shapes: list[torch.Size] = []
    # A module may refuse an empty input, so a pass without targets runs on its first token.
    chosen = positions if len(positions) else torch.zeros(1, dtype=torch.long)

    def choose(_: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        hidden = args[0]
        shapes.append(hidden.shape)
        return (hidden.flatten(0, -2).index_select(0, chosen.to(hidden.device)).unsqueeze(0), *args[1:])

    def spread(_: Any, __: Any, output: Any) -> Any:
        # A mixture of experts returns (output, router logits).
        some, *rest = output if isinstance(output, tuple) else (output,)
        whole = some.new_zeros(shapes.pop()).flatten(0, -2)
        whole.index_copy_(0, chosen.to(some.device), some.flatten(0, -2))
        whole = whole.view(1, *whole.shape)
        return (whole, *rest) if isinstance(output, tuple) else whole

    return [module.register_forward_pre_hook(choose), module.register_forward_hook(spread)]


def _attention_names(model: Any) -> list[tuple[Any, str, str]]:
    """For each config of the model's parts: (config, our attention's name, its own attention's).

    Found once by transformers' own setter, which is too slow for every step of a generation.
    """
    configs = list(
        {id(part.config): part.config for part in model.modules() if hasattr(part, "config")}.values()
    )

    # Set once and taken back: this only finds out what the setter would write into each config.
    before = [config._attn_implementation for config in configs]
    model.set_attn_implementation(NAME)
    ours = [config._attn_implementation for config in configs]
    for config, name in zip(configs, before, strict=True):
        config._attn_implementation = name
    return list(zip(configs, ours, before, strict=True))

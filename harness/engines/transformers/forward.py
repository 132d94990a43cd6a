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
from harness.engines.transformers.transfer import Download, upload

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
        self.batched = False  # whether packed passes attend by few calls (see `batched`); set at loading
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
        return unpack_scores(self._score(self._send(ids=ids, chosen=targets.positions), targets).read())

    @torch.inference_mode()
    def score_packed(self, ids: Tensor, positions: Tensor, plan: AttentionPlan, targets: Targets) -> Download:
        """`score` for nodes of a prefix tree, attending by ``plan``; read it by `unpack_scores`.

        ``ids`` and ``positions`` (each token's in its own row) are [1, T]. Raises CannotShare where
        the model's attention is not what `attention` can do.
        """
        there = self._send(ids=ids, chosen=targets.positions, position_ids=positions)
        with self._packed(plan), self._last_layer_on(targets.positions, there["chosen"], plan):
            return self._score(there, targets)

    @torch.inference_mode()
    def next_logits(
        self, ids: Tensor, positions: Tensor, plan: AttentionPlan, chosen: Tensor | None
    ) -> Tensor:
        """Logits [n, vocabulary] in fp32 after chosen tokens, attending by ``plan``.

        ``ids`` and ``positions`` are [1, T]; ``chosen`` [n]: rising indices into T, None for all.
        """
        more = {} if chosen is None else {"chosen": chosen}
        there = self._send(ids=ids, position_ids=positions, **more)
        with self._packed(plan):
            if chosen is None:
                logits: Tensor = self.model(
                    input_ids=there.pop("ids"), **there, **self._without_cache
                ).logits[0]
                return logits.float()

            # Prefill: a prompt's keys and values need every token, its first token only the last.
            with self._last_layer_on(chosen, there["chosen"], plan):
                return self._run_to_head(there, keep_all=True)[1].flatten(0, -2).float()

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

    def _score(self, there: dict[str, Tensor], targets: Targets) -> Download:
        """The pass itself; ``there`` is what `_send` brought to the device."""
        if self._head is None or self.head_mode == "full":
            chosen = there.pop("chosen")
            logits = self.model(input_ids=there.pop("ids"), **there, **self._without_cache).logits
            flat = logits.reshape(-1, logits.shape[-1]).index_select(0, chosen.to(logits.device))
            return _packed_scores(score_logits(flat, targets.rows, targets.tokens))

        inside = self.head_mode == "inside"
        hidden, logits = self._run_to_head(there, keep_all=inside)
        if inside:
            flat = logits.reshape(-1, logits.shape[-1])
            return _packed_scores(score_logits(flat, targets.rows, targets.tokens))

        # A tied head lies with the embedding, which over several devices is not the last layer's.
        hidden = hidden.to(self._head.weight.device)
        return _packed_scores(score_tokens(self._head, self._post_head, hidden, targets.rows, targets.tokens))

    def _send(self, **tensors: Tensor) -> dict[str, Tensor]:
        """The integers of a pass, as they are on the CPU, on the model's device; on CUDA in one copy."""
        if self.device.type != "cuda":
            return tensors
        there = upload({name: one.numpy() for name, one in tensors.items()}, self.device)
        shaped = {name: there[name].view(one.shape) for name, one in tensors.items()}
        # What is written by index wants 64 bits.
        return shaped | ({"chosen": shaped["chosen"].long()} if "chosen" in shaped else {})

    def _run_to_head(self, there: dict[str, Tensor], keep_all: bool) -> tuple[Tensor, Tensor]:
        """(chosen hidden states [m, hidden], the model's logits).

        ``keep_all``: the head inside the model sees all chosen rows, else none.
        """
        positions = there["chosen"]
        options = {name: one for name, one in there.items() if name not in ("ids", "chosen")}
        chosen: list[Tensor] = []

        # The head still runs, on no rows if need be: what the model does after it expects logits.
        def choose(_: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
            hidden = args[0]
            chosen.append(hidden.reshape(-1, hidden.shape[-1]).index_select(0, positions.to(hidden.device)))
            return (chosen[0].unsqueeze(0) if keep_all else hidden[:1, :0], *args[1:])

        handle = self._head.register_forward_pre_hook(choose)
        try:
            logits = self.model(input_ids=there["ids"], **options, **self._without_cache).logits
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
    def _last_layer_on(self, positions: Tensor, there: Tensor, plan: AttentionPlan) -> Iterator[None]:
        """Runs the last layer's queries and feed-forward part on ``positions`` (rising) only.

        No later layer reads the other tokens, and a feed-forward part works on each token alone.
        The others come out as zeros. ``there`` are the same positions on the device. Does nothing
        where the layers are not found by their usual names.
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
        handles = _narrow(feed_forward, there)
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def _packed_scores(scores: TokenScores) -> Download:
    """Both kinds of scores as one tensor [2, n] on its way to the CPU."""
    logprobs, greedy = scores
    return Download(torch.stack([logprobs, greedy.to(logprobs.dtype)]))


def unpack_scores(both: Tensor) -> TokenScores:
    """The scores out of what `Forward.score_packed` brings."""
    return both[0], both[1].bool()


def _narrow(module: torch.nn.Module, positions: Tensor) -> list[Any]:
    """Hooks that run a module of one output per token on some positions only, zeros elsewhere."""
    shapes: list[torch.Size] = []
    # A module may refuse an empty input, so a pass without targets runs on its first token.
    chosen = positions if len(positions) else positions.new_zeros(1)

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

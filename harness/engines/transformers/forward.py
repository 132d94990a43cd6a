"""One forward pass with the vocabulary head on chosen rows only, for any AutoModelForCausalLM.

Most of a small model's work is its head: 151,936 columns for Qwen. Only rows that are scored need
it. transformers' ``logits_to_keep`` takes the same columns of every row, which ragged batches do
not have; so a hook before the head keeps the hidden states and lets the model finish on none. What
the architecture does after the head (Gemma's soft cap, Cohere's and Granite's scale) is found out
once, by comparing the head's output with the model's on a few tokens; where nothing known explains
the difference, the head runs inside the model, on the chosen rows at once.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from harness.engines.transformers.attention import NAME, AttentionPlan, Pass, active
from harness.engines.transformers.head import Finish, judge

log = logging.getLogger(__name__)

_HEAD_BYTES = 256 << 20  # fp32 bytes of logits at a time

Judged = tuple[Tensor, Tensor]


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
        self._without_cache: dict[str, Any] = {"use_cache": False} if "use_cache" in self.accepts else {}
        self._cache_name = "cache_params" if "cache_params" in self.accepts else "past_key_values"
        self._switch: list[tuple[Any, str, str]] = []
        self._finish, self.head_mode = self._find_finish()
        if self.head_mode != "chunked":
            log.warning(
                "%s: the vocabulary head runs %s the model (no known step after it)",
                type(model).__name__,
                self.head_mode,
            )

    @torch.inference_mode()
    def ask(self, ids: Tensor, flat: Tensor, rows: Tensor, targets: Tensor) -> Judged:
        """(natural-log probability [n] in fp32, is arg-max [n]), on the CPU, of each of ``targets``
        [n] after ``flat[rows]``.

        ``ids`` [batch, width], padded on the right; ``flat`` [m], positions in ``ids.flatten()``.
        No attention mask: in a causal model nothing real sees what stands to its right.
        """
        return self._ask(ids, flat, rows, targets, {})

    @torch.inference_mode()
    def ask_packed(
        self, ids: Tensor, positions: Tensor, plan: AttentionPlan, asked: tuple[Tensor, Tensor, Tensor]
    ) -> Judged:
        """`ask` (``asked``: flat, rows, targets) for nodes of a prefix tree, ``ids`` and
        ``positions`` [1, T], attending as ``plan`` says.

        Raises CannotShare where the model's attention is not what `attention` can do.
        """
        with self._packed(plan), self._last_layer_on(asked[0], plan):
            return self._ask(ids, *asked, {"position_ids": positions})

    @torch.inference_mode()
    def next_logits(self, ids: Tensor, positions: Tensor, plan: AttentionPlan, flat: Tensor | None) -> Tensor:
        """Logits [n, vocabulary] in fp32 after the tokens ``flat`` [n] (None: all) of ``ids`` [1,
        T], attending as ``plan`` says.
        """
        ids, options = ids.to(self.device), {"position_ids": positions.to(self.device)} | self._without_cache
        with self._packed(plan):
            if flat is None:
                logits: Tensor = self.model(input_ids=ids, **options).logits[0]
                return logits.float()
            with self._last_layer_on(flat, plan):
                return self._hooked(ids, flat, options, keep_all=True)[1].flatten(0, -2).float()

    @contextmanager
    def _packed(self, plan: AttentionPlan) -> Iterator[None]:
        """Replaces the model's attention for one call."""
        if not self._switch:
            self._switch = _switch(self.model)
        for config, name, _ in self._switch:
            config._attn_implementation = name
        try:
            with active(plan):
                yield
        finally:
            for config, _, before in self._switch:
                config._attn_implementation = before

    @contextmanager
    def _last_layer_on(self, flat: Tensor, plan: AttentionPlan) -> Iterator[None]:
        """Runs the last layer's queries, and its feed-forward part, which works on each token
        alone, on the positions ``flat`` (rising) only: no later layer reads the others. They come
        out as zeros. Does nothing where the layers are not found by their usual names.
        """
        found = getattr(getattr(self.model, "base_model", None), "layers", None)
        layers = list(found) if isinstance(found, torch.nn.ModuleList) else []
        part = getattr(layers[-1], "mlp", None) if layers else None
        if part is None or self.model.config.is_encoder_decoder:
            yield
            return
        if isinstance(plan, Pass):
            plan.few = len(layers) - 1, flat
        shape: list[torch.Size] = []
        chosen = flat if len(flat) else torch.zeros(1, dtype=torch.long)

        def choose(_: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
            shape.append(args[0].shape)
            return (args[0].flatten(0, -2).index_select(0, chosen.to(args[0].device)).unsqueeze(0), *args[1:])

        def spread(_: Any, __: Any, found: Any) -> Any:
            some, *rest = found if isinstance(found, tuple) else (found,)
            whole = (
                some.new_zeros(shape.pop())
                .flatten(0, -2)
                .index_copy_(0, chosen.to(some.device), some.flatten(0, -2))
            )
            whole = whole.view(1, *whole.shape)
            return (whole, *rest) if isinstance(found, tuple) else whole

        handles = [part.register_forward_pre_hook(choose), part.register_forward_hook(spread)]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _ask(
        self, ids: Tensor, flat: Tensor, rows: Tensor, targets: Tensor, options: dict[str, Any]
    ) -> Judged:
        ids, flat = ids.to(self.device), flat.to(self.device)
        options = {name: value.to(self.device) for name, value in options.items()}
        options |= self._without_cache
        if self._head is None or self.head_mode == "full":
            logits = self.model(input_ids=ids, **options).logits
            return _pick(
                logits.reshape(-1, logits.shape[-1]).index_select(0, flat.to(logits.device)), rows, targets
            )
        inside = self.head_mode == "inside"
        hidden, logits = self._hooked(ids, flat, options, keep_all=inside)
        if inside:
            return _pick(logits.reshape(-1, logits.shape[-1]), rows, targets)
        hidden = hidden.to(
            self._head.weight.device
        )  # a tied head lies with the embedding, not with the last layer
        logprobs, greedy = judge(
            self._head, self._finish, hidden, rows.to(hidden.device), targets.to(hidden.device)
        )
        return logprobs.cpu(), greedy.cpu()

    def _hooked(
        self, ids: Tensor, flat: Tensor, options: dict[str, Any], keep_all: bool
    ) -> tuple[Tensor, Tensor]:
        """(chosen hidden states [m, hidden], the model's logits): the head sees all chosen rows, or
        none.
        """
        kept: list[Tensor] = []

        def choose(_: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
            hidden = args[0]
            kept.append(hidden.reshape(-1, hidden.shape[-1]).index_select(0, flat.to(hidden.device)))
            return (kept[0].unsqueeze(0) if keep_all else hidden[:1, :0], *args[1:])

        handle = self._head.register_forward_pre_hook(choose)
        try:
            logits = self.model(input_ids=ids, **options).logits
        finally:
            handle.remove()
        return kept[0], logits

    @torch.inference_mode()
    def step(self, ids: Tensor, mask: Tensor, positions: Tensor, cache: Any) -> tuple[Tensor, Any]:
        """(logits of the last column [batch, vocabulary] in fp32, cache): one step of generation
        over ``ids`` [batch, new].

        ``mask`` [batch, all so far], 0 where padded on the left; ``positions`` [batch, new]. The
        cache is None for a model without one.
        """
        options: dict[str, Any] = {"attention_mask": mask, "use_cache": True}
        if cache is not None:
            options[self._cache_name] = cache
        if cache is not None and self._cache_name == "cache_params":
            del options[
                "attention_mask"
            ]  # a state-space model: padding is in the past, and its state has left it out
        if "position_ids" in self.accepts:
            options["position_ids"] = positions
        if "logits_to_keep" in self.accepts:
            options["logits_to_keep"] = 1
        out = self.model(input_ids=ids, **options)
        return out.logits[:, -1].float(), getattr(out, self._cache_name, None)

    @torch.inference_mode()
    def _find_finish(self) -> tuple[Finish, str]:
        """What comes after the head, and the mode that follows from it."""
        if self._head is None or not hasattr(self._head, "weight"):
            return _same, "full"
        seen: list[tuple[tuple[int, ...], Tensor]] = []
        handle = self._head.register_forward_hook(
            lambda _, args, out: seen.append((tuple(args[0].shape), out))
        )
        try:
            logits = self.model(input_ids=torch.arange(4, device=self.device).reshape(2, 2)).logits
        finally:
            handle.remove()
        if len(seen) != 1 or seen[0][0][:2] != (2, 2) or logits.shape[:2] != (2, 2):
            return _same, "full"
        raw = seen[0][1]
        for finish in _known_finishes(self.model.config):
            found = finish(raw)
            if found.shape == logits.shape and torch.allclose(
                found.float(), logits.to(found.device).float(), rtol=1e-6, atol=1e-6
            ):
                return finish, "chunked" if type(self._head) is torch.nn.Linear else "inside"
        return _same, "inside"


def _switch(model: Any) -> list[tuple[Any, str, str]]:
    """(config, our attention, its own) for each config of the model's parts, found once by
    transformers' own setter, which is too slow for every step of a generation.
    """
    configs = list(
        {id(part.config): part.config for part in model.modules() if hasattr(part, "config")}.values()
    )
    before = [config._attn_implementation for config in configs]
    model.set_attn_implementation(NAME)
    ours = [config._attn_implementation for config in configs]
    for config, name in zip(configs, before, strict=True):
        config._attn_implementation = name
    return list(zip(configs, ours, before, strict=True))


def _same(logits: Tensor) -> Tensor:
    return logits


def _known_finishes(config: Any) -> list[Finish]:
    """What architectures do after the head: nothing, a soft cap (Gemma 2), a factor (Cohere), a
    divisor (Granite).
    """
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    found: list[Finish] = [_same]
    if cap := getattr(text, "final_logit_softcapping", None):
        found.append(lambda logits: torch.tanh(logits / cap) * cap)
    if factor := getattr(text, "logit_scale", None):
        found.append(lambda logits: logits * factor)
    if divisor := getattr(text, "logits_scaling", None):
        found.append(lambda logits: logits / divisor)
    return found


def _pick(logits: Tensor, rows: Tensor, targets: Tensor) -> Judged:
    """What `judge` finds, from logits [m, vocabulary] that are there already, a part at a time in
    fp32.
    """
    logprobs = torch.empty(len(rows))
    greedy = torch.empty(len(rows), dtype=torch.bool)
    size = max(1, _HEAD_BYTES // (4 * int(logits.shape[-1])))
    for first in range(0, len(logits), size):
        part = logits[first : first + size].float()
        mine = ((rows >= first) & (rows < first + size)).nonzero().flatten()
        row, target = (rows[mine] - first).to(part.device), targets[mine].to(part.device)
        logprobs[mine] = (part[row, target] - torch.logsumexp(part, dim=-1)[row]).cpu()
        greedy[mine] = (part.argmax(dim=-1)[row] == target).cpu()
    return logprobs, greedy

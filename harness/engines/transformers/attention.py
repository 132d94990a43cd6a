"""Attention over a packed tree, without masks over the whole, copies of a prefix, or padding.

A forward pass holds nodes of a prefix tree one after the other in one row of tokens [1, T]. What a
token may attend to falls into parts: its own block (a small mask, or plain causal), and ancestors,
each of which is seen whole by a contiguous range of tokens. Each part is one call of a fused kernel
that also returns its log-sums, by which the parts are joined exactly (`kernels`; Juravsky et al.
2024, Hydragen; Ye et al. 2024, cascade inference).

`tree_attention` is registered with transformers under ``NAME``; what it does in a forward call is
said by the `AttentionPlan` made active around that call: a `PackedAttention` over nodes of a
tree, or `slots.DecodeStep` over the rows of a continuous batch.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import AttentionInterface

from harness.engines.transformers.kernels import KeysValues, grouped_attention, merge_parts

NAME = "harness_tree"


class CannotShare(Exception):
    """A model's attention asks for what this file does not do; the reason is the message."""


class AttentionPlan(Protocol):
    """What one forward call attends to."""

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Tensor:
        """The attention of the next layer; called once per layer, in their order.

        queries [T, KV heads, group, d], keys and values [T, KV heads, d]
        -> [T, KV heads, group, d].
        """
        ...


@dataclass(slots=True)
class AttentionBlock:
    """Tokens [low, high) of a pass that attend to one another.

    ``mask`` is [n, n], 0 or -inf, in the model's number format; without one they are causal.
    """

    low: int
    high: int
    mask: Tensor | None


@dataclass(slots=True)
class PrefixSpan:
    """Tokens [low, high) of a pass that attend to keys before them.

    The keys are those of the tokens [first, last) of this pass, or ``cached`` ones of an earlier
    pass (one entry per layer). They are seen whole, as an ancestor is; or, with a ``mask`` [tokens,
    keys], as far as it leaves them.
    """

    low: int
    high: int
    first: int = 0
    last: int = 0
    cached: list[KeysValues] | None = None
    mask: Tensor | None = None


@dataclass(slots=True)
class CacheSpan:
    """Tokens [low, high) of a pass whose keys and values are appended to ``layers`` as it runs.

    ``copy``: they are copied; else they are views, which keep the tensors of the whole pass alive.
    """

    low: int
    high: int
    layers: list[KeysValues]
    copy: bool = True


@dataclass(slots=True)
class PackedAttention:
    """The attention of nodes of a prefix tree in one row of tokens, and what is cached of them.

    ``queries_only``: (a layer, positions [n] in rising order): in that layer only these positions
    attend, and the others come out as zeros.
    """

    blocks: list[AttentionBlock]
    prefixes: list[PrefixSpan]
    cache: list[CacheSpan] = field(default_factory=list)
    next_layer: int = 0
    queries_only: tuple[int, Tensor] | None = None

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Tensor:
        """See `AttentionPlan`: blocks are written, prefixes merged into them by their log-sums."""
        layer = self.next_layer
        self.next_layer += 1
        store_spans(self.cache, keys, values)
        if self.queries_only is not None and self.queries_only[0] == layer:
            return self._attend_some(layer, self.queries_only[1], queries, (keys, values), scale)

        # -inf as the log-sum of nothing: a token outside all blocks takes its first prefix whole.
        length, kv_heads, group, _ = queries.shape
        out = queries.new_zeros(length, kv_heads, group, values.shape[-1])
        sums = torch.full((group, kv_heads, length), -math.inf, device=queries.device, dtype=torch.float32)
        self._fill(layer, queries, (keys, values), scale, out.permute(2, 1, 0, 3), sums)
        return out

    def _attend_some(
        self, layer: int, positions: Tensor, queries: Tensor, own: KeysValues, scale: float
    ) -> Tensor:
        """The outputs of a layer at ``positions``; zeros elsewhere."""
        # Blocks turn into prefixes here: fewer queries than keys, so no longer a square mask.
        chosen = positions.to(queries.device)
        some = PackedAttention([], _narrowed(self, positions, queries), next_layer=layer)
        outputs = some.attend(queries[chosen], *own, scale)
        return outputs.new_zeros(*queries.shape[:-1], outputs.shape[-1]).index_copy_(0, chosen, outputs)

    def _fill(
        self, layer: int, queries: Tensor, own: KeysValues, scale: float, out: Tensor, sums: Tensor
    ) -> None:
        """Writes ``out`` [group, KV heads, T, d] and its log-sums ``sums`` [group, KV heads, T]."""
        keys, values = own
        for block in self.blocks:
            span = slice(block.low, block.high)
            # Layers may lie on several devices, one after the other; the mask moves along.
            if block.mask is not None and block.mask.device != queries.device:
                block.mask = block.mask.to(queries.device)
            out[:, :, span], sums[:, :, span] = grouped_attention(
                queries[span], keys[span], values[span], scale, block.mask, causal=block.mask is None
            )

        for prefix in self.prefixes:
            span, source = slice(prefix.low, prefix.high), slice(prefix.first, prefix.last)
            theirs = (keys[source], values[source]) if prefix.cached is None else prefix.cached[layer]
            part, part_sums = grouped_attention(queries[span], *theirs, scale, prefix.mask, causal=False)
            merge_parts(out[:, :, span], sums[:, :, span], part, part_sums)


def store_spans(spans: list[CacheSpan], keys: Tensor, values: Tensor) -> None:
    """Keeps the next layer's keys and values of some tokens of a pass."""
    for span in spans:
        own = keys[span.low : span.high], values[span.low : span.high]
        if span.copy:
            own = (
                own[0].clone(memory_format=torch.contiguous_format),
                own[1].clone(memory_format=torch.contiguous_format),
            )
        span.layers.append(own)


def _narrowed(whole: PackedAttention, positions: Tensor, like: Tensor) -> list[PrefixSpan]:
    """What some positions of a pass attend to, blocks included, as prefixes.

    ``low`` and ``high`` count among the positions. Masks get the device and format of ``like``.
    """
    indices = positions.tolist()
    prefixes: list[PrefixSpan] = []
    for block in whole.blocks:
        low, high = bisect_left(indices, block.low), bisect_left(indices, block.high)
        if low < high:
            rows = positions[low:high] - block.low
            if block.mask is not None:
                mask = block.mask[rows.to(block.mask.device)].to(like.device)
            else:
                # A causal block has no mask to take rows of: each position hides what follows it.
                hidden = torch.arange(block.high - block.low)[None, :] > rows[:, None]
                zeros = torch.zeros(hidden.shape, dtype=like.dtype)
                mask = zeros.masked_fill_(hidden, -math.inf).to(like.device)
            prefixes.append(PrefixSpan(low, high, block.low, block.high, mask=mask))

    for prefix in whole.prefixes:
        low, high = bisect_left(indices, prefix.low), bisect_left(indices, prefix.high)
        if low < high:
            prefixes.append(replace(prefix, low=low, high=high))
    return prefixes


_active = threading.local()


@contextmanager
def active(plan: AttentionPlan) -> Iterator[None]:
    """Makes a plan the one that `tree_attention` follows, in this thread."""
    _active.plan = plan
    try:
        yield
    finally:
        _active.plan = None


def tree_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """transformers' attention interface, answered by the active plan.

    query [1, heads, T, d], key and value [1, KV heads, T, d] -> [1, T, heads, d]. Raises
    CannotShare for a mask, a soft cap, sinks or a bias: only a plain softmax can be put together
    from parts.
    """
    plan: AttentionPlan | None = getattr(_active, "plan", None)
    if plan is None:
        raise CannotShare("attention was called outside a pass")
    for name in ("softcap", "s_aux", "position_bias", "sinks", "head_mask"):
        if options.get(name) is not None:
            raise CannotShare(f"its attention has a {name}")
    if attention_mask is not None or getattr(module, "is_causal", True) is False:
        raise CannotShare("its attention is not plainly causal")

    heads, kv_heads, length, size = query.shape[1], key.shape[1], query.shape[2], value.shape[3]
    if query.shape[0] != 1 or key.shape[2] != length or heads % kv_heads:
        raise CannotShare(f"its attention has an unknown shape {tuple(query.shape)} over {tuple(key.shape)}")

    # Query heads h·group … (h+1)·group - 1 share KV head h, as transformers' repeat_kv has it.
    keys, values = key[0].transpose(0, 1), value[0].transpose(0, 1)
    queries = query[0].transpose(0, 1).reshape(length, kv_heads, heads // kv_heads, -1)
    scale = 1 / math.sqrt(query.shape[3]) if scaling is None else float(scaling)
    return plan.attend(queries, keys, values, scale).view(1, length, heads, size), None


AttentionInterface.register(NAME, tree_attention)

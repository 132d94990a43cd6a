"""Attention over a packed tree, without masks over the whole, copies of a prefix, or padding.

A pass holds nodes of a prefix tree one after the other in one row of tokens [1, T]. What a token
may see falls into parts: its own block (a mask, or plain causal), and ancestors, each of which is
seen whole by a contiguous range of tokens. Each part is one call of a fused kernel that also
returns the logarithm of its softmax's denominator, and parts merge exactly: for outputs a, b with
log-sums p, q the joint output is a + sigmoid(q - p) (b - a) and its log-sum is logaddexp(p, q) (Dao
2023, FlashAttention-2, section 3.1; Juravsky et al. 2024, Hydragen; Ye et al. 2024, cascade
inference).

`tree_attention` is registered with transformers under ``NAME``; it reads what to do from the `Pass`
made active around a forward call.
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

NAME = "harness_tree"
KeysValues = tuple[Tensor, Tensor]
"""Keys and values of one layer, each [tokens, KV heads, head size]."""


class CannotShare(Exception):
    """A model's attention asks for what this file does not do; the reason is the message."""


@dataclass(slots=True)
class AttentionBlock:
    """Tokens [low, high) seeing one another: by ``mask`` ([n, n], 0 or -inf, in the model's number
    format), or causally.
    """

    low: int
    high: int
    mask: Tensor | None


@dataclass(slots=True)
class Look:
    """Tokens [low, high) seeing all of an ancestor: tokens [first, last) of this pass, or what was
    ``kept`` (one entry a layer); or, of those, what a ``mask`` [tokens, keys] leaves.
    """

    low: int
    high: int
    first: int = 0
    last: int = 0
    kept: list[KeysValues] | None = None
    mask: Tensor | None = None


class AttentionPlan(Protocol):
    """What one forward call attends to."""

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Tensor:
        """One layer after the other: queries [T, KV heads, group, d], keys and values [T, KV heads,
        d] -> [T, KV heads, group, d].
        """
        ...


@dataclass(slots=True)
class Keep:
    """Keys and values of tokens [low, high) are added to ``found``, a layer at a time: a copy, or a
    view that holds the whole pass.
    """

    low: int
    high: int
    found: list[KeysValues]
    copy: bool = True


@dataclass(slots=True)
class Pass:
    """Nodes of a prefix tree in one row of tokens: what they see, and what is kept of them.

    ``few``: (a layer, positions [n] in rising order): that layer is attended by these only, the
    others come out as zeros.
    """

    blocks: list[AttentionBlock]
    looks: list[Look]
    keep: list[Keep] = field(default_factory=list)
    calls: int = 0
    few: tuple[int, Tensor] | None = None

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Tensor:
        """See `AttentionPlan`. Blocks are written, looks merged into them by their log-sums."""
        layer = self.calls
        self.calls += 1
        for kept in self.keep:
            self._keep(kept, keys, values)
        if self.few is not None and self.few[0] == layer:
            chosen = self.few[1].to(queries.device)
            some = Pass([], _looks_of(self, self.few[1], queries), calls=layer).attend(
                queries[chosen], keys, values, scale
            )
            return some.new_zeros(*queries.shape[:-1], values.shape[-1]).index_copy_(0, chosen, some)
        length, kv_heads, group, _ = queries.shape
        out = queries.new_zeros(length, kv_heads, group, values.shape[-1])
        sums = torch.full((group, kv_heads, length), -math.inf, device=queries.device, dtype=torch.float32)
        self._fill(layer, queries, (keys, values), scale, out.permute(2, 1, 0, 3), sums)
        return out

    @staticmethod
    def _keep(kept: Keep, keys: Tensor, values: Tensor) -> None:
        own = keys[kept.low : kept.high], values[kept.low : kept.high]
        if kept.copy:
            own = (
                own[0].clone(memory_format=torch.contiguous_format),
                own[1].clone(memory_format=torch.contiguous_format),
            )
        kept.found.append(own)

    def _fill(
        self, layer: int, queries: Tensor, own: KeysValues, scale: float, out: Tensor, sums: Tensor
    ) -> None:
        """Writes blocks into ``out`` [group, KV heads, T, d] and their log-sums into ``sums``
        [group, KV heads, T], then merges looks.
        """
        keys, values = own
        for block in self.blocks:
            part = slice(block.low, block.high)
            if block.mask is not None and block.mask.device != queries.device:
                block.mask = block.mask.to(
                    queries.device
                )  # layers may lie on several devices, one after the other
            found, log_sum = attend(
                queries[part], keys[part], values[part], scale, block.mask, causal=block.mask is None
            )
            out[:, :, part] = found
            sums[:, :, part] = log_sum
        for look in self.looks:
            part = slice(look.low, look.high)
            seen = slice(look.first, look.last)
            theirs = (keys[seen], values[seen]) if look.kept is None else look.kept[layer]
            found, log_sum = attend(queries[part], *theirs, scale, look.mask, causal=False)
            merge(out[:, :, part], sums[:, :, part], found, log_sum)


def _looks_of(whole: Pass, positions: Tensor, like: Tensor) -> list[Look]:
    """What some positions of a pass see, blocks included; ``low`` and ``high`` count among the
    positions.

    Masks are made like ``like``.
    """
    places = positions.tolist()
    found = []
    for block in whole.blocks:
        low, high = bisect_left(places, block.low), bisect_left(places, block.high)
        if low < high:
            rows = positions[low:high] - block.low
            if block.mask is not None:
                mask = block.mask[rows.to(block.mask.device)].to(like.device)
            else:
                hidden = torch.arange(block.high - block.low)[None, :] > rows[:, None]
                mask = (
                    torch.zeros(hidden.shape, dtype=like.dtype)
                    .masked_fill_(hidden, -math.inf)
                    .to(like.device)
                )
            found.append(Look(low, high, block.low, block.high, mask=mask))
    for look in whole.looks:
        low, high = bisect_left(places, look.low), bisect_left(places, look.high)
        if low < high:
            found.append(replace(look, low=low, high=high))
    return found


_active = threading.local()


@contextmanager
def active(plan: AttentionPlan) -> Iterator[None]:
    """Makes a pass the one that `tree_attention` follows, in this thread."""
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
    """transformers' attention interface: query [1, heads, T, d], key and value [1, KV heads, T, d]
    -> [1, T, heads, d].

    Raises CannotShare for a mask, a soft cap, sinks or a bias: only a plain softmax can be put
    together from parts.
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
    keys, values = key[0].transpose(0, 1), value[0].transpose(0, 1)
    queries = query[0].transpose(0, 1).reshape(length, kv_heads, heads // kv_heads, -1)
    scale = 1 / math.sqrt(query.shape[3]) if scaling is None else float(scaling)
    return plan.attend(queries, keys, values, scale).view(1, length, heads, size), None


def merge(out: Tensor, sums: Tensor, found: Tensor, log_sum: Tensor) -> None:
    """Joins a second part of the keys into ``out`` [..., d] and its log-sums ``sums`` [...], in
    place.
    """
    out.lerp_(found, torch.sigmoid(log_sum - sums).unsqueeze(-1).to(out.dtype))
    torch.logaddexp(sums, log_sum, out=sums)


def aligned(mask: Tensor) -> Tensor:
    """The same mask, its rows beginning at multiples of 16 bytes, as CUDA's kernel wants them."""
    return torch.nn.functional.pad(mask, (0, -mask.shape[-1] % 8))[..., : mask.shape[-1]]


def attend(q: Tensor, k: Tensor, v: Tensor, scale: float, mask: Tensor | None, causal: bool) -> KeysValues:
    """Attention of q [n, KV heads, group, d] over k, v [m, KV heads, d]: (output [group, KV heads,
    n, d], log-sums [group, KV heads, n]).

    The query heads that share a KV head are the kernel's batch, over which keys and values are
    expanded without a copy.
    """
    group = q.shape[2]
    q = q.permute(2, 1, 0, 3)
    k = k.transpose(0, 1).expand(group, -1, -1, -1)
    v = v.transpose(0, 1).expand(group, -1, -1, -1)
    return kernel(
        q,
        k,
        v,
        scale,
        None if mask is None else aligned(mask.to(q)).expand(group, q.shape[1], -1, -1),
        causal,
    )


def kernel(
    q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None, causal: bool = False
) -> KeysValues:
    """Fused attention of q [batch, heads, n, d] over k, v [batch, heads, m, d]: (output, log-sums
    [batch, heads, n] in fp32).
    """
    ops: Any = torch.ops.aten
    if q.device.type == "cpu" and q.shape[-1] == v.shape[-1]:
        out, log_sum = ops._scaled_dot_product_flash_attention_for_cpu(
            q, k, v, 0.0, causal, attn_mask=bias, scale=scale
        )
        return out, log_sum
    if q.device.type == "cuda":
        out, log_sum, *_ = ops._scaled_dot_product_efficient_attention(
            q, k, v, bias, True, 0.0, causal, scale=scale
        )
        return out, log_sum[..., : q.shape[2]]  # the kernel pads its log-sums to a multiple of 32
    return _attend_plainly(q, k, v, scale, bias, causal)


def _attend_plainly(
    q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None, causal: bool
) -> KeysValues:
    """The same in matrix products, for what the fused kernels refuse (MLA's values are narrower
    than its keys).
    """
    scores = (q @ k.transpose(-1, -2)).float() * scale
    if causal:
        scores = scores.masked_fill(
            torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1), -math.inf
        )
    if bias is not None:
        scores = scores + bias
    log_sum = torch.logsumexp(scores, dim=-1)
    return (scores - log_sum.unsqueeze(-1)).exp().to(v.dtype) @ v, log_sum


AttentionInterface.register(NAME, tree_attention)

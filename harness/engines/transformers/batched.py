"""Attention over a packed tree in three kernel calls per layer, for devices that pay for each call.

`attention.PackedAttention` makes one call per block and per prefix, which on a GPU is bound by the
host for small models. The parts are the same here, but all of a kind are answered together:

- blocks of several nodes: padded to one width, one call with a mask per block;
- long nodes, each causal on itself: one call over sequences of different lengths ("varlen");
- prefixes, each seen whole by a range of tokens: one varlen call without a mask.

What a token has in the parts is then weighted by the softmax of their log-sums (Dao 2023,
FlashAttention-2, section 3.1) and summed in fp32, level by level: prefixes of one level are seen
by different tokens. All indices of a pass travel in one copy (`transfer.upload`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.engines.transformers.attention import CacheSpan, PrefixSpan, store_spans
from harness.engines.transformers.kernels import KeysValues, Sequences, fused_attention, varlen_attention
from harness.engines.transformers.transfer import upload

Indices = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Geometry:
    """Who attends to whom in a pass of T tokens; all indices count tokens of the pass.

    ``cuts`` [blocks + 1]: where blocks begin, and T. ``until`` [T]: the end of the descendants of
    each token's node. ``width``: the longest block that is answered with a mask; a longer one is a
    single node.
    """

    cuts: list[int]
    until: NDArray[np.int64]
    prefixes: list[PrefixSpan]
    width: int


@dataclass(slots=True)
class BatchedAttention:
    """An `attention.AttentionPlan` over a pass of the tree; see the module.

    ``cache``: keys and values that are kept of it. Made by `plan_batched`.
    """

    arrays: dict[str, Indices]
    sizes: dict[str, tuple[int, int]]  # of "long" and "cross": longest queries, longest keys
    levels: int
    width: int
    cached: list[list[KeysValues]]
    cache: list[CacheSpan] = field(default_factory=list)
    next_layer: int = 0
    _there: dict[torch.device, _OnDevice] = field(default_factory=dict)

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Tensor:
        """See `attention.AttentionPlan`."""
        layer = self.next_layer
        self.next_layer += 1
        store_spans(self.cache, keys, values)
        if queries.device not in self._there:
            self._there[queries.device] = _OnDevice(self, queries, keys)
        there = self._there[queries.device]

        length, kv_heads, group, size = queries.shape
        q = queries.reshape(length, kv_heads * group, size)
        packed = torch.cat([q, keys, values], dim=1)
        outs, sums = there.own_parts(packed, scale)

        # Every prefix in one call; its queries and keys are gathered, since ranges overlap.
        cross = None
        if self.levels:
            k, v = packed[:, q.shape[1] : -kv_heads], packed[:, -kv_heads:]
            if self.cached:
                k = torch.cat([k, *(layers[layer][0] for layers in self.cached)])
                v = torch.cat([v, *(layers[layer][1] for layers in self.cached)])
            cross, cross_sums = varlen_attention(
                q.index_select(0, there.cross_queries),
                *there.keys_values(k, v, packed, joined=not self.cached),
                there.cross,
                scale,
            )
            sums = [*sums, cross_sums, there.nothing]
        return there.merge(outs, sums, cross).view(length, kv_heads, group, size)


class _OnDevice:
    """A plan's indices and masks on one device, for one shape of heads."""

    def __init__(self, plan: BatchedAttention, queries: Tensor, keys: Tensor) -> None:
        self.length, kv_heads, group, self.size = queries.shape
        self.heads, self.kv_heads, self.width = kv_heads * group, kv_heads, plan.width
        self.levels, self.dtype = plan.levels, queries.dtype
        there = upload(plan.arrays, queries.device)

        columns = self.heads + 2 * kv_heads
        self.blocks = len(there["block_tokens"]) // self.width
        if self.blocks:
            self._block_rows = self._rows_of_heads(there["block_tokens"], columns, group)
            self._bias = self._block_bias(there["block_until"])
        self._long_tokens = there["long_tokens"]
        self._long = Sequences(there["long_edges"], there["long_edges"], *plan.sizes["long"], causal=True)
        self.cross_queries, self._cross_keys = there["cross_queries"], there["cross_keys"]
        self.cross = Sequences(there["cross_edges"], there["key_edges"], *plan.sizes["cross"], causal=False)

        # Rows of the parts by token: [levels + 1, T] among all log-sums, [levels, T] among prefixes.
        self._own_rows = there["own_rows"]
        self._sum_rows = there["sum_rows"]
        self._level_rows = there["level_rows"].view(plan.levels, self.length)
        self.nothing = torch.full((self.heads, 1), -math.inf, device=queries.device)

    def _rows_of_heads(self, tokens: Tensor, columns: int, group: int) -> Tensor:
        """Rows of [T × columns, size] that are the blocks' queries, keys and values, repeated by group."""
        repeated = np.arange(self.kv_heads).repeat(group)
        order = np.concatenate(
            [np.arange(self.heads), self.heads + repeated, columns - self.kv_heads + repeated]
        )
        heads = upload({"heads": order}, tokens.device)["heads"]
        return (tokens.unsqueeze(1) * columns + heads).flatten()

    def _block_bias(self, until: Tensor) -> Tensor:
        """[blocks, heads, width, width]: 0 where token i of a block sees its token j, else -inf."""
        index = torch.arange(self.width, device=until.device, dtype=torch.int32)
        hidden = (index > index[:, None]) | (index[:, None] >= until.view(-1, 1, self.width))
        bias = torch.zeros(hidden.shape, device=until.device, dtype=self.dtype).masked_fill_(
            hidden, -math.inf
        )
        return bias.unsqueeze(1).expand(-1, self.heads, -1, -1)

    def own_parts(self, packed: Tensor, scale: float) -> tuple[list[Tensor], list[Tensor]]:
        """What tokens have in their own blocks: outputs [n, heads, d] and log-sums [heads, n]."""
        outs, sums = [], []
        if self.blocks:
            rows = packed.view(-1, self.size).index_select(0, self._block_rows)
            parts = rows.view(self.blocks, self.width, 3 * self.heads, self.size).transpose(1, 2)
            q, k, v = torch.split(parts, self.heads, dim=1)
            out, log_sums = fused_attention(q, k, v, scale, self._bias)
            outs.append(out.transpose(1, 2).reshape(-1, self.heads, self.size))
            sums.append(log_sums.transpose(0, 1).reshape(self.heads, -1))
        if len(self._long_tokens):
            rows = packed.index_select(0, self._long_tokens)
            q, k, v = torch.split(rows, [self.heads, self.kv_heads, self.kv_heads], dim=1)
            out, log_sums = varlen_attention(q, k, v, self._long, scale)
            outs.append(out)
            sums.append(log_sums)
        return outs, sums

    def keys_values(self, k: Tensor, v: Tensor, packed: Tensor, joined: bool) -> KeysValues:
        """The prefixes' keys and values [m, KV heads, d]; in one gather where they lie side by side."""
        if joined:
            both = packed[:, self.heads :].index_select(0, self._cross_keys)
            return both[:, : self.kv_heads], both[:, self.kv_heads :]
        return k.index_select(0, self._cross_keys), v.index_select(0, self._cross_keys)

    def merge(self, outs: list[Tensor], sums: list[Tensor], cross: Tensor | None) -> Tensor:
        """[T, heads, d]: each token's parts, weighted by the softmax of their log-sums."""
        own = (outs[0] if len(outs) == 1 else torch.cat(outs)).index_select(0, self._own_rows)
        if cross is None:
            return own
        table = torch.cat(sums, dim=1).index_select(1, self._sum_rows)
        weights = table.view(self.heads, self.levels + 1, self.length).softmax(dim=1)

        # A token without a prefix in a level takes any row there, by a weight of 0.
        weights = weights.permute(1, 2, 0).unsqueeze(-1)
        total = own * weights[0]
        for level, rows in enumerate(self._level_rows, 1):
            total.addcmul_(cross.index_select(0, rows), weights[level])
        return total.to(own.dtype)


def plan_batched(geometry: Geometry, cache: list[CacheSpan]) -> BatchedAttention:
    """The plan of a pass, as arrays of indices."""
    cuts, width = geometry.cuts, geometry.width
    lengths = np.diff(cuts).tolist()
    total = cuts[-1]
    own_rows = np.empty(total, np.int32)
    blocks = [(low, low + size) for low, size in zip(cuts, lengths, strict=False) if size <= width]
    long = [(low, low + size) for low, size in zip(cuts, lengths, strict=False) if size > width]

    # A block's padding sees itself only, so that no row of a mask is empty.
    tokens = np.zeros((len(blocks), width), np.int32)
    until = np.tile(np.arange(1, width + 1, dtype=np.int32), (len(blocks), 1))
    for index, (low, high) in enumerate(blocks):
        tokens[index, : high - low] = np.arange(low, high)
        until[index, : high - low] = np.minimum(geometry.until[low:high] - low, width)
        own_rows[low:high] = np.arange(index * width, index * width + high - low)
    long_edges = np.cumsum([0, *(high - low for low, high in long)])
    for (low, high), edge in zip(long, long_edges, strict=False):
        own_rows[low:high] = np.arange(tokens.size + edge, tokens.size + edge + high - low)

    levels = _levels(geometry.prefixes)
    cross, cached = _cross_arrays(levels, total)
    base = tokens.size + int(long_edges[-1])
    nothing = base + len(cross["cross_queries"])
    rows = cross.pop("rows")
    arrays = {
        "block_tokens": tokens,
        "block_until": until,
        "long_tokens": _joined([np.arange(low, high) for low, high in long]),
        "long_edges": long_edges,
        "own_rows": own_rows,
        "sum_rows": np.vstack([own_rows, np.where(rows < 0, nothing, rows + base)]),
        "level_rows": np.maximum(rows, 0),
        **cross,
    }
    longest = max((high - low for low, high in long), default=0)
    spans = [span for level in levels for span in level]
    sizes = {
        "long": (longest, longest),
        "cross": (
            max((span.high - span.low for span in spans), default=0),
            max((_key_count(span) for span in spans), default=0),
        ),
    }
    return BatchedAttention(arrays, sizes, len(levels), width, cached, cache)


def _levels(prefixes: Sequence[PrefixSpan]) -> list[list[PrefixSpan]]:
    """The prefixes in as few groups as there can be without a token that sees two of one group."""
    levels: list[list[PrefixSpan]] = []
    for span in sorted(prefixes, key=lambda span: span.low):
        free = next((level for level in levels if level[-1].high <= span.low), None)
        if free is None:
            levels.append(free := [])
        free.append(span)
    return levels


def _cross_arrays(
    levels: list[list[PrefixSpan]], total: int
) -> tuple[dict[str, Indices], list[list[KeysValues]]]:
    """Indices of the prefixes' call, in the order of the levels, and the cached ones among them.

    Keys of cached prefixes follow those of the pass. ``rows`` [levels, T]: which row of the call is
    a token's, -1 for none.
    """
    rows = np.full((len(levels), total), -1, np.int32)
    queries, keys, cached = [], [], []
    seen = behind = 0
    behind = total
    for level, spans in enumerate(levels):
        for span in spans:
            rows[level, span.low : span.high] = np.arange(seen, seen + span.high - span.low)
            seen += span.high - span.low
            queries.append(np.arange(span.low, span.high))
            if span.cached is None:
                keys.append(np.arange(span.first, span.last))
            else:
                keys.append(np.arange(behind, behind + _key_count(span)))
                behind += _key_count(span)
                cached.append(span.cached)
    return {
        "cross_queries": _joined(queries),
        "cross_keys": _joined(keys),
        "cross_edges": np.cumsum([0, *map(len, queries)]),
        "key_edges": np.cumsum([0, *map(len, keys)]),
        "rows": rows,
    }, cached


def _key_count(span: PrefixSpan) -> int:
    """How many keys a prefix has."""
    return span.last - span.first if span.cached is None else len(span.cached[0][0])


def _joined(parts: list[NDArray[Any]]) -> Indices:
    return np.concatenate(parts).astype(np.int32) if parts else np.empty(0, np.int32)

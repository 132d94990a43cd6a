"""Fused attention that also returns its log-sums, so that parts of the keys can be joined exactly.

A log-sum is the logarithm of a softmax's denominator. For outputs a, b over two parts of the keys
with log-sums p, q, the output over both is a + sigmoid(q - p) (b - a), and its log-sum is
logaddexp(p, q) (Dao 2023, FlashAttention-2, section 3.1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

KeysValues = tuple[Tensor, Tensor]
"""Keys and values of one layer, each [tokens, KV heads, head size]."""


def merge_parts(out: Tensor, sums: Tensor, part: Tensor, part_sums: Tensor) -> None:
    """Joins a second part of the keys into ``out`` [..., d] and its log-sums ``sums`` [...].

    Works in place: ``out`` and ``sums`` may be views of a larger output.
    """
    out.lerp_(part, torch.sigmoid(part_sums - sums).unsqueeze(-1).to(out.dtype))
    torch.logaddexp(sums, part_sums, out=sums)


def align_rows(mask: Tensor) -> Tensor:
    """The same mask, its rows beginning at multiples of 16 bytes, as CUDA's kernel needs them."""
    return torch.nn.functional.pad(mask, (0, -mask.shape[-1] % 8))[..., : mask.shape[-1]]


def grouped_attention(
    q: Tensor, k: Tensor, v: Tensor, scale: float, mask: Tensor | None, causal: bool
) -> KeysValues:
    """Attention of q [n, KV heads, group, d] over k, v [m, KV heads, d], with its log-sums.

    Returns (output [group, KV heads, n, d], log-sums [group, KV heads, n]). The query heads that
    share a KV head are the kernel's batch, over which keys and values are expanded without a copy.
    """
    group = q.shape[2]
    q = q.permute(2, 1, 0, 3)
    k = k.transpose(0, 1).expand(group, -1, -1, -1)
    v = v.transpose(0, 1).expand(group, -1, -1, -1)

    # A quantised model's queries may have another number format than the mask was made in.
    bias = None if mask is None else align_rows(mask.to(q)).expand(group, q.shape[1], -1, -1)
    return fused_attention(q, k, v, scale, bias, causal)


def fused_attention(
    q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None, causal: bool = False
) -> KeysValues:
    """Attention of q [batch, heads, n, d] over k, v [batch, heads, m, d], with its log-sums.

    Returns (output, log-sums [batch, heads, n] in fp32). ``bias`` is added to the scaled scores.
    torch's public function returns no log-sums, hence the operators beneath it.
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

    return _matmul_attention(q, k, v, scale, bias, causal)


@dataclass(frozen=True, slots=True)
class Sequences:
    """Sequences of different lengths, one after the other, and who sees whose keys.

    ``edges`` and ``key_edges`` [n + 1], int32: where the queries and the keys of each begin, and
    where the last ones end; ``longest`` and ``longest_keys``: tokens of the longest.
    """

    edges: Tensor
    key_edges: Tensor
    longest: int
    longest_keys: int
    causal: bool


def varlen_attention(q: Tensor, k: Tensor, v: Tensor, sequences: Sequences, scale: float) -> KeysValues:
    """Attention of q [n, heads, d] over k, v [m, KV heads, d], each sequence on its own keys.

    Returns (output [n, heads, d], log-sums [heads, n] in fp32). Query heads h·group … share KV head
    h. Half precision on CUDA is one call of FlashAttention's kernel; other formats, which it does
    not take, go sequence by sequence.
    """
    if q.device.type == "cuda" and q.dtype.itemsize == 2:
        ops: Any = torch.ops.aten
        out, log_sums, *_ = ops._flash_attention_forward(
            q, k, v, sequences.edges, sequences.key_edges, sequences.longest, sequences.longest_keys,
            0.0, sequences.causal, False, scale=scale,
        )  # fmt: skip
        return out, log_sums

    outs, sums = [], []
    kv_heads = k.shape[1]
    queries = q.reshape(len(q), kv_heads, -1, q.shape[-1])
    edges, key_edges = sequences.edges.tolist(), sequences.key_edges.tolist()
    for low, high, first, last in zip(edges, edges[1:], key_edges, key_edges[1:], strict=False):
        out, log_sum = grouped_attention(
            queries[low:high], k[first:last], v[first:last], scale, None, causal=sequences.causal
        )
        outs.append(out.permute(2, 1, 0, 3).flatten(1, 2))
        sums.append(log_sum.transpose(0, 1).flatten(0, 1))
    return torch.cat(outs), torch.cat(sums, dim=1)


def _matmul_attention(
    q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None, causal: bool
) -> KeysValues:
    """The same in matrix products, for what the fused kernels refuse.

    Multi-head latent attention is such a case: its values are narrower than its keys.
    """
    # Scores and log-sums in fp32, as the fused kernels have them, whatever the model's format.
    scores = (q @ k.transpose(-1, -2)).float() * scale
    if causal:
        scores = scores.masked_fill(
            torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1), -math.inf
        )
    if bias is not None:
        scores = scores + bias

    log_sum = torch.logsumexp(scores, dim=-1)
    return (scores - log_sum.unsqueeze(-1)).exp().to(v.dtype) @ v, log_sum

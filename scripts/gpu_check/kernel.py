"""The fused attention and its merge against fp64, over the shapes that models have."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gpu_check.common import Record, Setting
from harness.engines.transformers.kernels import grouped_attention, merge_parts

HEADS = ((7, 2, 64), (4, 8, 128), (8, 4, 80), (1, 8, 128))
"""(query heads per KV head, KV heads, head size): Qwen2.5-0.5B, Llama 3, an odd size, no groups."""
LENGTHS = (1, 7, 31, 33, 127)
TOLERANCE = {"float32": 2e-5, "bfloat16": 0.02, "float16": 0.004}


def check(setting: Setting, record: Record) -> None:
    """The largest errors of outputs and log-sums, per number format."""
    for name, tolerance in TOLERANCE.items():
        worst = worst_sum = 0.0
        for group, kv_heads, size in HEADS[: setting.size(4, 2)]:
            for queries in LENGTHS[: setting.size(5, 3)]:
                error, sum_error = _one(group, kv_heads, size, queries, getattr(torch, name))
                worst, worst_sum = max(worst, error), max(worst_sum, sum_error)
        record.hold(f"attention in {name}", worst, f"≤ {tolerance} of fp64", worst <= tolerance)
        record.hold(f"log-sums in {name}", worst_sum, f"≤ {tolerance}", worst_sum <= tolerance)


def _one(group: int, kv_heads: int, size: int, queries: int, dtype: torch.dtype) -> tuple[float, float]:
    """Errors of two parts (own block under an odd mask, an ancestor seen whole) merged into one."""
    generator = torch.Generator().manual_seed(queries)

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator).to(dtype)

    ancestor = 2 * queries + 3
    query = noise(queries, kv_heads, group, size)
    keys, values = noise(ancestor + queries, kv_heads, size), noise(ancestor + queries, kv_heads, size)
    hidden = torch.full((queries, queries), -math.inf).triu(1)
    scale = 1 / math.sqrt(size)

    on_device = [tensor.to("cuda") for tensor in (query, keys, values, hidden.to(dtype))]
    q, k, v, mask = on_device
    out, log_sum = grouped_attention(q, k[ancestor:], v[ancestor:], scale, mask, causal=False)
    out, log_sum = out.contiguous(), log_sum.contiguous()
    merge_parts(out, log_sum, *grouped_attention(q, k[:ancestor], v[:ancestor], scale, None, causal=False))

    seen = torch.cat([torch.zeros(queries, ancestor), hidden], dim=1).double()
    scores = torch.einsum("nhgd,mhd->ghnm", query.double(), keys.double()) * scale + seen
    want = torch.einsum("ghnm,mhd->ghnd", scores.softmax(-1), values.double())
    error = float((out.cpu().double() - want).abs().max())
    return error, float((log_sum.cpu().double() - scores.logsumexp(-1)).abs().max())

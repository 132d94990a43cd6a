"""Fused attention with the contract of CUDA's kernels, computed in fp32 on the CPU.

Read from `aten/src/ATen/native/transformers/cuda/attention.cu` (`_efficient_attention_forward`) and
CUTLASS's `kernel_forward.h` as in torch 2.11 to 2.13, and from mha_varlen_fwd of
`aten/src/ATen/native/transformers/cuda/flash_attn/flash_api.cpp` (`_flash_attention_forward` with
cumulative sequence lengths). The CPU's own kernels allow much that these refuse.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
from torch import Tensor

from support.pretended_cuda.state import CURRENT
from support.pretended_cuda.tensors import PretendedTensor, raw_of

FLASH, EFFICIENT = "_flash_attention_forward", "_scaled_dot_product_efficient_attention"
KERNELS = {FLASH, EFFICIENT, "_scaled_dot_product_flash_attention_for_cpu"}
PADDED_SUMS = 32
"""CUDA pads the log-sums of the efficient kernel to a multiple of so many queries, with +inf."""
_INT32 = 2**31 - 1


def fused_attention(func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Output and log-sums as the kernel gives them. Raises RuntimeError for what it would refuse."""
    if not any(isinstance(value, PretendedTensor) for value in args):
        return func(*args, **kwargs)
    if name not in (FLASH, EFFICIENT):
        raise NotImplementedError(f"Could not run 'aten::{name}' with arguments from the 'CUDA' backend.")

    options = {
        argument.name: argument.default_value
        for argument in func._schema.arguments
        if argument.has_default_value()
    }
    options |= dict(zip([argument.name for argument in func._schema.arguments], args, strict=False)) | kwargs
    names = ["query", "key", "value", "attn_bias", "cum_seq_q", "cum_seq_k"]
    tensors = [options.get(one) for one in names]
    devices = {str(tensor.device) for tensor in tensors if tensor is not None}
    if len(devices) > 1 or not all(
        isinstance(tensor, PretendedTensor) for tensor in tensors if tensor is not None
    ):
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found {', '.join(sorted(devices))}"
        )

    query, key, value, bias, edges, key_edges = (raw_of(tensor) for tensor in tensors)
    if name == FLASH:
        return _flash(options, query, key, value, edges, key_edges)
    check(query, key, value, bias)
    out, sums = compute(query, key, value, bias, options["scale"], bool(options["is_causal"]))
    device = options["query"].device
    batch, heads, queries, _ = query.shape
    CURRENT.counters.launch(name)
    CURRENT.counters.attention[name, batch, heads, queries, key.shape[2]] += 1
    if not options["compute_log_sumexp"]:
        sums = sums[..., :0]
    zero = torch.zeros((), dtype=torch.long)
    return tuple(PretendedTensor(one, device) for one in (out, sums, zero, zero.clone()))


def _flash(
    options: dict[str, Any], query: Tensor, key: Tensor, value: Tensor, edges: Any, key_edges: Any
) -> Any:
    """FlashAttention over sequences of different lengths, as one kernel."""
    check_varlen(query, key, value, edges, key_edges, options)
    out, sums = torch.empty_like(query), query.new_empty(query.shape[1], query.shape[0], dtype=torch.float32)
    group = query.shape[1] // key.shape[1]
    spans = zip(*(itertools.pairwise(one) for one in (edges.tolist(), key_edges.tolist())), strict=True)
    for (low, high), (first, last) in spans:
        q = query[low:high].transpose(0, 1).unsqueeze(0)
        k, v = (
            one[first:last].transpose(0, 1).repeat_interleave(group, 0).unsqueeze(0) for one in (key, value)
        )
        one, log_sums = compute(q, k, v, None, options["scale"], bool(options["is_causal"]))
        out[low:high] = one[0].transpose(0, 1)
        sums[:, low:high] = log_sums[0, :, : high - low]
    CURRENT.counters.launch(FLASH)
    CURRENT.counters.attention[FLASH, len(edges) - 1, query.shape[1], len(query), len(key)] += 1
    device = options["query"].device
    nothing = torch.zeros(2, dtype=torch.uint64)
    return tuple(
        PretendedTensor(one, device) for one in (out, sums, nothing, nothing.clone(), query.new_empty(0))
    )


def check_varlen(
    query: Tensor, key: Tensor, value: Tensor, edges: Any, key_edges: Any, options: dict[str, Any]
) -> None:
    """The conditions on queries [n, heads, size], keys and values [m, KV heads, size].

    Raises RuntimeError for the first that does not hold.
    """
    _need(
        query.dtype in (torch.float16, torch.bfloat16), "FlashAttention only support fp16 and bf16 data type"
    )
    for one in (key, value):
        _need(one.dtype == query.dtype, "query, key and value must have the same dtype")
        _need(one.dim() == 3 and one.shape == key.shape, "key and value must be [tokens, heads, size]")
    _need(edges is not None and key_edges is not None, "sequence lengths of queries and keys are needed")
    for one in (edges, key_edges):
        _need(one.dtype == torch.int32 and one.is_contiguous(), "cu_seqlens must be contiguous int32")
        _need(one.numel() == edges.numel(), "as many sequences of keys as of queries")
        _need(bool((one.diff() > 0).all()) and int(one[0]) == 0, "sequences must rise, and not be empty")
    _need(int(edges[-1]) == len(query) and int(key_edges[-1]) == len(key), "cu_seqlens must end at the end")
    _need(edges.numel() - 1 <= 65535, "more sequences than a grid has blocks in y")
    _need(int(edges.diff().max()) <= options["max_q"], "a sequence is longer than max_q")
    _need(int(key_edges.diff().max()) <= options["max_k"], "a sequence is longer than max_k")
    _need(query.shape[2] <= 256 and query.shape[2] % 8 == 0, "head size must be a multiple of 8, at most 256")
    _need(
        query.shape[1] % key.shape[1] == 0,
        "Number of heads in key/value must divide number of heads in query",
    )
    for one in (query, key, value):
        _need(one.stride(-1) == 1, "Input tensor must have contiguous last dimension")
        # Loads are of 16 bytes.
        _need(one.storage_offset() % 8 == 0 and one.stride(0) % 8 == 0, "a row is not aligned to 16 bytes")
    # Torch's causal mask is at the bottom right, others' at the top left: no matter where both are as long.
    _need(not options["is_causal"] or torch.equal(edges, key_edges), "causal over sequences of two lengths")


def check(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> None:
    """The conditions on [batch, heads, tokens, size] tensors.

    Raises RuntimeError for the first that does not hold.
    """
    if query.dtype not in (torch.float32, torch.bfloat16, torch.float16):
        raise RuntimeError(f"no kernel for {query.dtype}")
    for name, tensor in (("key", key), ("value", value)):
        _need(tensor.dtype == query.dtype, f"{name}: expected {query.dtype}, got {tensor.dtype}")
        _need(
            tensor.size(0) == query.size(0),
            f"Expected query.size(0) == {name}.size(0), got {query.size(0)} and {tensor.size(0)}",
        )
        _need(tensor.size(1) == query.size(1), f"Expected query and {name} to have as many heads")
    _need(key.size(2) == value.size(2), "Expected key and value to be of one length")
    _need(key.size(3) == query.size(3), "Expected query and key to have heads of one size")
    for name, tensor in (("query", query), ("key", key), ("value", value)):
        _need(tensor.stride(3) == 1, f"{name}: the last dimension must be contiguous")
        _need(max(map(abs, tensor.stride())) <= _INT32, f"{name}: its strides do not fit into int32")

    alignment = _alignment(query, key)
    if query.numel() and key.size(2):
        for name, tensor in (("query", query), ("key", key)):
            _need(tensor.storage_offset() % alignment == 0, f"{name}_ptr is not correctly aligned")
            _need(tensor.stride(2) % alignment == 0, f"{name} is not correctly aligned (strideM)")
            _need(
                tensor.size(1) == 1 or tensor.stride(1) % alignment == 0,
                f"{name} is not correctly aligned (strideH)",
            )
        if bias is not None:
            _check_bias(bias, query, key, alignment)


def _alignment(query: Tensor, key: Tensor) -> int:
    """Elements that rows begin at multiples of: 8 (4 in fp32), or 4 by the kernel for unaligned heads."""
    widest = 4 if query.dtype == torch.float32 else 8
    for alignment in (widest, 4):
        if query.stride(1) % alignment == 0 and key.stride(1) % alignment == 0:
            return alignment
    raise RuntimeError("cutlassF: no kernel found to launch!")


def _check_bias(bias: Tensor, query: Tensor, key: Tensor, alignment: int) -> None:
    _need(bias.dtype == query.dtype, "invalid dtype for bias - should match query's dtype")
    _need(bias.dim() == 4, "Bias expected in BMHK format")
    shape = (*query.shape[:3], key.size(2))
    _need(tuple(bias.shape) == shape, f"attn_bias: wrong shape: expected {shape}, got {tuple(bias.shape)}")
    _need(bias.stride(3) == 1, "attn_bias: wrong alignment (last dimension must be contiguous)")
    _need(bias.storage_offset() * bias.element_size() % 16 == 0, "attn_bias_ptr is not correctly aligned")
    for dimension, name in enumerate(("B", "H", "M")):
        aligned = bias.size(dimension) == 1 or bias.stride(dimension) % alignment == 0
        _need(aligned, f"attn_bias is not correctly aligned (stride{name})")


def compute(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, scale: float | None, causal: bool
) -> tuple[Tensor, Tensor]:
    """(output [batch, heads, n, d], log-sums [batch, heads, n rounded up to 32]).

    Causal is top-left, as the kernel's. Probabilities are rounded to the number format before they
    meet the values, as tensor cores want them.
    """
    scores = query.float() @ key.float().transpose(-1, -2) * (scale or 1 / math.sqrt(query.shape[-1]))
    if bias is not None:
        scores = scores + bias.float()
    if causal:
        scores = scores.masked_fill(torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1), -math.inf)
    sums = scores.logsumexp(-1)
    weights = (scores - sums.unsqueeze(-1)).exp().masked_fill(sums.isneginf().unsqueeze(-1), 0.0)
    out = (weights.to(query.dtype).float() @ value.float()).to(query.dtype)

    queries = query.shape[2]
    padded = torch.full((*query.shape[:2], -(-queries // PADDED_SUMS) * PADDED_SUMS), math.inf)
    padded[..., :queries] = sums
    # The kernel writes [batch, tokens, heads, size] and hands out a transposed view.
    return out.transpose(1, 2).contiguous().transpose(1, 2), padded


def _need(holds: bool, message: str) -> None:
    if not holds:
        raise RuntimeError(message)

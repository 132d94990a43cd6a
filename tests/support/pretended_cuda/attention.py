"""Fused attention with the contract of CUDA's kernels, computed in fp32 on the CPU.

Read from `aten/src/ATen/native/transformers/cuda/attention.cu` (`_efficient_attention_forward`) and
CUTLASS's `kernel_forward.h` as in torch 2.11 to 2.13. The CPU's own kernels allow much that these refuse.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from support.pretended_cuda.state import CURRENT
from support.pretended_cuda.tensors import PretendedTensor, raw_of

KERNELS = {"_scaled_dot_product_efficient_attention", "_scaled_dot_product_flash_attention_for_cpu"}
PADDED_SUMS = 32
"""CUDA pads the log-sums of the efficient kernel to a multiple of so many queries, with +inf."""
_INT32 = 2**31 - 1


def fused_attention(func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Output and log-sums as the kernel gives them. Raises RuntimeError for what it would refuse."""
    if not any(isinstance(value, PretendedTensor) for value in args):
        return func(*args, **kwargs)
    if name != "_scaled_dot_product_efficient_attention":
        raise NotImplementedError(f"Could not run 'aten::{name}' with arguments from the 'CUDA' backend.")

    options = {
        argument.name: argument.default_value
        for argument in func._schema.arguments
        if argument.has_default_value()
    }
    options |= dict(zip([argument.name for argument in func._schema.arguments], args, strict=False)) | kwargs
    tensors = [options["query"], options["key"], options["value"], options["attn_bias"]]
    devices = {str(tensor.device) for tensor in tensors if tensor is not None}
    if len(devices) > 1 or not all(
        isinstance(tensor, PretendedTensor) for tensor in tensors if tensor is not None
    ):
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found {', '.join(sorted(devices))}"
        )

    query, key, value, bias = (raw_of(tensor) for tensor in tensors)
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

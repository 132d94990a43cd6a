"""How much work a model does for a shape: FLOPs and bytes by formula, from the numbers of its
config.json. No torch.

With N_body the matrices of all layers that a token passes through (`Architecture.layer_matrices`),
N_head = D·V, and A the multiply-adds of attention for one query and one key in one layer (2·H·d;
`Architecture.attention_width`), a multiply-add being two FLOPs:

- n tokens read after p others: 2n·N_body + 2A·Σ_layers Σ_{c=p+1..p+n} min(c, window) +
  2·N_head·rows (with p = 0 and full attention the middle term is the 2LHd·n(n+1) of the
  textbooks);
- one token written at context c: the same with n = 1 and one row;
- bytes of a pass: the weights it touches once, and the cache it reads or writes.

N_body follows Kaplan et al. 2020 (arXiv 2001.08361, table 1), with grouped keys, gated
feed-forward, experts and their router counted as they are. Not counted, as usual for MFU: norms,
rotary embeddings, softmax, activation functions, sampling. Activations are taken to stay in the
chip. See docs/meter.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.config.architecture import Architecture
from harness.errors import ConfigError


@dataclass(frozen=True)
class Work:
    """FLOPs (a multiply-add is two) and bytes moved between the chip and its memory."""

    flops: float
    bytes: float

    def __add__(self, other: Work) -> Work:
        return Work(self.flops + other.flops, self.bytes + other.bytes)


@dataclass(frozen=True)
class NumberFormat:
    """How numbers are kept. ``weight`` and ``cache`` are bytes per number; ``latent``: multi-head
    latent attention caches its latent (vLLM) and not full keys and values (transformers).
    """

    weight: float = 2
    cache: float = 2
    latent: bool = False


BF16 = NumberFormat()


def attended(arch: Architecture, past: int, new: int) -> int:
    """Keys looked at by ``new`` tokens that follow ``past`` others, each token itself included,
    summed over tokens and layers.
    """
    _check(past=past, new=new)
    window = arch.sliding_window or past + new
    full = _triangle(past + new) - _triangle(past)
    sliding = _windowed(past + new, window) - _windowed(past, window)
    return (arch.num_hidden_layers - arch.sliding_layers) * full + arch.sliding_layers * sliding


def distinct_experts(arch: Architecture, tokens: int) -> float:
    """Routed experts of a layer that so many tokens are expected to touch if the router is even:
    E·(1 − (1 − k/E)^tokens); 0 if dense.
    """
    if not arch.num_experts:
        return 0.0
    return arch.num_experts * (1 - (1 - arch.num_experts_per_tok / arch.num_experts) ** tokens)


def weights_read(arch: Architecture, tokens: int, head: bool = True) -> float:
    """Weights that a pass over ``tokens`` tokens reads: all layers, the experts it is expected to
    touch, the head if there are logits, and of the embeddings one row per token.
    """
    layers = (
        arch.parameters - arch.head_matrix * (1 if arch.tie_word_embeddings else 2) - arch.expert_parameters
    )

    experts = (
        arch.expert_parameters * distinct_experts(arch, tokens) / arch.num_experts
        if arch.num_experts
        else 0.0
    )
    return layers + experts + tokens * arch.hidden_size + (arch.head_matrix if head else 0)


def prefill(
    arch: Architecture,
    tokens: int,
    *,
    past: int = 0,
    rows: int = 1,
    batch: int = 1,
    form: NumberFormat = BF16,
) -> Work:
    """One pass that reads ``tokens`` tokens after ``past`` cached ones in each of ``batch``
    sequences, with logits for ``rows`` of each.

    ``rows`` is 1 before generation; scoring a continuation of m tokens takes m rows, perplexity one
    per token, and the head's part counts. Latent attention is expanded to full keys and values in
    this pass, as engines do. Bytes: weights once, the past's cache read, the new tokens' cache
    written. Raises ConfigError for a negative number, no token, no sequence, or more rows than
    tokens.
    """
    _check(past=past, rows=rows)
    if tokens < 1 or batch < 1 or rows > tokens:
        raise ConfigError(
            f"a pass needs at least one token, one sequence and no more rows than tokens; got {tokens}, "
            f"{batch}, {rows}"
        )

    flops = (
        2 * tokens * arch.layer_matrices
        + 2 * arch.attention_width() * attended(arch, past, tokens)
        + 2 * arch.head_matrix * rows
    )

    # The new tokens attend to the cache of the past, so that is read once per pass; their own keys
    # and values are still in the chip, and only written.
    written = arch.kv_bytes_per_token(form.cache, form.latent) * tokens
    cache = arch.kv_bytes(past, form.cache, form.latent) + written
    return Work(batch * flops, weights_read(arch, batch * tokens, rows > 0) * form.weight + batch * cache)


def decode_step(arch: Architecture, contexts: Sequence[int], *, form: NumberFormat = BF16) -> Work:
    """One step that writes one token in every sequence; ``contexts`` are their lengths, the new
    token included.

    Bytes: the weights touched by len(contexts) tokens, and Σ 2·L·K·d·c·s_kv of cache (windows and
    latents counted as they are). Raises ConfigError for no sequence or a length below one.
    """
    if not contexts or min(contexts) < 1:
        raise ConfigError(
            f"a decode step needs sequences of at least one token, got lengths {list(contexts)}"
        )

    keys = sum(arch.layer_tokens(context) for context in contexts)
    return _decode(arch, steps=1, batch=len(contexts), keys=keys, form=form)


def generation(
    arch: Architecture, prompt: int, output: int, batch: int = 1, *, form: NumberFormat = BF16
) -> Work:
    """A shape as a whole: ``batch`` prompts of ``prompt`` tokens in one pass, which gives the first
    token, and ``output`` − 1 decode steps.

    In closed form, so that long outputs cost nothing to ask. Raises ConfigError for fewer than one
    output token, or as `prefill` does.
    """
    if output < 1:
        raise ConfigError(f"a generation needs at least one output token, got {output}")

    first = prefill(arch, prompt, batch=batch, form=form)
    keys = batch * attended(arch, prompt, output - 1)
    return first + _decode(arch, steps=output - 1, batch=batch, keys=keys, form=form)


def _decode(arch: Architecture, steps: int, batch: int, keys: int, form: NumberFormat) -> Work:
    per_token = 2 * (arch.layer_matrices + arch.head_matrix)
    flops = steps * batch * per_token + 2 * arch.attention_width(form.latent) * keys
    cache = keys * arch.kv_numbers(form.latent) * form.cache
    return Work(flops, steps * weights_read(arch, batch) * form.weight + cache)


def _triangle(count: int) -> int:
    return count * (count + 1) // 2


def _windowed(count: int, window: int) -> int:
    inside = min(count, window)
    return _triangle(inside) + (count - inside) * window


def _check(**counts: float) -> None:
    for name, value in counts.items():
        if value < 0 or not math.isfinite(value):
            raise ConfigError(f"{name} must be a number of tokens, zero or more; got {value}")

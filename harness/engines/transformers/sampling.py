"""Choosing the next token: greedy or sampled, each row by its own settings and random numbers.

A row's numbers come from a CPU generator seeded by its item, one number per token, so the batch
around it changes nothing. Filters and their order are transformers': repetition penalty,
temperature, top-k, top-p.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.items import Sampling

_COLDEST = 1e-30
"""A temperature that fp32 can divide by; far above it, the largest logit is certain."""


def choose(
    logits: Tensor, settings: Sequence[Sampling], generators: Sequence[torch.Generator | None]
) -> Tensor:
    """The next token of each row [batch], from fp32 logits [batch, vocabulary].

    ``~token`` (below 0) in a row whose largest logit is not finite. NaN counts as the largest, so
    one anywhere in the row is noticed, as are +inf and a row of nothing but -inf.
    """
    tokens = logits.argmax(dim=-1)
    finite = logits.gather(-1, tokens.unsqueeze(-1)).squeeze(-1).isfinite()
    sampled = [row for row, sampling in enumerate(settings) if sampling.temperature > 0]
    if not sampled:
        return torch.where(finite, tokens, ~tokens)

    # Sums in fp64: over a large vocabulary, fp32 would shift the borders between tokens.
    rows = torch.tensor(sampled, device=logits.device)
    probabilities = _probabilities(logits.index_select(0, rows), [settings[row] for row in sampled])
    draws = torch.stack([torch.rand((), generator=generators[row], dtype=torch.float64) for row in sampled])
    sums = probabilities.double().cumsum(dim=-1)

    # By the inverse of the distribution: the first token whose running sum exceeds draw × total;
    # never one of probability 0.
    drawn = torch.searchsorted(sums, (draws.to(sums.device) * sums[:, -1]).unsqueeze(-1), right=True).squeeze(
        -1
    )
    tokens[rows] = drawn.clamp(max=logits.shape[-1] - 1)
    return torch.where(finite, tokens, ~tokens)


def _probabilities(logits: Tensor, settings: Sequence[Sampling]) -> Tensor:
    """Filtered probabilities [rows, vocabulary]."""
    heat = torch.tensor([sampling.temperature for sampling in settings], device=logits.device)
    # From the largest down: a temperature near 0 leaves it alone, where plain logits would
    # overflow.
    logits = (logits - logits.amax(dim=-1, keepdim=True)) / heat.unsqueeze(-1).clamp(min=_COLDEST)

    for row, sampling in enumerate(settings):
        if 0 < sampling.top_k < logits.shape[-1]:
            least = logits[row].topk(sampling.top_k).values[-1]
            logits[row].masked_fill_(logits[row] < least, -torch.inf)
        if sampling.top_p < 1:
            ordered, order = logits[row].sort(descending=True, stable=True)
            probabilities = ordered.softmax(dim=-1)
            # A token goes when those before it already have top_p: the smallest set that reaches it
            # stays.
            excess = probabilities.cumsum(dim=-1) - probabilities >= sampling.top_p
            logits[row, order[excess]] = -torch.inf
    return logits.softmax(dim=-1)


def penalise(logits: Tensor, row: int, tokens: Tensor, penalty: float) -> None:
    """Divides the positive and multiplies the negative logits of tokens already used, in place.

    The repetition penalty of Keskar et al. 2019 (CTRL), section 4.1.
    """
    values = logits[row, tokens]
    logits[row, tokens] = torch.where(values < 0, values * penalty, values / penalty)

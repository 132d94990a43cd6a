"""Choosing the next token: greedy or sampled, each row by its own settings and its own random
numbers.

A row's numbers come from a CPU generator seeded by its item, one a token, so the batch around it
changes nothing. Filters and their order are transformers': repetition penalty, temperature, top-k,
top-p.
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
    """The next token of each row [batch], from fp32 logits [batch, vocabulary]; ``~token`` (below
    0) in a row whose largest logit is no finite number: NaN counts as the largest, so one anywhere
    in the row is seen, as are +inf and a row of -inf alone.
    """
    tokens = logits.argmax(dim=-1)
    finite = logits.gather(-1, tokens.unsqueeze(-1)).squeeze(-1).isfinite()
    drawn = [row for row, sampling in enumerate(settings) if sampling.temperature > 0]
    if not drawn:
        return torch.where(finite, tokens, ~tokens)
    rows = torch.tensor(drawn, device=logits.device)
    picked = [settings[row] for row in drawn]
    chances = _probabilities(logits.index_select(0, rows), picked)
    draws = torch.stack([torch.rand((), generator=generators[row], dtype=torch.float64) for row in drawn])
    sums = chances.double().cumsum(dim=-1)
    # By the inverse of the distribution: the first token whose running sum exceeds draw × total;
    # never one of probability 0.
    places = torch.searchsorted(
        sums, (draws.to(sums.device) * sums[:, -1]).unsqueeze(-1), right=True
    ).squeeze(-1)
    tokens[rows] = places.clamp(max=logits.shape[-1] - 1)
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
            ordered, places = logits[row].sort(descending=True, stable=True)
            chances = ordered.softmax(dim=-1)
            # A token goes when those before it already have top_p: the smallest set that reaches it
            # stays.
            gone = chances.cumsum(dim=-1) - chances >= sampling.top_p
            logits[row, places[gone]] = -torch.inf
    return logits.softmax(dim=-1)


def penalise(logits: Tensor, row: int, seen: Tensor, penalty: float) -> None:
    """Divides the positive and multiplies the negative logits of tokens already read or written
    (Keskar et al. 2019), in place.
    """
    values = logits[row, seen]
    logits[row, seen] = torch.where(values < 0, values * penalty, values / penalty)

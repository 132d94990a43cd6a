"""Choosing the next token: greedy or sampled, each row by its own settings and random numbers.

A row's numbers come from a CPU generator seeded by its item, one number per token, so the batch
around it changes nothing. Filters and their order are transformers': repetition penalty,
temperature, top-k, top-p. All rows are filtered together, by thresholds of their own: on a GPU the
kernel launches of one row at a time would take longer than the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from harness.engines.transformers.transfer import send
from harness.items import Sampling

_COLDEST = 1e-30
"""A temperature that fp32 can divide by; far above it, the largest logit is certain."""
_OFF = 2.0
"""A top_p that no sum of probabilities reaches."""
_ROOM = 64  # tokens that rows may write before their used tokens are copied over anew


class SampledRow(Protocol):
    """A text on its way, as far as its next token depends on it; a prompt is never empty."""

    sampling: Sampling
    generator: torch.Generator | None
    prompt: list[int]
    written: list[int]


class BatchSampler:
    """Chooses the next tokens of a batch's rows.

    What rows ask for stays on the device for as long as they are the same, in the same order.
    """

    def __init__(self) -> None:
        self._rows: list[SampledRow] = []
        self._filters: _Filters | None = None
        self._used: _UsedTokens | None = None

    def choose(self, rows: Sequence[SampledRow], logits: Tensor) -> Tensor:
        """The next token of each row [batch], from fp32 logits [batch, vocabulary], changed in place.

        ``~token`` (below 0) in a row whose largest logit is not finite. NaN counts as the largest,
        so one anywhere in the row is noticed, as are +inf and a row of nothing but -inf.
        """
        same = len(rows) == len(self._rows) and all(
            one is other for one, other in zip(rows, self._rows, strict=True)
        )
        if not same:
            self._rows = list(rows)
            self._filters = _Filters.of([row.sampling for row in rows], logits)
            self._used = None
        if any(_penalty(row.sampling) != 1.0 for row in rows):
            self._penalise(logits)

        tokens = logits.argmax(dim=-1)
        peaks = logits.gather(-1, tokens.unsqueeze(-1))
        finite = peaks.squeeze(-1).isfinite()
        if self._filters is not None:
            generators = [row.generator for row in rows]
            tokens = _draw(logits, tokens, peaks, self._filters, generators)
        return torch.where(finite, tokens, ~tokens)

    def _penalise(self, logits: Tensor) -> None:
        """Divides the positive and multiplies the negative logits of tokens already used, in place.

        The repetition penalty of Keskar et al. 2019 (CTRL), section 4.1.
        """
        if self._used is None or not self._used.follow(self._rows):
            self._used = _UsedTokens(self._rows, logits.device)
        ids, penalty = self._used.ids, self._used.penalty

        # A token that stands there twice is written twice, by the same value.
        values = logits.gather(1, ids)
        logits.scatter_(1, ids, torch.where(values < 0, values * penalty, values / penalty))


class _UsedTokens:
    """The tokens of prompts and answers, [rows, most], filled up with each row's first."""

    def __init__(self, rows: Sequence[SampledRow], device: torch.device) -> None:
        texts = [[*row.prompt, *row.written] for row in rows]
        width = max(map(len, texts)) + _ROOM
        self._ends = [len(text) for text in texts]
        self._next = width - _ROOM
        self.ids = send(torch.tensor([text + text[:1] * (width - len(text)) for text in texts]), device)
        self.penalty = send(torch.tensor([[_penalty(row.sampling)] for row in rows]), device)

    def follow(self, rows: Sequence[SampledRow]) -> bool:
        """Adds the token that each row has written since; false where that is not what happened."""
        ends = [len(row.prompt) + len(row.written) for row in rows]
        if self._next == self.ids.shape[1] or any(
            end != before + 1 for end, before in zip(ends, self._ends, strict=True)
        ):
            return False
        last = torch.tensor([row.written[-1] for row in rows])
        self.ids[:, self._next] = send(last, self.ids.device)
        self._ends, self._next = ends, self._next + 1
        return True


@dataclass(frozen=True)
class _Filters:
    """What the rows that are sampled ask for, as columns [rows, 1] on the device.

    ``drawn``: which rows these are, ``index`` the same there (None: all). ``least``: where the last
    token that top-k leaves stands among the sorted, None where no row has one; ``top_p`` likewise.
    """

    drawn: list[int]
    index: Tensor | None
    heat: Tensor
    least: Tensor | None
    top_p: Tensor | None

    @classmethod
    def of(cls, settings: Sequence[Sampling], logits: Tensor) -> _Filters | None:
        """None where nothing is sampled."""
        drawn = [row for row, sampling in enumerate(settings) if sampling.temperature > 0]
        if not drawn:
            return None
        vocabulary, device = int(logits.shape[-1]), logits.device
        chosen = [settings[row] for row in drawn]
        limited = [one.top_k if 0 < one.top_k < vocabulary else vocabulary for one in chosen]
        mass = [one.top_p if one.top_p < 1 else _OFF for one in chosen]
        heat = torch.tensor([one.temperature for one in chosen]).clamp(min=_COLDEST)
        return cls(
            drawn,
            None if len(drawn) == len(settings) else send(torch.tensor(drawn), device),
            send(heat.unsqueeze(-1), device),
            send(torch.tensor(limited).unsqueeze(-1) - 1, device) if min(limited) < vocabulary else None,
            # Compared in the format of the sums that they are compared with.
            send(torch.tensor(mass).unsqueeze(-1), device) if min(mass) < _OFF else None,
        )


def _draw(
    logits: Tensor,
    tokens: Tensor,
    peaks: Tensor,
    filters: _Filters,
    generators: Sequence[torch.Generator | None],
) -> Tensor:
    """``tokens`` [batch], with those of sampled rows drawn."""
    if filters.index is not None:
        logits, peaks = logits.index_select(0, filters.index), peaks.index_select(0, filters.index)
    probabilities = _filtered(logits, peaks, filters).softmax(dim=-1)

    # Sums in fp64: over a large vocabulary, fp32 would shift the borders between tokens.
    sums = probabilities.cumsum(dim=-1, dtype=torch.float64)
    draws = torch.stack(
        [torch.rand((), generator=generators[row], dtype=torch.float64) for row in filters.drawn]
    )

    # By the inverse of the distribution: the first token whose running sum exceeds draw × total;
    # never one of probability 0.
    levels = send(draws, sums.device).unsqueeze(-1) * sums[:, -1:]
    drawn = torch.searchsorted(sums, levels, right=True).squeeze(-1).clamp(max=sums.shape[-1] - 1)
    return drawn if filters.index is None else tokens.index_copy(0, filters.index, drawn)


def _filtered(logits: Tensor, peaks: Tensor, filters: _Filters) -> Tensor:
    """Logits by temperature, -inf where a filter takes a token away."""
    # From the largest down: a temperature near 0 leaves it alone, where plain logits would
    # overflow.
    logits = (logits - peaks) / filters.heat
    if filters.least is None and filters.top_p is None:
        return logits

    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    if filters.least is not None:
        # By value, not by rank: what equals the last one that stays, stays, too.
        ordered = ordered.masked_fill(ordered < ordered.gather(1, filters.least), -torch.inf)
    if filters.top_p is not None:
        # A token goes when those before it already have top_p: the smallest set that reaches it
        # stays.
        probabilities = ordered.softmax(dim=-1)
        excess = probabilities.cumsum(dim=-1) - probabilities >= filters.top_p
        ordered = ordered.masked_fill(excess, -torch.inf)
    return torch.empty_like(ordered).scatter_(1, order, ordered)


def _penalty(sampling: Sampling) -> float:
    return sampling.repetition_penalty or 1.0

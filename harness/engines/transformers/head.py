"""The vocabulary head on chosen rows: log-probabilities of given tokens and whether they are the
arg-max, a strip of columns at a time.

A strip's logits stay in the processor's cache: the largest logit and the sum of exponentials are
updated as in online softmax (Milakov & Gimelshein 2018, https://arxiv.org/abs/1805.02867), so
neither all logits nor a copy of them is ever in memory. Sums are fp32.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Finish = Callable[[Tensor], Tensor]
_STRIP_BYTES = {"cpu": 2 << 20, "cuda": 256 << 20}  # fp32 bytes of logits at a time
_ROWS = 1024


def judge(
    head: torch.nn.Linear, finish: Finish, hidden: Tensor, rows: Tensor, targets: Tensor
) -> tuple[Tensor, Tensor]:
    """(natural-log probability [n] in fp32, is arg-max [n]) of token ``targets[i]`` after
    ``hidden[rows[i]]``; hidden is [m, size].

    Ties go to the first token, as ``argmax`` has it.
    """
    width = int(head.weight.shape[0])
    logprobs = torch.empty(len(rows), device=hidden.device)
    greedy = torch.empty(len(rows), dtype=torch.bool, device=hidden.device)
    budget = _STRIP_BYTES.get(hidden.device.type, 256 << 20)
    for first in range(0, len(hidden), _ROWS):
        part = hidden[first : first + _ROWS]
        mine = ((rows >= first) & (rows < first + _ROWS)).nonzero().flatten()
        step = min(width, max(1024, budget // (4 * len(part))))
        logprobs[mine], greedy[mine] = _judge_rows(
            head, finish, part, rows[mine] - first, targets[mine], step
        )
    return logprobs, greedy


def _judge_rows(
    head: torch.nn.Linear, finish: Finish, hidden: Tensor, rows: Tensor, targets: Tensor, step: int
) -> tuple[Tensor, Tensor]:
    """`judge` for few enough rows, ``step`` columns at a time."""
    order = targets.argsort()
    rows, targets = rows[order], targets[order]
    width = int(head.weight.shape[0])
    edges = torch.searchsorted(targets, torch.arange(0, width + step, step, device=targets.device)).tolist()
    chosen = torch.empty(len(targets), device=hidden.device)
    leads = torch.zeros(
        len(targets), dtype=torch.bool, device=hidden.device
    )  # the first of the largest logits of its strip
    best = torch.full((len(hidden),), float("-inf"), device=hidden.device)
    where = torch.zeros(
        len(hidden), dtype=torch.long, device=hidden.device
    )  # the first strip that holds the largest logit
    # log of the sum of exponentials
    total = torch.full((len(hidden),), float("-inf"), device=hidden.device)
    for strip, low in enumerate(range(0, width, step)):
        bias = None if head.bias is None else head.bias[low : low + step]
        logits = finish(torch.nn.functional.linear(hidden, head.weight[low : low + step], bias)).float()
        inside = slice(edges[strip], edges[strip + 1])
        top = logits.amax(dim=-1)
        chosen[inside] = logits[rows[inside], targets[inside] - low]
        # The place of the largest is looked for only where it may be the target: with indices, the
        # maximum is not vectorised.
        same = (chosen[inside] == top[rows[inside]]).nonzero().flatten() + edges[strip]
        leads[same] = logits[rows[same]].argmax(dim=-1) == targets[same] - low
        where = torch.where(top > best, strip, where)
        best = torch.maximum(best, top)
        total = torch.logaddexp(total, _log_sum(logits))
    back = order.argsort()
    return (chosen - total[rows])[back], (leads & (where[rows] == targets // step))[back]


def _log_sum(logits: Tensor) -> Tensor:
    """Logarithm of each row's sum of exponentials: what log-softmax takes off.

    One sweep a row, where `logsumexp` makes three.
    """
    found = logits[:, 0] - logits.log_softmax(dim=-1)[:, 0]
    return (
        found if bool(found.isfinite().all()) else logits.logsumexp(dim=-1)
    )  # a first column of -inf tells nothing

"""The vocabulary head on chosen rows: log-probabilities of tokens, and whether they are greedy.

The head is run a strip of vocabulary columns at a time. A strip's logits stay in the processor's
cache: the largest logit and the sum of exponentials are updated as in online softmax (Milakov &
Gimelshein 2018, https://arxiv.org/abs/1805.02867), so neither all logits nor a copy of them is ever
in memory. Sums are fp32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.engines.transformers.transfer import upload

PostHead = Callable[[Tensor], Tensor]
"""What an architecture does to the logits after its head."""
TokenScores = tuple[Tensor, Tensor]
"""Of each target: its natural-log probability [n] in fp32, and whether it is the arg-max [n]."""

# fp32 bytes of logits at a time: what stays in the cache of a core, or in the L2 of a GPU (40 to 60 MB).
_STRIP_BYTES = {"cpu": 2 << 20, "cuda": 32 << 20}
_ROWS = 1024  # rows at a time: with more, a strip of them would be narrow
_NONE = np.empty(0, np.int64)
_LOGITS_BYTES = 256 << 20  # fp32 bytes at a time of logits that are there already


class Targets(NamedTuple):
    """Tokens to be scored: target i is predicted by the output at ``positions[rows[i]]``.

    ``positions`` [m] are distinct and rising, in the flattened input; ``rows`` and ``tokens`` [n].
    """

    positions: Tensor
    rows: Tensor
    tokens: Tensor


def score_tokens(
    head: torch.nn.Linear, post_head: PostHead, hidden: Tensor, rows: Tensor, tokens: Tensor
) -> TokenScores:
    """Scores token ``tokens[i]`` after ``hidden[rows[i]]``; hidden is [m, size].

    ``rows`` and ``tokens`` are on the CPU: what is asked is sorted there, so that a GPU is not
    waited for. Of equal logits the first token is the arg-max, as ``argmax`` has it.
    """
    width = int(head.weight.shape[0])
    budget = _STRIP_BYTES.get(hidden.device.type, 32 << 20)
    parts = [
        _HeadPart.of(first, len(hidden), width, budget, rows, tokens)
        for first in range(0, len(hidden), _ROWS)
    ]
    order = np.concatenate([part.order for part in parts]) if parts else _NONE
    there = upload(
        {
            "rows": np.concatenate([part.rows for part in parts]) if parts else _NONE,
            "tokens": np.concatenate([part.tokens for part in parts]) if parts else _NONE,
            "back": order.argsort(),
        },
        hidden.device,
    )

    found = [torch.empty(0, device=hidden.device)], [torch.empty(0, dtype=torch.bool, device=hidden.device)]
    begin = 0
    for part in parts:
        mine = slice(begin, begin + len(part.order))
        begin = mine.stop
        scores = _score_by_strips(
            head,
            post_head,
            hidden[part.first : part.first + _ROWS],
            there["rows"][mine],
            there["tokens"][mine],
            part,
        )
        found[0].append(scores[0])
        found[1].append(scores[1])
    return torch.cat(found[0]).index_select(0, there["back"]), torch.cat(found[1]).index_select(
        0, there["back"]
    )


@dataclass(frozen=True, slots=True)
class _HeadPart:
    """Some hidden rows, from ``first`` on, and the targets that they predict, by rising token.

    ``order`` [n]: the targets' indices among all; ``edges``: where each strip of ``step`` columns
    begins among them.
    """

    first: int
    step: int
    order: NDArray[np.int64]
    rows: NDArray[np.int64]
    tokens: NDArray[np.int64]
    edges: list[int]

    @classmethod
    def of(cls, first: int, total: int, width: int, budget: int, rows: Tensor, tokens: Tensor) -> _HeadPart:
        # The fewer rows, the wider a strip of the same bytes, so the fewer calls.
        count = min(_ROWS, total - first)
        step = min(width, max(1024, budget // (4 * count)))
        all_rows, all_tokens = rows.numpy(), tokens.numpy()
        mine = np.flatnonzero((all_rows >= first) & (all_rows < first + count))
        order = mine[np.argsort(all_tokens[mine], kind="stable")]
        edges = np.searchsorted(all_tokens[order], np.arange(0, width + step, step)).tolist()
        return cls(first, step, order, all_rows[order] - first, all_tokens[order], edges)


def _score_by_strips(
    head: torch.nn.Linear, post_head: PostHead, hidden: Tensor, rows: Tensor, tokens: Tensor, part: _HeadPart
) -> TokenScores:
    """`score_tokens` for few enough rows, a strip of columns at a time."""
    step, edges, width = part.step, part.edges, int(head.weight.shape[0])

    # Per target: its logit, and whether it is the first of the largest of its strip.
    chosen = torch.empty(len(tokens), device=hidden.device)
    leads = torch.zeros(len(tokens), dtype=torch.bool, device=hidden.device)
    # Per row, over the strips so far: the largest logit, the first strip that holds it, and the
    # logarithm of the sum of exponentials.
    best = torch.full((len(hidden),), float("-inf"), device=hidden.device)
    best_strip = torch.zeros(len(hidden), dtype=torch.long, device=hidden.device)
    total = torch.full((len(hidden),), float("-inf"), device=hidden.device)

    for strip, low in enumerate(range(0, width, step)):
        bias = None if head.bias is None else head.bias[low : low + step]
        # fp32 from here on: a sum over a vocabulary loses too much in half precision.
        logits = post_head(torch.nn.functional.linear(hidden, head.weight[low : low + step], bias)).float()
        inside = slice(edges[strip], edges[strip + 1])
        my_rows, my_columns = rows[inside], tokens[inside] - low
        top = _leaders(logits, chosen[inside], leads[inside], my_rows, my_columns)

        # Strictly larger: among equals the first strip stays, hence the first token.
        best_strip = torch.where(top > best, strip, best_strip)
        best = torch.maximum(best, top)
        total = torch.logaddexp(total, _log_sum(logits))

    return chosen - total[rows], leads & (best_strip[rows] == tokens // step)


def _leaders(logits: Tensor, chosen: Tensor, leads: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Each row's largest logit [m]; writes the targets' logits and whether they are the first of it."""
    if logits.device.type == "cuda":
        # The kernel finds value and place in one sweep; no list of candidates has to be waited for.
        top, first = logits.max(dim=-1)
        if len(rows):
            chosen.copy_(logits[rows, columns])
            leads.copy_(first[rows] == columns)
        return top

    # Which column is the largest is looked up only where it may be the target: with indices, the
    # maximum is not vectorised on the CPU.
    top = logits.amax(dim=-1)
    chosen.copy_(logits[rows, columns])
    same = (chosen == top[rows]).nonzero().flatten()
    leads[same] = logits[rows[same]].argmax(dim=-1) == columns[same]
    return top


def _log_sum(logits: Tensor) -> Tensor:
    """Logarithm of each row's sum of exponentials: what log-softmax takes off.

    On the CPU log-softmax sweeps a row once, where `logsumexp` makes three sweeps.
    """
    if logits.device.type == "cuda":
        return logits.logsumexp(dim=-1)
    log_sums = logits[:, 0] - logits.log_softmax(dim=-1)[:, 0]
    # A first column of -inf takes -inf from -inf, and so does not say what was taken off.
    return log_sums if bool(log_sums.isfinite().all()) else logits.logsumexp(dim=-1)


def score_logits(logits: Tensor, rows: Tensor, tokens: Tensor) -> TokenScores:
    """What `score_tokens` finds, on the CPU, from logits [m, vocabulary] that are there already."""
    logprobs = torch.empty(len(rows))
    greedy = torch.empty(len(rows), dtype=torch.bool)

    # A part at a time, since each is copied to fp32.
    size = max(1, _LOGITS_BYTES // (4 * int(logits.shape[-1])))
    for first in range(0, len(logits), size):
        part = logits[first : first + size].float()
        mine = ((rows >= first) & (rows < first + size)).nonzero().flatten()

        row, token = (rows[mine] - first).to(part.device), tokens[mine].to(part.device)
        logprobs[mine] = (part[row, token] - torch.logsumexp(part, dim=-1)[row]).cpu()
        greedy[mine] = (part.argmax(dim=-1)[row] == token).cpu()
    return logprobs, greedy


@torch.inference_mode()
def find_head_mode(model: Any, device: torch.device) -> tuple[PostHead, str]:
    """What the model does after its head, and how the head can therefore be run.

    "chunked": by `score_tokens`; "inside": by the model itself, on the chosen rows; "full": by the
    model on all rows, where the head is not found, or not called once on all hidden states.
    """
    head = model.get_output_embeddings()
    if head is None or not hasattr(head, "weight"):
        return _unchanged, "full"

    calls: list[tuple[tuple[int, ...], Tensor]] = []
    handle = head.register_forward_hook(lambda _, args, out: calls.append((tuple(args[0].shape), out)))
    try:
        logits = model(input_ids=torch.arange(4, device=device).reshape(2, 2)).logits
    finally:
        handle.remove()
    if len(calls) != 1 or calls[0][0][:2] != (2, 2) or logits.shape[:2] != (2, 2):
        return _unchanged, "full"

    raw = calls[0][1]
    for post_head in _candidates(model.config):
        expected = post_head(raw)
        if expected.shape == logits.shape and torch.allclose(
            expected.float(), logits.to(expected.device).float(), rtol=1e-6, atol=1e-6
        ):
            # A quantised head has no plain weight to take strips of.
            return post_head, "chunked" if type(head) is torch.nn.Linear else "inside"
    return _unchanged, "inside"


def _unchanged(logits: Tensor) -> Tensor:
    return logits


def _candidates(config: Any) -> list[PostHead]:
    """What architectures do after the head, as far as this config may ask for it.

    Nothing, a soft cap (Gemma 2), a factor (Cohere), or a divisor (Granite).
    """
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    candidates: list[PostHead] = [_unchanged]

    # These are the names of several architectures each, so only the comparison can say what they
    # do.
    if cap := getattr(text, "final_logit_softcapping", None):
        candidates.append(lambda logits: torch.tanh(logits / cap) * cap)
    if factor := getattr(text, "logit_scale", None):
        candidates.append(lambda logits: logits * factor)
    if divisor := getattr(text, "logits_scaling", None):
        candidates.append(lambda logits: logits / divisor)
    return candidates

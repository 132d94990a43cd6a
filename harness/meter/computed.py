"""FLOPs of the tokens that went through the model for an answer, from its counts. What was shared costs nothing."""

from __future__ import annotations

from harness.config.architecture import Architecture
from harness.items import Answer, Generation, Score
from harness.meter.work import attended


def answer_flops(arch: Architecture, answer: Answer, window: int | None = None) -> float:
    """FLOPs (a multiply-add is two) computed for one answer: 2·N_body a computed token, 2·A·keys of attention, 2·N_head a row of logits.

    The counts say how many tokens were computed, not which: they are taken to be the ends of rows of the answer's mean length, first the
    rows that were read whole, which is exact for generation and where an item's options are one token; else only the attention part, some
    percent of the whole, is approximate. Rows of logits: one a generated token; one a token of the continuations, less those that options
    with one context share. ``window`` cuts perplexity's rows.
    """
    if isinstance(answer, Generation):
        return _generated(arch, answer)
    tokens = answer.tokens
    if isinstance(answer, Score):
        rows = max(1, sum(1 for length in answer.lengths if length))
        scored = sum(answer.lengths)
        logits = min(tokens.computed, scored - (rows - 1) if tokens.computed < tokens.prompt else scored)
    else:
        rows = -(-tokens.prompt // window) if window else 1
        logits = min(tokens.computed, answer.predicted)
    keys = _keys(arch, max(1, -(-tokens.prompt // max(1, rows))), tokens.computed)
    return 2.0 * (tokens.computed * arch.layer_matrices + arch.attention_width() * keys + max(0, logits) * arch.head_matrix)


def _generated(arch: Architecture, answer: Generation) -> float:
    tokens = answer.tokens
    steps = max(0, tokens.output - 1)
    read = max(0, tokens.computed - steps)
    keys = attended(arch, max(0, tokens.prompt - read), read) + attended(arch, tokens.prompt, steps)
    return 2.0 * ((read + steps) * arch.layer_matrices + arch.attention_width() * keys + tokens.output * arch.head_matrix)


def _keys(arch: Architecture, length: int, computed: int) -> int:
    whole, rest = divmod(computed, length)
    keys = whole * attended(arch, 0, length) if whole else 0
    return keys + (attended(arch, length - rest, rest) if rest else 0)

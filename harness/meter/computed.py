"""FLOPs of the tokens that went through the model for answers, from their counts.

What was shared costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from harness.config.architecture import Architecture
from harness.items import Answer, Generation, Score
from harness.meter.work import attended

Keys = Callable[[int, int], int]
"""(tokens before, new tokens) -> keys looked at by the new ones, over all layers."""


def computed_flops(arch: Architecture, answers: Iterable[Answer], window: int | None = None) -> float:
    """FLOPs (a multiply-add is two) computed for answers.

    2·N_body per computed token, 2·A·keys of attention, 2·N_head per row of logits.

    The counts say how many tokens were computed, not which: they are taken to be the ends of rows
    of the answer's mean length, first the rows that were read whole, which is exact for generation
    and where an item's options are one token; else only the attention part, some percent of the
    whole, is approximate. Rows of logits: one per generated token; one per token of the continuations,
    less those that options with one context share. ``window`` cuts perplexity's rows.
    """
    look = _looking(arch)

    tokens = keys = rows = 0
    for answer in answers:
        counts = _generated(answer, look) if isinstance(answer, Generation) else _scored(answer, look, window)
        tokens, keys, rows = tokens + counts[0], keys + counts[1], rows + counts[2]
    return 2.0 * (tokens * arch.layer_matrices + arch.attention_width() * keys + rows * arch.head_matrix)


def _looking(arch: Architecture) -> Keys:
    """`attended`, in closed form where no layer slides: this is done for every answer."""
    layers = arch.num_hidden_layers
    if arch.sliding_layers:
        return lambda past, new: attended(arch, past, new)
    return lambda past, new: layers * (new * (2 * past + new + 1) // 2)


def _generated(answer: Generation, look: Keys) -> tuple[int, int, int]:
    """(tokens computed, keys, rows of logits)."""
    tokens = answer.tokens
    steps = max(0, tokens.output - 1)
    prefilled = max(0, tokens.computed - steps)
    return (
        prefilled + steps,
        look(max(0, tokens.prompt - prefilled), prefilled) + look(tokens.prompt, steps),
        tokens.output,
    )


def _scored(answer: Answer, look: Keys, window: int | None) -> tuple[int, int, int]:
    prompt, computed = answer.tokens.prompt, answer.tokens.computed
    if isinstance(answer, Score):
        rows = max(1, len(answer.lengths) - answer.lengths.count(0))
        logits = sum(answer.lengths) - (rows - 1 if computed < prompt else 0)
    else:
        rows = -(-prompt // window) if window else 1
        logits = getattr(answer, "predicted", 0)
    length = max(1, -(-prompt // max(1, rows)))
    whole, rest = divmod(computed, length)
    return computed, whole * look(0, length) + look(length - rest, rest), max(0, min(computed, logits))

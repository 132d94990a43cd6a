"""Whether a model's rows may share a prefix tree: what its config says, and a comparison with plain
rows, once, when it is loaded.

Sharing needs decoder layers in which tokens meet only in a plain causal softmax attention that
transformers' attention interface can replace. State-space and convolution layers, chunked or linear
attention, sinks, soft caps and remote code with an attention of its own do not qualify: such a
model is asked in padded batches. Layers with a sliding window qualify for rows within the window.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from harness.engines.rows import ScorePlan
from harness.engines.seams import Pair
from harness.engines.transformers.attention import CannotShare
from harness.engines.transformers.forward import Forward
from harness.engines.transformers.memory import Budget, is_out_of_memory
from harness.engines.transformers.prompts import Prompts
from harness.engines.transformers.scoring import TreeScorer
from harness.engines.transformers.slots import Slots
from harness.wording import first_line

log = logging.getLogger(__name__)

_LAYERS = {"full_attention", "sliding_attention", "attention"}
_NOT_FINITE = "its log-probabilities are not finite"
_ROPES = {"dynamic", "longrope"}  # their frequencies depend on the longest position in the batch
_TOLERANCE = 5e-4  # of a log-probability in fp32; rounding alone gives about 1e-5
_HALF_TOLERANCE = 0.03
_STEP_HALF_TOLERANCE = (
    # of the likeliest tokens in bf16, whose logits have steps of 1/16 and more (1/4 beyond 32)
    0.25
)
# random trees tried until one gives finite numbers: a token's embedding may be spoilt, or outside
# the tokenizer's vocabulary
_SEEDS = 4


@dataclass(frozen=True)
class Sharing:
    """``limit``: the longest row that may share in scoring (0: none); ``reason``: why it is not the
    whole window. ``steps`` and ``steps_reason``: the same of generation.
    """

    limit: int
    reason: str | None = None
    steps: int = 0
    steps_reason: str | None = None


def find_sharing(forward: Forward, window: int, vocabulary: int, attention: str) -> Sharing:
    """What this model allows.

    Never raises for a model's sake: whatever goes wrong in the comparison is the reason to go
    without.
    """
    found = _by_config(forward, window, attention)
    if found.limit and (reason := _reason(_compare, forward, min(found.limit, window), vocabulary)):
        found = Sharing(0, reason)
    found = replace(found, steps=found.limit, steps_reason=found.reason)
    # Generation has a comparison of its own, which leaves scoring as it is.
    if found.limit and (reason := _reason(_compare_steps, forward, min(found.limit, window), vocabulary)):
        found = replace(found, steps=0, steps_reason=reason)
    for what, limit, reason in (
        ("scored", found.limit, found.reason),
        ("generated", found.steps, found.steps_reason),
    ):
        if reason:
            longest = f"rows of more than {limit} tokens are" if limit else "every row is"
            log.warning(
                "%s: %s %s whole, nothing shared: %s", type(forward.model).__name__, longest, what, reason
            )
    return found


def _reason(
    compare: Callable[[Forward, int, int, int], str | None], forward: Forward, longest: int, vocabulary: int
) -> str | None:
    """What speaks against sharing by a comparison; trees in which the model itself gives no finite
    numbers say nothing.
    """
    try:
        for seed in range(_SEEDS):
            reason = compare(forward, longest, vocabulary, seed)
            if reason != _NOT_FINITE:
                break
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return first_line(error, named=not isinstance(error, CannotShare))
    return reason


def _by_config(forward: Forward, window: int, attention: str) -> Sharing:
    model = forward.model
    config = model.config.get_text_config() if hasattr(model.config, "get_text_config") else model.config
    if attention not in ("auto", "sdpa"):
        return Sharing(0, f"attention: {attention} was asked for")
    if "position_ids" not in forward.accepts or forward.head_mode == "full":
        return Sharing(0, "it takes no position_ids, or has no vocabulary head of its own")
    if not getattr(model, "_can_set_attn_implementation", bool)():
        return Sharing(0, "its attention cannot be replaced")
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if other := sorted(kinds - _LAYERS):
        return Sharing(0, f"it has {', '.join(map(str, other))} layers")
    limits = {window: None, **_window_limits(config, kinds), **_rope_limits(config)}
    limit = min(limits)
    return Sharing(limit, limits[limit])


def _window_limits(config: Any, kinds: set[str]) -> dict[int, str | None]:
    width = getattr(config, "sliding_window", None)
    listed = getattr(config, "layer_types", None)
    if not width or (listed and "sliding_attention" not in kinds):
        return {}
    return {int(width): f"its sliding window is {width}"}


def _rope_limits(config: Any) -> dict[int, str | None]:
    found: dict[int, str | None] = {}
    given = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    for rope in [given, *given.values()]:
        kind = isinstance(rope, dict) and (rope.get("rope_type") or rope.get("type"))
        if kind in _ROPES:
            length = rope.get("original_max_position_embeddings") or getattr(
                config, "original_max_position_embeddings", None
            )
            found[int(length or config.max_position_embeddings)] = (
                f"its positions depend on the length beyond that ({kind})"
            )
    return found


def _compare(forward: Forward, longest: int, vocabulary: int, seed: int = 0) -> str | None:
    """Scores a random tree shared and plain; None when they agree, else what differs.

    Passes are short, so that prefixes are kept.
    """
    owners = _random_tree(longest, vocabulary, seed)
    found: list[list[float]] = []
    for limit, pairs in (
        (longest, owners),
        (0, owners),
        (0, [[(context[-1:], rest) for context, rest in owner] for owner in owners]),
    ):
        plan = ScorePlan(pairs, longest)
        for _ in TreeScorer(forward, Budget(24), limit).run(plan):
            pass
        found.append([logprob / 3 for verdict in plan.verdicts for logprob in verdict.logprobs])
    shared, plain, alone = (np.array(values) for values in found)
    if not (np.isfinite(plain).all() and np.isfinite(alone).all()):
        return _NOT_FINITE
    error = float(np.abs(shared - plain).max())
    if error <= _TOLERANCE:
        return None
    effect = float(np.abs(plain - alone).max())
    if _is_half(forward) and error <= max(_HALF_TOLERANCE, effect / 4):
        return None
    return f"shared and plain log-probabilities differ by {error:.2g}"


def _compare_steps(forward: Forward, longest: int, vocabulary: int, seed: int = 0) -> str | None:
    """Continues three random prompts with a common beginning by given tokens, through slots and
    whole, one leaving after the first; None when the log-probabilities of the likeliest tokens
    agree.
    """
    firsts = [pairs[0][0] for pairs in _random_tree(longest, vocabulary, seed)[:3]]
    prompts, written = [first[:-2] for first in firsts], [first[-2:] for first in firsts]
    readings = Prompts(forward, Budget(24), prompts)
    slots, order = Slots(), []
    while not readings.done:
        for reading in readings.read() or ():
            slots.enter(reading.own, reading.shared)
            order.append(reading.prompt)
    error = effect = peak = 0.0
    for step in range(2):
        ids = torch.tensor([[written[row][step] for row in order]])
        positions = torch.tensor([[len(prompts[row]) + step for row in order]])
        logits = forward.next_logits(ids, positions, slots.step(), None)
        for place, row in enumerate(order):
            whole = prompts[row] + written[row][: step + 1]
            likeliest, targets = logits[place].log_softmax(-1).topk(8)
            want, alone = (_after(forward, text, targets.cpu()) for text in (whole, whole[-1:]))
            if not bool(want.isfinite().all()):
                return _NOT_FINITE
            differs = float((want - likeliest.cpu()).abs().max())
            error = differs if not differs <= error else error  # NaN stays
            effect, peak = (
                max(effect, float((want - alone).abs().max())),
                max(peak, float(logits[place].abs().max())),
            )
        slots.leave(0)
        order[0] = order[-1]
        order.pop()
    if error <= (_half_tolerance(forward.model.dtype, effect, peak) if _is_half(forward) else _TOLERANCE):
        return None
    return f"log-probabilities of generated and of whole texts differ by {error:.2g}"


def _half_tolerance(dtype: torch.dtype, effect: float, peak: float) -> float:
    """How far the likeliest tokens' log-probabilities may differ in half precision: a quarter of
    what the context does, or four roundings of the largest logit (in bf16 one is 1/8 from 16 on and
    1/4 from 32 on; two kernels differ by two or three).
    """
    rounding = torch.finfo(dtype).eps * 2.0 ** math.floor(math.log2(max(peak, 1.0)))
    return max(_STEP_HALF_TOLERANCE, effect / 4, 4 * rounding)


def _is_half(forward: Forward) -> bool:
    """Whether it computes in bf16 or fp16."""
    return int(forward.model.dtype.itemsize) < 4


def _after(forward: Forward, text: list[int], targets: torch.Tensor) -> torch.Tensor:
    """Log-probabilities of tokens after a text."""
    flat, rows = torch.tensor([len(text) - 1]), torch.zeros(len(targets), dtype=torch.long)
    return forward.ask(torch.tensor([text]), flat, rows, targets)[0]


def _random_tree(longest: int, vocabulary: int, seed: int) -> list[list[Pair]]:
    """Four items of two pairs, three scored tokens each, on a common prefix; rows of at most
    ``longest`` and 31 tokens.
    """
    rng = np.random.default_rng(seed)
    size = max(1, min(longest, 31) - 14)

    def draw(count: int) -> list[int]:
        return [int(token) for token in rng.integers(0, vocabulary, count)]

    prefix = draw(size)
    contexts = [prefix + draw(4 + item) for item in range(4)]
    return [[(context, draw(3)), (context + draw(5), draw(3))] for context in contexts]

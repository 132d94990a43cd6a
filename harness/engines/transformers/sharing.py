"""Whether a model's rows may share a prefix tree: by its config, and by a comparison at loading.

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
from harness.engines.transformers.head import Targets
from harness.engines.transformers.memory import Budget, is_out_of_memory
from harness.engines.transformers.prompts import PromptReader
from harness.engines.transformers.scoring import TreeScorer
from harness.engines.transformers.slots import SlotCache
from harness.wording import first_line

log = logging.getLogger(__name__)

_LAYERS = {"full_attention", "sliding_attention", "attention"}
_NOT_FINITE = "its log-probabilities are not finite"
_ROPES = {"dynamic", "longrope"}  # their frequencies depend on the longest position in the batch
_PASS_TOKENS = 24  # of the comparisons: short passes, so that prefixes are cached between them
_WHOLE_TOKENS = 1024  # of the rows that they are held against
_TOLERANCE = 5e-4  # of a log-probability in fp32; rounding alone gives about 1e-5
_HALF_TOLERANCE = 0.03
# Of the likeliest tokens in bf16, whose logits have steps of 1/16 and more (1/4 beyond 32).
_STEP_HALF_TOLERANCE = 0.25
# Random trees tried until one gives finite numbers: a token's embedding may be spoilt, or lie
# outside the tokenizer's vocabulary.
_SEEDS = 4


@dataclass(frozen=True)
class Sharing:
    """How long a row may be to share, and why that is not the whole window (0: none may).

    ``limit`` and ``reason`` are about scoring, ``steps`` and ``steps_reason`` about generation.
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
    sharing = _by_config(forward, window, attention)
    if sharing.limit and (reason := _try_scoring(forward, min(sharing.limit, window), vocabulary)):
        sharing = Sharing(0, reason)

    # Generation has a comparison of its own, which leaves scoring as it is.
    sharing = replace(sharing, steps=sharing.limit, steps_reason=sharing.reason)
    longest = min(sharing.limit, window)
    if sharing.limit and (reason := _reason(_compare_steps, forward, longest, vocabulary)):
        sharing = replace(sharing, steps=0, steps_reason=reason)

    for what, limit, reason in (
        ("scored", sharing.limit, sharing.reason),
        ("generated", sharing.steps, sharing.steps_reason),
    ):
        if reason:
            rows = f"rows of more than {limit} tokens are" if limit else "every row is"
            log.warning(
                "%s: %s %s whole, nothing shared: %s", type(forward.model).__name__, rows, what, reason
            )
    return sharing


def _try_scoring(forward: Forward, longest: int, vocabulary: int) -> str | None:
    """What speaks against sharing in scoring, None for nothing; settles `Forward.batched`."""
    # Few calls of many parts are for devices that pay per call; what they cannot do (heads whose
    # values are narrower than their keys, a GPU without the kernel) the call per part may.
    forward.batched = forward.device.type == "cuda"
    reason = _reason(_compare, forward, longest, vocabulary)
    if reason and forward.batched:
        log.info("%s: one attention call per part (%s)", type(forward.model).__name__, reason)
        forward.batched = False
        reason = _reason(_compare, forward, longest, vocabulary)
    return reason


def _reason(
    compare: Callable[[Forward, int, int, int], str | None], forward: Forward, longest: int, vocabulary: int
) -> str | None:
    """What a comparison has against sharing, None for nothing.

    Trees on which the model itself gives no finite numbers decide nothing; others are tried.
    """
    # An unknown architecture may fail in any way when its attention is replaced; then it is not.
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
    """What the config alone allows: the shortest of all limits, with its reason."""
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
    """The sliding window as a limit: a row within it is attended to whole."""
    width = getattr(config, "sliding_window", None)
    layer_types = getattr(config, "layer_types", None)
    if not width or (layer_types and "sliding_attention" not in kinds):
        return {}
    return {int(width): f"its sliding window is {width}"}


def _rope_limits(config: Any) -> dict[int, str | None]:
    """The lengths beyond which rotary frequencies depend on the batch's longest row."""
    limits: dict[int, str | None] = {}
    settings = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}

    # The settings are one scaling, or one per kind of layer.
    for rope in [settings, *settings.values()]:
        kind = isinstance(rope, dict) and (rope.get("rope_type") or rope.get("type"))
        if kind in _ROPES:
            length = rope.get("original_max_position_embeddings") or getattr(
                config, "original_max_position_embeddings", None
            )
            limits[int(length or config.max_position_embeddings)] = (
                f"its positions depend on the length beyond that ({kind})"
            )
    return limits


def _compare(forward: Forward, longest: int, vocabulary: int, seed: int = 0) -> str | None:
    """Scores a random tree shared and plain; None when they agree, else what differs."""
    items = _random_tree(longest, vocabulary, seed)
    without_context = [[(context[-1:], rest) for context, rest in pairs] for pairs in items]
    shared = _scores(forward, items, longest, longest)
    plain = _scores(forward, items, 0, longest)
    alone = _scores(forward, without_context, 0, longest)
    if not (np.isfinite(plain).all() and np.isfinite(alone).all()):
        return _NOT_FINITE

    error = float(np.abs(shared - plain).max())
    if error <= _TOLERANCE:
        return None

    # In half precision the two may differ by rounding, but far less than by losing the context.
    effect = float(np.abs(plain - alone).max())
    if _is_half(forward) and error <= max(_HALF_TOLERANCE, effect / 4):
        return None
    return f"shared and plain log-probabilities differ by {error:.2g}"


def _scores(forward: Forward, items: list[list[Pair]], share_limit: int, window: int) -> np.ndarray[Any, Any]:
    """The mean log-probability of each continuation's (three) tokens."""
    plan = ScorePlan(items, window)
    # Only the tree is cut into short passes; whole rows go together, which takes fewer calls.
    budget = Budget(_PASS_TOKENS if share_limit else _WHOLE_TOKENS)
    for _ in TreeScorer(forward, budget, share_limit).run(plan):
        pass
    return np.array([logprob / 3 for score in plan.scores for logprob in score.logprobs])


def _compare_steps(forward: Forward, longest: int, vocabulary: int, seed: int = 0) -> str | None:
    """Continues three random prompts by fixed tokens, in slots and as whole texts.

    The prompts have a common beginning, and one row leaves after the first step. None when the
    log-probabilities of the likeliest tokens agree.
    """
    contexts = [pairs[0][0] for pairs in _random_tree(longest, vocabulary, seed)[:3]]
    prompts, outputs = [context[:-2] for context in contexts], [context[-2:] for context in contexts]
    reader = PromptReader(forward, Budget(_PASS_TOKENS), prompts)
    cache, order = SlotCache(), []
    while not reader.done:
        for prefilled in reader.read() or ():
            cache.enter(prefilled.own, prefilled.shared)
            order.append(prefilled.prompt)

    peak = 0.0
    texts: list[list[int]] = []
    generated: list[torch.Tensor] = []
    tokens: list[torch.Tensor] = []
    for step in range(2):
        ids = torch.tensor([[outputs[row][step] for row in order]])
        positions = torch.tensor([[len(prompts[row]) + step for row in order]])
        logits = forward.next_logits(ids, positions, cache.step(), None)
        peak = max(peak, float(logits.abs().max()))
        likeliest = logits.log_softmax(-1).topk(8)
        texts += [prompts[row] + outputs[row][: step + 1] for row in order]
        generated += likeliest.values.cpu()
        tokens += likeliest.indices.cpu()
        cache.leave(0)
        order[0] = order[-1]
        order.pop()

    # With and without their context, all in one padded batch.
    after = _after(forward, [*texts, *(text[-1:] for text in texts)], [*tokens, *tokens])
    expected, alone = after[: len(texts)], after[len(texts) :]
    if not bool(expected.isfinite().all()):
        return _NOT_FINITE
    error = float((expected - torch.stack(generated)).abs().max())
    effect = float((expected - alone).abs().max())

    if error <= (_half_tolerance(forward.model.dtype, effect, peak) if _is_half(forward) else _TOLERANCE):
        return None
    return f"log-probabilities of generated and of whole texts differ by {error:.2g}"


def _half_tolerance(dtype: torch.dtype, effect: float, peak: float) -> float:
    """How far the likeliest tokens' log-probabilities may differ in half precision.

    A quarter of what the context changes, or four roundings of the largest logit (in bf16 one is
    1/8 from 16 on and 1/4 from 32 on; two kernels differ by two or three).
    """
    rounding = torch.finfo(dtype).eps * 2.0 ** math.floor(math.log2(max(peak, 1.0)))
    return max(_STEP_HALF_TOLERANCE, effect / 4, 4 * rounding)


def _is_half(forward: Forward) -> bool:
    """Whether it computes in bf16 or fp16."""
    return int(forward.model.dtype.itemsize) < 4


def _after(forward: Forward, texts: list[list[int]], tokens: list[torch.Tensor]) -> torch.Tensor:
    """Log-probabilities [texts, n] of each text's n ``tokens`` after it."""
    width = max(map(len, texts))
    ids = torch.tensor([text + [0] * (width - len(text)) for text in texts])
    last = torch.tensor([number * width + len(text) - 1 for number, text in enumerate(texts)])
    rows = torch.arange(len(texts)).repeat_interleave(len(tokens[0]))
    scores, _ = forward.score(ids, Targets(last, rows, torch.cat(tokens)))
    return scores.view(len(texts), -1)


def _random_tree(longest: int, vocabulary: int, seed: int) -> list[list[Pair]]:
    """Four items of two pairs on a common prefix, three scored tokens each.

    Rows are of at most ``longest`` and 31 tokens.
    """
    rng = np.random.default_rng(seed)
    size = max(1, min(longest, 31) - 14)

    def draw(count: int) -> list[int]:
        return [int(token) for token in rng.integers(0, vocabulary, count)]

    prefix = draw(size)
    contexts = [prefix + draw(4 + item) for item in range(4)]
    return [[(context, draw(3)), (context + draw(5), draw(3))] for context in contexts]

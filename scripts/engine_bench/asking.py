"""lm-eval's engines, asked for log-probabilities as its own tasks ask them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Answers = dict[str, list[float]]
"""Log-probabilities of an item's continuations, in order, by the item's key."""


def logprobs_of(lm: Any, pairs: Sequence[tuple[str, tuple[str, str]]]) -> Answers:
    """One request per (item's key, (context, continuation)), all in one call."""
    from lm_eval.api.instance import Instance

    requests = [
        Instance("loglikelihood", {}, pair, index, ("bench", 0, 1)) for index, (_, pair) in enumerate(pairs)
    ]
    answers: Answers = {}
    for (key, _), (logprob, _) in zip(pairs, lm.loglikelihood(requests, disable_tqdm=True), strict=True):
        answers.setdefault(key, []).append(float(logprob))
    return answers

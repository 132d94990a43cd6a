"""Which inputs answer which continuations: the same windows and the same merging of equal inputs
for every engine that scores token ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from harness.engines.seams import Pair

Ids = NDArray[np.int32]


def sort_key(ids: Ids) -> bytes:
    """Sorts rows by tokens: big-endian bytes compare as the ids do, and in C."""
    return ids.astype(">u4").tobytes()


@dataclass(slots=True)
class Continuation:
    """One pair of one owner: the tokens whose log-probabilities are summed.

    They are predicted by the last positions of its row.
    """

    owner: int
    option: int
    targets: Ids


@dataclass(slots=True)
class InputRow:
    """An input that goes through the model once for every pair that has it.

    ``continuations``: indices into the plan's continuations.
    """

    inputs: Ids
    owner: int
    continuations: list[int] = field(default_factory=list)


@dataclass(slots=True)
class PartialScore:
    """What one owner (item) gets: per option a sum and a greedy flag, and its part of the work.

    ``open``: tokens not yet scored; ``lengths``: tokens of each continuation before the window cuts
    it; ``cut``: the options in which it does.
    """

    logprobs: list[float]
    greedy: list[bool]
    lengths: list[int]
    truncated: int = 0
    prompt: int = 0
    computed: int = 0
    seconds: float = 0.0
    open: int = 0
    cut: set[int] = field(default_factory=set)


class ScorePlan:
    """The rows that answer all pairs of all owners. Windows as in lm-eval: ``(context +
    continuation)[-(window + 1):][:-1]``.

    ``rows`` are distinct and sorted by their tokens. Raises ValueError for an empty continuation:
    it would be certain (see `seams`).
    """

    def __init__(self, owners: Sequence[Sequence[Pair]], window: int) -> None:
        self.scores: list[PartialScore] = []
        self.continuations: list[Continuation] = []
        rows: dict[bytes, InputRow] = {}
        for owner, pairs in enumerate(owners):
            score = PartialScore(
                [0.0] * len(pairs), [True] * len(pairs), [len(continuation) for _, continuation in pairs]
            )
            self.scores.append(score)
            for option, (context, continuation) in enumerate(pairs):
                if not len(continuation):
                    raise ValueError("a continuation without a token")
                self._add(
                    rows,
                    Continuation(owner, option, np.asarray(continuation, np.int32)),
                    np.asarray(context, np.int32),
                    window,
                )
        self.rows = [row for _, row in sorted(rows.items())]

    def _add(
        self, rows: dict[bytes, InputRow], continuation: Continuation, context: Ids, window: int
    ) -> None:
        whole = np.concatenate([context, continuation.targets])
        inputs = whole[-(window + 1) : -1]
        score = self.scores[continuation.owner]
        if len(continuation.targets) > len(inputs):
            continuation.targets = continuation.targets[-len(inputs) :]
            score.cut.add(continuation.option)
        score.truncated += len(whole) - len(inputs) - 1
        score.prompt += len(inputs)
        score.open += len(continuation.targets)
        key = sort_key(inputs)
        if key not in rows:
            rows[key] = InputRow(inputs, continuation.owner)
        rows[key].continuations.append(len(self.continuations))
        self.continuations.append(continuation)

    def reopen(self, owners: Sequence[int]) -> list[InputRow]:
        """Forgets what some owners were told; returns the rows that answer them anew."""
        asked = set(owners)
        wanted = {index for index, each in enumerate(self.continuations) if each.owner in asked}
        for owner in asked:
            score = self.scores[owner]
            score.logprobs, score.greedy = [0.0] * len(score.logprobs), [True] * len(score.greedy)
        for index in wanted:
            self.scores[self.continuations[index].owner].open += len(self.continuations[index].targets)
        rows = [
            InputRow(row.inputs, row.owner, [index for index in row.continuations if index in wanted])
            for row in self.rows
        ]
        return [row for row in rows if row.continuations]

    def fill(
        self, index: int, logprobs: np.ndarray[tuple[int], np.dtype[np.float64]], greedy: bool
    ) -> int | None:
        """Adds part of a continuation's log-probabilities; its owner when that was the last part."""
        continuation = self.continuations[index]
        score = self.scores[continuation.owner]
        score.logprobs[continuation.option] += float(logprobs.sum())
        score.greedy[continuation.option] &= greedy
        score.open -= len(logprobs)
        return None if score.open else continuation.owner


def rolling_windows(tokens: list[int], prefix: int, window: int) -> list[Pair]:
    """Disjoint windows that predict every token once: lm-eval's ``get_rolling_token_windows``
    (context 1) with ``make_disjoint_window``.

    The first window predicts its tokens from ``prefix``; each later one is as full as the model's
    window and predicts only what is new.
    """
    pairs: list[Pair] = []
    if tokens:
        pairs.append(([prefix], tokens[:window]))
    done = window
    while done < len(tokens):
        size = min(len(tokens) - done, window)
        end = done + size
        start = end - window - 1
        pairs.append((tokens[start : end - size], tokens[end - size : end]))
        done = end
    return pairs

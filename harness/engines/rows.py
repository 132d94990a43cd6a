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
class Want:
    """One pair of one owner: the tokens whose log-probabilities are summed.

    They are predicted by the last positions of its row.
    """

    owner: int
    slot: int
    targets: Ids


@dataclass(slots=True)
class InputRow:
    """An input that goes through the model once, for every pair (index into the plan's wants) that
    has it.
    """

    inputs: Ids
    owner: int
    wants: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Verdict:
    """What one owner (item) gets: a sum and a greedy flag a slot, and its part of the work.
    ``open``: tokens not yet scored.

    ``lengths``: tokens of each continuation, before the window cuts it; ``cut``: the slots in which
    it does.
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
        self.verdicts: list[Verdict] = []
        self.wants: list[Want] = []
        rows: dict[bytes, InputRow] = {}
        for owner, pairs in enumerate(owners):
            verdict = Verdict(
                [0.0] * len(pairs), [True] * len(pairs), [len(continuation) for _, continuation in pairs]
            )
            self.verdicts.append(verdict)
            for slot, (context, continuation) in enumerate(pairs):
                if not len(continuation):
                    raise ValueError("a continuation without a token")
                self._add(
                    rows,
                    Want(owner, slot, np.asarray(continuation, np.int32)),
                    np.asarray(context, np.int32),
                    window,
                )
        self.rows = [row for _, row in sorted(rows.items())]

    def _add(self, rows: dict[bytes, InputRow], want: Want, context: Ids, window: int) -> None:
        whole = np.concatenate([context, want.targets])
        inputs = whole[-(window + 1) : -1]
        verdict = self.verdicts[want.owner]
        if len(want.targets) > len(inputs):
            want.targets = want.targets[-len(inputs) :]
            verdict.cut.add(want.slot)
        verdict.truncated += len(whole) - len(inputs) - 1
        verdict.prompt += len(inputs)
        verdict.open += len(want.targets)
        key = sort_key(inputs)
        if key not in rows:
            rows[key] = InputRow(inputs, want.owner)
        rows[key].wants.append(len(self.wants))
        self.wants.append(want)

    def reopen(self, owners: Sequence[int]) -> list[InputRow]:
        """Forgets what some owners were told; returns the rows that answer them anew."""
        asked = set(owners)
        wanted = {index for index, want in enumerate(self.wants) if want.owner in asked}
        for owner in asked:
            verdict = self.verdicts[owner]
            verdict.logprobs, verdict.greedy = [0.0] * len(verdict.logprobs), [True] * len(verdict.greedy)
        for index in wanted:
            self.verdicts[self.wants[index].owner].open += len(self.wants[index].targets)
        rows = [
            InputRow(row.inputs, row.owner, [want for want in row.wants if want in wanted])
            for row in self.rows
        ]
        return [row for row in rows if row.wants]

    def fill(
        self, want: int, logprobs: np.ndarray[tuple[int], np.dtype[np.float64]], greedy: bool
    ) -> int | None:
        """Adds part of a want's log-probabilities; returns its owner when that was the owner's last
        part.
        """
        asked = self.wants[want]
        verdict = self.verdicts[asked.owner]
        verdict.logprobs[asked.slot] += float(logprobs.sum())
        verdict.greedy[asked.slot] &= greedy
        verdict.open -= len(logprobs)
        return None if verdict.open else asked.owner


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

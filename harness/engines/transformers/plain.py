"""Padded batches of whole rows: the way that any causal model can be asked, without sharing."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from harness.engines.rows import Ids
from harness.engines.transformers.memory import Budget


class HasInputs(Protocol):
    """A row: its token ids, and the item that it is first needed for."""

    inputs: Ids
    owner: int


RowT = TypeVar("RowT", bound=HasInputs)


class Batcher(Generic[RowT]):
    """Cuts rows into batches of at most ``budget.tokens`` padded tokens, an item's rows together,
    longest item first.

    A batch that does not fit shows at once, and an item's answer is whole early.
    """

    def __init__(self, rows: Sequence[RowT], budget: Budget) -> None:
        longest: dict[int, int] = {}
        for row in rows:
            longest[row.owner] = max(longest.get(row.owner, 0), len(row.inputs))
        self._waiting = deque(
            sorted(rows, key=lambda row: (-longest[row.owner], row.owner, -len(row.inputs)))
        )
        self._budget = budget

    def next(self) -> list[RowT]:
        """The next batch; empty at the end. A row longer than the budget comes alone."""
        batch: list[RowT] = []
        width = 0
        while self._waiting:
            width = max(width, len(self._waiting[0].inputs))
            if batch and (len(batch) + 1) * width > self._budget.tokens:
                break
            batch.append(self._waiting.popleft())
        return batch

    def give_back(self, rows: list[RowT]) -> None:
        """Takes a batch again that did not fit."""
        self._waiting.extendleft(reversed(rows))

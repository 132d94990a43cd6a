"""Padded batches of whole rows: how any causal model can be scored, without sharing."""

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


class PaddedBatcher(Generic[RowT]):
    """Cuts rows into batches of at most ``budget.tokens`` tokens, padding included.

    An item's rows stay together, so that its answer is whole early; the longest item comes first,
    so that a budget which does not fit into memory shows at once.
    """

    def __init__(self, rows: Sequence[RowT], budget: Budget) -> None:
        longest: dict[int, int] = {}
        for row in rows:
            longest[row.owner] = max(longest.get(row.owner, 0), len(row.inputs))
        # Rows of nearly one length beside one another are padded least.
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

    def undo(self, rows: list[RowT]) -> None:
        """Takes a batch back that did not fit, to be cut again by a smaller budget."""
        self._waiting.extendleft(reversed(rows))

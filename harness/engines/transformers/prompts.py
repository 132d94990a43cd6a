"""Reads prompts into keys and values over a prefix tree, a pass at a time: what prompts begin with
alike is read once.

The walk is depth first and stops between passes, so few prompts are read before there is room for
them (see `continuous`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from harness.engines.rows import Ids, sort_key
from harness.engines.transformers.forward import Forward
from harness.engines.transformers.memory import Budget, is_out_of_memory, release
from harness.engines.transformers.packing import Load, Packer, Terms
from harness.engines.transformers.slots import Parts, Shared
from harness.engines.transformers.tree import Ask, Node, grow

LEAST = 4  # tokens that a branch must save, as in scoring
# tokens: a shorter shared stretch is copied into the slots, since each look is some kernel calls a
# layer and step
_LOOK = 64
_LOGITS_BYTES = 256 << 20  # of first tokens, fp32, a pass
_SMALLEST = 16
_NO_TARGET = np.empty(0, np.int32)


@dataclass(slots=True)
class PromptState:
    """A prompt that has been read: which (index), what its row has of its own and with others, and
    the logits [vocabulary] after it.

    ``computed``: the prompt tokens that were read for it; the others were read for another prompt.
    """

    prompt: int
    own: Parts
    shared: list[Shared]
    logits: Tensor
    computed: int


class Prompts:
    """Reads ``prompts`` (token ids, none empty, in any order, alike or not).

    ``tokens`` counts what went through the model; ``done``: nothing is left to read.
    """

    def __init__(
        self, forward: Forward, budget: Budget, prompts: Sequence[Sequence[int]], share: bool = True
    ) -> None:
        self._forward = forward
        self._budget = budget
        self.tokens = 0
        self.done = False
        rows = [np.asarray(prompt, np.int32) for prompt in prompts]
        if share:
            tops, ends, self._alike = _shared(rows)
        else:
            tops = ends = [
                Node(ids, 0, len(ids), None, owner=index, rows=1) for index, ids in enumerate(rows)
            ]
            self._alike = [[index] for index in range(len(rows))]
        for row, (end, alike) in enumerate(zip(ends, self._alike, strict=True)):
            end.asks.append(Ask(row, end.end - 1, end.end, _NO_TARGET))
            for node in end.path():
                node.rows += len(alike) - 1
        asks = max(1, _LOGITS_BYTES // (4 * forward.vocabulary))
        self._packer = Packer(tops, Terms(budget, forward.device, forward.model.dtype, asks, hold=True))
        self._shared: dict[Node, Shared] = {}

    def read(self, hold: bool = False) -> list[PromptState] | None:
        """The prompts whose last tokens are in the next pass: maybe none. Raises torch's or
        Python's error where even a few tokens do not fit. ``hold``: others hold memory that they
        will give back, so a pass that does not fit is put off (None), not made smaller.
        """
        while load := self._packer.next():
            asks = [
                (ask, node, ask.low + place - node.start)
                for node, place in zip(load.nodes, load.places, strict=True)
                for ask in node.asks
            ]
            logits = self._try(load, [flat for _, _, flat in asks], hold)
            if logits is None and hold:
                return None
            if logits is None:
                self._budget.halve(len(load.ids))
                continue
            self.tokens += len(load.ids)
            found = [
                reading
                for place, (ask, node, _) in enumerate(asks)
                for reading in self._readings(ask, node, logits[place])
            ]
            self._packer.done()
            self._shared = {node: shared for node, shared in self._shared.items() if self._packer.keeps(node)}
            return found
        self.done = True
        return []

    def _try(self, load: Load, flat: list[int], hold: bool) -> Tensor | None:
        """Logits [asks, vocabulary] after the asked positions; None when memory ran out: the pass
        is taken back.
        """
        ids, positions = (
            torch.from_numpy(part.astype(np.int64)).unsqueeze(0) for part in (load.ids, load.positions)
        )
        try:
            return self._forward.next_logits(ids, positions, load.plan, torch.tensor(flat, dtype=torch.long))
        except Exception as error:
            if not is_out_of_memory(error) or (len(load.ids) <= _SMALLEST and not hold):
                raise
        release(self._forward.device)
        self._packer.undo(load)
        return None

    def _readings(self, ask: Ask, node: Node, logits: Tensor) -> list[PromptState]:
        """The prompts that end in a node, alike ones together."""
        path = node.path()
        looked = [step for step in path if step.rows > 1 and len(step) >= _LOOK]
        own = [self._packer.kept(step) for step in path if step not in looked]
        shared = [self._look(step) for step in looked]
        alike = self._alike[ask.want]
        return [
            PromptState(index, own, shared, logits, sum(len(step) for step in path if step.owner == index))
            for index in alike
        ]

    def _look(self, node: Node) -> Shared:
        if node not in self._shared:
            self._shared[node] = Shared(self._packer.kept(node))
        return self._shared[node]


def _shared(rows: list[Ids]) -> tuple[list[Node], list[Node], list[list[int]]]:
    """(a prefix tree's top nodes, the node in which each distinct row ends, which rows are like
    it).
    """
    found: dict[bytes, list[int]] = {}
    for index, ids in enumerate(rows):
        found.setdefault(sort_key(ids), []).append(index)
    alike = [found[key] for key in sorted(found)]
    tops, ends = grow([rows[first] for first, *_ in alike], [first for first, *_ in alike], LEAST)
    return tops, ends, alike

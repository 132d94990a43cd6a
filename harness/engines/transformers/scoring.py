"""Log-probabilities of continuations: which rows answer which pairs, and the walk that answers
them, shared or plain.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from harness.engines.rows import Ids, InputRow, ScorePlan
from harness.engines.transformers.forward import Forward
from harness.engines.transformers.memory import Budget, release, unless_out_of_memory
from harness.engines.transformers.packing import Load, Packer, Terms
from harness.engines.transformers.plain import Batcher
from harness.engines.transformers.tree import Ask, Node, grow
from harness.errors import OutOfMemoryError

log = logging.getLogger(__name__)

LEAST = 4  # tokens that a branch must save; fewer are computed twice (see docs/engine.md)

_FEW = 32
# tokens: a long node is cut into passes, but when even this does not fit, memory is too small
_SMALLEST = 16


class TreeScorer:
    """Answers a `ScorePlan`. Rows no longer than ``share_limit`` go through the tree, the rest in
    padded batches.

    ``padded`` and ``real`` count tokens forwarded, with and without padding.
    """

    def __init__(self, forward: Forward, budget: Budget, share_limit: int = 0) -> None:
        self._forward = forward
        self._budget = budget
        self.share_limit = share_limit
        self.padded = 0
        self.real = 0

    def run(self, plan: ScorePlan) -> Iterator[int]:
        """Yields each owner as soon as its score is whole.

        Raises OutOfMemoryError when a single row does not fit.
        """
        yield from (owner for owner, score in enumerate(plan.scores) if not score.open)
        yield from self._run_plain(plan, [row for row in plan.rows if len(row.inputs) > self.share_limit])
        spoilt: list[int] = []
        for owner in self._run_tree(plan, [row for row in plan.rows if len(row.inputs) <= self.share_limit]):
            if all(map(math.isfinite, plan.scores[owner].logprobs)):
                yield owner
            else:
                spoilt.append(owner)
        # A masked NaN of one row spoils those that are packed beside it (0 × NaN): a few are asked
        # again, each row by itself.
        if spoilt and len(spoilt) <= max(_FEW, len(plan.scores) // 10):
            yield from self._run_plain(plan, plan.reopen(spoilt))
        else:
            yield from spoilt

    def _run_tree(self, plan: ScorePlan, rows: list[InputRow]) -> Iterator[int]:
        packer = Packer(
            _tree(plan, rows), Terms(self._budget, self._forward.device, self._forward.model.dtype)
        )
        while load := packer.next():
            started = time.perf_counter()
            asks = [
                (ask, place - node.start)
                for node, place in zip(load.nodes, load.places, strict=True)
                for ask in node.asks
            ]
            found = unless_out_of_memory(self._pass, load, asks)
            if found is None:
                self._too_big(len(load.nodes), len(load.ids), len(load.ids))
                packer.undo(load)
                continue
            packer.done()
            self.padded += len(load.ids)
            self.real += len(load.ids)
            seconds = (time.perf_counter() - started) / len(load.ids)
            for node in load.nodes:
                plan.scores[node.owner].computed += len(node)
                plan.scores[node.owner].seconds += seconds * len(node)
            yield from _settle(plan, [(ask.want, ask.high - ask.low) for ask, _ in asks], *found)

    def _pass(self, load: Load, asks: list[tuple[Ask, int]]) -> Found:
        where = [np.arange(ask.low + shift, ask.high + shift) for ask, shift in asks]
        targets = [ask.targets for ask, _ in asks]
        flat, rows = np.unique(np.concatenate(where) if where else np.empty(0, np.int64), return_inverse=True)
        wanted = torch.from_numpy(
            np.concatenate(targets).astype(np.int64) if targets else np.empty(0, np.int64)
        )
        ids, positions = (
            torch.from_numpy(part.astype(np.int64)).unsqueeze(0) for part in (load.ids, load.positions)
        )
        asked = torch.from_numpy(flat), torch.from_numpy(rows), wanted
        return _arrays(*self._forward.ask_packed(ids, positions, load.plan, asked))

    def _run_plain(self, plan: ScorePlan, rows: list[InputRow]) -> Iterator[int]:
        batcher = Batcher(rows, self._budget)
        while batch := batcher.next():
            started = time.perf_counter()
            found = unless_out_of_memory(self._batch, plan, batch)
            width = max(len(row.inputs) for row in batch)
            if found is None:
                self._too_big(len(batch), width, len(batch) * width)
                batcher.give_back(batch)
                continue
            total = sum(len(row.inputs) for row in batch)
            self.padded += len(batch) * width
            self.real += total
            seconds = (time.perf_counter() - started) / total
            for row in batch:
                plan.scores[row.owner].computed += len(row.inputs)
                plan.scores[row.owner].seconds += seconds * len(row.inputs)
            yield from _settle(
                plan,
                [
                    (index, len(plan.continuations[index].targets))
                    for row in batch
                    for index in row.continuations
                ],
                *found,
            )

    def _batch(self, plan: ScorePlan, batch: list[InputRow]) -> Found:
        width = max(len(row.inputs) for row in batch)
        ids = torch.zeros(len(batch), width, dtype=torch.long)
        where: list[Ids] = []
        targets: list[Ids] = []
        for index, row in enumerate(batch):
            ids[index, : len(row.inputs)] = torch.from_numpy(row.inputs.astype(np.int64))
            end = index * width + len(row.inputs)
            for index in row.continuations:
                targets.append(plan.continuations[index].targets)
                where.append(np.arange(end - len(targets[-1]), end, dtype=np.int32))
        flat, rows = np.unique(np.concatenate(where), return_inverse=True)
        wanted = torch.from_numpy(np.concatenate(targets).astype(np.int64))
        return _arrays(*self._forward.ask(ids, torch.from_numpy(flat), torch.from_numpy(rows), wanted))

    def _too_big(self, parts: int, width: int, tokens: int) -> None:
        """Halves the budget, or gives up on a single row (in the tree: on a few tokens of one).

        Called outside the handler: the error no longer holds tensors.
        """
        release(self._forward.device)
        if parts == 1 and (width > self.share_limit or tokens <= _SMALLEST):
            raise OutOfMemoryError(
                f"one text of {width} tokens alone does not fit into memory; set max_length lower or use a larger device"
            )
        self._budget.halve(tokens)
        log.warning(
            "out of memory on %d tokens: going on with %d tokens a batch", tokens, self._budget.tokens
        )


Found = tuple["np.ndarray[tuple[int], np.dtype[np.float64]]", "np.ndarray[tuple[int], np.dtype[np.bool_]]"]


def _arrays(logprobs: torch.Tensor, greedy: torch.Tensor) -> Found:
    """Sums are made in fp64."""
    return logprobs.double().numpy(), greedy.numpy()


def _settle(plan: ScorePlan, parts: list[tuple[int, int]], logprobs: Any, greedy: Any) -> Iterator[int]:
    """Gives each (index, number of tokens) its part of what was found; yields owners that are
    whole.
    """
    place = 0
    for index, size in parts:
        owner = plan.fill(index, logprobs[place : place + size], bool(greedy[place : place + size].all()))
        place += size
        if owner is not None:
            yield owner


def _tree(plan: ScorePlan, rows: list[InputRow]) -> list[Node]:
    """The rows' prefix tree, with every want laid on the nodes whose positions it asks for."""
    tops, ends = grow([row.inputs for row in rows], [row.owner for row in rows], LEAST)
    for row, end in zip(rows, ends, strict=True):
        for index in row.continuations:
            targets = plan.continuations[index].targets
            low, node = len(row.inputs) - len(targets), end
            while True:
                start = max(low, node.start)
                if start < node.end:
                    node.asks.append(Ask(index, start, node.end, targets[start - low : node.end - low]))
                if node.start <= low or node.parent is None:
                    break
                node = node.parent
    return tops

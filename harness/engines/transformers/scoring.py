"""Log-probabilities of continuations: the rows of a plan through the prefix tree, or padded.

The tree's passes (`packing`) are run one after the other, and each pass's log-probabilities are
added to the continuations that they belong to; an item is answered when its last one is whole.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness.engines.rows import Ids, InputRow, ScorePlan
from harness.engines.transformers.forward import Forward, unpack_scores
from harness.engines.transformers.head import Targets
from harness.engines.transformers.memory import Budget, release, unless_out_of_memory
from harness.engines.transformers.packing import PackedBatch, Packer, PackingLimits
from harness.engines.transformers.padding import PaddedBatcher
from harness.engines.transformers.transfer import Download
from harness.engines.transformers.tree import Node, QuerySpan, build_tree
from harness.errors import OutOfMemoryError

log = logging.getLogger(__name__)

_FEW = 32  # items that are scored once more, however few there are in all
# Tokens: a long node is cut into passes, but when even this does not fit, memory is too small.
_SMALLEST = 16

TargetScores = tuple[NDArray[np.float64], NDArray[np.bool_]]
"""Of each target in the order of a pass: its log-probability, and whether it is the arg-max."""
Part = tuple[int, int]
"""A continuation's index in the plan, and how many of its tokens a pass has scored."""


@dataclass(slots=True)
class _Pass:
    """A pass that was started at ``started`` (perf_counter), and its scores when they are there."""

    batch: PackedBatch
    spans: list[tuple[QuerySpan, int]]
    scores: Download
    started: float


class TreeScorer:
    """Answers a `ScorePlan`.

    Rows no longer than ``share_limit`` go through the tree, the rest in padded batches. ``padded``
    and ``real`` count tokens forwarded, with and without padding.
    """

    def __init__(self, forward: Forward, budget: Budget, share_limit: int = 0) -> None:
        self._forward = forward
        self._budget = budget
        self.share_limit = share_limit
        self.padded = 0
        self.real = 0
        self._read_at = 0.0

    def run(self, plan: ScorePlan) -> Iterator[int]:
        """Yields each owner as soon as its score is whole.

        Raises OutOfMemoryError when a single row does not fit.
        """
        yield from (owner for owner, score in enumerate(plan.scores) if not score.open)
        yield from self._score_padded(plan, [row for row in plan.rows if len(row.inputs) > self.share_limit])
        spoilt: list[int] = []
        shared = [row for row in plan.rows if len(row.inputs) <= self.share_limit]
        for owner in self._score_tree(plan, shared):
            if all(map(math.isfinite, plan.scores[owner].logprobs)):
                yield owner
            else:
                spoilt.append(owner)

        # A masked NaN of one row spoils those that are packed beside it (0 × NaN), so a few are
        # scored again, each row by itself; where many are spoilt, the model itself is.
        if spoilt and len(spoilt) <= max(_FEW, len(plan.scores) // 10):
            yield from self._score_padded(plan, plan.reopen(spoilt))
        else:
            yield from spoilt

    def _score_tree(self, plan: ScorePlan, rows: list[InputRow]) -> Iterator[int]:
        """Scores rows through the tree, a pass at a time; yields owners that are whole."""
        forward = self._forward
        limits = PackingLimits(self._budget, forward.device, forward.model.dtype, batched=forward.batched)
        packer = Packer(_scoring_tree(plan, rows), limits)
        waiting: _Pass | None = None
        while batch := packer.next():
            started = time.perf_counter()
            spans = [
                (span, offset - node.start)
                for node, offset in zip(batch.nodes, batch.offsets, strict=True)
                for span in node.spans
            ]
            scores = unless_out_of_memory(self._forward_packed, batch, spans)
            if scores is None:
                self._shrink_budget(len(batch.nodes), len(batch.ids), len(batch.ids))
                packer.undo(batch)
                continue
            packer.commit()

            # A GPU works on this pass while the one before it is read and the next one is planned.
            if waiting is not None:
                yield from self._finish(plan, waiting)
            waiting = _Pass(batch, spans, scores, started)
            if forward.device.type != "cuda":
                yield from self._finish(plan, waiting)
                waiting = None
        if waiting is not None:
            yield from self._finish(plan, waiting)

    def _finish(self, plan: ScorePlan, one: _Pass) -> Iterator[int]:
        """Reads a pass's scores, counts its work and yields the owners that are whole."""
        scores = _arrays(*unpack_scores(one.scores.read()))
        now, tokens = time.perf_counter(), len(one.batch.ids)
        seconds = (now - max(one.started, self._read_at)) / tokens
        self._read_at = now

        # A shared node's work is counted for the first item that needs it, not divided.
        self.padded += tokens
        self.real += tokens
        for node in one.batch.nodes:
            plan.scores[node.owner].computed += len(node)
            plan.scores[node.owner].seconds += seconds * len(node)
        parts = [(span.request, span.end - span.start) for span, _ in one.spans]
        yield from _distribute(plan, parts, *scores)

    def _forward_packed(self, batch: PackedBatch, spans: list[tuple[QuerySpan, int]]) -> Download:
        """One pass over nodes of the tree.

        ``spans``: with each, what to add to a position of its row for its index in the pass.
        """
        where = [np.arange(span.start + shift, span.end + shift) for span, shift in spans]
        positions, ids = (
            torch.from_numpy(part.astype(np.int64)).unsqueeze(0) for part in (batch.positions, batch.ids)
        )
        targets = _targets(where, [span.targets for span, _ in spans])
        return self._forward.score_packed(ids, positions, batch.attention, targets)

    def _score_padded(self, plan: ScorePlan, rows: list[InputRow]) -> Iterator[int]:
        """Scores rows in padded batches; yields owners that are whole."""
        batcher = PaddedBatcher(rows, self._budget)
        while batch := batcher.next():
            started = time.perf_counter()
            scores = unless_out_of_memory(self._forward_padded, plan, batch)
            width = max(len(row.inputs) for row in batch)
            if scores is None:
                self._shrink_budget(len(batch), width, len(batch) * width)
                batcher.undo(batch)
                continue

            total = sum(len(row.inputs) for row in batch)
            self.padded += len(batch) * width
            self.real += total
            seconds = (time.perf_counter() - started) / total
            for row in batch:
                plan.scores[row.owner].computed += len(row.inputs)
                plan.scores[row.owner].seconds += seconds * len(row.inputs)

            # In the order in which `_forward_padded` asks for them.
            parts = [
                (index, len(plan.continuations[index].targets))
                for row in batch
                for index in row.continuations
            ]
            yield from _distribute(plan, parts, *scores)

    def _forward_padded(self, plan: ScorePlan, batch: list[InputRow]) -> TargetScores:
        """One pass over whole rows, padded on the right."""
        width = max(len(row.inputs) for row in batch)
        ids = torch.zeros(len(batch), width, dtype=torch.long)

        # Indices count in the flattened batch, so row n begins at n × width.
        where: list[Ids] = []
        targets: list[Ids] = []
        for number, row in enumerate(batch):
            ids[number, : len(row.inputs)] = torch.from_numpy(row.inputs.astype(np.int64))
            end = number * width + len(row.inputs)
            for index in row.continuations:
                targets.append(plan.continuations[index].targets)
                where.append(np.arange(end - len(targets[-1]), end, dtype=np.int32))
        return _arrays(*self._forward.score(ids, _targets(where, targets)))

    def _shrink_budget(self, parts: int, width: int, tokens: int) -> None:
        """Halves the budget, or gives up on a single row (in the tree: on a few tokens of one).

        Called outside the handler, when the error no longer holds tensors.
        """
        release(self._forward.device)

        # The tree cuts long rows itself, so there a single node says nothing until it is tiny.
        if parts == 1 and (width > self.share_limit or tokens <= _SMALLEST):
            raise OutOfMemoryError(
                f"one text of {width} tokens alone does not fit into memory; "
                "set max_length lower or use a larger device"
            )
        self._budget.halve(tokens)
        log.warning(
            "out of memory on %d tokens: going on with %d tokens per batch", tokens, self._budget.tokens
        )


def _targets(where: Sequence[NDArray[np.signedinteger[Any]]], targets: Sequence[Ids]) -> Targets:
    """The targets of a pass: the outputs at the flat indices ``where[i]`` predict ``targets[i]``.

    Continuations that share positions share the head's rows: each position is asked for once.
    """
    flat = np.concatenate(where) if where else np.empty(0, np.int64)
    tokens = np.concatenate(targets).astype(np.int64) if targets else np.empty(0, np.int64)
    positions, rows = np.unique(flat, return_inverse=True)
    return Targets(torch.from_numpy(positions), torch.from_numpy(rows), torch.from_numpy(tokens))


def _arrays(logprobs: torch.Tensor, greedy: torch.Tensor) -> TargetScores:
    # fp64, since a continuation's log-probabilities are summed next.
    return logprobs.double().numpy(), greedy.numpy()


def _distribute(
    plan: ScorePlan, parts: list[Part], logprobs: NDArray[np.float64], greedy: NDArray[np.bool_]
) -> Iterator[int]:
    """Adds what a pass has scored to the plan, part by part; yields owners that are whole."""
    first = 0
    for index, size in parts:
        owner = plan.fill(index, logprobs[first : first + size], bool(greedy[first : first + size].all()))
        first += size
        if owner is not None:
            yield owner


def _scoring_tree(plan: ScorePlan, rows: list[InputRow]) -> list[Node]:
    """The roots of the rows' prefix tree, with every continuation laid on its nodes as spans."""
    roots, ends = build_tree([row.inputs for row in rows], [row.owner for row in rows])
    for row, end in zip(rows, ends, strict=True):
        for index in row.continuations:
            targets = plan.continuations[index].targets

            # The last len(targets) positions predict them: from the row's end up to the node in
            # which the first of these lies.
            low, node = len(row.inputs) - len(targets), end
            while True:
                start = max(low, node.start)
                if start < node.end:
                    node.spans.append(
                        QuerySpan(index, start, node.end, targets[start - low : node.end - low])
                    )
                if node.start <= low or node.parent is None:
                    break
                node = node.parent
    return roots

"""Prefill: computes the keys and values of prompts over a prefix tree, a pass at a time.

What prompts begin with alike is computed once. The walk is depth first and stops between passes, so
few prompts are prefilled before there is room for them (see `continuous`).
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
from harness.engines.transformers.packing import PackedBatch, Packer, PackingLimits
from harness.engines.transformers.slots import Segments, SharedSegment
from harness.engines.transformers.tree import Node, QuerySpan, build_tree

# Tokens: a shorter shared stretch is copied into the slots of all its rows, since attending to one
# together costs some kernel calls per layer and step.
_MIN_SEGMENT = 64
_LOGITS_BYTES = 256 << 20  # of first tokens, fp32, per pass
_SMALLEST = 16  # tokens: when even such a pass does not fit, memory is too small
_NO_TARGETS = np.empty(0, np.int32)


@dataclass(slots=True)
class PrefilledPrompt:
    """A prompt whose keys and values are computed, with the logits [vocabulary] after it.

    ``prompt`` is its index; ``own`` is copied into its slot, ``shared`` stays where it is.
    ``computed``: tokens that were computed for it, the others for another prompt.
    """

    prompt: int
    own: Segments
    shared: list[SharedSegment]
    logits: Tensor
    computed: int


class PromptReader:
    """Prefills ``prompts`` (token ids, none empty, in any order, equal or not).

    ``tokens`` counts what went through the model; ``done``: nothing is left to compute.
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
            roots, ends, self._equal = _shared_tree(rows)
        else:
            roots = ends = [
                Node(ids, 0, len(ids), None, owner=index, rows=1) for index, ids in enumerate(rows)
            ]
            self._equal = [[index] for index in range(len(rows))]

        # The output at a prompt's last token gives its first token. Equal prompts are one row of
        # the tree but several of the batch: their nodes count them all, so that they are kept to
        # share.
        for request, (end, equal) in enumerate(zip(ends, self._equal, strict=True)):
            end.spans.append(QuerySpan(request, end.end - 1, end.end, _NO_TARGETS))
            for node in end.path():
                node.rows += len(equal) - 1

        spans = max(1, _LOGITS_BYTES // (4 * forward.vocabulary))
        limits = PackingLimits(
            budget, forward.device, forward.model.dtype, spans, cache_all=True, batched=forward.batched
        )
        self._packer = Packer(roots, limits)
        self._segments: dict[Node, SharedSegment] = {}

    def read(self, postpone: bool = False) -> list[PrefilledPrompt] | None:
        """The prompts whose last tokens are in the next pass: maybe none.

        ``postpone``: others hold memory that they will give back, so a pass that does not fit is
        put off (None) instead of made smaller. Raises torch's or Python's error where even a few
        tokens do not fit.
        """
        while batch := self._packer.next():
            spans = [
                (span, node, span.start + offset - node.start)
                for node, offset in zip(batch.nodes, batch.offsets, strict=True)
                for span in node.spans
            ]
            logits = self._try(batch, [index for _, _, index in spans], postpone)
            if logits is None and postpone:
                return None
            if logits is None:
                self._budget.halve(len(batch.ids))
                continue

            # Collected before `commit`, which forgets the keys and values that later passes do not
            # need; from here on the prompts themselves hold them.
            self.tokens += len(batch.ids)
            prompts = [
                prompt
                for row, (span, node, _) in enumerate(spans)
                for prompt in self._prompts_at(span, node, logits[row])
            ]
            self._packer.commit()
            self._segments = {
                node: segment for node, segment in self._segments.items() if self._packer.is_cached(node)
            }
            return prompts
        self.done = True
        return []

    def _try(self, batch: PackedBatch, chosen: list[int], postpone: bool) -> Tensor | None:
        """Logits [chosen, vocabulary] after chosen tokens; None when memory ran out.

        The pass is taken back then.
        """
        ids, positions = (
            torch.from_numpy(part.astype(np.int64)).unsqueeze(0) for part in (batch.ids, batch.positions)
        )
        try:
            return self._forward.next_logits(
                ids, positions, batch.attention, torch.tensor(chosen, dtype=torch.long)
            )
        except Exception as error:
            if not is_out_of_memory(error) or (len(batch.ids) <= _SMALLEST and not postpone):
                raise

        # Outside the handler, where the error no longer holds tensors.
        release(self._forward.device)
        self._packer.undo(batch)
        return None

    def _prompts_at(self, span: QuerySpan, node: Node, logits: Tensor) -> list[PrefilledPrompt]:
        """The prompts that end in a node, equal ones together."""
        # A stretch of one row has nobody to share it with, a short one is cheaper to copy.
        path = node.path()
        long = [step for step in path if step.rows > 1 and len(step) >= _MIN_SEGMENT]
        own = [self._packer.keys_values(step) for step in path if step not in long]
        shared = [self._segment(step) for step in long]

        return [
            PrefilledPrompt(
                index, own, shared, logits, sum(len(step) for step in path if step.owner == index)
            )
            for index in self._equal[span.request]
        ]

    def _segment(self, node: Node) -> SharedSegment:
        """A node's keys and values as one object for all its rows: `slots` goes by its identity."""
        if node not in self._segments:
            self._segments[node] = SharedSegment(self._packer.keys_values(node))
        return self._segments[node]


def _shared_tree(rows: list[Ids]) -> tuple[list[Node], list[Node], list[list[int]]]:
    """(a prefix tree's roots, and per distinct row the node it ends in and the rows equal to it)."""
    by_ids: dict[bytes, list[int]] = {}
    for index, ids in enumerate(rows):
        by_ids.setdefault(sort_key(ids), []).append(index)
    equal = [by_ids[key] for key in sorted(by_ids)]
    roots, ends = build_tree([rows[first] for first, *_ in equal], [first for first, *_ in equal])
    return roots, ends, equal

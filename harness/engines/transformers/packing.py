"""Cuts a prefix tree into passes of at most so many tokens, and plans each pass's attention.

Nodes are taken in depth-first order, which makes memory constant: between passes only the keys and
values of the next node's ancestors are cached. A pass is one row of tokens without padding; a node
longer than a pass is cut in two. Inside a pass, consecutive small nodes form a block with one small
mask; everything further away is an ancestor seen whole (`attention.PrefixSpan`).

The tree of `tree`'s example becomes the row of tokens "shots q1 a b q2 c". If "shots" is long and
the rest short, there are two blocks: "shots", plainly causal, and "q1 a b q2 c", whose mask lets a
and b see q1, but c only q2. All of the second block has "shots" as a prefix. Were the budget used
up after "b", the next pass would be "q2 c", with "shots" as a cached prefix.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.engines.rows import Ids
from harness.engines.transformers.attention import AttentionBlock, CacheSpan, PackedAttention, PrefixSpan
from harness.engines.transformers.batched import BatchedAttention, Geometry, plan_batched
from harness.engines.transformers.kernels import KeysValues
from harness.engines.transformers.memory import Budget
from harness.engines.transformers.tree import Node

# Tokens of a block: a larger one wastes products on masked pairs, a smaller one wastes kernel calls
# (docs/engine.md).
BLOCK = 128


@dataclass(slots=True)
class PackedBatch:
    """The nodes of one forward pass.

    ``offsets[i]`` is the index in the pass of the first token of node i; ``ids`` and ``positions``
    (each token's position in its own row) are [T].
    """

    nodes: list[Node]
    offsets: list[int]
    ids: Ids
    positions: Ids
    attention: PackedAttention | BatchedAttention


@dataclass(frozen=True)
class PackingLimits:
    """What all passes are cut by, and whose tensors their masks meet.

    ``max_spans``: query spans of one pass. ``cache_all``: keys and values of every node are at hand
    until `Packer.commit`, for a reader that goes on with them (generation). ``batched``: few kernel
    calls, each of many parts (`batched`), in place of many small ones.
    """

    budget: Budget
    device: torch.device
    dtype: torch.dtype
    max_spans: int = sys.maxsize
    cache_all: bool = False
    batched: bool = False


class Packer:
    """Hands out passes over a tree, one at a time.

    After each, `commit` caches what later passes need, or `undo` takes the pass back (it did not
    fit into memory) to be cut again by the budget, smaller by then.
    """

    def __init__(self, roots: list[Node], limits: PackingLimits) -> None:
        self._waiting = roots[::-1]
        self._limits = limits
        self._cached: dict[Node, list[KeysValues]] = {}
        self._fresh: dict[Node, list[KeysValues]] = {}

    def next(self) -> PackedBatch | None:
        """The next pass, None at the end."""
        nodes = self._take()
        if not nodes:
            return None
        edges = np.cumsum([0, *map(len, nodes)]).tolist()
        ids = np.concatenate([node.tokens for node in nodes])
        positions = np.concatenate([np.arange(node.start, node.end, dtype=np.int32) for node in nodes])
        return PackedBatch(nodes, edges[:-1], ids, positions, self._plan(nodes, edges))

    def _take(self) -> list[Node]:
        """The next nodes in depth-first order that fit into a pass together; at least one."""
        nodes: list[Node] = []
        most = room = self._limits.budget.tokens
        spans = self._limits.max_spans
        while self._waiting:
            node = self._waiting[-1]
            spans -= len(node.spans)
            if nodes and (len(node) > room or spans < 0):
                break

            # Only a node that comes first can be longer than a whole pass; its upper part fills
            # this one, and the rest waits as its child.
            if len(node) > most:
                node = node.split(node.start + most)
            self._waiting.pop()
            nodes.append(node)
            room -= len(node)
            self._waiting.extend(reversed(node.children))
        return nodes

    def _plan(self, nodes: list[Node], edges: list[int]) -> PackedAttention | BatchedAttention:
        """Blocks and prefixes of a pass, and what it must cache for later ones.

        ``edges``: where each node begins in the pass, and where the last one ends.
        """
        ends = _subtree_ends(nodes, edges)
        cuts, block_ends = _cut_blocks(nodes, edges)

        # What is cached are ancestors of the pass's first node: their descendants begin with it.
        prefixes = [PrefixSpan(0, ends[node], cached=cached) for node, cached in self._cached.items()]

        # Descendants within a node's block see it by the block's mask; those beyond, as a prefix.
        # Neighbours seen by the very same tokens are one prefix, so one kernel call.
        last: PrefixSpan | None = None
        for node, offset, block_end in zip(nodes, edges[:-1], block_ends, strict=True):
            if ends[node] > block_end:
                if last and (last.low, last.high, last.last) == (block_end, ends[node], offset):
                    last.last = offset + len(node)
                else:
                    last = PrefixSpan(block_end, ends[node], offset, offset + len(node))
                    prefixes.append(last)

        needed = self._needed()
        self._fresh = {node: [] for node in nodes if self._limits.cache_all or node in needed}
        # A node of one row has a short life, so a view of the pass's tensors does; one that many
        # rows use is copied, lest it keep all the pass alive.
        cache = [
            CacheSpan(offset, offset + len(node), self._fresh[node], node.rows > 1)
            for node, offset in zip(nodes, edges[:-1], strict=True)
            if node in self._fresh
        ]
        until = np.repeat([ends[node] for node in nodes], list(map(len, nodes)))
        if self._limits.batched:
            return plan_batched(Geometry(cuts, until, prefixes, _width(cuts)), cache)
        blocks = _blocks(cuts, edges, until, self._limits.device, self._limits.dtype)
        return PackedAttention(blocks, prefixes, cache)

    def _needed(self) -> set[Node]:
        """The nodes that later passes attend to: the ancestors of the node that comes next.

        Depth-first order makes that enough: a node is left for good once the walk is past its
        descendants.
        """
        return set(self._waiting[-1].path()[:-1]) if self._waiting else set()

    def keys_values(self, node: Node) -> list[KeysValues]:
        """Keys and values, one entry per layer, of a node of the last pass or of its ancestors.

        Only until `commit`.
        """
        return self._fresh[node] if node in self._fresh else self._cached[node]

    def is_cached(self, node: Node) -> bool:
        """Whether later passes need a node."""
        return node in self._cached

    def commit(self) -> None:
        """The pass was computed: caches what later passes need, and forgets the rest."""
        needed = self._needed()
        self._cached = {
            node: layers for node, layers in (self._cached | self._fresh).items() if node in needed
        }
        self._fresh = {}

    def undo(self, batch: PackedBatch) -> None:
        """Takes a pass back, to be cut again by a smaller budget."""
        # In reverse, a node's children are the last that wait when its turn comes.
        for node in reversed(batch.nodes):
            if node.children:
                del self._waiting[-len(node.children) :]
            self._waiting.append(node)
        self._fresh = {}


def _subtree_ends(nodes: list[Node], edges: list[int]) -> dict[Node, int]:
    """Where in the pass the descendants of each node, and of the first node's ancestors, end."""
    open_path = nodes[0].path()[:-1]
    ends: dict[Node, int] = {}
    for node, offset in zip(nodes, edges[:-1], strict=True):
        # In depth-first order, whatever is not this node's ancestor has no more descendants.
        while open_path and open_path[-1] is not node.parent:
            ends[open_path.pop()] = offset
        open_path.append(node)
    return ends | dict.fromkeys(open_path, edges[-1])


def _cut_blocks(nodes: list[Node], edges: list[int]) -> tuple[list[int], list[int]]:
    """(where the blocks of a pass begin, and T; the end of each node's block)."""
    cuts = [0]
    for node, offset in zip(nodes, edges[:-1], strict=True):
        if offset > cuts[-1] and offset + len(node) - cuts[-1] > BLOCK:
            cuts.append(offset)
    cuts.append(edges[-1])
    return cuts, [cuts[index] for index in np.searchsorted(cuts, edges[:-1], side="right").tolist()]


def _width(cuts: list[int]) -> int:
    """The longest block of at most `BLOCK` tokens, in steps of 8, to which masks are aligned."""
    sizes = np.diff(cuts)
    return -(-int(sizes[sizes <= BLOCK].max(initial=1)) // 8) * 8


def _blocks(
    cuts: list[int], edges: list[int], until: NDArray[np.int64], device: torch.device, dtype: torch.dtype
) -> list[AttentionBlock]:
    """The blocks of a pass with their masks."""
    # A block of one node is plainly causal, which the kernel does without a mask.
    ends, starts = torch.from_numpy(until), set(edges)
    return [
        AttentionBlock(
            low,
            high,
            _mask(ends[low:high], low, device, dtype)
            if any(index in starts for index in range(low + 1, high))
            else None,
        )
        for low, high in itertools.pairwise(cuts)
    ]


def _mask(until: Tensor, low: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """[n, n], 0 where token i of a block sees its token j, -inf elsewhere.

    It does when j <= i and i comes before ``until[j]``, the end of the descendants of j's node:
    then j's node is i's own or an ancestor of it.
    """
    index = torch.arange(low, low + len(until))
    visible = (index[None, :] <= index[:, None]) & (index[:, None] < until[None, :])
    return torch.zeros(visible.shape, dtype=dtype).masked_fill_(~visible, float("-inf")).to(device)

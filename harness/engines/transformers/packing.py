"""Cuts a prefix tree into passes of at most so many tokens, in depth-first order, and says what
each token of a pass attends to.

Depth-first order makes memory constant: between passes only the keys and values of the next node's
ancestors are kept. A pass is one row of tokens without padding; a node longer than a pass is cut.
Inside a pass, consecutive small nodes form a block with one small mask; everything further away is
an ancestor seen whole (`attention.Look`).
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from harness.engines.rows import Ids
from harness.engines.transformers.attention import AttentionBlock, Keep, KeysValues, Look, Pass
from harness.engines.transformers.memory import Budget
from harness.engines.transformers.tree import Node

# tokens of a block: larger wastes products on masked pairs, smaller wastes calls (see
# docs/engine.md)
BLOCK = 128


@dataclass(slots=True)
class Load:
    """One pass's nodes and the place of each in it; ``ids`` and ``positions`` are [T]."""

    nodes: list[Node]
    places: list[int]
    ids: Ids
    positions: Ids
    plan: Pass


@dataclass(frozen=True)
class Terms:
    """What all passes are cut by: the token budget, how many positions one may ask for, and whose
    tensors they meet.

    ``hold``: keys and values of every node are kept until `Packer.done`, for a reader that goes on
    with them.
    """

    budget: Budget
    device: torch.device
    dtype: torch.dtype
    most_asks: int = sys.maxsize
    hold: bool = False


class Packer:
    """Hands out passes.

    After each, `done` keeps what later passes need, or `undo` takes the pass back (it did not fit).
    """

    def __init__(self, tops: list[Node], terms: Terms) -> None:
        self._waiting = tops[::-1]
        self._terms = terms
        self._kept: dict[Node, list[KeysValues]] = {}
        self._fresh: dict[Node, list[KeysValues]] = {}

    def next(self) -> Load | None:
        """The next pass, None at the end."""
        nodes = self._take()
        if not nodes:
            return None
        places = np.cumsum([0, *map(len, nodes)]).tolist()
        ids = np.concatenate([node.tokens for node in nodes])
        positions = np.concatenate([np.arange(node.start, node.end, dtype=np.int32) for node in nodes])
        return Load(nodes, places[:-1], ids, positions, self._plan(nodes, places))

    def _take(self) -> list[Node]:
        nodes: list[Node] = []
        most = room = self._terms.budget.tokens
        asks = self._terms.most_asks
        while self._waiting:
            node = self._waiting[-1]
            asks -= len(node.asks)
            if nodes and (len(node) > room or asks < 0):
                break
            if len(node) > most:
                node = node.split(node.start + most)
            self._waiting.pop()
            nodes.append(node)
            room -= len(node)
            self._waiting.extend(reversed(node.children))
        return nodes

    def _plan(self, nodes: list[Node], places: list[int]) -> Pass:
        """Blocks and looks of a pass, and what it must keep: the ancestors of the node that comes
        next.
        """
        highs = _descent(nodes, places)
        blocks, closes = _blocks(nodes, places, highs, self._terms.device, self._terms.dtype)
        looks = [Look(0, highs[node], kept=kept) for node, kept in self._kept.items()]
        ours: Look | None = None
        for node, place, close in zip(nodes, places[:-1], closes, strict=True):
            if highs[node] > close:
                if ours and (ours.low, ours.high, ours.last) == (close, highs[node], place):
                    ours.last = place + len(node)
                else:
                    ours = Look(close, highs[node], place, place + len(node))
                    looks.append(ours)
        wanted = set(self._waiting[-1].path()[:-1]) if self._waiting else set()
        self._fresh = {node: [] for node in nodes if self._terms.hold or node in wanted}
        spots = zip(nodes, places[:-1], strict=True)
        keep = [
            Keep(place, place + len(node), self._fresh[node], node.rows > 1)
            for node, place in spots
            if node in self._fresh
        ]
        return Pass(blocks, looks, keep)

    def kept(self, node: Node) -> list[KeysValues]:
        """Keys and values, a layer each, of a node of the pass just computed or of an ancestor of
        one; before `done`.
        """
        return self._fresh[node] if node in self._fresh else self._kept[node]

    def keeps(self, node: Node) -> bool:
        """Whether later passes need a node."""
        return node in self._kept

    def done(self) -> None:
        """The pass was computed."""
        wanted = set(self._waiting[-1].path()[:-1]) if self._waiting else set()
        self._kept = {node: kept for node, kept in (self._kept | self._fresh).items() if node in wanted}
        self._fresh = {}

    def undo(self, load: Load) -> None:
        """Takes a pass back, to be cut again by a smaller budget."""
        for node in reversed(load.nodes):
            if node.children:
                del self._waiting[-len(node.children) :]
            self._waiting.append(node)
        self._fresh = {}


def _descent(nodes: list[Node], places: list[int]) -> dict[Node, int]:
    """Where the descendants of each node, and of each ancestor of the first node, end in this
    pass.
    """
    open_path = nodes[0].path()[:-1]
    highs: dict[Node, int] = {}
    for node, place in zip(nodes, places[:-1], strict=True):
        while open_path and open_path[-1] is not node.parent:
            highs[open_path.pop()] = place
        open_path.append(node)
    return highs | dict.fromkeys(open_path, places[-1])


def _blocks(
    nodes: list[Node], places: list[int], highs: dict[Node, int], device: torch.device, dtype: torch.dtype
) -> tuple[list[AttentionBlock], list[int]]:
    """(the blocks of a pass, the end of each node's block)."""
    cuts = [0]
    for node, place in zip(nodes, places[:-1], strict=True):
        if place > cuts[-1] and place + len(node) - cuts[-1] > BLOCK:
            cuts.append(place)
    cuts.append(places[-1])
    until = torch.from_numpy(np.repeat([highs[node] for node in nodes], list(map(len, nodes))))
    starts = set(places)
    blocks = [
        AttentionBlock(
            low,
            high,
            _mask(until[low:high], low, device, dtype)
            if any(place in starts for place in range(low + 1, high))
            else None,
        )
        for low, high in itertools.pairwise(cuts)
    ]
    closes = [cuts[index] for index in np.searchsorted(cuts, places[:-1], side="right").tolist()]
    return blocks, closes


def _mask(until: Tensor, low: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """[n, n]: token i sees token j when j <= i and i is before the end of the descendants of j's
    node.
    """
    index = torch.arange(low, low + len(until))
    seen = (index[None, :] <= index[:, None]) & (index[:, None] < until[None, :])
    return torch.zeros(seen.shape, dtype=dtype).masked_fill_(~seen, float("-inf")).to(device)

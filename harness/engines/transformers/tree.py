"""Rows as a prefix tree over tokens: what several rows begin with is one node, computed once.

Rows in sorted order share most with their neighbours, so the longest common prefixes of neighbours
give the whole tree (as a suffix tree is made from a suffix array, Kasai et al. 2001), in one walk
with a stack. Nodes are then listed in depth-first order: a node's descendants follow it without a
gap, which is what makes packed passes over them simple (see `packing`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.engines.rows import Ids


@dataclass(slots=True, eq=False)
class Ask:
    """Part of one want that one node answers: the positions [low, high) of its row predict
    ``targets``.
    """

    want: int
    low: int
    high: int
    targets: Ids


@dataclass(slots=True, eq=False)
class Node:
    """Positions [start, end) of ``ids`` (one of the ``rows`` that pass through it).

    ``owner``: the first item that needs it.
    """

    ids: Ids
    start: int
    end: int
    parent: Node | None
    children: list[Node] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    owner: int = -1
    rows: int = 0

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def tokens(self) -> Ids:
        """This node's own token ids."""
        return self.ids[self.start : self.end]

    def path(self) -> list[Node]:
        """The nodes from the tree's top down to this one."""
        found: list[Node] = []
        node: Node | None = self
        while node is not None:
            found.append(node)
            node = node.parent
        return found[::-1]

    def split(self, at: int) -> Node:
        """Cuts the first positions [start, at) off into a new parent, which is returned; rows that
        end here still end here.
        """
        upper = Node(self.ids, self.start, at, self.parent, [self], [], self.owner, self.rows)
        if self.parent is not None:
            siblings = self.parent.children
            siblings[siblings.index(self)] = upper
        self.parent, self.start = upper, at
        below: list[Ask] = []
        for ask in self.asks:
            if ask.low < at:
                seam = min(at, ask.high)
                upper.asks.append(Ask(ask.want, ask.low, seam, ask.targets[: seam - ask.low]))
            if ask.high > at:
                seam = max(at, ask.low)
                below.append(Ask(ask.want, seam, ask.high, ask.targets[seam - ask.low :]))
        self.asks = below
        return upper


def common_length(left: Ids, right: Ids) -> int:
    """How many first tokens two rows share."""
    size = min(len(left), len(right))
    differ = left[:size] != right[:size]
    place = int(differ.argmax()) if size else 0
    return place if size and differ[place] else size


def grow(rows: Sequence[Ids], owners: Sequence[int], least: int) -> tuple[list[Node], list[Node]]:
    """(the tree's top nodes, the node in which each row ends). Rows are sorted by `sort_key` and
    distinct.

    A branch is made only where it saves at least ``least`` tokens; below that, the tokens are
    computed twice.
    """
    root = Node(np.empty(0, np.int32), 0, 0, None)
    stack = [root]
    ends: list[Node] = []
    for place, row in enumerate(rows):
        shared = common_length(rows[place - 1], row) if place else 0
        _fold(stack, shared, least)
        top = stack[-1]
        leaf = Node(row, top.end, len(row), top, owner=owners[place])
        top.children.append(leaf)
        stack.append(leaf)
        ends.append(leaf)
        for node in stack:
            node.owner = owners[place] if node.owner < 0 else min(node.owner, owners[place])
            node.rows += 1
    for node in root.children:
        node.parent = None
    return root.children, ends


def _fold(stack: list[Node], shared: int, least: int) -> None:
    """Closes the nodes that the next row does not pass through, cutting one in two where it leaves
    in the middle.
    """
    while stack[-1].end > shared:
        node = stack.pop()
        above = stack[-1]
        if above.end < shared and shared - above.end >= least:
            stack.append(node.split(shared))
        elif above.end < shared:
            break

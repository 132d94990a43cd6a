"""Input rows as a prefix tree over tokens: what several rows begin with is one node, computed once.

For three rows "shots q1 a", "shots q1 b" and "shots q2 c", where each word is some tokens:

    shots ──┬── q1 ──┬── a
            │        └── b
            └── q2 c

Rows in sorted order share most with their neighbours, so the longest common prefixes of neighbours
give the whole tree (as a suffix tree is made from a suffix array, Kasai et al. 2001), in one walk
with a stack. Nodes are then listed in depth-first order: a node's descendants follow it without a
gap, which is what makes packed passes over them simple (see `packing`).

The next files in reading order are `packing` (which nodes go into one forward pass), `attention`
(what the tokens of a pass attend to), `forward` (the pass) and `scoring` (what is done with it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.engines.rows import Ids

MIN_SHARED = 4
"""Tokens that a branch must save: fewer are computed twice (docs/engine.md)."""


@dataclass(slots=True, eq=False)
class QuerySpan:
    """Positions [start, end) of a row, all of one node, whose outputs predict ``targets``.

    ``request`` is the reader's index of what the span belongs to: in scoring a continuation of the
    plan (which may reach over several nodes, with one span in each), in generation a prompt.
    """

    request: int
    start: int
    end: int
    targets: Ids


@dataclass(slots=True, eq=False)
class Node:
    """Positions [start, end) of ``ids``, any one of the ``rows`` rows that pass through the node.

    ``owner``: the first item that needs it, which its computation is counted for.
    """

    ids: Ids
    start: int
    end: int
    parent: Node | None
    children: list[Node] = field(default_factory=list)
    spans: list[QuerySpan] = field(default_factory=list)
    owner: int = -1
    rows: int = 0

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def tokens(self) -> Ids:
        """This node's own token ids."""
        return self.ids[self.start : self.end]

    def path(self) -> list[Node]:
        """The nodes from the root down to this one."""
        ancestors: list[Node] = []
        node: Node | None = self
        while node is not None:
            ancestors.append(node)
            node = node.parent
        return ancestors[::-1]

    def split(self, at: int) -> Node:
        """Cuts the first positions [start, at) off into a new parent, which is returned.

        Rows that end here still end here, so a caller's reference to this node stays true.
        """
        upper = Node(self.ids, self.start, at, self.parent, [self], [], self.owner, self.rows)
        if self.parent is not None:
            siblings = self.parent.children
            siblings[siblings.index(self)] = upper
        self.parent, self.start = upper, at

        # A span may lie above the cut, below it, or across it; across it, it becomes two.
        below: list[QuerySpan] = []
        for span in self.spans:
            if span.start < at:
                seam = min(at, span.end)
                upper.spans.append(
                    QuerySpan(span.request, span.start, seam, span.targets[: seam - span.start])
                )
            if span.end > at:
                seam = max(at, span.start)
                below.append(QuerySpan(span.request, seam, span.end, span.targets[seam - span.start :]))
        self.spans = below
        return upper


def common_length(left: Ids, right: Ids) -> int:
    """How many first tokens two rows share."""
    size = min(len(left), len(right))
    differ = left[:size] != right[:size]
    first = int(differ.argmax()) if size else 0
    # argmax of a row without a difference is 0, too: the flag itself tells the two apart.
    return first if size and differ[first] else size


def build_tree(
    rows: Sequence[Ids], owners: Sequence[int], min_shared: int = MIN_SHARED
) -> tuple[list[Node], list[Node]]:
    """(the tree's roots, the node in which each row ends), for distinct rows sorted by `sort_key`.

    A branch is made only where it saves at least ``min_shared`` tokens. Takes time linear in the
    tokens and in the sum of the rows' depths.
    """
    root = Node(np.empty(0, np.int32), 0, 0, None)
    stack = [root]
    ends: list[Node] = []
    for index, row in enumerate(rows):
        # Sorted rows: what this row shares with any earlier one, it shares with the last one.
        shared = common_length(rows[index - 1], row) if index else 0
        _close_nodes(stack, shared, min_shared)
        parent = stack[-1]
        leaf = Node(row, parent.end, len(row), parent, owner=owners[index])
        parent.children.append(leaf)
        stack.append(leaf)
        ends.append(leaf)

        for node in stack:
            node.owner = owners[index] if node.owner < 0 else min(node.owner, owners[index])
            node.rows += 1

    # The empty root only held the stack's bottom: rows that share nothing are trees of their own.
    for node in root.children:
        node.parent = None
    return root.children, ends


def _close_nodes(stack: list[Node], shared: int, min_shared: int) -> None:
    """Takes the nodes off the stack that the next row does not pass through.

    ``shared``: first tokens that the next row has in common with the last one. Where it leaves a
    node in the middle, the node is split, and the upper part becomes the stack's top.
    """
    while stack[-1].end > shared:
        node = stack.pop()
        above = stack[-1]

        if above.end < shared and shared - above.end >= min_shared:
            stack.append(node.split(shared))
        elif above.end < shared:
            # Too little to split for: the next row branches off above, and computes it again.
            break

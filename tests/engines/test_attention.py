"""Attention over a packed tree by itself: against one dense softmax, and some of its positions
against all of them.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.engines.transformers.attention import KeysValues, aligned
from harness.engines.transformers.memory import Budget
from harness.engines.transformers.packing import Load, Packer, Terms
from harness.engines.transformers.tree import Node, grow

KV_HEADS, GROUP, SIZE, SCALE = 2, 3, 8, 0.3


def tops(seed: int) -> list[Node]:
    """A prefix tree of short rows, with branches longer and shorter than a block."""
    draw = np.random.default_rng(seed)
    stems = [draw.integers(0, 50, size=int(size)).astype(np.int32) for size in (150, 40, 9)]
    rows = [
        np.concatenate(
            [stems[index % 3], draw.integers(0, 50, size=int(draw.integers(1, 60))).astype(np.int32)]
        )
        for index in range(9)
    ]
    rows.sort(key=lambda row: row.tolist())
    found, _ = grow(rows, list(range(len(rows))), 4)
    return found


def layers(load: Load, seed: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Queries, keys and values of two layers."""
    draw = torch.Generator().manual_seed(seed)
    shapes = ((GROUP,), (), ())
    return [
        tuple(torch.randn(len(load.ids), KV_HEADS, *more, SIZE, generator=draw) for more in shapes)  # type: ignore[misc]
        for _ in range(2)
    ]


def dense(load: Load, layer: tuple[Tensor, Tensor, Tensor], before: dict[Node, KeysValues]) -> Tensor:
    """Each token's attention over its path, one token at a time; ``before``: keys and values of
    nodes of earlier passes.
    """
    queries, keys, values = layer
    known = before | {
        node: (keys[place : place + len(node)], values[place : place + len(node)])
        for node, place in zip(load.nodes, load.places, strict=True)
    }
    out = torch.empty_like(queries)
    for node, place in zip(load.nodes, load.places, strict=True):
        for token in range(len(node)):
            parts = [known[step] for step in node.path()[:-1]] + [
                (known[node][0][: token + 1], known[node][1][: token + 1])
            ]
            seen, told = (torch.cat([part[side] for part in parts]) for side in (0, 1))
            weights = (torch.einsum("hgd,mhd->hgm", queries[place + token], seen) * SCALE).softmax(-1)
            out[place + token] = torch.einsum("hgm,mhd->hgd", weights, told)
    return out


def test_masks_are_aligned_and_unchanged() -> None:
    for width in (1, 7, 8, 9, 128):
        mask = torch.randn(5, width)
        assert aligned(mask).stride(0) % 8 == 0
        assert torch.equal(aligned(mask), mask)


@pytest.mark.parametrize("budget", [64, 200, 4096])
def test_the_last_layer_on_some_positions_is_what_all_of_them_give_there(budget: int) -> None:
    draw = np.random.default_rng(budget)
    packer = Packer(tops(1), Terms(Budget(budget), torch.device("cpu"), torch.float32))
    kept: list[dict[Node, KeysValues]] = [{}, {}]
    seed = looks = 0
    while load := packer.next():
        whole, last = layers(load, seed := seed + 1)
        size = int(draw.integers(0, len(load.ids) + 1)) if seed % 3 else (0, 1, len(load.ids))[seed // 3 % 3]
        flat = torch.from_numpy(np.sort(draw.choice(len(load.ids), size, replace=False)))
        load.plan.few = 1, flat
        looks += len(load.plan.looks)
        torch.testing.assert_close(
            load.plan.attend(*whole, SCALE), dense(load, whole, kept[0]), rtol=1e-4, atol=1e-5
        )
        some, wanted = load.plan.attend(*last, SCALE), dense(load, last, kept[1])
        others = torch.ones(len(load.ids), dtype=torch.bool).index_fill_(0, flat, False)
        torch.testing.assert_close(some[flat], wanted[flat], rtol=1e-4, atol=1e-5)
        assert not some[others].any()
        for node in load.nodes:
            if node in packer._fresh:
                for layer in range(2):
                    kept[layer][node] = packer.kept(node)[layer]
        packer.done()
    assert seed >= (1 if budget == 4096 else 3)
    assert looks

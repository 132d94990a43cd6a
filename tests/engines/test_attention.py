"""Attention over a packed tree by itself: against one dense softmax, whole and at some positions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.engines.transformers.attention import PackedAttention
from harness.engines.transformers.kernels import KeysValues, align_rows
from harness.engines.transformers.memory import Budget
from harness.engines.transformers.packing import PackedBatch, Packer, PackingLimits
from harness.engines.transformers.tree import Node, build_tree

KV_HEADS, GROUP, SIZE, SCALE = 2, 3, 8, 0.3


def prefix_tree(seed: int) -> list[Node]:
    """A prefix tree of short rows, with branches longer and shorter than a block."""
    draw = np.random.default_rng(seed)

    # Around the size of a block (128): longer than one, a third of one, many of them in one.
    stems = [draw.integers(0, 50, size=int(size)).astype(np.int32) for size in (150, 40, 9)]
    rows = [
        np.concatenate(
            [stems[index % 3], draw.integers(0, 50, size=int(draw.integers(1, 60))).astype(np.int32)]
        )
        for index in range(9)
    ]
    rows.sort(key=lambda row: row.tolist())
    roots, _ = build_tree(rows, list(range(len(rows))), 4)
    return roots


def layers(batch: PackedBatch, seed: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Queries, keys and values of two layers."""
    draw = torch.Generator().manual_seed(seed)
    shapes = ((GROUP,), (), ())
    return [
        tuple(torch.randn(len(batch.ids), KV_HEADS, *more, SIZE, generator=draw) for more in shapes)  # type: ignore[misc]
        for _ in range(2)
    ]


def dense(batch: PackedBatch, layer: tuple[Tensor, Tensor, Tensor], before: dict[Node, KeysValues]) -> Tensor:
    """Each token's attention over its path, one token at a time.

    ``before``: keys and values of nodes of earlier passes.
    """
    queries, keys, values = layer
    cached = before | {
        node: (keys[offset : offset + len(node)], values[offset : offset + len(node)])
        for node, offset in zip(batch.nodes, batch.offsets, strict=True)
    }
    out = torch.empty_like(queries)
    for node, offset in zip(batch.nodes, batch.offsets, strict=True):
        for token in range(len(node)):
            # Ancestors whole, and of its own node what comes before it, itself included.
            parts = [cached[step] for step in node.path()[:-1]]
            parts.append((cached[node][0][: token + 1], cached[node][1][: token + 1]))
            path_keys, path_values = (torch.cat([part[side] for part in parts]) for side in (0, 1))

            scores = torch.einsum("hgd,mhd->hgm", queries[offset + token], path_keys) * SCALE
            out[offset + token] = torch.einsum("hgm,mhd->hgd", scores.softmax(-1), path_values)
    return out


def test_masks_are_aligned_and_unchanged() -> None:
    for width in (1, 7, 8, 9, 128):
        mask = torch.randn(5, width)
        assert align_rows(mask).stride(0) % 8 == 0
        assert torch.equal(align_rows(mask), mask)


@pytest.mark.parametrize("budget", [64, 200, 4096])
def test_the_last_layer_on_some_positions_is_what_all_of_them_give_there(budget: int) -> None:
    draw = np.random.default_rng(budget)
    packer = Packer(prefix_tree(1), PackingLimits(Budget(budget), torch.device("cpu"), torch.float32))
    cached: list[dict[Node, KeysValues]] = [{}, {}]
    seed = prefixes = 0
    while batch := packer.next():
        assert isinstance(batch.attention, PackedAttention)
        whole, last = layers(batch, seed := seed + 1)

        # None, one, all, or some of the positions.
        size = (
            int(draw.integers(0, len(batch.ids) + 1)) if seed % 3 else (0, 1, len(batch.ids))[seed // 3 % 3]
        )
        flat = torch.from_numpy(np.sort(draw.choice(len(batch.ids), size, replace=False)))
        batch.attention.queries_only = 1, flat
        prefixes += len(batch.attention.prefixes)
        torch.testing.assert_close(
            batch.attention.attend(*whole, SCALE), dense(batch, whole, cached[0]), rtol=1e-4, atol=1e-5
        )
        some, expected = batch.attention.attend(*last, SCALE), dense(batch, last, cached[1])
        others = torch.ones(len(batch.ids), dtype=torch.bool).index_fill_(0, flat, False)
        torch.testing.assert_close(some[flat], expected[flat], rtol=1e-4, atol=1e-5)
        assert not some[others].any()

        for node in batch.nodes:
            if node in packer._fresh:
                for layer in range(2):
                    cached[layer][node] = packer.keys_values(node)[layer]
        packer.commit()

    # The budgets are such that there are several passes, and prefixes to attend to.
    assert seed >= (1 if budget == 4096 else 3)
    assert prefixes

"""The batched plan gives each token what its path gives it, as `attention.PackedAttention` does."""

from __future__ import annotations

import pytest
import torch
from engines.test_attention import SCALE, dense, layers, prefix_tree

from harness.engines.transformers.batched import BatchedAttention
from harness.engines.transformers.kernels import KeysValues
from harness.engines.transformers.memory import Budget
from harness.engines.transformers.packing import Packer, PackingLimits
from harness.engines.transformers.tree import Node


@pytest.mark.parametrize("budget", [64, 200, 4096])
@pytest.mark.parametrize("seed", range(3))
def test_every_token_attends_to_its_path(budget: int, seed: int) -> None:
    limits = PackingLimits(Budget(budget), torch.device("cpu"), torch.float32, batched=True)
    packer = Packer(prefix_tree(seed), limits)
    cached: list[dict[Node, KeysValues]] = [{}, {}]
    number = 0
    while batch := packer.next():
        plan = batch.attention
        assert isinstance(plan, BatchedAttention)
        for layer, tensors in enumerate(layers(batch, number := number + 1)):
            torch.testing.assert_close(
                plan.attend(*tensors, SCALE), dense(batch, tensors, cached[layer]), rtol=1e-4, atol=1e-5
            )
        for node in batch.nodes:
            if node in packer._fresh:
                for layer in range(2):
                    cached[layer][node] = packer.keys_values(node)[layer]
        packer.commit()
    assert number >= (1 if budget == 4096 else 2)

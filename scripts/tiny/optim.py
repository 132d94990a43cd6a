"""Muon in fp32.

Orthogonalised momentum learns in a third of the steps AdamW needs here; torch's own version
multiplies in bf16, which is slow on processors without it.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch


def orthogonalise(matrix: torch.Tensor, rounds: int = 5) -> torch.Tensor:
    """Approximate the nearest semi-orthogonal matrix with Newton-Schulz rounds."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x: torch.Tensor = matrix / (matrix.norm() + 1e-7)
    tall = x.size(0) > x.size(1)
    if tall:
        x = x.mT
    for _ in range(rounds):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised; for the matrices inside the layers.

    Learning rate in units of the spectral norm.
    """

    def __init__(
        self,
        params: Iterable[torch.nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Take one step from the gradients."""
        for group in self.param_groups:
            for p in group["params"]:
                buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group["momentum"])
                update = orthogonalise(p.grad.lerp(buffer, group["momentum"]))
                scale = max(1.0, p.size(0) / p.size(1)) ** 0.5
                p.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-group["lr"] * scale)

"""What two sides differ by, and what follows: trust them as one instrument, or not."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

ParityVerdict = Literal["yes", "within noise", "no"]
DifferenceKind = Literal["log-probability", "arg-max", "greedy", "text"]
ORDER: tuple[ParityVerdict, ...] = ("yes", "within noise", "no")
FULL, HALF = 1e-3, 0.05
"""Nats per token that two fp32 backends may differ by, and two others.

Others are pairs of which one computes in 16 bits or in a format that is not known.
"""
FULL_PREFIX, HALF_PREFIX = 0.95, 0.5
"""Share of a greedy text, on the mean, that must be equal from its start.

It cannot be 1: one near tie early in a text changes all that follows it.
"""


@dataclass(frozen=True)
class ItemDifference:
    """One item that was answered differently.

    ``size``: nats per token, or of texts the share that is not a common beginning.
    """

    key: str
    what: DifferenceKind
    size: float
    first: str
    second: str


@dataclass(frozen=True)
class LogprobSpread:
    """Differences of log-probabilities in nats per token, over ``n`` continuations or passages."""

    n: int
    max: float
    p99: float
    mean: float


@dataclass(frozen=True)
class MetricDifference:
    """A metric of both sides.

    ``stderr`` is the larger of their standard errors, None where neither has one.
    """

    metric: str
    filter: str
    first: float
    second: float
    stderr: float | None

    @property
    def ratio(self) -> float:
        """|difference| in standard errors; 0 where there is none, or none to measure it by."""
        gap = abs(self.first - self.second)
        if gap <= 1e-12 or self.stderr is None:
            return 0.0
        return gap / self.stderr if self.stderr > 0 else math.inf

    @property
    def within(self) -> bool:
        """Whether the difference is no more than one standard error."""
        return self.ratio <= 1 + 1e-9


@dataclass(frozen=True)
class CellParity:
    """One cell: its figures, the items that differ (largest first), and what follows.

    ``prefix`` is the mean share of common beginnings.
    """

    model: str
    task: str
    verdict: ParityVerdict
    reasons: tuple[str, ...]
    items: int = 0
    missing: int = 0
    tolerance: float = HALF
    logprobs: LogprobSpread | None = None
    argmax_flips: int = 0
    greedy_flips: int = 0
    texts: int = 0
    texts_differing: int = 0
    prefix: float | None = None
    metrics: tuple[MetricDifference, ...] = ()
    differing: tuple[ItemDifference, ...] = ()


@dataclass(frozen=True)
class Parity:
    """All cells, and the worst of their verdicts.

    ``first`` and ``second`` say in words what was compared.
    """

    first: str
    second: str
    verdict: ParityVerdict
    reasons: tuple[str, ...]
    cells: tuple[CellParity, ...] = field(default_factory=tuple)


def judged(cell: CellParity, unfinished: Sequence[str]) -> CellParity:
    """The cell with its verdict and what it rests on."""
    against, noise = list(_against(cell)), list(_noise(cell))
    if unfinished:
        noise.append(f"the {' and the '.join(unfinished)} run did not finish this cell")
    verdict: ParityVerdict = "no" if against else "within noise" if noise else "yes"
    return dataclasses.replace(cell, verdict=verdict, reasons=tuple(against or noise))


def _against(cell: CellParity) -> list[str]:
    """What speaks against trusting it."""
    reasons = []
    if not cell.items:
        reasons.append("no item was answered by both")
    if cell.logprobs is not None and cell.logprobs.p99 > cell.tolerance:
        reasons.append(
            f"log-probabilities differ by {cell.logprobs.p99:.2g} per token (99th percentile), over"
            f" {cell.tolerance:g}"
        )

    # Texts drift apart after the first near tie, so fp32 pairs must share more of their beginnings.
    least = FULL_PREFIX if cell.tolerance <= FULL else HALF_PREFIX
    if cell.prefix is not None and cell.prefix < least:
        reasons.append(
            f"texts are equal over {cell.prefix:.0%} from their start on the mean, under {least:.0%}"
        )

    for metric in cell.metrics:
        if not metric.within:
            reasons.append(
                f"{metric.metric} {metric.first:.4g} against {metric.second:.4g} is"
                f" {metric.ratio:.2g} standard errors, over 1"
            )
    return reasons


def _noise(cell: CellParity) -> list[str]:
    """What is not equal, but no more than rounding explains."""
    reasons = []
    if cell.logprobs is not None and cell.logprobs.max > cell.tolerance:
        reasons.append(
            f"some log-probabilities differ by up to {cell.logprobs.max:.2g} per token, over {cell.tolerance:g}"
        )
    if cell.argmax_flips:
        reasons.append(f"{cell.argmax_flips} of {cell.items} items pick another option")
    if cell.greedy_flips:
        reasons.append(f"{cell.greedy_flips} of {cell.items} items change what greedy decoding would write")
    if cell.texts_differing:
        reasons.append(f"{cell.texts_differing} of {cell.texts} texts differ")
    if cell.missing:
        reasons.append(f"{cell.missing} items were answered by one side only")
    return reasons

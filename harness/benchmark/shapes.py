"""Which shapes a config asks for, and who a cell is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from harness.config.schema import Speed
from harness.evaluation.identity import digest
from harness.meter.repeats import Policy


@dataclass(frozen=True)
class Shape:
    """Prompt and output length in tokens, and the load: closed loop or open loop.

    A closed loop gives ``concurrency`` requests at once; an open loop gives ``requests`` of them,
    ``rate`` per second.
    """

    input: int
    output: int
    concurrency: int | None = None
    rate: float | None = None
    requests: int = 0

    @property
    def label(self) -> str:
        """As in tables: 512>128 x8, or 512>128 @2/s."""
        return f"{self.input}>{self.output} " + (
            f"x{self.concurrency}" if self.concurrency else f"@{self.rate:g}/s"
        )

    @property
    def batch(self) -> int:
        """Requests of one wave."""
        return self.concurrency or self.requests

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the worker."""
        return asdict(self)


def shapes_of(speed: Speed) -> list[Shape]:
    """The grid in order: small before large, closed loops before open ones."""
    pairs = [(length, output) for length in speed.input for output in speed.output]

    closed = [
        Shape(length, output, concurrency=count) for length, output in pairs for count in speed.concurrency
    ]
    opened = [
        Shape(length, output, rate=rate, requests=speed.requests)
        for length, output in pairs
        for rate in speed.rate
    ]
    return list(dict.fromkeys(closed + opened))


def longest(speed: Speed) -> int:
    """Tokens of the longest request of the grid."""
    return max(speed.input) + max(speed.output)


def policy_of(speed: Speed) -> Policy:
    """When a cell's repeats end."""
    return Policy(speed.repeats, speed.half_width, speed.seconds, speed.max_repeats)


def cell_id(who: dict[str, Any], shape: Shape, speed: Speed, seed: int) -> str:
    """Equal where repeats may stand together: the same model, engine and load.

    ``who``: the worker's identity of model and engine.
    """
    how: dict[str, Any] = {
        "repeat_seconds": speed.repeat_seconds,
        "drift": speed.drift,
        "calibration_seconds": speed.calibration_seconds,
    }
    # Cells of earlier versions, which knew no shared machines, keep their names.
    if speed.shared:
        how["shared"] = True
    return digest({"who": who, "shape": shape.to_dict(), "seed": seed, **how})

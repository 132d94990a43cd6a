"""The open loop: requests that arrive whether or not the last ones are done, and how many of them
were served well.

A closed loop waits with its next request until a slow one has ended, so it hides what a user would
feel (coordinated omission). Here every request has an intended arrival, and its latency counts from
that.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import ConfigError


@dataclass(frozen=True)
class Timing:
    """One request, in seconds after the batch's start: intended arrival, when the engine began it,
    its first and its last token.
    """

    arrival: float
    started: float
    first: float
    last: float
    prompt: int
    output: int

    @property
    def ttft(self) -> float:
        """Intended arrival to first token."""
        return self.first - self.arrival

    @property
    def queue(self) -> float:
        """Intended arrival to the engine's beginning; a clock's jitter below zero counts as
        none.
        """
        return max(0.0, self.started - self.arrival)

    @property
    def prefill(self) -> float:
        """The engine's beginning to the first token."""
        return self.first - self.started

    @property
    def tpot(self) -> float | None:
        """Mean seconds of each token after the first: (last − first)/(n − 1); None for one
        token.
        """
        return (self.last - self.first) / (self.output - 1) if self.output > 1 else None

    @property
    def e2e(self) -> float:
        """Intended arrival to last token."""
        return self.last - self.arrival


def poisson_arrivals(rate: float, count: int, seed: int | str) -> list[float]:
    """Seconds of ``count`` arrivals of a Poisson process of ``rate`` per second: independent
    exponential gaps of mean 1/rate, seeded.

    The first request arrives after the first gap. Raises ConfigError for a rate that is not above
    zero.
    """
    if not rate > 0 or count < 1:
        raise ConfigError(
            f"an open loop needs a rate above zero and at least one request; got {rate} per second, {count} "
            "requests"
        )

    draw = random.Random(f"{seed}")
    now, arrivals = 0.0, []
    for _ in range(count):
        now += draw.expovariate(rate)
        arrivals.append(now)

    return arrivals


def good(timing: Timing, ttft: float | None, tpot: float | None) -> bool:
    """Whether a request kept the stated limits, in seconds; a request of one token has no TPOT to
    break.
    """
    late = ttft is not None and timing.ttft > ttft
    slow = tpot is not None and timing.tpot is not None and timing.tpot > tpot
    return not late and not slow


def goodput(timings: Sequence[Timing], seconds: float, ttft: float | None, tpot: float | None) -> float:
    """Good requests per second over ``seconds``.

    Raises ConfigError where no limit is stated: then it would be the request rate.
    """
    if ttft is None and tpot is None:
        raise ConfigError("goodput needs a stated limit: speed.slo with ttft_ms, tpot_ms or both")
    return sum(good(timing, ttft, tpot) for timing in timings) / seconds


def busy(intervals: Sequence[tuple[float, float]]) -> float:
    """Seconds covered by at least one of the intervals (their union)."""
    total, end = 0.0, float("-inf")
    for start, stop in sorted(intervals):
        if stop > end:
            total += stop - max(start, end)
            end = stop
    return total

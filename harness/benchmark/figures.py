"""From raw samples to figures: rates and their intervals, latencies, the time of each phase."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.benchmark.measure import timing_of
from harness.benchmark.shapes import Shape
from harness.config.schema import Slo
from harness.meter.checks import require_finite
from harness.meter.openloop import Timing, busy, goodput
from harness.meter.quantiles import percentiles
from harness.meter.repeats import median_interval
from harness.results.records import Figure, Quantiles
from harness.results.speed import ShapeLatency, ShapeRate, SpeedRow
from harness.wording import plural

NO_TEXT = (
    "prompts of a shape are random token ids: their characters mean nothing; "
    "natural figures are with harness run"
)


@dataclass(frozen=True)
class Sample:
    """One repeat: wall seconds and timings of its waves."""

    walls: tuple[float, ...]
    waves: tuple[tuple[Timing, ...], ...]

    @property
    def wall(self) -> float:
        """Seconds of all waves."""
        return sum(self.walls)

    @property
    def timings(self) -> list[Timing]:
        """All requests."""
        return [timing for wave in self.waves for timing in wave]

    @property
    def prompt(self) -> int:
        """Prompt tokens."""
        return sum(timing.prompt for timing in self.timings)

    @property
    def output(self) -> int:
        """Generated tokens."""
        return sum(timing.output for timing in self.timings)

    @property
    def prefill_seconds(self) -> float:
        """Seconds in which a prompt was being read."""
        return sum(busy([(timing.started, timing.first) for timing in wave]) for wave in self.waves)

    @property
    def decode_seconds(self) -> float:
        """Seconds in which a token after a first one was being written."""
        return sum(busy([(timing.first, timing.last) for timing in wave]) for wave in self.waves)

    @property
    def decoded(self) -> int:
        """Tokens written after each request's first."""
        return self.output - len(self.timings)


def sample_of(line: dict[str, Any]) -> Sample:
    """A kept repeat as it was measured."""
    return Sample(
        tuple(line["walls"]), tuple(tuple(timing_of(row) for row in wave) for wave in line["timings"])
    )


def gate(line: dict[str, Any], shape: Shape) -> float:
    """The figure that decides when to stop: output tokens/s, or an open loop's median e2e seconds."""
    sample = sample_of(line)
    if shape.rate:
        return statistics.median(timing.e2e for timing in sample.timings)
    return sample.output / sample.wall


def gate_text(line: dict[str, Any], shape: Shape) -> str:
    """The gate's figure for people."""
    value = gate(line, shape)
    return f"median e2e {1000 * value:.1f} ms" if shape.rate else f"{value:,.1f} tok/s"


def cell_text(row: SpeedRow) -> str:
    """What a cell gave, for people: its gate's median, how sure it is, and of how many repeats."""
    stats = row.stats
    if stats.median is None:
        return f"{row.status}: {row.reason}"
    value = (
        f"median e2e {1000 * stats.median:.1f} ms" if stats.gate == "e2e" else f"{stats.median:,.1f} tok/s"
    )
    half = f" ±{100 * stats.half_width:.1f} %" if stats.half_width is not None else ""
    doubt = ", doubtful" if stats.doubts else ""
    rejected = f" ({stats.rejected} rejected)" if stats.rejected else ""
    return f"{value}{half}{doubt}, {plural(stats.repeats, 'repeat')}{rejected}"


def figure(values: Sequence[float], *, doubtful: bool = False) -> Figure:
    """Median and interval; of doubtful repeats the range of all of them in place of the interval.

    On a machine whose pace changes for minutes repeats are no independent draws, and the bootstrap's
    interval would be far too narrow. Raises NotFiniteError.
    """
    if len(values) == 1:
        return Figure(median=require_finite("rate", values[0]))
    interval = median_interval(values)
    if doubtful:
        return Figure(median=interval.median, ci95=(min(values), max(values)))
    return Figure(median=interval.median, ci95=(interval.low, interval.high))


def rates(
    samples: Sequence[Sample], slo: Slo | None, reasons: dict[str, str], *, doubtful: bool = False
) -> ShapeRate:
    """Tokens and requests per second over the repeats; what is null gets its reason in ``reasons``."""

    def over(what: Callable[[Sample], float]) -> Figure:
        return figure([what(sample) for sample in samples], doubtful=doubtful)

    rate = ShapeRate(
        prefill_tps=over(lambda sample: sample.prompt / sample.prefill_seconds),
        output_tps=over(lambda sample: sample.output / sample.wall),
        total_tps=over(lambda sample: (sample.prompt + sample.output) / sample.wall),
        requests_ps=over(lambda sample: len(sample.timings) / sample.wall),
    )

    # One output token is written with the prompt: there is no phase of decoding to be timed.
    if all(sample.decode_seconds > 0 for sample in samples):
        rate.decode_tps = over(lambda sample: sample.decoded / sample.decode_seconds)
        rate.per_user_tps = over(
            lambda sample: 1 / statistics.median(timing.tpot or 0 for timing in sample.timings)
        )
    else:
        reasons["rate.decode_tps"] = reasons["rate.per_user_tps"] = (
            "one output token: nothing was decoded after the first"
        )

    if slo is None:
        reasons["rate.goodput_ps"] = "no limit was stated: speed.slo"
    else:
        ttft, tpot = ((limit / 1000 if limit else None) for limit in (slo.ttft_ms, slo.tpot_ms))
        rate.goodput_ps = over(lambda sample: goodput(sample.timings, sample.wall, ttft, tpot))
        rate.slo = {key: value for key, value in slo.model_dump().items() if value is not None}
    reasons |= dict.fromkeys(("rate.characters_ps", "rate.bytes_ps", "rate.characters_per_token"), NO_TEXT)
    return rate


def latencies(samples: Sequence[Sample], reasons: dict[str, str]) -> ShapeLatency:
    """Milliseconds of all requests of all repeats."""
    timings = [timing for sample in samples for timing in sample.timings]
    written = [timing.tpot for timing in timings if timing.tpot is not None]
    if not written:
        reasons["latency_ms.tpot"] = "one output token: there is no time per further token"

    return ShapeLatency(
        ttft=spread([timing.ttft for timing in timings]),
        queue=spread([timing.queue for timing in timings]),
        prefill=spread([timing.prefill for timing in timings]),
        tpot=spread(written) if written else None,
        e2e=spread([timing.e2e for timing in timings]),
    )


def spread(seconds: Sequence[float]) -> Quantiles:
    """Mean, and those percentiles that so many requests carry, in milliseconds. Raises NotFiniteError."""
    for value in seconds:
        require_finite("latency", value)
    figures = percentiles([1000 * value for value in seconds])
    del figures["n"]  # the requests of the row's samples
    return Quantiles(**figures)

"""What the records of cost (`results.json`) and of speed (`speed.json`) have in common.

Each kind of figure is defined once here and widened where one of the two files says more, so that
a reader who knows one file knows the words of the other.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Record(BaseModel):
    """A published record: an unknown field is refused, and so is NaN, which JSON has no word for."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Figure(Record):
    """A median over repeats and its 95 % interval (null with one repeat)."""

    median: float
    ci95: tuple[float, float] | None = None


class Quantiles(Record):
    """Mean and percentiles of some values, linear between order statistics (numpy's default).

    Null where so few values cannot carry one (`harness.meter.quantiles`): ``reason`` says so.
    """

    mean: float
    p50: float
    p90: float | None
    p95: float | None
    p99: float | None
    max: float | None = None
    ci95: dict[str, tuple[float, float]] = Field(
        default_factory=dict, description="95 % intervals of the percentiles, by order statistics."
    )
    reason: str | None = None


class Distribution(Quantiles):
    """How ``n`` values lie."""

    n: int


class Latency(Record):
    """Milliseconds per request, from its arrival: to the first token, per further token, to the last."""

    ttft: Quantiles | None = None
    tpot: Quantiles | None = None
    e2e: Quantiles | None = None


class EnergyRecord(Record):
    """Joules: all that the device took, its idle power for as long, and the difference."""

    joules_gross: float | None = None
    joules_idle: float | None = None
    joules_net: float | None = None
    seconds: float = 0.0
    source: str | None = Field(None, description="Which counter was read.")

"""The published form of ``speed.json``: one row per cell of `harness bench`, every figure defined.

A figure that is not there is null, and `reasons` says why, by the field's name.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from harness.results.records import EnergyRecord, Figure, Latency, Quantiles, Record
from harness.results.schema import Status

SPEED_VERSION = 1
DEFINITIONS = {
    "output_tps": "generated tokens of a repeat / wall seconds of its waves, from handing the "
    "requests over to the last answer",
    "total_tps": "prompt and generated tokens / the same seconds",
    "prefill_tps": "prompt tokens / seconds in which at least one request was between its start "
    "in the engine and its first token",
    "decode_tps": "generated tokens after each request's first / seconds in which at least one "
    "request was between first and last token",
    "requests_ps": "requests / wall seconds",
    "per_user_tps": "1 / median TPOT",
    "ttft": "intended arrival (closed loop: the wave's start) to first token",
    "queue": "intended arrival to the engine's start of the request",
    "prefill": "the engine's start of the request to its first token",
    "tpot": "(last token - first token) / (output tokens - 1), of each request",
    "e2e": "intended arrival to last token",
    "goodput_ps": "requests that kept the stated limits / wall seconds",
    "mfu": "FLOPs by formula / (seconds x ceiling FLOP/s)",
    "mbu": "bytes by formula / (seconds x ceiling bytes/s)",
    "roofline": "max(FLOPs / FLOP/s, bytes / bytes/s) / seconds",
    "interval": "median of repeats, 95 % percentile bootstrap of the median, 9999 resamples",
    "drift": "the larger of max/min - 1 of matrix product and copy, measured before and after each repeat",
}
"""Speed's words differ between tools: these are ours."""


class Identity(Record):
    """What was measured, and with what."""

    id: str
    model_id: str | None = None
    revision: str | None = None
    weights: Literal["pretrained", "random"] = "pretrained"
    parameters: int | None = None
    dtype: str | None = Field(None, description="Number format computed in.")
    quantisation: str | None = None
    engine: str | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    device: str | None = None
    driver: str | None = None
    gpus: int = 0
    threads: int | None = None
    seed: int = 0
    config_hash: str | None = None
    tokenizer_hash: str | None = None


class LoadFigures(Record):
    """What loading took."""

    seconds: float | None = None
    weight_bytes: int | None = Field(None, description="By formula, in the format computed in.")
    peak_device_bytes: int | None = Field(
        None, description="Most memory in use on the device after a repeat."
    )
    peak_rss_bytes: int | None = Field(None, description="The worker process and those it started.")


class Workload(Record):
    """What was asked."""

    kind: Literal["shape"] = "shape"
    mode: Literal["closed", "open"]
    input: int
    output: int
    concurrency: int | None = Field(None, description="Closed loop: requests given at once.")
    rate: float | None = Field(None, description="Open loop: arrivals per second.")
    requests: int = Field(0, description="Requests of a repeat.")
    waves: int = Field(
        1, description="Closed loop: batches of `concurrency` requests one after another in a repeat."
    )
    cached_tokens: int = 0


class ShapeRate(Record):
    """Tokens and requests per second (`DEFINITIONS`)."""

    prefill_tps: Figure | None = None
    decode_tps: Figure | None = None
    output_tps: Figure | None = None
    total_tps: Figure | None = None
    requests_ps: Figure | None = None
    goodput_ps: Figure | None = None
    per_user_tps: Figure | None = None
    characters_ps: float | None = None
    bytes_ps: float | None = None
    characters_per_token: float | None = None
    slo: dict[str, float] | None = None


class ShapeLatency(Latency):
    """Milliseconds per request, of all accepted repeats (`DEFINITIONS`)."""

    queue: Quantiles | None = None
    prefill: Quantiles | None = None


class Share(Record):
    """What was reached of one ceiling."""

    name: str
    flops: float = Field(description="FLOP/s.")
    bandwidth: float = Field(description="bytes/s.")
    mfu: float
    mbu: float
    roofline: float
    bound: Literal["compute", "memory"]


class Phase(Record):
    """Work of one wave by formula, how long it took (median), and what that is of each ceiling."""

    flops: float
    bytes: float
    seconds: float
    measured: Share | None = None
    datasheet: Share | None = None


class ShapeLimit(Record):
    """Prefill, decode, and the whole wave."""

    prefill: Phase | None = None
    decode: Phase | None = None
    whole: Phase | None = None


class EnergyFigures(EnergyRecord):
    """Joules of a window of whole waves after the repeats."""

    joules_gross: float
    seconds: float
    source: str
    tokens: int = Field(description="Generated tokens of the window.")
    joules_per_token: float
    joules_per_request: float


class Cost(Record):
    """Dollars, from a price with its source."""

    usd_per_hour: float
    source: str
    date: str | None = None
    gpus: int
    usd_per_million_output: float
    usd_per_million_total: float


class Doubt(Record):
    """Why a row's figures are worth less than they look: its interval is the range of all repeats.

    ``drift``: ``count`` of the ``of`` repeats were made while the machine drifted by more than
    ``limit``; ``few``: only ``count`` of ``of`` repeats were made.
    """

    kind: Literal["drift", "few"]
    count: int
    of: int
    limit: float | None = None


class Stats(Record):
    """How the figures were made.

    ``samples`` are the used repeats' output tokens/s (open loop: median e2e in seconds): the accepted
    ones, or all of them where those were too few, which stands under ``doubts``.
    """

    gate: Literal["output_tps", "e2e"]
    warmups: int = 0
    repeats: int = 0
    rejected: int = 0
    samples: list[float] = Field(default_factory=list)
    median: float | None = None
    cv: float | None = None
    ci95: tuple[float, float] | None = None
    half_width: float | None = None
    settled: bool = False
    seconds: float = Field(0.0, description="Time spent on repeats, calibration included.")
    drift_limit: float = 0.05
    drift_median: float | None = None
    drift_max: float | None = None
    stolen_share: float | None = Field(
        None, description="Share of the processors' time that a hypervisor took during the repeats' waves."
    )
    doubts: list[Doubt] = Field(default_factory=list, description="Empty: the figures can be trusted.")
    interleaved_with: list[str] = Field(
        default_factory=list, description="Models measured in turn with this one."
    )


class Projected(Record):
    """What another chip would give: never a measurement."""

    kind: Literal["projected"] = "projected"
    chip: str
    basis: str = Field(description="The ceilings compared.")
    output_tps: tuple[float, float]
    prefill_tps: tuple[float, float] | None = None
    decode_tps: tuple[float, float] | None = None
    bound: dict[str, str] = Field(default_factory=dict)
    same_bound: bool = Field(
        description="False: the limit changes in a phase, so nothing was measured in the new regime."
    )


class SpeedRow(Record):
    """One cell: a model in a shape."""

    cell_id: str
    model: str = Field(description="Name in tables; says so where weights are random.")
    shape: str
    identity: Identity
    load: LoadFigures = Field(default_factory=LoadFigures)
    workload: Workload
    rate: ShapeRate = Field(default_factory=ShapeRate)
    latency_ms: ShapeLatency = Field(default_factory=ShapeLatency)
    limit: ShapeLimit = Field(default_factory=ShapeLimit)
    energy: EnergyFigures | None = None
    cost: Cost | None = None
    stats: Stats
    projected: list[Projected] = Field(default_factory=list)
    reasons: dict[str, str] = Field(default_factory=dict, description="Why a figure is null, by field.")
    status: Status
    reason: str | None = None


class SpeedResults(Record):
    """The whole of ``speed.json``."""

    schema_version: int = SPEED_VERSION
    name: str
    harness_version: str
    created: str = Field(description="UTC time, ISO 8601.")
    config_hash: str
    definitions: dict[str, str] = Field(default_factory=lambda: dict(DEFINITIONS))
    machine: dict[str, Any] = Field(default_factory=dict)
    rows: list[SpeedRow]

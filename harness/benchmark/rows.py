"""One cell's row: identity, load, figures, limits, energy, cost, statistics.

What is not known is null, with a reason.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.benchmark.figures import Sample, gate, latencies, rates, sample_of
from harness.benchmark.limits import Ceilings, ceilings_of, limit_of, phases
from harness.benchmark.projection import projections
from harness.benchmark.shapes import Shape
from harness.config.schema import ModelSpec, Speed
from harness.errors import HarnessError
from harness.evaluation.identity import digest
from harness.meter.prices import usd_per_hour, usd_per_million_tokens, why_no_price
from harness.meter.repeats import coefficient_of_variation, median_interval
from harness.results.schema import Status
from harness.results.speed import (
    Cost,
    Doubt,
    EnergyFigures,
    Identity,
    LoadFigures,
    ShapeRate,
    SpeedRow,
    Stats,
    Workload,
)
from harness.workers.devices import Machine


@dataclass(frozen=True)
class ShapeFacts:
    """What a row is made of beside its samples.

    ``load`` and ``who`` are the worker's own words (None and {} where it failed before).
    """

    cell: str
    spec: ModelSpec
    shape: Shape
    speed: Speed
    load: dict[str, Any] | None
    who: dict[str, Any]
    config_hash: str
    machine: Machine
    usd: float | None


def shown_name(spec: ModelSpec) -> str:
    """The model's name in tables: random weights are said wherever it stands."""
    return f"{spec.label} (random weights)" if spec.weights == "random" else spec.label


def make_row(
    facts: ShapeFacts, lines: Sequence[dict[str, Any]], energy: dict[str, Any] | None, failure: str | None
) -> SpeedRow:
    """The row of a cell from all its repeats.

    A cell that failed has no figure. Where too few repeats were accepted, all of them are used, and
    the row says why its figures are doubtful: a wide answer is worth more than none.
    """
    accepted = [line for line in lines if line["accepted"]]
    status, reason = _status(facts, lines, len(accepted), failure)
    used = accepted if len(accepted) >= facts.speed.repeats else list(lines)
    doubts = _doubts(facts, used)
    row = SpeedRow(
        cell_id=facts.cell,
        model=shown_name(facts.spec),
        shape=facts.shape.label,
        identity=_identity(facts),
        load=_load(facts.load, lines),
        workload=_workload(facts.shape, lines),
        stats=_stats(facts, lines, accepted, used, doubts),
        status=status,
        reason=reason,
    )
    if failure is not None or not used or facts.load is None:
        return row

    samples = [sample_of(line) for line in used]
    row.rate = rates(samples, facts.speed.slo, row.reasons, doubtful=bool(doubts))
    row.latency_ms = latencies(samples, row.reasons)
    row.energy = _energy(energy, row.reasons)
    # Of an endpoint's machine nothing is known here, neither what it can do nor its price.
    if facts.load.get("ceiling") is None:
        row.reasons["limit"] = "an endpoint's machine is not known here"
        row.cost = _cost(row.rate, None, 1, facts.usd, row.reasons)
        return row

    ceilings = ceilings_of(facts.load)
    _limits(row, facts, samples, ceilings)
    chip = ceilings.chip.name if ceilings.chip else None
    row.cost = _cost(row.rate, chip, ceilings.gpus, facts.usd, row.reasons)
    return row


def _doubts(facts: ShapeFacts, used: Sequence[dict[str, Any]]) -> list[Doubt]:
    """Why the figures made of ``used`` are worth less than they look."""
    doubts: list[Doubt] = []
    drifted = sum(line["drift"] > facts.speed.drift for line in used)
    if drifted:
        doubts.append(Doubt(kind="drift", count=drifted, of=len(used), limit=facts.speed.drift))
    if used and len(used) < facts.speed.repeats:
        doubts.append(Doubt(kind="few", count=len(used), of=facts.speed.repeats))
    return doubts


def _status(
    facts: ShapeFacts, lines: Sequence[dict[str, Any]], accepted: int, failure: str | None
) -> tuple[Status, str | None]:
    if failure is not None:
        return ("oom" if failure.startswith("OutOfMemoryError") else "failed"), failure
    if not lines:
        return "skipped", "not measured yet; the same command goes on"

    if accepted < facts.speed.repeats:
        rejected = len(lines) - accepted
        why = (
            f"{rejected} were rejected because the machine drifted by more than {facts.speed.drift:.0%}"
            if rejected
            else f"its {facts.speed.seconds:g} s were up"
            if sum(line["elapsed"] for line in lines) >= facts.speed.seconds
            else "it was interrupted"
        )
        return (
            "partial",
            f"{accepted} of {facts.speed.repeats} repeats: {why}; "
            "raise speed.seconds, measure on a quieter machine, or say --shared",
        )
    return "ok", None


def _identity(facts: ShapeFacts) -> Identity:
    load, who, spec = facts.load or {}, facts.who, facts.spec
    info = load.get("info") or {}
    arch = load.get("arch")

    # Some engines do not count their parameters; the formula's architecture does.
    parameters = info.get("parameters")
    if not parameters and arch:
        from harness.config.architecture import Architecture

        parameters = Architecture(**arch).parameters
    return Identity(
        id=spec.id,
        model_id=(who.get("who") or {}).get("model"),
        revision=who.get("revision"),
        weights=spec.weights,
        parameters=parameters,
        dtype=load.get("computed"),
        quantisation=load.get("quantisation"),
        engine=info.get("engine"),
        versions=info.get("versions") or {},
        device=info.get("device"),
        driver=load.get("driver"),
        gpus=int(load.get("gpus") or 0),
        threads=load.get("threads"),
        seed=spec.seed,
        config_hash=facts.config_hash,
        tokenizer_hash=digest(who["tokenizer"]) if who.get("tokenizer") else None,
    )


def _load(load: dict[str, Any] | None, lines: Sequence[dict[str, Any]]) -> LoadFigures:
    def most(key: str) -> int | None:
        return max((line[key] for line in lines if line.get(key) is not None), default=None)

    return LoadFigures(
        seconds=(load or {}).get("seconds"),
        weight_bytes=(load or {}).get("weight_bytes"),
        peak_device_bytes=most("peak_device_bytes"),
        peak_rss_bytes=most("peak_rss_bytes"),
    )


def _workload(shape: Shape, lines: Sequence[dict[str, Any]]) -> Workload:
    waves = len(lines[-1]["walls"]) if lines else 1
    return Workload(
        mode="open" if shape.rate else "closed",
        input=shape.input,
        output=shape.output,
        concurrency=shape.concurrency,
        rate=shape.rate,
        requests=shape.batch * waves,
        waves=waves,
    )


def _stolen(lines: Sequence[dict[str, Any]]) -> float | None:
    """Repeats weighted by their waves' seconds; None where one does not know."""
    shares = [line.get("stolen") for line in lines]
    seconds = [sum(line["walls"]) for line in lines]
    if not lines or None in shares:
        return None
    return float(
        sum(share * spent for share, spent in zip(shares, seconds, strict=True) if share is not None)
        / sum(seconds)
    )


def _stats(
    facts: ShapeFacts,
    lines: Sequence[dict[str, Any]],
    accepted: Sequence[dict[str, Any]],
    used: Sequence[dict[str, Any]],
    doubts: list[Doubt],
) -> Stats:
    values = [gate(line, facts.shape) for line in used]
    drifts = [line["drift"] for line in lines]
    stats = Stats(
        gate="e2e" if facts.shape.rate else "output_tps",
        warmups=2 * len({line["session"] for line in lines}),
        repeats=len(lines),
        rejected=len(lines) - len(accepted),
        samples=values,
        median=statistics.median(values) if values else None,
        cv=coefficient_of_variation(values),
        seconds=sum(line["elapsed"] for line in lines),
        drift_limit=facts.speed.drift,
        drift_median=statistics.median(drifts) if drifts else None,
        drift_max=max(drifts, default=None),
        stolen_share=_stolen(lines),
        doubts=doubts,
        interleaved_with=sorted(
            {name for line in lines for name in line.get("beside", ()) if name != facts.spec.label}
        ),
    )

    # The same test as the one that ended the repeats: "settled" is not judged twice by two rules.
    if len(values) > 1:
        interval = median_interval(values)
        low, high = (min(values), max(values)) if doubts else (interval.low, interval.high)
        stats.ci95, stats.half_width = (low, high), (high - low) / 2 / interval.median
        stats.settled = len(accepted) >= facts.speed.repeats and interval.half_width <= facts.speed.half_width
    return stats


def _limits(row: SpeedRow, facts: ShapeFacts, samples: Sequence[Sample], ceilings: Ceilings) -> None:
    assert facts.load is not None
    try:
        parts = phases(samples, facts.shape, facts.load)
        row.limit = limit_of(parts, ceilings, row.reasons)
        row.projected = projections(parts, facts.shape, ceilings, facts.speed.project, row.reasons)
    except HarnessError as error:
        row.reasons["limit"] = str(error)
        if facts.speed.project:
            row.reasons["projected"] = str(error)


def _energy(line: dict[str, Any] | None, reasons: dict[str, str]) -> EnergyFigures | None:
    reading = line.get("energy") if line else None
    if line is None or reading is None or reading.get("joules_gross") is None:
        reasons["energy"] = (line or {}).get(
            "reason"
        ) or "no energy window was measured (speed.energy_seconds)"
        return None

    # Gross joules stand without an idle power; the net ones need it.
    if reading.get("joules_net") is None:
        reasons["energy.joules_net"] = str(reading.get("reason"))
    joules = reading["joules_gross"]
    return EnergyFigures(
        joules_gross=joules,
        joules_idle=reading.get("joules_idle"),
        joules_net=reading.get("joules_net"),
        seconds=reading["seconds"],
        source=str(reading["source"]),
        tokens=line["tokens"],
        joules_per_token=joules / line["tokens"],
        joules_per_request=joules / line["requests"],
    )


def _cost(
    rate: ShapeRate, chip: str | None, gpus: int, usd: float | None, reasons: dict[str, str]
) -> Cost | None:
    price = usd_per_hour(chip, usd)
    if price is None or rate.output_tps is None or rate.total_tps is None:
        reasons["cost"] = why_no_price(chip)
        return None

    return Cost(
        usd_per_hour=price.usd_per_hour,
        source=price.source,
        date=price.date,
        gpus=gpus,
        usd_per_million_output=usd_per_million_tokens(price, rate.output_tps.median, gpus),
        usd_per_million_total=usd_per_million_tokens(price, rate.total_tps.median, gpus),
    )

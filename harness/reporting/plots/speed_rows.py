"""From the rows of ``speed.json`` (`harness bench`) to points, and from there to every picture of
speed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from harness.reporting.plots.memory import fitted_bars
from harness.reporting.plots.speed import (
    Phase,
    Roof,
    RooflinePoint,
    SpeedPoint,
    memory_chart,
    pareto_chart,
    roofline_chart,
    throughput_chart,
)
from harness.results.speed import SpeedRow
from harness.texts import Words

if TYPE_CHECKING:
    from altair import TopLevelMixin as Chart


def speed_figures(rows: Sequence[SpeedRow], words: Words) -> Iterator[tuple[str, Chart]]:
    """Every picture of speed that the rows hold data for, with its file's name: two per shape,
    one roofline, one of memory.
    """
    shapes: dict[tuple[int, int], list[SpeedPoint]] = {}
    for row in rows:
        point = speed_point(row)
        if point is not None:
            shapes.setdefault((row.workload.input, row.workload.output), []).append(point)

    # One level of concurrency is a point, and a point is no line.
    for (tokens_in, tokens_out), points in shapes.items():
        several = len({point.concurrency for point in points}) > 1
        if several:
            yield f"throughput-{tokens_in}-{tokens_out}", throughput_chart(points, words, points[0].shape)
        if several and any(point.latency is not None for point in points):
            yield f"latency-{tokens_in}-{tokens_out}", pareto_chart(points, words, points[0].shape)

    reached, roofs = roofline_points(rows), roofs_of(rows)
    if reached and roofs:
        yield "roofline", roofline_chart(reached, roofs, words)

    # Memory is drawn for the largest shape: what fits it, fits the others.
    if rows:
        work = max(rows, key=_tokens).workload
        context, batch = work.input + work.output, work.concurrency or 1
        bars = fitted_bars(((row.model, row.identity.id, row.identity.dtype) for row in rows), context, batch)
        if bars:
            yield "memory", memory_chart(bars, words, context, batch)


def _tokens(row: SpeedRow) -> int:
    return (row.workload.input + row.workload.output) * (row.workload.concurrency or 1)


def speed_point(row: SpeedRow) -> SpeedPoint | None:
    """Output tokens per second and median end-to-end latency of a closed-loop row; None for others,
    and for rows without a rate.
    """
    work, rate = row.workload, row.rate.output_tps
    if work.mode != "closed" or rate is None or not work.concurrency:
        return None
    latency = row.latency_ms.e2e.p50 if row.latency_ms.e2e is not None else None
    shape = f"{work.input:,} → {work.output:,}"
    return SpeedPoint(row.model, work.concurrency, rate.median, rate.ci95, latency, "e2e p50", shape)


def roofline_points(rows: Iterable[SpeedRow]) -> list[RooflinePoint]:
    """Prefill and decode of every row that has them, else the whole wave."""
    reached = []
    for row in rows:
        limit, work = row.limit, row.workload

        # The whole wave mixes both phases, so it stands only where they were not told apart.
        parts: list[tuple[Phase, object]] = [("prefill", limit.prefill), ("decode", limit.decode)]
        names: list[Phase] = [name for name, phase in parts if phase is not None] or ["whole"]
        shape = f"{work.input:,} → {work.output:,} × {work.concurrency or 1}"
        for name in names:
            phase = getattr(limit, name)
            if phase is not None and phase.flops and phase.bytes and phase.seconds:
                intensity, rate = phase.flops / phase.bytes, phase.flops / phase.seconds
                reached.append(RooflinePoint(row.model, name, intensity, rate, shape))
    return reached


def roofs_of(rows: Iterable[SpeedRow]) -> list[Roof]:
    """The ceilings that the rows were held against, each once; of one name's repeated measurements
    the highest.
    """
    roofs: dict[tuple[str, bool], Roof] = {}
    for row in rows:
        for phase in filter(None, (row.limit.prefill, row.limit.decode, row.limit.whole)):
            for share, measured in ((phase.measured, True), (phase.datasheet, False)):
                if share is None:
                    continue

                # Ceilings are measured before each row; the best of them was reached, so it is one.
                old = roofs.get((share.name, measured))
                if old is None or share.flops > old.flops:
                    roofs[share.name, measured] = Roof(share.name, share.flops, share.bandwidth, measured)
    return list(roofs.values())

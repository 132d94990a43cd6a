"""From the rows of ``speed.json`` (`harness bench`), as JSON has them, to points, and from there to every picture of speed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.report.html.words import Words
from harness.report.plots.memory import fitted_bars
from harness.report.plots.speed import Phase, Roof, RooflinePoint, SpeedPoint, memory_chart, pareto_chart, roofline_chart, throughput_chart

if TYPE_CHECKING:
    from altair import TopLevelMixin as Chart

Row = Mapping[str, Any]


def speed_figures(rows: Sequence[Row], words: Words) -> Iterator[tuple[str, Chart]]:
    """Every picture of speed that the rows hold data for, with its file's name: two a shape, one roofline, one of memory."""
    by_shape: dict[tuple[int, int], list[SpeedPoint]] = {}
    for row in rows:
        point = speed_point(row)
        if point is not None:
            by_shape.setdefault((row["workload"]["input"], row["workload"]["output"]), []).append(point)
    for (given, made), points in by_shape.items():
        several = len({point.concurrency for point in points}) > 1
        if several:
            yield f"throughput-{given}-{made}", throughput_chart(points, words, points[0].shape)
        if several and any(point.latency is not None for point in points):
            yield f"latency-{given}-{made}", pareto_chart(points, words, points[0].shape)
    reached, roofs = roofline_points(rows), roofs_of(rows)
    if reached and roofs:
        yield "roofline", roofline_chart(reached, roofs, words)
    widest = max(rows, key=_tokens, default=None)
    if widest is not None:
        work = widest["workload"]
        context, batch = work["input"] + work["output"], work.get("concurrency") or 1
        bars = fitted_bars(((row["model"], row["identity"]["id"], row["identity"].get("dtype")) for row in rows), context, batch)
        if bars:
            yield "memory", memory_chart(bars, words, context, batch)


def _tokens(row: Row) -> int:
    work = row["workload"]
    return int((work["input"] + work["output"]) * (work.get("concurrency") or 1))


def speed_point(row: Row) -> SpeedPoint | None:
    """Output tokens a second and median end-to-end latency of a closed-loop row; None for others, and for rows without a rate."""
    work, rate = row["workload"], row["rate"].get("output_tps")
    if work["mode"] != "closed" or rate is None or not work.get("concurrency"):
        return None
    latency = (row["latency_ms"].get("e2e") or {}).get("p50")
    shape = f"{work['input']:,} → {work['output']:,}"
    ends = (float(rate["ci95"][0]), float(rate["ci95"][1])) if rate.get("ci95") else None
    return SpeedPoint(row["model"], work["concurrency"], rate["median"], ends, latency, "e2e p50", shape)


def roofline_points(rows: Iterable[Row]) -> list[RooflinePoint]:
    """Prefill and decode of every row that has them, else the whole wave."""
    found = []
    for row in rows:
        limit, work = row["limit"], row["workload"]
        parts: list[Phase] = ["prefill", "decode"]
        known = [phase for phase in parts if limit.get(phase)] or (["whole"] if limit.get("whole") else [])
        shape = f"{work['input']:,} → {work['output']:,} × {work.get('concurrency') or 1}"
        for phase in known:
            flops, moved, seconds = (limit[phase][key] for key in ("flops", "bytes", "seconds"))
            if flops and moved and seconds:
                found.append(RooflinePoint(row["model"], phase, flops / moved, flops / seconds, shape))
    return found


def roofs_of(rows: Iterable[Row]) -> list[Roof]:
    """The ceilings that the rows were held against, each once; of one name's repeated measurements the highest."""
    found: dict[tuple[str, bool], Roof] = {}
    for row in rows:
        for phase in row["limit"].values():
            for kind in ("measured", "datasheet"):
                share = (phase or {}).get(kind)
                if share:
                    key, old = (share["name"], kind == "measured"), found.get((share["name"], kind == "measured"))
                    if old is None or share["flops"] > old.flops:
                        found[key] = Roof(share["name"], share["flops"], share["bandwidth"], kind == "measured")
    return list(found.values())

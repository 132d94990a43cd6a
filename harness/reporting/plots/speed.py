"""Pictures of speed: throughput against concurrency, latency against throughput, the roofline with
what was measured, memory by part.

Each takes plain points, so that figures of any origin can be drawn;
`harness.reporting.plots.speed_rows` makes them from ``speed.json``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from harness.reporting.plots.axes import Axis, Kinds, Names, hover
from harness.reporting.plots.forms import ROOM, bars, level, lines, table
from harness.reporting.plots.theme import FAINT, INK, Rows, fixed, heading, series
from harness.texts import Words

if TYPE_CHECKING:
    import altair
    from altair import TopLevelMixin as Chart

Interval = tuple[float, float]
Phase = Literal["prefill", "decode", "whole"]


@dataclass(frozen=True)
class SpeedPoint:
    """One measured shape of one series (a model, or a model on an engine)."""

    series: str
    concurrency: float
    """Requests at once."""
    throughput: float
    """Output tokens per second."""
    throughput_ci95: Interval | None = None
    latency: float | None = None
    """Milliseconds."""
    latency_name: str = ""
    """Which latency, as the axis says it: ``e2e p50`` …"""
    shape: str = ""
    """Tokens in and out: ``512 → 128``."""


@dataclass(frozen=True)
class RooflinePoint:
    """What one phase of one shape reached: FLOPs per byte, and FLOP/s."""

    series: str
    phase: Phase
    intensity: float
    flops: float
    shape: str = ""


@dataclass(frozen=True)
class Roof:
    """A machine's ceilings: FLOP/s and bytes/s, measured or from a datasheet."""

    name: str
    flops: float
    bandwidth: float
    measured: bool = True


@dataclass(frozen=True)
class MemoryBar:
    """Bytes of a model by part."""

    name: str
    weights: float
    cache: float
    activations: float


PARTS = (("weights", "#1f4e79"), ("cache", "#E69F00"), ("activations", "#d9d9d9"))
"""Dark, middling, light: told apart in grey, too."""
GIB, MIB = 2.0**30, 2.0**20


def throughput_chart(points: Sequence[SpeedPoint], words: Words, shape: str = "") -> Chart:
    """Output tokens per second against requests at once: one line per series, bars for the 95 %
    intervals.
    """
    import altair as alt

    rows = []
    for point in points:
        low, high = point.throughput_ci95 or (point.throughput, point.throughput)
        rows.append({**asdict(point), "low": low, "high": high, "interval": _between(point.throughput_ci95)})

    # Concurrency is doubled from shape to shape, so the axis is of powers of two, with a tick for
    # what was measured and no other.
    counts = sorted({point.concurrency for point in points})
    x = Axis(words("axis_concurrency"), log=True, base=2, room=12, ticks=counts, format="~g")
    y = Axis(words("axis_throughput"), zero=True)
    tips = _tips(("series", "concurrency", "throughput", "interval", "shape"), words)
    layers = lines(rows, x, y, _kinds(rows), ("concurrency", "throughput"), ends=("low", "high"), tips=tips)
    more = _shaped_as(shape, words, "p_throughput")
    return heading(alt.layer(*layers), words("h_throughput"), more, words.language)


def pareto_chart(points: Sequence[SpeedPoint], words: Words, shape: str = "") -> Chart:
    """Latency (up, less is better) against throughput (right, more is better); along a line
    concurrency rises. Points without latency are left out.
    """
    import altair as alt

    rows = [asdict(point) for point in points if point.latency is not None]
    name = next((point.latency_name for point in points if point.latency_name), "")
    x = _rate_axis(words("axis_throughput"), [row["throughput"] for row in rows])
    y = _rate_axis(words("axis_latency", name=name), [row["latency"] for row in rows])

    tips = _tips(("series", "concurrency", "throughput", "latency", "shape"), words)
    fields = ("throughput", "latency")
    layers = lines(rows, x, y, _kinds(rows), fields, order="concurrency", tips=tips)
    count = alt.Chart(table(rows)).mark_text(dy=-9, fontSize=9, color=FAINT)
    texts = count.encode(x=x.x(fields[0]), y=y.y(fields[1]), text=alt.Text("concurrency:Q", format="~g"))
    more = _shaped_as(shape, words, "p_pareto")
    return heading(alt.layer(*layers, texts), words("h_pareto"), more, words.language)


def roofline_chart(points: Sequence[RooflinePoint], roofs: Sequence[Roof], words: Words) -> Chart:
    """FLOP/s against FLOPs per byte, both logarithmic, below what the machine can do at most:
    min(FLOP/s, bytes/s × intensity).
    """
    import altair as alt

    ends = [point.intensity for point in points] + [roof.flops / roof.bandwidth for roof in roofs]
    low, high = min(ends) / 3, max(ends) * 4
    bends = [bend for roof in roofs for bend in _bends(roof, low, high, words)]
    tops = [row["flops"] for row in bends] + [point.flops for point in points]
    across = Axis(words("axis_intensity"), domain=(low, high), log=True, ticks=6, format="~g")
    up = Axis(words("axis_rate"), domain=(min(tops) / 2, max(tops) * 2), log=True, ticks=6, format="~s")
    x, y = across.x("intensity"), up.y("flops")

    # A ceiling from a datasheet is broken: no one has seen this machine reach it.
    names = [words("p_measured"), words("p_datasheet")]
    known = alt.Scale(domain=names, range=[[1, 0], [5, 4]])
    dash = alt.StrokeDash("kind:N", scale=known, title=words("p_ceiling"))
    roof_lines = alt.Chart(table(bends)).mark_line(color=INK)
    roof_lines = roof_lines.encode(
        x=x, y=y, strokeDash=dash, detail=alt.Detail("roof:N"), tooltip=alt.Tooltip("roof:N")
    )

    rows = [{**asdict(point), "phase": words(f"phase_{point.phase}")} for point in points]
    tips = _tips(("series", "phase", "shape", "intensity", "flops"), words)
    base = alt.Chart(table(rows)).encode(x=x, y=y, tooltip=tips)
    kinds = _kinds(rows)
    dots = base.mark_point().encode(color=kinds.color, shape=kinds.shape)
    phases = base.mark_text(align="left", dx=7, dy=4, fontSize=9, color=FAINT).encode(
        text=alt.Text("phase:N")
    )
    layers = alt.layer(roof_lines, dots, phases)
    return heading(layers, words("h_roofline"), words("p_roofline"), words.language)


def _bends(roof: Roof, low: float, high: float, words: Words) -> Rows:
    """The three points of a ceiling: where it begins, its ridge, and where it ends."""
    kind = words("p_measured") if roof.measured else words("p_datasheet")
    return [
        {
            "roof": f"{roof.name} ({kind})",
            "kind": kind,
            "intensity": intensity,
            "flops": min(roof.flops, roof.bandwidth * intensity),
        }
        for intensity in (low, roof.flops / roof.bandwidth, high)
    ]


def memory_chart(
    fits: Sequence[MemoryBar],
    words: Words,
    context: int,
    batch: int,
    capacity: tuple[str, float] | None = None,
) -> Chart:
    """Memory by part for ``batch`` sequences of ``context`` tokens, one stacked bar per model;
    ``capacity`` (name, bytes) as a broken line.
    """
    import altair as alt

    parts = {part: words(f"memory_{part}") for part, _ in PARTS}
    most = max(fit.weights + fit.cache + fit.activations for fit in fits)
    size, unit = (GIB, "GiB") if most >= GIB / 2 else (MIB, "MiB")
    rows = [
        {"name": fit.name, "part": parts[part], "order": number, "amount": getattr(fit, part) / size}
        for fit in fits
        for number, (part, _) in enumerate(PARTS)
    ]

    kinds = Kinds("part", fixed(list(parts.values()), [colour for _, colour in PARTS]))
    axis = Axis(words("axis_memory", unit=unit))
    tips = [alt.Tooltip("name:N"), alt.Tooltip("part:N"), *hover({"amount": unit}, "Q", ".3f")]
    names = Names("name", [fit.name for fit in fits])
    layers = [bars(rows, names, axis, kinds, value="amount", order="order", tips=tips)]
    if capacity is not None:
        layers.append(level("amount", capacity[1] / size, axis.x("amount"), strokeDash=[5, 4], color=INK))

    facts = {"context": f"{context:,}", "batch": f"{batch:,}"}
    more = words("p_memory_limit", name=capacity[0], **facts) if capacity else words("p_memory", **facts)
    chart = alt.layer(*layers).properties(height=26 * len(fits) + ROOM)
    return heading(chart, words("h_memory"), more, words.language)


def _kinds(rows: Rows) -> Kinds:
    return Kinds("series", series([row["series"] for row in rows]))


def _tips(fields: Sequence[str], words: Words) -> list[altair.Tooltip]:
    numbers = ("concurrency", "throughput", "latency", "intensity", "flops")
    return [
        tip
        for name in fields
        for tip in hover({name: words(f"tip_{name}")}, *(("Q", ".4~s") if name in numbers else ("N", None)))
    ]


def _rate_axis(title: str, values: Sequence[float]) -> Axis:
    """Logarithmic where values spread over more than a factor of eight, from 0 else."""
    if min(values) > 0 and max(values) / min(values) > 8:
        return Axis(title, log=True, room=16, format="~s")
    return Axis(title, zero=True, format="~s")


def _between(ends: Interval | None) -> str:
    return "–" if ends is None else f"{ends[0]:,.4g} … {ends[1]:,.4g}"


def _shaped_as(shape: str, words: Words, key: str) -> str:
    return f"{words('p_shape', shape=shape)} {words(key)}" if shape else words(key)

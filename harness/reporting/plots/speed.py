"""Pictures of speed: throughput against concurrency, latency against throughput, the roofline with
what was measured, memory by part.

Each takes plain points, so that figures of any origin can be drawn;
`harness.reporting.plots.speed_rows` makes them from ``speed.json``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.reporting.plots.theme import FAINT, INK, Rows, heading, series
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
    """Output tokens a second."""
    throughput_ci95: Interval | None = None
    latency: float | None = None
    """Milliseconds."""
    latency_name: str = ""
    """Which latency, as the axis says it: ``e2e p50`` …"""
    shape: str = ""
    """Tokens in and out: ``512 → 128``."""


@dataclass(frozen=True)
class RooflinePoint:
    """What one phase of one shape reached: FLOPs a byte, and FLOP/s."""

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
    """Output tokens a second against requests at once: a line a series, bars for the 95 %
    intervals.
    """
    import altair as alt

    rows = []
    for point in points:
        low, high = point.throughput_ci95 or (point.throughput, point.throughput)
        rows.append({**asdict(point), "low": low, "high": high, "interval": _between(point.throughput_ci95)})
    base, marks = _lines(rows, words, ("series", "concurrency", "throughput", "interval", "shape"))
    ticks = alt.Axis(values=sorted({point.concurrency for point in points}), format="~g", grid=True)
    x = alt.X(
        "concurrency:Q",
        title=words("axis_concurrency"),
        scale=alt.Scale(type="log", base=2, nice=False, padding=12),
        axis=ticks,
    )
    y = alt.Y("throughput:Q", title=words("axis_throughput"), scale=alt.Scale(zero=True))
    whiskers = base.mark_rule(strokeWidth=1.2).encode(
        x=x, y=alt.Y("low:Q", title=words("axis_throughput")), y2="high:Q", color=marks["color"]
    )
    drawn = alt.layer(
        base.mark_line().encode(x=x, y=y, **_dashed(marks)),
        whiskers,
        base.mark_point().encode(x=x, y=y, **_shaped(marks)),
    )
    return heading(drawn, words("h_throughput"), _shaped_as(shape, words, "p_throughput"), words.language)


def pareto_chart(points: Sequence[SpeedPoint], words: Words, shape: str = "") -> Chart:
    """Latency (up, less is better) against throughput (right, more is better); along a line
    concurrency rises. Points without latency are left out.
    """
    import altair as alt

    rows = [asdict(point) for point in points if point.latency is not None]
    base, marks = _lines(rows, words, ("series", "concurrency", "throughput", "latency", "shape"))
    x = alt.X(
        "throughput:Q",
        title=words("axis_throughput"),
        scale=_scale([row["throughput"] for row in rows]),
        axis=alt.Axis(format="~s"),
    )
    name = next((point.latency_name for point in points if point.latency_name), "")
    y = alt.Y(
        "latency:Q",
        title=words("axis_latency", name=name),
        scale=_scale([row["latency"] for row in rows]),
        axis=alt.Axis(format="~s"),
    )
    order = alt.Order("concurrency:Q")
    lines = base.mark_line().encode(x=x, y=y, order=order, **_dashed(marks))
    dots = base.mark_point().encode(x=x, y=y, **_shaped(marks))
    count = base.mark_text(dy=-9, fontSize=9, color=FAINT).encode(
        x=x, y=y, text=alt.Text("concurrency:Q", format="~g")
    )
    return heading(
        alt.layer(lines, dots, count), words("h_pareto"), _shaped_as(shape, words, "p_pareto"), words.language
    )


def roofline_chart(points: Sequence[RooflinePoint], roofs: Sequence[Roof], words: Words) -> Chart:
    """FLOP/s against FLOPs a byte, both logarithmic, below what the machine can do at most:
    min(FLOP/s, bytes/s × intensity).
    """
    import altair as alt

    ends = [point.intensity for point in points] + [roof.flops / roof.bandwidth for roof in roofs]
    low, high = min(ends) / 3, max(ends) * 4
    bends: Rows = []
    for roof in roofs:
        kind = words("p_measured") if roof.measured else words("p_datasheet")
        for intensity in (low, roof.flops / roof.bandwidth, high):
            speed = min(roof.flops, roof.bandwidth * intensity)
            bends.append(
                {"roof": f"{roof.name} ({kind})", "kind": kind, "intensity": intensity, "flops": speed}
            )
    tops = [row["flops"] for row in bends] + [point.flops for point in points]
    across = alt.Scale(type="log", domain=[low, high], nice=False)
    up = alt.Scale(type="log", domain=[min(tops) / 2, max(tops) * 2], nice=False)
    x = alt.X(
        "intensity:Q", title=words("axis_intensity"), scale=across, axis=alt.Axis(format="~g", tickCount=6)
    )
    y = alt.Y("flops:Q", title=words("axis_rate"), scale=up, axis=alt.Axis(format="~s", tickCount=6))
    kinds = [words("p_measured"), words("p_datasheet")]
    solid = alt.StrokeDash(
        "kind:N", scale=alt.Scale(domain=kinds, range=[[1, 0], [5, 4]]), title=words("p_ceiling")
    )
    lines = (
        alt.Chart(alt.Data(values=bends))
        .mark_line(color=INK)
        .encode(x=x, y=y, strokeDash=solid, detail="roof:N", tooltip="roof:N")
    )
    rows = [{**asdict(point), "phase": words(f"phase_{point.phase}")} for point in points]
    told = series([point.series for point in points])
    color = alt.Color("series:N", scale=told.color, title=None)
    shape = alt.Shape("series:N", scale=told.shape, title=None)
    fields = ("series", "phase", "shape", "intensity", "flops")
    base = alt.Chart(alt.Data(values=rows)).encode(x=x, y=y, tooltip=_tips(fields, words))
    dots = base.mark_point().encode(color=color, shape=shape)
    phases = base.mark_text(align="left", dx=7, dy=4, fontSize=9, color=FAINT).encode(text="phase:N")
    return heading(alt.layer(lines, dots, phases), words("h_roofline"), words("p_roofline"), words.language)


def memory_chart(
    bars: Sequence[MemoryBar],
    words: Words,
    context: int,
    batch: int,
    capacity: tuple[str, float] | None = None,
) -> Chart:
    """Memory by part for ``batch`` sequences of ``context`` tokens, a stacked bar a model;
    ``capacity`` (name, bytes) as a broken line.
    """
    import altair as alt

    names = {part: words(f"memory_{part}") for part, _ in PARTS}
    most = max(bar.weights + bar.cache + bar.activations for bar in bars)
    size, unit = (GIB, "GiB") if most >= GIB / 2 else (MIB, "MiB")
    rows = [
        {"name": bar.name, "part": names[part], "order": number, "amount": getattr(bar, part) / size}
        for bar in bars
        for number, (part, _) in enumerate(PARTS)
    ]
    color = alt.Color(
        "part:N",
        scale=alt.Scale(domain=list(names.values()), range=[colour for _, colour in PARTS]),
        title=None,
    )
    y = alt.Y("name:N", sort=[bar.name for bar in bars], title=None, axis=alt.Axis(ticks=False, domain=False))
    tips = [alt.Tooltip("name:N"), alt.Tooltip("part:N"), alt.Tooltip("amount:Q", title=unit, format=".3f")]
    x = alt.X("amount:Q", title=words("axis_memory", unit=unit), stack="zero")
    stacked = alt.Chart(alt.Data(values=rows)).mark_bar(stroke=INK, strokeWidth=0.5, height={"band": 0.7})
    layers: list[Any] = [stacked.encode(x=x, y=y, color=color, order="order:Q", tooltip=tips)]
    if capacity is not None:
        limit = alt.Chart(alt.Data(values=[{"amount": capacity[1] / size, "name": capacity[0]}]))
        layers.append(limit.mark_rule(strokeDash=[5, 4], color=INK).encode(x="amount:Q", tooltip="name:N"))
    facts = {"context": f"{context:,}", "batch": f"{batch:,}"}
    more = words("p_memory_limit", name=capacity[0], **facts) if capacity else words("p_memory", **facts)
    return heading(
        alt.layer(*layers).properties(height=26 * len(bars) + 8), words("h_memory"), more, words.language
    )


def _lines(rows: list[dict[str, Any]], words: Words, fields: Sequence[str]) -> tuple[Any, dict[str, Any]]:
    import altair as alt

    told = series([row["series"] for row in rows])
    marks = {
        "color": alt.Color("series:N", scale=told.color, title=None),
        "shape": alt.Shape("series:N", scale=told.shape, title=None),
        "dash": alt.StrokeDash(
            "style:N", scale=told.dash, legend=None
        ),  # a field of its own: else the other legends go, too,
    }
    styled = [{**row, "style": row["series"]} for row in rows]
    return alt.Chart(alt.Data(values=styled)).encode(tooltip=_tips(fields, words)), marks


def _dashed(marks: dict[str, Any]) -> dict[str, Any]:
    return {"color": marks["color"], "strokeDash": marks["dash"]}


def _shaped(marks: dict[str, Any]) -> dict[str, Any]:
    return {"color": marks["color"], "shape": marks["shape"]}


def _tips(fields: Sequence[str], words: Words) -> list[altair.Tooltip]:
    import altair

    numbers = ("concurrency", "throughput", "latency", "intensity", "flops")
    return [
        altair.Tooltip(f"{name}:Q", title=words(f"tip_{name}"), format=".4~s")
        if name in numbers
        else altair.Tooltip(f"{name}:N", title=words(f"tip_{name}"))
        for name in fields
    ]


def _scale(values: Sequence[float]) -> altair.Scale:
    """Logarithmic where values spread over more than a factor of eight, from 0 else."""
    import altair

    log = min(values) > 0 and max(values) / min(values) > 8
    return altair.Scale(type="log", nice=False, padding=16) if log else altair.Scale(zero=True)


def _between(ends: Interval | None) -> str:
    return "–" if ends is None else f"{ends[0]:,.4g} … {ends[1]:,.4g}"


def _shaped_as(shape: str, words: Words, key: str) -> str:
    return f"{words('p_shape', shape=shape)} {words(key)}" if shape else words(key)

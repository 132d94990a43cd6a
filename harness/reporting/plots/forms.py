"""The forms that a chart can have: dots with intervals, lines, bars, a scatter with its frontier, a
shaded grid.

Each takes rows of plain values and says nothing of models or tasks, so that scores, speed, votes
and likes are drawn by the same few functions, in a picture as on the page.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.reporting.inert import visible
from harness.reporting.plots.axes import STYLE, Axis, Kinds, Names
from harness.reporting.plots.theme import COLOURS, FAINT, INK, Rows

ROW, ROW_ABOVE = 24, 34
"""Points that a row is high with its name beside it, and with its name above its mark."""
CHARS = 42
"""Characters of a name that have room above a row, beside its score (a Chinese one counts twice)."""
ROOM = 8
"""Points above the first row and below the last one, together."""


@dataclass(frozen=True)
class Frame:
    """The place that a chart is drawn for.

    On paper names stand beside their rows and series in a legend. On the page a chart must be read
    on a phone: it is ``width`` points wide with everything, names stand above their rows, and
    points have numbers, whose names are in a list below.
    """

    width: int | None = None

    @property
    def page(self) -> bool:
        """Whether it is the page's."""
        return self.width is not None

    def fit(self, chart: Any, **size: Any) -> Any:
        """The chart in its size: that of the plot on paper, that of the whole on the page."""
        import altair

        if not self.page:
            return chart.properties(**size)
        fit = altair.AutoSizeParams(type="fit-x", contains="padding")
        return chart.properties(**{**size, "width": self.width}, autosize=fit)


PAPER, PAGE = Frame(), Frame(360)


def table(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows as a chart's data: dates and other objects as texts, since they are written as JSON."""
    import altair

    # A tuple, since Altair copies lists with all their rows for every layer that is joined.
    return altair.Data(values=tuple({key: _plain(value) for key, value in row.items()} for row in rows))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.date):
        return str(value)
    return value if value is None or isinstance(value, str | int | float | bool | list) else str(value)


def level(field: str, value: float, channel: Any, **look: Any) -> Any:
    """A line across the chart at one value of an axis, broken where nothing else is said."""
    import altair

    dash = {"strokeDash": [4, 3], "color": FAINT} | look
    name = "y" if isinstance(channel, altair.Y) else "x"
    return altair.Chart(table([{field: value}])).mark_rule(aria=False, **dash).encode(**{name: channel})


def dots(
    rows: Sequence[Mapping[str, Any]],
    names: Names,
    axis: Axis,
    *,
    value: str = "value",
    ends: tuple[str, str] | None = ("low", "high"),
    kinds: Kinds | None = None,
    size: int = 70,
    tips: Sequence[Any] = (),
) -> list[Any]:
    """The layers of one row per name: a dot at its value, a line between its ``ends``."""
    import altair

    base = altair.Chart(table(rows)).encode(**names.channels)
    layers = []
    if ends is not None:
        line = base.mark_rule(aria=False, strokeWidth=2, **({} if kinds else {"color": COLOURS[0]}))
        marks = {"color": kinds.color} if kinds else {}
        layers.append(line.encode(x=axis.x(ends[0]), x2=altair.X2(f"{ends[1]}"), tooltip=list(tips), **marks))

    # Without series the dot has an edge: it lies on the line of its own interval.
    if kinds is None:
        dot = base.mark_point(fill=COLOURS[0], stroke=INK, strokeWidth=1, size=size)
        return [*layers, dot.encode(x=axis.x(value), tooltip=list(tips), **_hint(rows))]
    dot = base.mark_point(size=size)
    marks = {"color": kinds.color, "shape": kinds.shape, **_hint(rows)}
    return [*layers, dot.encode(x=axis.x(value), tooltip=list(tips), **marks)]


def _hint(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What each mark says of itself, from the field ``hint`` where rows have one: a screen reader
    reads it in a picture, and the page shows it on hover.
    """
    import altair

    return {"description": altair.Description("hint:N")} if rows and "hint" in rows[0] else {}


def row_texts(rows: Sequence[Mapping[str, Any]], names: Names, frame: Frame, value: str | None) -> list[Any]:
    """The layers of names above their rows, and of one field at the right end; none on paper."""
    import altair

    if not frame.page:
        return []
    shown = [{**row, "shown": clipped(str(row[names.field]))} for row in rows]
    base = altair.Chart(table(shown)).encode(**names.channels)
    name = base.mark_text(aria=False, align="left", dy=-12, fontSize=12).encode(
        x=altair.XValue(0), text=altair.Text("shown:N")
    )
    if value is None:
        return [name]
    figure = base.mark_text(aria=False, align="right", dy=-12, fontSize=12, fontWeight=600)
    return [name, figure.encode(x=altair.XValue("width"), text=altair.Text(f"{value}:N"))]


def reasons(rows: Sequence[Mapping[str, Any]], names: Names) -> list[Any]:
    """The layer of rows that have no mark but a text ``why``."""
    import altair

    base = altair.Chart(table(rows)).encode(**names.channels)
    text = base.mark_text(aria=False, align="left", dx=2, dy=3, fontSize=11, color=FAINT)
    return [text.encode(x=altair.XValue(0), text=altair.Text("why:N"))]


def clipped(name: str, most: int = CHARS) -> str:
    """A name that fits above its row; Chinese characters are twice as wide."""
    part, width = "", 0
    for char in visible(name):
        width += 2 if ord(char) > 0x2E7F else 1
        if width > most:
            return part + "…"
        part += char
    return part


def lines(
    rows: Sequence[Mapping[str, Any]],
    x: Axis,
    y: Axis,
    kinds: Kinds | None,
    fields: tuple[str, str],
    *,
    ends: tuple[str, str] | None = None,
    detail: str | None = None,
    order: str | None = None,
    step: bool = False,
    width: float = 1.6,
    size: float | None = None,
    tips: Sequence[Any] = (),
) -> list[Any]:
    """The layers of one line per series through its points, with intervals upwards where there are
    ``ends``.

    ``detail`` breaks a line where its value changes; ``order`` says what a line follows other than
    x; ``step`` keeps a value until the next point.
    """
    import altair

    styled = [{**row, STYLE: row[kinds.field]} for row in rows] if kinds else rows
    base = altair.Chart(table(styled))
    across, up = x.x(fields[0]), y.y(fields[1])
    colour: dict[str, Any] = {"color": kinds.color} if kinds else {}
    more: dict[str, Any] = {"detail": altair.Detail(f"{detail}:N")} if detail else {}
    more |= {"order": altair.Order(f"{order}:Q")} if order else {}
    more |= {"strokeDash": kinds.dash} if kinds else {}

    line = base.mark_line(aria=False, strokeWidth=width, interpolate="step-after" if step else "linear")
    layers = [line.encode(x=across, y=up, **colour, **more)]
    if ends is not None:
        whisker = base.mark_rule(aria=False, strokeWidth=1.2, opacity=0.7)
        layers.append(
            whisker.encode(x=across, y=y.y(ends[0]), y2=altair.Y2(f"{ends[1]}"), tooltip=list(tips), **colour)
        )
    point = base.mark_point(**({"size": size} if size else {}))
    colour |= {"shape": kinds.shape} if kinds else {}
    return [*layers, point.encode(x=across, y=up, tooltip=list(tips), **colour)]


def bars(
    rows: Sequence[Mapping[str, Any]],
    names: Names,
    axis: Axis,
    kinds: Kinds,
    *,
    value: str,
    order: str | None = None,
    tips: Sequence[Any] = (),
) -> Any:
    """One bar per name; of several rows of one name, parts laid end to end in ``order``."""
    import altair

    edge: dict[str, Any] = {"stroke": INK, "strokeWidth": 0.5, "height": {"band": 0.7}} if order else {}
    length = axis.x(value)
    more = {"order": altair.Order(f"{order}:Q")} if order else {}
    drawn, rows_of = altair.Chart(table(rows)).mark_bar(**edge), replace(names, ruled=False).channels
    return drawn.encode(x=length, color=kinds.color, tooltip=list(tips), **rows_of, **more)


def scatter(
    rows: Sequence[Mapping[str, Any]],
    x: Axis,
    y: Axis,
    kinds: Kinds | None,
    *,
    best: Rows,
    tips: Sequence[Any] = (),
) -> list[Any]:
    """The layers of points (fields x, y) with intervals (left, right, low, high) and the frontier
    ``best`` as a broken line.

    Without series a point has its ``number`` above it.
    """
    import altair

    base = altair.Chart(table(rows)).encode(tooltip=list(tips))
    colour = {"color": kinds.color} if kinds else {"color": altair.ColorValue(COLOURS[0])}
    across, up = x.x("x"), y.y("y")
    frontier = altair.Chart(table(best)).mark_line(
        aria=False, strokeDash=[5, 4], color=FAINT, strokeWidth=1.2
    )
    whisker = base.mark_rule(aria=False, strokeWidth=1.4)
    layers = [
        frontier.encode(x=across, y=up),
        whisker.encode(x=across, y=y.y("low"), y2=altair.Y2("high"), **colour),
        whisker.encode(x=x.x("left"), x2=altair.X2("right"), y=up, **colour),
    ]
    if kinds is not None:
        point = base.mark_point(size=75)
        return [*layers, point.encode(x=across, y=up, shape=kinds.shape, **colour, **_hint(rows))]

    # A number stands above the interval's upper end, where it hides no line.
    number = base.mark_text(aria=False, dy=-8, fontSize=12, fontWeight=700).encode(
        x=across, y=y.y("high"), text=altair.Text("number:N")
    )
    point = base.mark_point(size=50).encode(x=across, y=up, **colour, **_hint(rows))
    return [*layers, point, number]


def cells(
    rows: Sequence[Mapping[str, Any]],
    order: tuple[Sequence[str], Sequence[str]],
    scale: Mapping[str, Any],
    *,
    wide: int,
    tips: Sequence[Any] = (),
) -> Any:
    """A shaded grid of fields row, column, text, shade (None: white), light (white text) and strong
    (bold). ``order``: names of the rows, names of the columns.
    """
    import altair

    down, columns = order
    plain = {"ticks": False, "domain": False, "grid": False, "labelOverlap": False}
    tilt = {"labelAngle": -35} if max(map(len, columns)) > 8 else {"labelAngle": 0}
    top = altair.Axis(orient="top", **plain, **tilt)
    base = altair.Chart(table(rows)).encode(
        x=altair.X("column:N", sort=list(columns), title=None, axis=top),
        y=altair.Y("row:N", sort=list(down), title=None, axis=altair.Axis(**plain)),
        tooltip=list(tips),
    )

    shade = altair.Color("shade:Q", scale=altair.Scale(**scale), legend=None)
    fill = altair.condition("datum.shade === null", altair.value("white"), shade)
    ink = altair.condition("datum.light", altair.value("white"), altair.value(INK))
    layers = [base.mark_rect(aria=False, stroke="#ffffff", strokeWidth=1.5).encode(color=fill)]

    # Vega-Lite has no condition on a font's weight, so bold figures are a layer of their own.
    for strong, weight in ((False, "normal"), (True, "bold")):
        some = base.transform_filter(f"datum.strong === {str(strong).lower()}")
        layers.append(
            some.mark_text(aria=False, fontSize=10, fontWeight=weight).encode(
                text=altair.Text("text:N"), color=ink
            )
        )
    wide = wide if len(columns) <= 12 else 50
    return altair.layer(*layers).properties(width=wide * len(columns), height=22 * len(down))

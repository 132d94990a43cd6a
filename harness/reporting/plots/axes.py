"""What the marks of a chart are laid out by: axes of figures and of dates, names down the side, and
the series that colour, shape and dash tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.reporting.plots.theme import Series

if TYPE_CHECKING:
    import altair

DAY, MONTH = "%Y-%m-%d", "%Y-%m"


@dataclass(frozen=True)
class Axis:
    """An axis of figures, or of dates where ``dates`` says how one is written.

    Without a ``domain`` it reaches from the lowest to the highest value, or from 0 with ``zero``.
    """

    title: str | None
    domain: tuple[float, float] | None = None
    zero: bool | None = None
    log: bool = False
    percent: bool = False
    dates: str | None = None
    ticks: int | Sequence[float] | None = None
    """About how many, or which."""
    format: str | None = None
    """Of the ticks' labels, in d3's language."""
    label: str | None = None
    """A Vega expression in place of a format."""
    room: int | None = None
    """Points between the axis' ends and the outermost marks."""
    base: int | None = None
    """Of a logarithmic axis; ten where nothing is said."""

    def x(self, field: str) -> altair.X:
        """The channel that lays a field from left to right."""
        import altair

        return altair.X(self._typed(field), title=self.title, scale=self._scale(), axis=self._axis())

    def y(self, field: str) -> altair.Y:
        """The channel that lays a field upwards."""
        import altair

        return altair.Y(self._typed(field), title=self.title, scale=self._scale(), axis=self._axis())

    def _typed(self, field: str) -> str:
        return f"{field}:T" if self.dates else f"{field}:Q"

    def _scale(self) -> altair.Scale:
        import altair

        look: dict[str, Any] = {"zero": self.zero, "padding": self.room, "base": self.base}

        # An axis with given ends must not be rounded outwards: an interval that reaches its end
        # would seem to stop before it.
        if self.domain is not None:
            look |= {"domain": list(self.domain), "nice": False}
        elif self.room is not None:
            look["nice"] = False
        if self.log:
            look |= {"type": "log", "zero": None}
        return altair.Scale(**{key: value for key, value in look.items() if value is not None})

    def _axis(self) -> altair.Axis:
        import altair

        look = {
            "format": "%" if self.percent else self.dates or self.format,
            "labelExpr": self.label,
            "tickCount": self.ticks if isinstance(self.ticks, int) else None,
            "values": list(self.ticks) if isinstance(self.ticks, Sequence) else None,
        }
        return altair.Axis(**{key: value for key, value in look.items() if value is not None})


@dataclass(frozen=True)
class Names:
    """Rows down the side of a chart, one per name, in ``order``."""

    field: str
    order: Sequence[str]
    labels: bool = True
    limit: int | None = None
    """Points that a label may be long; the theme's limit where nothing is said."""
    offset: str | None = None
    """A field whose values lie beside each other in each row."""
    ruled: bool = True
    """A faint line along each row, which leads to its name; bars need none, but a line that they
    stand on.
    """

    @property
    def channels(self) -> dict[str, Any]:
        """The encoding: y, and the offset inside a row."""
        import altair

        look: dict[str, Any] = {
            "ticks": False,
            "domain": not self.ruled,
            "grid": self.ruled,
            "labelOverlap": False,
        }
        look |= {} if self.labels else {"labels": False}
        look |= {"labelLimit": self.limit} if self.limit is not None else {}
        y = altair.Y(f"{self.field}:N", sort=list(self.order), title=None, axis=altair.Axis(**look))
        offset = {"yOffset": altair.YOffset(f"{self.offset}:N")} if self.offset is not None else {}
        return {"y": y, **offset}


@dataclass(frozen=True)
class Kinds:
    """The series that a field tells apart, in the looks that ``series`` gives them.

    Every mark takes all channels that it has: colour with shape, or colour with dash, so that a
    grey print says the same.
    """

    field: str
    look: Series
    title: str | None = None
    legend: bool = True
    columns: int | None = None

    @property
    def color(self) -> altair.Color:
        """Of any mark."""
        import altair

        return altair.Color(f"{self.field}:N", scale=self.look.color, **self._words())

    @property
    def shape(self) -> altair.Shape:
        """Of points."""
        import altair

        return altair.Shape(f"{self.field}:N", scale=self.look.shape, **self._words())

    @property
    def dash(self) -> altair.StrokeDash:
        """Of lines. It stands on a field of its own, `STYLE`, and has no legend: Vega-Lite would
        join it to that of colour and shape, and show neither.
        """
        import altair

        return altair.StrokeDash(f"{STYLE}:N", scale=self.look.dash, legend=None)

    def _words(self) -> dict[str, Any]:
        import altair

        if not self.legend:
            return {"title": self.title, "legend": None}

        # Said outright even where it is the theme's: left open, it would go with the legend that
        # dashes do not have.
        columns = altair.Legend(columns=self.columns) if self.columns else altair.Legend()
        return {"title": self.title, "sort": list(self.look.names), "legend": columns}


STYLE = "style"
"""The field that dashes are told apart by: a copy of the series' name."""


def hover(kinds: Mapping[str, str], type_: Literal["N", "Q"] = "N", form: str | None = None) -> list[Any]:
    """What is shown on hover: fields with their names."""
    import altair

    look = {"format": form} if form else {}
    return [altair.Tooltip(f"{field}:{type_}", title=title, **look) for field, title in kinds.items()]

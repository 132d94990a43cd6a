"""What the charts are drawn with: elements as safe markup, and axes with round ticks.

Colours come from the page's style by class, since the page's policy allows no style attributes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH = 360
"""Units a chart is wide: a phone's pixels, so that its texts can be read there; wider screens show
it larger.
"""


def element(name: str, *inside: object, **attributes: object) -> Markup:
    """One element; ``cls`` is its class, an underscore in a name a dash.

    Texts inside and values are escaped.
    """
    named = {"class" if key == "cls" else key.replace("_", "-"): value for key, value in attributes.items()}
    marks = Markup("").join(Markup(' {}="{}"').format(key, _short(value)) for key, value in named.items())
    return Markup("<{0}{1}>{2}</{0}>").format(
        Markup(name), marks, Markup("").join(escape(part) for part in inside)
    )


def _short(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


def drawing(height: float, title: str, *inside: object) -> Markup:
    """A whole chart with the title that a screen reader says."""
    box = f"0 0 {WIDTH} {height:.0f}"
    return element("svg", element("title", title), *inside, viewBox=box, role="img", cls="chart")


def text(x: float, y: float, words: str, anchor: str = "start", cls: str = "label") -> Markup:
    """A line of text; ``anchor`` start, middle or end."""
    return element("text", words, x=x, y=y, text_anchor=anchor, cls=cls)


def line(x1: float, y1: float, x2: float, y2: float, cls: str) -> Markup:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, cls=cls)


@dataclass(frozen=True)
class Axis:
    """Values ``low`` to ``high`` laid on ``start`` to ``end`` (in units of the drawing); ``log``
    for powers of ten.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Where a value lies, held inside the axis."""
        low, high, value = (
            math.log10(one) if self.log else one for one in (self.low, self.high, max(value, self.low))
        )
        part = (value - low) / (high - low)
        return self.start + min(1.0, max(0.0, part)) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Three to seven round values inside the axis; of a long logarithmic axis powers of ten."""
        if self.log and self.high / self.low >= 100:
            return [
                10.0**power
                for power in range(
                    math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9) + 1
                )
            ]
        if self.log:
            return [
                digit * 10.0**power
                for power in _powers(self.low, self.high)
                for digit in (1, 2, 5)
                if self._holds(digit * 10.0**power)
            ]
        step = _step(self.high - self.low)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]

    def _holds(self, value: float) -> bool:
        return self.low * (1 - 1e-9) <= value <= self.high * (1 + 1e-9)


def _powers(low: float, high: float) -> range:
    return range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)


def _step(width: float) -> float:
    """1, 2 or 5 times a power of ten, so that the width holds three to seven of it."""
    rough = width / 6
    power = 10.0 ** math.floor(math.log10(rough))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= rough * (1 - 1e-9))


def fitted(values: list[float], start: float, end: float, *, shares: bool = False, log: bool = False) -> Axis:
    """An axis that holds all values with some room; one of shares never leaves 0 to 1."""
    low, high = min(values), max(values)
    if log:
        return Axis(low / 1.3, high * 1.3, start, end, log=True)
    room = (high - low) * 0.08 or abs(high) * 0.1 or 0.1
    low, high = low - room, high + room
    return Axis(max(0.0, low), min(1.0, high), start, end) if shares else Axis(low, high, start, end)

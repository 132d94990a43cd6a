"""The look of every chart: for a paper, readable in grey, told apart by shape and dash as well as
by colour.

Colours are Okabe and Ito's (2008, https://jfly.uni-koeln.de/color/), which people with any kind of
colour blindness tell apart, without the yellow that white paper swallows. Colours, shapes and
dashes have lengths without a common divisor, so that many series differ in one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair

Rows = list[dict[str, Any]]
"""A chart's data: fields by name."""
INK, FAINT, GRID = "#1a1a1a", "#6b6b6b", "#dddddd"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
SHAPES = (
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "triangle-down",
    "cross",
    "triangle-right",
    "triangle-left",
)
SOLID = (1, 0)
DASHES = (SOLID, (6, 3), (2, 2), (8, 2, 2, 2), (10, 4, 4, 4))
LATIN = ("Helvetica Neue", "Helvetica", "Arial", "Liberation Sans", "DejaVu Sans")
CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "PingFang SC",
    "Microsoft YaHei",
    "Hiragino Sans GB",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
)
"""Fonts with simplified Chinese forms; a chart with Chinese, Japanese or Korean text is set in the
first of them that is there.
"""
ON_PAGE = {
    INK: "var(--ink)",
    "#000000": "var(--ink)",
    FAINT: "var(--soft)",
    GRID: "var(--edge)",
    "#0072B2": "var(--blue)",
    "#D55E00": "var(--orange)",
    "#009E73": "light-dark(#00795a, #3fd0a6)",
    "#CC79A7": "light-dark(#a8457c, #e79dc5)",
    "#E69F00": "light-dark(#8a5f00, #f2b93b)",
    "#56B4E9": "light-dark(#1f7fb5, #8fd0f5)",
}
"""What each colour becomes inside the page, whose style has a light and a dark scheme."""
WIDTH, HEIGHT = 420, 260
"""Points of a chart's plotting area: with its axes as wide as a paper's text column."""


LOOK: dict[str, Any] = {
    "background": "white",
    "padding": 8,
    "view": {
        "continuousWidth": WIDTH,
        "continuousHeight": HEIGHT,
        "discreteWidth": WIDTH,
        "stroke": None,
    },
    "title": {
        "fontSize": 13,
        "fontWeight": 600,
        "color": INK,
        "anchor": "start",
        "offset": 10,
        "subtitleFontSize": 11,
        "subtitleColor": FAINT,
        "subtitlePadding": 4,
    },
    "axis": {
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelColor": INK,
        "titleColor": INK,
        "domainColor": INK,
        "tickColor": INK,
        "gridColor": GRID,
        "gridWidth": 0.7,
        "labelLimit": 260,
        "maxExtent": 320,
        "titlePadding": 8,
        "labelOverlap": "greedy",
        "labelSeparation": 6,
    },
    "legend": {
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "labelColor": INK,
        "titleColor": FAINT,
        "symbolSize": 70,
        "symbolStrokeWidth": 1.6,
        "labelLimit": 260,
        "orient": "bottom",
        "columns": 2,
        "direction": "horizontal",
        "columnPadding": 24,
    },
    "header": {"labelFontSize": 11, "titleFontSize": 11, "labelColor": INK},
    "text": {"fontSize": 11, "color": INK},
    "line": {"strokeWidth": 1.6},
    "rule": {"color": INK},
    "point": {"size": 55, "filled": True, "opacity": 1},
    "bar": {"color": COLOURS[0]},
    "range": {"category": list(COLOURS), "symbol": list(SHAPES)},
}
"""Vega-Lite's ``config`` but for the fonts, which depend on the text."""


def fonts(*, cjk: bool) -> str:
    """The font stack as CSS has it; ``cjk`` puts the Chinese fonts first, so that one font sets a
    whole label.
    """
    names = (*CHINESE, *LATIN) if cjk else (*LATIN, *CHINESE)
    return ", ".join((*names, "sans-serif"))


def config(*, cjk: bool = False) -> dict[str, Any]:
    """The theme as Vega-Lite's ``config``."""
    font = fonts(cjk=cjk)
    lettered = {"font": font, "text": {"font": font}, "title": {"font": font, "subtitleFont": font}}
    lettered |= {part: {"labelFont": font, "titleFont": font} for part in ("axis", "legend", "header")}
    return _merged(LOOK, lettered)


def page_style() -> str:
    """The page's style of charts' colours: a rule outweighs an attribute, so that the same drawing
    follows the scheme.
    """
    return "".join(
        f'.chart [{name}="{colour}"] {{ {name}: {shown}; }}\n'
        for colour, shown in ON_PAGE.items()
        for name in ("fill", "stroke")
    )


@dataclass(frozen=True)
class Series:
    """Scales that tell ``names`` apart in the same order: use all that a mark has (colour with
    shape, or colour with dash).
    """

    names: tuple[str, ...]
    color: altair.Scale
    shape: altair.Scale
    dash: altair.Scale


def series(names: Sequence[str], among: Sequence[str] | None = None) -> Series:
    """The scales of a chart's series.

    ``among`` lists all names of a set of charts, so that each looks the same in all of them.
    """
    shown = tuple(dict.fromkeys(names))
    everyone = list(dict.fromkeys([*(among or ()), *shown]))

    def marks(looks: Sequence[Any]) -> list[Any]:
        return [looks[everyone.index(name) % len(looks)] for name in shown]

    return fixed(shown, marks(COLOURS), marks(SHAPES), marks([list(dash) for dash in DASHES]))


def fixed(
    names: Sequence[str],
    colours: Sequence[str],
    shapes: Sequence[str] = SHAPES,
    dashes: Sequence[Sequence[int]] = DASHES,
) -> Series:
    """The scales of series whose looks are given, in the order of ``names``: a country has one
    colour in every chart.
    """
    import altair

    def scale(looks: Sequence[Any]) -> altair.Scale:
        return altair.Scale(domain=list(names), range=list(looks[: len(names)]))

    return Series(tuple(names), scale(colours), scale(shapes), scale([list(dash) for dash in dashes]))


def heading(chart: Any, title: str | list[str], more: str | list[str] = "", language: str = "en") -> Any:
    """The chart with its title (one text per line), ``more`` that says how to read it, and the
    language its page is written in.
    """
    import altair

    return chart.properties(
        title=altair.Title(text=title, subtitle=more) if more else title, usermeta={"lang": language}
    )


def themed(spec: dict[str, Any], *, cjk: bool = False) -> dict[str, Any]:
    """A Vega-Lite specification with the theme below its own ``config``, which wins."""
    return {**spec, "config": _merged(config(cjk=cjk), spec.get("config") or {})}


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        mine = merged.get(key)
        merged[key] = _merged(mine, value) if isinstance(mine, dict) and isinstance(value, dict) else value
    return merged

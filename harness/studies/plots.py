"""The exhibits as charts; titles stand in the document beside them, so that a plot can be read in
both languages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from harness.reporting.plots.axes import MONTH, Axis, Kinds, Names
from harness.reporting.plots.forms import dots, level, lines, table
from harness.reporting.plots.theme import DASHES, FAINT, INK, SOLID, fixed
from harness.studies import adoption_plots
from harness.studies.exhibited import Exhibit
from harness.studies.finding import country_name, say

CHARACTER = 5.5
"""Points that a character of a frontier's names is wide, at most."""
LINE = 0.035
"""Of the height of a frontier's plot that a line of names takes."""
COUNTRIES = {"CN": "#D55E00", "US": "#0072B2", "other": FAINT}
"""The theme's orange and blue for the two countries, wherever they are told apart."""
COUNTRY_SHAPES = ("circle", "square", "triangle-up")
WIDE, TALL, NARROW = 560, 220, 420
"""Points: a plot over time, and one of rows with their names."""


def chart(exhibit: Exhibit, language: str) -> Any:
    """The chart of one exhibit; None where it has no points."""
    if not exhibit.points or exhibit.kind not in MAKERS:
        return None

    # A picture is one image with its own description: a label on each of its marks would only make
    # it three times as big.
    return MAKERS[exhibit.kind](exhibit, language).configure(
        aria=False, padding={"left": 40, "right": 12, "top": 6, "bottom": 6}
    )


def _caption(language: str, *keys: str) -> Any:
    """Small lines above the plot that say how to read it; each must be shorter than the plot is
    wide.
    """
    import altair as alt

    texts = [say(key)[language] for key in keys]
    return alt.Title(text=texts, fontSize=11, fontWeight="normal", color=FAINT)


def _months(language: str) -> Axis:
    return Axis(say("p_date")[language], dates=MONTH, ticks=8)


def _countries(language: str) -> Kinds:
    """The looks of the countries, told apart by the field ``country``, which `_named` fills."""
    looks = fixed(_country_names(language), list(COUNTRIES.values()), COUNTRY_SHAPES, [SOLID] * 3)
    return Kinds("country", looks, title=say("p_country")[language], columns=3)


def _country_names(language: str) -> list[str]:
    return [country_name(code)[language] for code in ("CN", "US")] + [say("other_countries")[language]]


def _named(exhibit: Exhibit, language: str) -> list[dict[str, Any]]:
    """The exhibit's points with the countries' names in place of their codes."""
    names = dict(zip(COUNTRIES, _country_names(language), strict=True))
    return [{**row, "country": names.get(row["country"], names["other"])} for row in exhibit.points]


def _gap(exhibit: Exhibit, language: str) -> Any:
    """Difference against time: lines broken at holes, intervals where published, hollow points
    where not.
    """
    import altair as alt

    title = say("p_axis", points=say("p_points"), ahead=say("p_ahead", one=exhibit.names[0]))[language]
    x, y = _months(language).x("date"), Axis(title, zero=True)
    base = alt.Chart(table(exhibit.points)).encode(x=x)
    line = base.mark_line(color=FAINT, strokeWidth=1).encode(y=y.y("value"), detail=alt.Detail("part:N"))

    # A board that publishes no interval gets a hollow point: a full one without a line would say
    # that it has no error.
    published, colour = base.transform_filter("datum.published"), COUNTRIES["CN"]
    bars = published.mark_rule(color=colour, strokeWidth=1.6).encode(y=y.y("low"), y2=alt.Y2("high"))
    point = base.mark_point(size=22, strokeWidth=1.2, color=colour, filled=False)
    point = point.encode(y=y.y("value"), tooltip=["date:T", "one:N", "other:N", "value:Q"])
    full = published.mark_point(size=22, color=colour, filled=True).encode(y=y.y("value"))

    zero = level("zero", 0, y.y("zero"), strokeWidth=1, color=INK, strokeDash=list(SOLID))
    caption = _caption(language, "p_interval_1", "p_interval_2")
    return alt.layer(zero, line, bars, point, full).properties(width=WIDE, height=240, title=caption)


def _share(exhibit: Exhibit, language: str) -> Any:
    """Shares of countries over time, each kept until the next snapshot."""
    import altair as alt

    y = Axis(say(f"p_{exhibit.kind}")[language], percent=True, domain=(0, 1))
    rows, kinds, fields = _named(exhibit, language), _countries(language), ("date", "share")
    layers = lines(rows, _months(language), y, kinds, fields, detail="part", step=True, size=10)
    return alt.layer(*layers).properties(width=WIDE, height=TALL)


def _lag(exhibit: Exhibit, language: str) -> Any:
    """How many months the side that is behind is behind, with the range of the ratings' error."""
    import altair as alt

    names = [name[language] for name in exhibit.names]
    rows = [{**row, "who": names[row["side"]]} for row in exhibit.points]
    colours = (COUNTRIES["CN"], COUNTRIES["US"])
    kinds = Kinds("who", fixed(names, colours, ("circle", "circle"), DASHES), title=say("p_behind")[language])
    y, fields = Axis(say("p_months")[language]), ("date", "months")
    layers = lines(
        rows, _months(language), y, kinds, fields, ends=("low", "high"), detail="part", width=1.4, size=10
    )
    return alt.layer(*layers).properties(width=WIDE, height=TALL)


def _ranking(exhibit: Exhibit, language: str) -> Any:
    """Ratings with their intervals, best first."""
    import altair as alt

    names = Names("model", [row["model"] for row in exhibit.points])
    axis = Axis(say("h_rating")[language], zero=False)
    kinds = _countries(language)
    layers = dots(_named(exhibit, language), names, axis, value="rating", kinds=kinds, size=50)
    return alt.layer(*layers).properties(width=NARROW)


def _frontier(exhibit: Exhibit, language: str) -> Any:
    """Rating against price, size or FLOPs; those that none beats are large and have their names."""
    import altair as alt

    cost = {"prices": "price", "sizes": "size", "flops": "flops"}[exhibit.kind]
    x = Axis(say(f"h_{exhibit.kind}")[language], log=True, ticks=6, format="~g").x(cost)
    y, kinds = Axis(say("h_rating")[language], zero=False), _countries(language)
    size = alt.Size("frontier:N", legend=None, scale=alt.Scale(domain=[False, True], range=[22, 90]))
    points = alt.Chart(table(_named(exhibit, language))).mark_point(filled=True)
    points = points.encode(
        x=x, y=y.y("rating"), color=kinds.color, shape=kinds.shape, size=size, tooltip=["model:N", "rating:Q"]
    )

    best = alt.Chart(table(_labels(exhibit.points, cost))).encode(
        x=x, y=y.y("label"), text=alt.Text("model:N")
    )
    left = best.transform_filter("!datum.first").mark_text(align="right", dx=-7, dy=-5, fontSize=9)
    right = best.transform_filter("datum.first").mark_text(align="left", dx=7, dy=-5, fontSize=9)
    layers = alt.layer(points, left, right)
    return layers.properties(width=WIDE, height=340, title=_caption(language, "p_frontier"))


def _labels(points: Sequence[dict[str, Any]], cost: str) -> list[dict[str, Any]]:
    """Where the frontier's names stand: at their rating, or higher where the name below takes the
    room; ``first`` ones, too near the logarithmic axis' begin for their length, to the right of their
    dot, so that they do not run over the axis.
    """
    costs = [math.log(row[cost]) for row in points]
    extent = (max(costs) - min(costs)) or 1.0
    ratings = [row["rating"] for row in points]
    room = LINE * (max(ratings) - min(ratings))

    labels: list[dict[str, Any]] = []
    best = [row for row in points if row["frontier"]]
    for row in sorted(best, key=lambda row: (row["rating"], row["model"])):
        height = max(row["rating"], labels[-1]["label"] + room) if labels else row["rating"]
        place = (math.log(row[cost]) - min(costs)) / extent
        long = max(1 / 8, CHARACTER * len(row["model"]) / WIDE)
        labels.append({**row, "first": place < long, "label": height})
    return labels


def _tokens(exhibit: Exhibit, language: str) -> Any:
    """Tokens that the same text takes in both languages, by model."""
    import altair as alt

    names = {code: say(f"p_{code}")[language] for code in ("zh", "en")}
    rows = [{**row, "language": names[row["language"]]} for row in exhibit.points]
    order = [row["model"] for row in exhibit.points if row["language"] == "zh"]
    looks = fixed(list(names.values()), (COUNTRIES["CN"], COUNTRIES["US"]))
    kinds = Kinds("language", looks, title=say("p_language")[language])
    axis = Axis(say("p_tokens")[language])
    layers = dots(rows, Names("model", order), axis, value="tokens", ends=None, kinds=kinds, size=50)
    return alt.layer(*layers).properties(width=NARROW)


def _chips(exhibit: Exhibit, language: str) -> Any:
    """How many times as fast a chip is as the one it is held against, in three kinds of work."""
    import altair as alt

    names = {what: say(f"h_{what}")[language] for what in ("arithmetic", "reading", "writing")}
    # The slender cross lies on top: arithmetic and reading often take the same time.
    last = sorted(exhibit.points, key=lambda row: row["what"] == "arithmetic")
    rows = [{**row, "what": names[row["what"]]} for row in last]
    order = list(dict.fromkeys(row["chip"] for row in exhibit.points))
    looks = fixed(list(names.values()), ("#000000", "#0072B2", "#D55E00"), ("cross", "square", "circle"))
    axis = Axis(say("p_ratio")[language], domain=(0.5, 10), log=True, ticks=(0.5, 1, 2, 5, 10))
    kinds = Kinds("what", looks, columns=3)
    layers = dots(rows, Names("chip", order), axis, value="ratio", ends=None, kinds=kinds, size=60)
    return alt.layer(level("one", 1, axis.x("one"), color=INK), *layers).properties(width=NARROW)


MAKERS: dict[str, Callable[[Exhibit, str], Any]] = {
    "gap": _gap,
    "share": _share,
    "lag": _lag,
    "ranking": _ranking,
    "prices": _frontier,
    "sizes": _frontier,
    "flops": _frontier,
    "frontiers": _share,
    "tokens": _tokens,
    "chips": _chips,
    "downloads": adoption_plots.downloads,
    "liked": adoption_plots.liked,
    "likes": adoption_plots.likes,
}
"""Kind of exhibit to its chart."""

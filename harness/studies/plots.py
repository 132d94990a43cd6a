"""The exhibits as Altair charts; titles stand in the document beside them, so that a plot can be
read in both languages.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from typing import Any

from harness.studies import adoption_plots
from harness.studies.exhibited import Exhibit
from harness.studies.finding import country_name, say

LINE = 0.035
"""Of the height of a frontier's plot that a line of names takes."""
COUNTRIES = {"CN": "#D55E00", "US": "#0072B2", "other": "#6b6b6b"}
"""The theme's orange and blue for the two countries, wherever they are told apart."""


def chart(exhibit: Exhibit, language: str) -> Any:
    """The chart of one exhibit; None where it has no points."""
    if not exhibit.points or exhibit.kind not in MAKERS:
        return None
    # a picture is one image with its own description: a label on each of its marks would only make
    # it three times as big
    return MAKERS[exhibit.kind](exhibit, language).configure(
        aria=False, padding={"left": 40, "right": 12, "top": 6, "bottom": 6}
    )


def _rows(exhibit: Exhibit) -> Any:
    import altair as alt

    plain = [
        {key: str(value) if isinstance(value, datetime.date) else value for key, value in row.items()}
        for row in exhibit.points
    ]
    return alt.InlineData(values=plain)


def _caption(language: str, *keys: str) -> Any:
    """Small lines above the plot that say how to read it; each must be shorter than the plot is
    wide.
    """
    import altair as alt

    return alt.Title(
        text=[say(key)[language] for key in keys], fontSize=11, fontWeight="normal", color="#6b6b6b"
    )


def _time(language: str) -> Any:
    import altair as alt

    return alt.X("date:T", title=say("p_date")[language], axis=alt.Axis(format="%Y-%m", tickCount=8))


def _countries(language: str) -> Any:
    """The colour of each country, as an encoding on ``country``."""
    import altair as alt

    named = {
        **{code: country_name(code)[language] for code in ("CN", "US")},
        "other": say("other_countries")[language],
    }
    label = " : ".join(
        [*(f"datum.label === '{code}' ? '{name}'" for code, name in named.items()), "datum.label"]
    )
    scale = alt.Scale(domain=list(COUNTRIES), range=list(COUNTRIES.values()))
    return alt.Color(
        "country:N",
        title=say("p_country")[language],
        scale=scale,
        legend=alt.Legend(labelExpr=label, columns=3),
    )


def _gap(exhibit: Exhibit, language: str) -> Any:
    """Difference against time: lines broken at holes, intervals where published, hollow points
    where not.
    """
    import altair as alt

    base = alt.Chart(_rows(exhibit)).encode(x=_time(language))
    title = say("p_axis", points=say("p_points"), ahead=say("p_ahead", one=exhibit.names[0]))[language]
    y = alt.Y("value:Q", title=title, scale=alt.Scale(zero=True))
    zero = (
        alt.Chart(alt.InlineData(values=[{"zero": 0}]))
        .mark_rule(strokeWidth=1, color="#1a1a1a")
        .encode(y="zero:Q")
    )
    line = base.mark_line(color="#6b6b6b", strokeWidth=1).encode(y=y, detail="part:N")
    bars = (
        base.transform_filter("datum.published")
        .mark_rule(color="#D55E00", strokeWidth=1.6)
        .encode(y="low:Q", y2="high:Q")
    )
    dots = base.mark_point(size=22, strokeWidth=1.2, color="#D55E00", filled=False).encode(
        y=y, tooltip=["date:T", "one:N", "other:N", "value:Q"]
    )
    full = (
        base.transform_filter("datum.published").mark_point(size=22, color="#D55E00", filled=True).encode(y=y)
    )
    return (zero + line + bars + dots + full).properties(
        width=560, height=240, title=_caption(language, "p_interval_1", "p_interval_2")
    )


def _share(exhibit: Exhibit, language: str) -> Any:
    import altair as alt

    y = alt.Y(
        "share:Q",
        title=say(f"p_{exhibit.kind}")[language],
        axis=alt.Axis(format="%"),
        scale=alt.Scale(domain=[0, 1]),
    )
    base = alt.Chart(_rows(exhibit)).encode(x=_time(language), y=y, color=_countries(language))
    line = base.mark_line(strokeWidth=1.6, interpolate="step-after").encode(detail="part:N")
    return (line + base.mark_point(size=10, filled=True)).properties(width=560, height=220)


def _lag(exhibit: Exhibit, language: str) -> Any:
    import altair as alt

    names = [name[language] for name in exhibit.names]
    for_side = f"datum.side === 0 ? '{names[0]}' : '{names[1]}'"
    scale = alt.Scale(domain=names, range=[COUNTRIES["CN"], COUNTRIES["US"]])
    base = alt.Chart(_rows(exhibit)).transform_calculate(who=for_side)
    base = base.encode(
        x=_time(language), color=alt.Color("who:N", title=say("p_behind")[language], scale=scale)
    )
    y = alt.Y("months:Q", title=say("p_months")[language])
    band = base.mark_rule(opacity=0.45).encode(y="low:Q", y2="high:Q")
    dash = alt.StrokeDash(
        "who:N", title=say("p_behind")[language], scale=alt.Scale(domain=names, range=[[1, 0], [6, 3]])
    )
    line = base.mark_line(strokeWidth=1.4).encode(y=y, detail="part:N", strokeDash=dash)
    return (band + line + base.mark_point(size=10, filled=True).encode(y=y)).properties(width=560, height=220)


def _ranking(exhibit: Exhibit, language: str) -> Any:
    import altair as alt

    order = [row["model"] for row in exhibit.points]
    base = alt.Chart(_rows(exhibit)).transform_calculate(
        country="indexof(['CN','US'], datum.country) < 0 ? 'other' : datum.country"
    )
    base = base.encode(y=alt.Y("model:N", sort=order, title=None), color=_countries(language))
    x = alt.X("rating:Q", title=say("h_rating")[language], scale=alt.Scale(zero=False))
    return (
        base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q")
        + base.mark_point(size=50, filled=True).encode(x=x)
    ).properties(width=420)


def _frontier(exhibit: Exhibit, language: str) -> Any:
    import altair as alt

    name = {"prices": "price", "sizes": "size", "flops": "flops"}[exhibit.kind]
    base = alt.Chart(_rows(exhibit))
    x = alt.X(
        f"{name}:Q",
        title=say(f"h_{exhibit.kind}")[language],
        scale=alt.Scale(type="log"),
        axis=alt.Axis(tickCount=6, format="~g"),
    )
    y = alt.Y("rating:Q", title=say("h_rating")[language], scale=alt.Scale(zero=False))
    shape = alt.Shape(
        "country:N",
        legend=None,
        scale=alt.Scale(domain=list(COUNTRIES), range=["circle", "square", "triangle-up"]),
    )
    size = alt.Size("frontier:N", legend=None, scale=alt.Scale(domain=[False, True], range=[22, 90]))
    dots = base.mark_point(filled=True).encode(
        x=x, y=y, color=_countries(language), shape=shape, size=size, tooltip=["model:N", "rating:Q"]
    )
    places = alt.Y("label:Q", title=say("h_rating")[language], scale=alt.Scale(zero=False))
    best = alt.Chart(alt.InlineData(values=_labels(exhibit.points, name))).encode(
        x=x, y=places, text="model:N"
    )
    left = best.transform_filter("!datum.first").mark_text(align="right", dx=-7, dy=-5, fontSize=9)
    right = best.transform_filter("datum.first").mark_text(align="left", dx=7, dy=-5, fontSize=9)
    return (dots + left + right).properties(width=560, height=340, title=_caption(language, "p_frontier"))


def _labels(points: Sequence[dict[str, Any]], cost: str) -> list[dict[str, Any]]:
    """Where the frontier's names stand: at their rating, or higher where the name below takes the
    room; ``first`` ones, in the first eighth of the logarithmic axis, to the right of their dot, so
    that they do not run over the axis.
    """
    costs = [math.log(row[cost]) for row in points]
    edge = min(costs) + (max(costs) - min(costs)) / 8
    ratings = [row["rating"] for row in points]
    room, made = LINE * (max(ratings) - min(ratings)), list[dict[str, Any]]()
    for row in sorted(
        (row for row in points if row["frontier"]), key=lambda row: (row["rating"], row["model"])
    ):
        made.append(
            {
                **row,
                "first": math.log(row[cost]) < edge,
                "label": max(row["rating"], made[-1]["label"] + room) if made else row["rating"],
            }
        )
    return made


def _tokens(exhibit: Exhibit, language: str) -> Any:
    import altair as alt

    named = {"zh": say("p_zh")[language], "en": say("p_en")[language]}
    order = [row["model"] for row in exhibit.points if row["language"] == "zh"]
    label = f"datum.label === 'zh' ? '{named['zh']}' : '{named['en']}'"
    colour = alt.Color(
        "language:N",
        title=say("p_language")[language],
        scale=alt.Scale(domain=["zh", "en"], range=["#D55E00", "#0072B2"]),
        legend=alt.Legend(labelExpr=label),
    )
    shape = alt.Shape(
        "language:N", legend=None, scale=alt.Scale(domain=["zh", "en"], range=["circle", "square"])
    )
    base = alt.Chart(_rows(exhibit)).mark_point(filled=True, size=50)
    x = alt.X("tokens:Q", title=say("p_tokens")[language])
    return base.encode(y=alt.Y("model:N", sort=order, title=None), x=x, color=colour, shape=shape).properties(
        width=420
    )


def _chips(exhibit: Exhibit, language: str) -> Any:
    import altair as alt

    names = {what: say(f"h_{what}")[language] for what in ("arithmetic", "reading", "writing")}
    label = " : ".join(
        [*(f"datum.label === '{what}' ? '{name}'" for what, name in names.items()), "datum.label"]
    )
    order = list(dict.fromkeys(row["chip"] for row in exhibit.points))
    scale = alt.Scale(domain=list(names), range=["#000000", "#0072B2", "#D55E00"])
    shapes = alt.Scale(domain=list(names), range=["cross", "square", "circle"])
    base = (
        alt.Chart(_rows(exhibit))
        .mark_point(size=60, filled=True)
        .encode(
            y=alt.Y("chip:N", sort=order, title=None),
            x=alt.X(
                "ratio:Q",
                title=say("p_ratio")[language],
                scale=alt.Scale(type="log", nice=False, domain=[0.5, 10]),
                axis=alt.Axis(values=[0.5, 1, 2, 5, 10]),
            ),
            color=alt.Color("what:N", title=None, scale=scale, legend=alt.Legend(labelExpr=label, columns=3)),
            shape=alt.Shape("what:N", legend=None, scale=shapes),
        )
    )
    one = alt.Chart(alt.InlineData(values=[{"one": 1}])).mark_rule(strokeDash=[4, 3]).encode(x="one:Q")
    return (one + base).properties(width=420)


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

"""Charts of likes and downloads."""

from __future__ import annotations

from typing import Any

from harness.reporting.plots.theme import series
from harness.studies.exhibited import Exhibit
from harness.studies.finding import country_name, say

COLOURS = {"CN": "#D55E00", "US": "#0072B2"}


def _rows(exhibit: Exhibit, without: str = "") -> Any:
    """The points as data; ``without`` names a field that is left out (a text of the other
    language).
    """
    import altair as alt

    plain = [{key: value if isinstance(value, int | float) else str(value) for key, value in row.items() if key != without}
             for row in exhibit.points]  # fmt: skip
    return alt.InlineData(values=plain)


def downloads(exhibit: Exhibit, language: str) -> Any:
    """A line for each denominator: a dot a country, and how far it would reach if all that no
    source places were its own.
    """
    import altair as alt

    order = list(dict.fromkeys(row[language] for row in exhibit.points))
    label = " : ".join(
        [*(f"datum.label === '{code}' ? '{country_name(code)[language]}'" for code in COLOURS), "datum.label"]
    )
    scale = alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))
    colour = alt.Color("country:N", title=None, scale=scale, legend=alt.Legend(labelExpr=label))
    shape = alt.Shape(
        "country:N", legend=None, scale=alt.Scale(domain=list(COLOURS), range=["circle", "square"])
    )
    y = alt.Y(f"{language}:N", sort=order, title=None, axis=alt.Axis(labelLimit=360))
    offset = alt.YOffset("country:N", sort=list(COLOURS))
    x = alt.X(
        "share:Q",
        title=say("p_downloads")[language],
        axis=alt.Axis(format="%"),
        scale=alt.Scale(domain=[0, 1]),
    )
    other = "en" if language == "zh" else "zh"
    base = alt.Chart(_rows(exhibit, without=other)).encode(y=y, yOffset=offset, color=colour)
    dots = base.mark_point(filled=True, size=60).encode(x=x, shape=shape)
    reach = base.mark_rule(strokeWidth=1.6).encode(x=x, x2="high:Q")
    return (reach + dots).properties(width=420, height=alt.Step(16))


def liked(exhibit: Exhibit, language: str) -> Any:
    """Bars of the most-liked models, most first."""
    import altair as alt

    order = [row["model"] for row in exhibit.points]
    base = alt.Chart(_rows(exhibit)).transform_calculate(
        place="datum.country in {CN: 1, US: 1} ? datum.country : 'other'"
    )
    names = {
        **{code: country_name(code)[language] for code in COLOURS},
        "other": say("other_countries")[language],
    }
    label = " : ".join(
        [*(f"datum.label === '{code}' ? '{name}'" for code, name in names.items()), "datum.label"]
    )
    scale = alt.Scale(domain=list(names), range=[*COLOURS.values(), "#6b6b6b"])
    colour = alt.Color("place:N", title=None, scale=scale, legend=alt.Legend(labelExpr=label, columns=3))
    x = alt.X("likes:Q", title=say("p_likes")[language])
    return (
        base.mark_bar()
        .encode(y=alt.Y("model:N", sort=order, title=None), x=x, color=colour)
        .properties(width=420)
    )


def likes(exhibit: Exhibit, language: str) -> Any:
    """Likes of some models over time."""
    import altair as alt

    look = series([row["model"] for row in exhibit.points])
    y = alt.Y("likes:Q", title=say("p_likes")[language], scale=alt.Scale(zero=True))
    x = alt.X("date:T", title=say("p_date")[language], axis=alt.Axis(format="%Y-%m", tickCount=8))
    base = alt.Chart(_rows(exhibit)).encode(
        x=x, y=y, color=alt.Color("model:N", title=None, scale=look.color)
    )
    dots = base.mark_point(filled=True, size=26).encode(
        shape=alt.Shape("model:N", title=None, scale=look.shape)
    )
    return (base.mark_line(strokeWidth=1.2) + dots).properties(width=560, height=240)

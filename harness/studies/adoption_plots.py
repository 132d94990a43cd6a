"""Charts of likes and downloads."""

from __future__ import annotations

from typing import Any

from harness.reporting.plots.axes import MONTH, Axis, Kinds, Names
from harness.reporting.plots.forms import bars, dots, lines
from harness.reporting.plots.theme import FAINT, fixed, series
from harness.studies.exhibited import Exhibit
from harness.studies.finding import country_name, say

COLOURS = {"CN": "#D55E00", "US": "#0072B2"}
OTHER = FAINT


def downloads(exhibit: Exhibit, language: str) -> Any:
    """One row per denominator: one dot per country, and how far it would reach if all that no source
    places were its own.
    """
    import altair as alt

    names = {code: country_name(code)[language] for code in COLOURS}
    rows = [
        {"what": row[language], "country": names[row["country"]], "share": row["share"], "high": row["high"]}
        for row in exhibit.points
    ]
    kinds = Kinds("country", fixed(list(names.values()), list(COLOURS.values())))
    order = list(dict.fromkeys(row["what"] for row in rows))
    axis = Axis(say("p_downloads")[language], percent=True, domain=(0, 1))
    side = Names("what", order, limit=360, offset="country")
    layers = dots(rows, side, axis, value="share", ends=("share", "high"), kinds=kinds, size=60)
    return alt.layer(*layers).properties(width=420, height=alt.Step(16))


def liked(exhibit: Exhibit, language: str) -> Any:
    """Bars of the most-liked models, most first."""
    names = {code: country_name(code)[language] for code in COLOURS}
    names["other"] = say("other_countries")[language]
    rows = [{**row, "place": names.get(row["country"], names["other"])} for row in exhibit.points]
    kinds = Kinds("place", fixed(list(names.values()), [*COLOURS.values(), OTHER]), columns=3)
    side = Names("model", [row["model"] for row in exhibit.points])
    axis = Axis(say("p_likes")[language])
    return bars(rows, side, axis, kinds, value="likes").properties(width=420)


def likes(exhibit: Exhibit, language: str) -> Any:
    """Likes of some models over time."""
    import altair as alt

    kinds = Kinds("model", series([row["model"] for row in exhibit.points]))
    x, y = Axis(say("p_date")[language], dates=MONTH, ticks=8), Axis(say("p_likes")[language], zero=True)
    layers = lines(exhibit.points, x, y, kinds, ("date", "likes"), width=1.2, size=26)
    return alt.layer(*layers).properties(width=560, height=240)

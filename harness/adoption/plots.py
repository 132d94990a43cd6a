"""Adoption as pictures: shares by country over time under each denominator, and the largest
organisations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from harness.adoption.figures import CountryShare, share
from harness.adoption.organizations import PLACES, Organizations
from harness.adoption.report import SHOWN, TOP
from harness.adoption.rows import Snapshot
from harness.adoption.words import denominator, say, selection
from harness.reporting.plots.theme import heading, series

if TYPE_CHECKING:
    from altair import TopLevelMixin as Chart

COLOURS = {
    "CN": "#D55E00",
    "US": "#0072B2",
    "EU": "#009E73",
    "other": "#CC79A7",
    "none": "#56B4E9",
    "?": "#6b6b6b",
}
LINES = 7
"""Organisations in a plot over time: as many as there are colours."""
SHAPES = {
    "CN": "circle",
    "US": "square",
    "EU": "diamond",
    "other": "cross",
    "none": "triangle-down",
    "?": "triangle-up",
}


def figures(
    snapshots: Sequence[Snapshot], measure: str, known: Organizations, language: str = "en"
) -> Iterator[tuple[str, Chart]]:
    """Every picture that there is data for, with its file's name (without extension)."""
    for place, known_as in enumerate(dict.fromkeys(one.series for one in snapshots), 1):
        lists = [one for one in snapshots if one.series == known_as]
        for name in SHOWN:
            shares = [(one, share(one.rows, measure, name, known, one.date)) for one in lists]
            shares = [(one, found) for one, found in shares if found.total]
            if shares:
                yield f"countries-{place}-{name}", _countries(shares, language)
                yield f"organizations-{place}-{name}", _organizations(*shares[-1], known, language)
            if len(shares) > 1:
                yield f"organizations-over-time-{place}-{name}", _over_time(shares, language)


def scales(language: str) -> dict[str, Any]:
    """Colour and shape of the places, as encodings on ``place`` (a word of the language)."""
    import altair as alt

    names = [say(f"p_{place}", language) for place in PLACES]
    return {
        "color": alt.Color(
            "place:N", title=None, scale=alt.Scale(domain=names, range=[COLOURS[place] for place in PLACES])
        ),
        "shape": alt.Shape(
            "place:N", title=None, scale=alt.Scale(domain=names, range=[SHAPES[place] for place in PLACES])
        ),
    }


def _countries(shares: Sequence[tuple[Snapshot, CountryShare]], language: str) -> Any:
    import altair as alt

    last, found = shares[-1]
    rows = [
        {"date": str(one.date), "place": say(f"p_{place}", language), "share": part.share(place)}
        for one, part in shares
        for place in PLACES
    ]
    y = alt.Y(
        "share:Q",
        title=_axis(found.measure, language),
        axis=alt.Axis(format="%"),
        scale=alt.Scale(domain=[0, 1]),
    )
    x = alt.X("date:T", title=say("h_date", language), axis=alt.Axis(format="%Y-%m-%d", tickCount=6))
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x, y=y, **scales(language))
    chart = base.mark_line(point=False) + base.mark_point(filled=True)
    return heading(chart, _title("by_place", found, language), _subtitle(last, language), language)


def _organizations(one: Snapshot, found: CountryShare, known: Organizations, language: str) -> Any:
    import altair as alt

    names = _largest(found)[:TOP]
    rows = [
        {
            "organization": name,
            "place": say(f"p_{known.place(name)}", language),
            "share": found.by_organization[name] / found.total,
        }
        for name in names
    ]
    x = alt.X("share:Q", title=_axis(found.measure, language), axis=alt.Axis(format="%"))
    y = alt.Y("organization:N", sort=names, title=None)
    chart = (
        alt.Chart(alt.InlineData(values=rows)).mark_bar().encode(x=x, y=y, color=scales(language)["color"])
    )
    return heading(
        chart, _title("by_organization", found, language), f"{one.date}. {_subtitle(one, language)}", language
    )


def _over_time(shares: Sequence[tuple[Snapshot, CountryShare]], language: str) -> Any:
    """A line for each of the LINES organisations that are largest on the last day."""
    import altair as alt

    last, found = shares[-1]
    names = _largest(found)[:LINES]
    rows = [
        {"date": str(one.date), "organization": name, "share": part.by_organization.get(name, 0) / part.total}
        for one, part in shares
        for name in names
    ]
    look = series(names)
    x = alt.X("date:T", title=say("h_date", language), axis=alt.Axis(format="%Y-%m-%d", tickCount=6))
    y = alt.Y(
        "share:Q", title=_axis(found.measure, language), axis=alt.Axis(format="%"), scale=alt.Scale(zero=True)
    )
    colour = alt.Color("organization:N", title=None, sort=names, scale=look.color)
    shape = alt.Shape("organization:N", title=None, sort=names, scale=look.shape)
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x, y=y, color=colour)
    chart = base.mark_line() + base.mark_point(filled=True).encode(shape=shape)
    return heading(chart, _title("by_organization", found, language), _subtitle(last, language), language)


def _largest(found: CountryShare) -> list[str]:
    """Organisations, largest first, equal ones by name."""
    return sorted(found.by_organization, key=lambda name: (-found.by_organization[name], name))


def _title(key: str, found: CountryShare, language: str) -> list[str]:
    """Two lines: what is shown, and its denominator."""
    measure = say(f"m_{found.measure}", language)
    return [
        say(f"t_{key}", language, measure=measure),
        say("t_of", language, models=denominator(found, language)),
    ]


def _subtitle(one: Snapshot, language: str) -> str:
    return say("of_list", language, selection=selection(one, language), source=one.source)


def _axis(measure: str, language: str) -> str:
    return say("p_share", language, measure=say(f"m_{measure}", language))

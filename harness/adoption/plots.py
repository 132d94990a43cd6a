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
from harness.reporting.plots.axes import DAY, Axis, Kinds, Names
from harness.reporting.plots.forms import bars, lines
from harness.reporting.plots.theme import SOLID, fixed, heading, series

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
    snapshots: Sequence[Snapshot], measure: str, listed: Organizations, language: str = "en"
) -> Iterator[tuple[str, Chart]]:
    """Every picture that there is data for, with its file's name (without extension)."""
    # Lists of different sources hold different models, so each source has pictures of its own.
    for number, source in enumerate(dict.fromkeys(one.series for one in snapshots), 1):
        lists = [one for one in snapshots if one.series == source]
        for name in SHOWN:
            shares = [(one, share(one.rows, measure, name, listed, one.date)) for one in lists]
            shares = [(one, part) for one, part in shares if part.total]
            if shares:
                yield f"countries-{number}-{name}", _countries(shares, language)
                yield f"organizations-{number}-{name}", _organizations(*shares[-1], listed, language)
            if len(shares) > 1:
                yield f"organizations-over-time-{number}-{name}", _over_time(shares, language)


def places(language: str) -> Kinds:
    """The looks of the places, told apart by the field ``place`` (a word of the language)."""
    names = [say(f"p_{place}", language) for place in PLACES]
    colours, shapes = ([looks[place] for place in PLACES] for looks in (COLOURS, SHAPES))
    return Kinds("place", fixed(names, colours, shapes, [SOLID] * len(names)))


def _countries(shares: Sequence[tuple[Snapshot, CountryShare]], language: str) -> Any:
    import altair as alt

    last, newest = shares[-1]
    rows = [
        {"date": one.date, "place": say(f"p_{place}", language), "share": part.share(place)}
        for one, part in shares
        for place in PLACES
    ]
    y = Axis(_axis(newest.measure, language), percent=True, domain=(0, 1))
    chart = alt.layer(*lines(rows, _dates(language), y, places(language), ("date", "share")))
    return heading(chart, _title("by_place", newest, language), _subtitle(last, language), language)


def _organizations(one: Snapshot, part: CountryShare, listed: Organizations, language: str) -> Any:
    names = _largest(part)[:TOP]
    rows = [
        {
            "organization": name,
            "place": say(f"p_{listed.place(name)}", language),
            "share": part.by_organization[name] / part.total,
        }
        for name in names
    ]
    x = Axis(_axis(part.measure, language), percent=True)
    chart = bars(rows, Names("organization", names), x, places(language), value="share")
    more = f"{one.date}. {_subtitle(one, language)}"
    return heading(chart, _title("by_organization", part, language), more, language)


def _over_time(shares: Sequence[tuple[Snapshot, CountryShare]], language: str) -> Any:
    """One line for each of the LINES organisations that are largest on the last day."""
    import altair as alt

    last, newest = shares[-1]
    names = _largest(newest)[:LINES]
    rows = [
        {"date": one.date, "organization": name, "share": part.by_organization.get(name, 0) / part.total}
        for one, part in shares
        for name in names
    ]
    y = Axis(_axis(newest.measure, language), percent=True, zero=True)
    kinds = Kinds("organization", series(names))
    chart = alt.layer(*lines(rows, _dates(language), y, kinds, ("date", "share")))
    return heading(chart, _title("by_organization", newest, language), _subtitle(last, language), language)


def _dates(language: str) -> Axis:
    return Axis(say("h_date", language), dates=DAY, ticks=6)


def _largest(part: CountryShare) -> list[str]:
    """Organisations, largest first, equal ones by name."""
    return sorted(part.by_organization, key=lambda name: (-part.by_organization[name], name))


def _title(key: str, part: CountryShare, language: str) -> list[str]:
    """Two lines: what is shown, and its denominator."""
    measure = say(f"m_{part.measure}", language)
    return [
        say(f"t_{key}", language, measure=measure),
        say("t_of", language, models=denominator(part, language)),
    ]


def _subtitle(one: Snapshot, language: str) -> str:
    return say("of_list", language, selection=selection(one, language), source=one.source)


def _axis(measure: str, language: str) -> str:
    return say("p_share", language, measure=say(f"m_{measure}", language))

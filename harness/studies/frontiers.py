"""Exhibits of frontiers.

Rating against price, size and FLOPs in one snapshot, and who is on the frontier at each date.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from harness.studies import costs
from harness.studies.board import BoardEntry, BoardSnapshot, Side
from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.exhibited import Cell, Exhibit, Keys, Top, interval, of_date, segments
from harness.studies.finding import country_name, listed, percent, say
from harness.studies.frontier import Frontier, active, frontier, item_flops, quarterly

NAMED = 12
"""Models without an architecture named in a line, best first."""


class Over(Keys):
    """Whose frontier."""

    side: Side = Side(open=True)


class ItemTokens(Top):
    """What one item costs: tokens read and written."""

    side: Side = Side(open=True)
    prompt: int = Field(1000, ge=1)
    output: int = Field(300, ge=1)


def prices(title: Text, keys: Top, data: Data) -> Exhibit:
    """Rating against blended price; the frontier, and by whom every other model is dominated."""
    snapshot = costs.latest(data, keys.style, keys.category, keys.date)
    rows = costs.priced(data, snapshot, keys.side) if snapshot else []
    beaten = costs.dominated(rows)
    points = tuple(_point(one, "price", price, one.name not in beaten) for one, price in rows)
    return _frontier("prices", title, rows, beaten, points, snapshot)


def sizes(title: Text, keys: Top, data: Data) -> Exhibit:
    """Rating of open models against total parameters as their names say them."""
    snapshot = costs.latest(data, keys.style, keys.category, keys.date)
    side = Side(open=True)
    rows = [(one, one.size) for one in (snapshot.entries if snapshot else ()) if side.holds(one) and one.size]
    sized = [(one, float(size)) for one, size in rows if size is not None]
    beaten = costs.dominated(sized)
    points = tuple(_point(one, "size", size, one.name not in beaten) for one, size in sized)
    return _frontier("sizes", title, sized, beaten, points, snapshot)


def flops(title: Text, keys: ItemTokens, data: Data) -> Exhibit:
    """Rating against the FLOPs of one item, by architecture; what no preset describes is named."""
    snapshot = costs.latest(data, keys.style, keys.category, keys.date)
    if snapshot is None:
        return _frontier("flops", title, [], {}, (), None)
    on_frontier = frontier(snapshot, keys.side, item_flops(keys.prompt, keys.output))
    points = tuple(
        _point(one, "flops", value, one.name not in on_frontier.beaten) for one, value in on_frontier.rows
    )
    lines = (say("item", prompt=f"{keys.prompt:,}", output=f"{keys.output:,}"), *_without(on_frontier))
    return _frontier("flops", title, list(on_frontier.rows), on_frontier.beaten, points, snapshot, lines)


def frontiers(title: Text, keys: Over, data: Data) -> Exhibit:
    """At each date the frontier of rating against active parameters.

    How many of its models are whose; one table row per quarter.
    """
    series = data.board.series(keys.style, keys.category, keys.method)
    parts = dict(zip((one.date for one in series), segments([one.date for one in series]), strict=True))

    by_date = {
        one.date: one_frontier for one in series if (one_frontier := frontier(one, keys.side, active)).rows
    }
    points = [
        {"date": date, "country": name, "share": value, "part": parts[date]}
        for date, one in by_date.items()
        for name, value in _shares(one).items()
    ]

    # The table's intervals draw every rating anew, so it has the last date of each quarter only.
    quarters = [by_date[one.date] for one in quarterly(series) if one.date in by_date]

    headers = tuple(
        say(f"h_{name}")
        for name in ("date", "open_rated", "with_arch", "on_frontier", "countries", "cn_share")
    )
    wins = (
        [say("wins_frontiers", date=quarters[-1].date, share=percent(quarters[-1].share("CN")))]
        if quarters
        else []
    )
    lines = (*wins, say("by_active"), say("frontier_interval"), *(_without(quarters[-1]) if quarters else ()))

    rows = tuple(_quarter(one) for one in quarters)
    return Exhibit("frontiers", title, headers, rows, tuple(points), lines, arena=True)


def _shares(one: Frontier) -> dict[str, float]:
    shares = {name: one.share(name) for name in ("CN", "US")}
    return shares | {"other": max(0.0, 1 - sum(shares.values()))}


def _quarter(one: Frontier) -> tuple[Cell, ...]:
    best = _listed(
        [
            say("on_frontier", name=entry.name, country=_origin(entry), cost=f"{value:.1f}")
            for entry, value in one.best
        ]
    )
    counts = _listed(
        [say("country_count", country=country_name(name), n=n) for name, n in one.countries.most_common()]
    )

    low, high = one.share_range("CN")
    value, ends = percent(one.share("CN")), f"{100 * low:.0f} … {100 * high:.0f}"
    share = Text(en=f"{value.en} ({ends})", zh=f"{value.zh}（{ends}）")
    return (str(one.date), str(len(one.rows) + len(one.without)), str(len(one.rows)), best, counts, share)


def _listed(texts: list[Text]) -> Text:
    return Text(en="; ".join(one.en for one in texts), zh="；".join(one.zh for one in texts))


def _without(on_frontier: Frontier) -> tuple[Text, ...]:
    """Which of the side's models have no architecture here."""
    if not on_frontier.without:
        return ()
    named = listed(entry.name for entry in on_frontier.without[:NAMED])
    return (
        say(
            "no_arch",
            n=len(on_frontier.without),
            all=len(on_frontier.rows) + len(on_frontier.without),
            date=on_frontier.date,
            listed=named,
        ),
    )


def _origin(one: BoardEntry) -> Text:
    """A maker's country, and that of the weights it tuned where they are another country's."""
    mine, base = one.facts.country, one.facts.base_country
    return (
        country_name(mine)
        if base in (None, mine)
        else say("tuned", country=country_name(mine), base=country_name(base))
    )


def _point(one: BoardEntry, name: str, value: float, frontier: bool) -> dict[str, Any]:
    country = one.facts.country if one.facts.country in ("CN", "US") else "other"
    return {
        "model": one.name,
        "country": country,
        name: value,
        "rating": one.rating,
        "open": bool(one.facts.open),
        "frontier": frontier,
    }


def _frontier(
    kind: str,
    title: Text,
    rows: list[tuple[BoardEntry, float]],
    beaten: dict[str, str],
    points: tuple[dict[str, Any], ...],
    at: BoardSnapshot | None,
    more: tuple[Text, ...] = (),
) -> Exhibit:
    best = [(one, value) for one, value in rows if one.name not in beaten]
    ordered = sorted(rows, key=lambda pair: (pair[0].name in beaten, pair[1]))  # the frontier first
    table = tuple(
        (
            one.name,
            _origin(one),
            f"{value:.4g}",
            f"{one.rating:.0f}",
            interval(one),
            beaten.get(one.name, "–"),
        )
        for one, value in ordered
    )

    mine = sum(one.facts.country == "CN" for one, _ in best)
    lines = [of_date(at)] if at else []
    lines.append(
        say(
            "frontier",
            n=len(best),
            cn=mine,
            us=sum(one.facts.country == "US" for one, _ in best),
            all=len(rows),
        )
    )

    headers = tuple(
        say(f"h_{name}") for name in ("model", "country", kind, "rating", "interval", "dominated")
    )
    return Exhibit(kind, title, headers, table, points, (*lines, *more), arena=True)

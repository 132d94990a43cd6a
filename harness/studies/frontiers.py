"""Exhibits of frontiers: rating against price, size and FLOPs in one snapshot, and who is on the frontier at each date."""

from __future__ import annotations

from typing import Any

from harness.studies.board import Entry, Side, Snapshot
from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.exhibited import Exhibit, Top, interval
from harness.studies.finding import country_name, say
from harness.studies.predicates import cost


def prices(title: Text, keys: Top, data: Data) -> Exhibit:
    """Rating against blended price; the frontier, and by whom every other model is dominated."""
    snapshot = cost.latest(data, keys.style, keys.category, keys.date)
    rows = cost.priced(data, snapshot, keys.side) if snapshot else []
    beaten = cost.dominated(rows)
    points = tuple(_point(one, "price", price, one.name not in beaten) for one, price in rows)
    return _frontier("prices", title, rows, beaten, points, snapshot)


def sizes(title: Text, keys: Top, data: Data) -> Exhibit:
    """Rating of open models against total parameters as their names say them."""
    snapshot = cost.latest(data, keys.style, keys.category, keys.date)
    side = Side(open=True)
    rows = [(one, one.size) for one in (snapshot.entries if snapshot else ()) if side.holds(one) and one.size]
    known = [(one, float(size)) for one, size in rows if size is not None]
    beaten = cost.dominated(known)
    points = tuple(_point(one, "size", size, one.name not in beaten) for one, size in known)
    return _frontier("sizes", title, known, beaten, points, snapshot)


def _point(one: Entry, name: str, value: float, frontier: bool) -> dict[str, Any]:
    country = one.facts.country if one.facts.country in ("CN", "US") else "other"
    return {"model": one.name, "country": country, name: value, "rating": one.rating, "open": bool(one.facts.open), "frontier": frontier}


def _frontier(
    kind: str, title: Text, rows: list[tuple[Entry, float]], beaten: dict[str, str], points: tuple[dict[str, Any], ...], at: Snapshot | None
) -> Exhibit:
    best = [(one, value) for one, value in rows if one.name not in beaten]
    ordered = sorted(rows, key=lambda pair: (pair[0].name in beaten, pair[1]))  # the frontier first
    table = tuple(
        (one.name, country_name(one.facts.country), f"{value:g}", f"{one.rating:.0f}", interval(one), beaten.get(one.name, "–"))
        for one, value in ordered
    )
    mine = sum(one.facts.country == "CN" for one, _ in best)
    lines = [say("of_date", date=at.date)] if at else []
    lines.append(say("frontier", n=len(best), cn=mine, us=sum(one.facts.country == "US" for one, _ in best), all=len(rows)))
    headers = tuple(say(f"h_{name}") for name in ("model", "country", kind, "rating", "interval", "dominated"))
    return Exhibit(kind, title, headers, table, points, tuple(lines), arena=True)

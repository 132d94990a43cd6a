"""What models cost by published prices.

And which of them another surpasses in rating at no higher cost.
"""

from __future__ import annotations

import datetime

from harness.studies.board import BoardEntry, BoardSnapshot, Side
from harness.studies.data import Data


def blended(data: Data, entry: BoardEntry) -> float | None:
    """$ per million tokens: the board's own price, else the listed one as (3·input + output)/4.

    None where none is published.
    """
    if entry.price is not None:
        return entry.price
    price = data.prices.get(entry.name)
    return (3 * price.input + price.output) / 4 if price is not None else None


def priced(data: Data, snapshot: BoardSnapshot, side: Side | None = None) -> list[tuple[BoardEntry, float]]:
    """The models of a snapshot with a published price above zero, best first."""
    rows = []
    for entry in snapshot.entries:
        price = blended(data, entry)
        if price and (side is None or side.holds(entry)):
            rows.append((entry, price))
    return rows


def dominated(rows: list[tuple[BoardEntry, float]]) -> dict[str, str]:
    """Model to a model that is rated no lower and costs no more.

    It is better in one of the two.
    """
    beaten: dict[str, str] = {}
    for entry, price in rows:
        for rival, cost in rows:
            if (
                rival.rating >= entry.rating
                and cost <= price
                and (rival.rating, -cost) != (entry.rating, -price)
            ):
                beaten[entry.name] = rival.name
                break
    return beaten


def latest(data: Data, style: str, category: str, date: datetime.date) -> BoardSnapshot | None:
    """The last snapshot up to a day."""
    snapshots = [one for one in data.board.series(style, category) if one.date <= date]
    return snapshots[-1] if snapshots else None

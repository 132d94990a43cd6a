"""Exhibits of the gap between two sides: the difference of the best, and the lag in months."""

from __future__ import annotations

from typing import Any, Literal

from harness.studies import gap, winners
from harness.studies.board import Side
from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.exhibited import Cell, Exhibit, Keys, segments
from harness.studies.finding import say, signed


class PairKeys(Keys):
    one: Side
    other: Side
    between: Literal["countries", "sizes", "names"] = "countries"


def gap_exhibit(title: Text, keys: PairKeys, data: Data) -> Exhibit:
    """Difference of the best at each date; the changes of the lead as brackets; the holes."""
    series = data.board.series(keys.style, keys.category, keys.method)
    side_leads = gap.leads(series, keys.one, keys.other)
    names = tuple(say(f"{keys.between}_{position}") for position in ("one", "other"))

    parts = segments([lead.snapshot.date for lead in side_leads])
    points = tuple(
        {
            "date": lead.snapshot.date,
            "value": lead.difference.value,
            "low": lead.difference.low,
            "high": lead.difference.high,
            "published": lead.difference.published,
            "one": lead.one.name,
            "other": lead.other.name,
            "part": part,
        }
        for lead, part in zip(side_leads, parts, strict=True)
    )

    # Without intervals no change of the lead is sure, so the method is named instead.
    rows = tuple(_gap_row(lead) for lead in _yearly(side_leads))
    lines = _lead_lines(side_leads, names) if keys.between == "countries" else list[Text]()
    if keys.method != "bradley-terry":
        lines = [say("method_line", method=say(f"method_{keys.method}"))]
    lines += [
        say("hole", after=begin, until=end)
        for begin, end in gap.holes([lead.snapshot for lead in side_leads])
    ]

    lines = [*winners.of_gap(side_leads), *lines]
    sides = {"countries": "best", "sizes": "best_small", "names": "best_names"}[keys.between]
    names_of = ("date", f"{sides}_one", "rating", f"{sides}_other", "rating", "difference", "interval")
    headers = tuple(say(f"h_{name}") for name in names_of)
    return Exhibit("gap", title, headers, rows, points, tuple(lines), names, True)


def _gap_row(lead: gap.SideLead) -> tuple[Cell, ...]:
    span: Cell = (
        f"{signed(lead.difference.low)} … {signed(lead.difference.high)}"
        if lead.difference.published
        else say("point")
    )
    ratings = (f"{lead.one.rating:.0f}", f"{lead.other.rating:.0f}")
    return (
        str(lead.snapshot.date),
        lead.one.name,
        ratings[0],
        lead.other.name,
        ratings[1],
        signed(lead.difference.value),
        span,
    )


def _lead_lines(leads: list[gap.SideLead], names: tuple[Text, ...]) -> list[Text]:
    """The brackets in which the lead changed hands: the sure ones, and those by points alone."""
    lines = []
    for sure in (True, False):
        changes = [
            say("bracket", after=one.after, by=one.by, who=names[0] if one.to > 0 else names[1])
            for one in gap.brackets(leads, sure=sure)
        ]

        listed = (
            Text(en="; ".join(one.en for one in changes), zh="；".join(one.zh for one in changes))
            if changes
            else say("never")
        )
        lines.append(say("brackets_sure" if sure else "brackets_points", listed=listed))
    return lines


def _yearly(leads: list[gap.SideLead]) -> list[gap.SideLead]:
    """The last snapshot of each quarter, so that a table can be read."""
    last = {(lead.snapshot.date.year, (lead.snapshot.date.month - 1) // 3): lead for lead in leads}
    return list(last.values())


def lag_exhibit(title: Text, keys: PairKeys, data: Data) -> Exhibit:
    series = data.board.series(keys.style, keys.category, keys.method)
    points, rows = list[dict[str, Any]](), {}
    parts = dict(zip([one.date for one in series], segments([one.date for one in series]), strict=True))

    for snapshot in series:
        for position, (behind, ahead) in enumerate(((keys.one, keys.other), (keys.other, keys.one))):
            side_lag = gap.lag(data.board, snapshot, behind, ahead)
            if side_lag is None:
                continue

            points.append({"date": snapshot.date, "side": position} | _months(side_lag))
            points[-1]["part"] = parts[snapshot.date]

            # The table follows the first side; the plot shows both.
            if position == 0:
                quarter = (snapshot.date.year, (snapshot.date.month - 1) // 3)
                rows[quarter] = _lag_row(data, side_lag)

    headers = tuple(
        say(f"h_{name}") for name in ("date", "best_one", "matched_by", "released", "lag", "range")
    )
    names = (say("countries_one"), say("countries_other"))
    return Exhibit(
        "lag",
        title,
        headers,
        tuple(rows.values()),
        tuple(points),
        winners.of_lags(points, names),
        names,
        True,
    )


def _months(side_lag: gap.Lag) -> dict[str, float]:
    """A lag as a plot shows it: a side that is ahead is behind by no months, not by fewer."""
    ends = {"months": side_lag.months, "low": side_lag.least, "high": side_lag.most}
    return {name: max(value or 0.0, 0.0) for name, value in ends.items()}


def _lag_row(data: Data, side_lag: gap.Lag) -> tuple[Cell, ...]:
    if side_lag.first is None:
        return (
            str(side_lag.snapshot.date),
            side_lag.behind.name,
            "–",
            "–",
            say("not_behind"),
            f"0 … {max(side_lag.most or 0.0, 0.0):.1f}",
        )

    # Without a release date the model's first rating stands for it, which may be later.
    date, dated = data.board.released(side_lag.first)
    released: Cell = str(date) if dated else say("rated_by", date=date)
    span = f"{max(side_lag.least or 0.0, 0.0):.1f} … {side_lag.most or 0.0:.1f}"

    return (
        str(side_lag.snapshot.date),
        side_lag.behind.name,
        side_lag.first.name,
        released,
        f"{side_lag.months:.1f}",
        span,
    )

"""What is shown beside a verdict: a table, sentences, and rows for a plot."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.config.problems import suggest
from harness.errors import ConfigError
from harness.studies import gap
from harness.studies.board import Entry, Side, Snapshot
from harness.studies.claims import Shown, Text
from harness.studies.data import Data
from harness.studies.finding import country_name, say
from harness.studies.predicates import cost

Cell = str | Text
Rows = tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Exhibit:
    """``points`` are the plot's rows (language-free), ``arena`` says that ratings by votes are shown and need their caution."""

    kind: str
    title: Text
    headers: tuple[Text, ...]
    rows: Rows
    points: tuple[dict[str, Any], ...]
    lines: tuple[Text, ...] = ()
    names: tuple[Text, ...] = ()
    arena: bool = False

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "kind": self.kind,
            "title": self.title.model_dump(),
            "lines": [line.model_dump() for line in self.lines],
            "headers": [one.model_dump() for one in self.headers],
            "rows": [[cell.en if isinstance(cell, Text) else cell for cell in row] for row in self.rows],
            "points": [
                {key: str(value) if isinstance(value, datetime.date) else value for key, value in one.items()} for one in self.points
            ],
        }


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    style: str = "default"
    category: str = "full"


class _Pair(_Keys):
    one: Side
    other: Side
    between: Literal["countries", "sizes", "names"] = "countries"


class _Top(_Keys):
    side: Side = Side()
    top: int = Field(10, ge=1)
    date: datetime.date = datetime.date(9999, 12, 31)


class _Tokens(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Chips(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    chips: tuple[str, ...]
    reference: str = "H100"


def exhibit(shown: Shown, data: Data) -> Exhibit:
    """Makes one. Raises ConfigError for a kind or key that is not known."""
    if shown.kind not in KINDS:
        raise ConfigError(f"unknown kind of plot {shown.kind!r}{suggest(shown.kind, KINDS)}; known: {', '.join(KINDS)}")
    shape, make = KINDS[shown.kind]
    try:
        keys = shape.model_validate(shown.given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigError(f"plot {shown.kind}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    found: Exhibit = make(shown.title, keys, data)
    return found


def _gap(title: Text, keys: _Pair, data: Data) -> Exhibit:
    """Difference of the best at each date; the changes of the lead as brackets; the holes."""
    series = data.board.series(keys.style, keys.category)
    found = gap.leads(series, keys.one, keys.other)
    names = tuple(say(f"{keys.between}_{place}") for place in ("one", "other"))
    parts = _segments([lead.snapshot.date for lead in found])
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
        for lead, part in zip(found, parts, strict=True)
    )
    rows = tuple(_gap_row(lead) for lead in _yearly(found))
    lines = _lead_lines(found, names) if keys.between == "countries" else []
    lines += [say("hole", after=begin, until=end) for begin, end in gap.holes([lead.snapshot for lead in found])]
    headers = tuple(say(f"h_{name}") for name in ("date", "best_one", "rating", "best_other", "rating", "difference", "interval"))
    return Exhibit("gap", title, headers, rows, points, tuple(lines), names, True)


def _gap_row(lead: gap.Lead) -> tuple[Cell, ...]:
    span: Cell = f"{lead.difference.low:+.0f} … {lead.difference.high:+.0f}" if lead.difference.published else say("point")
    ratings = (f"{lead.one.rating:.0f}", f"{lead.other.rating:.0f}")
    return (str(lead.snapshot.date), lead.one.name, ratings[0], lead.other.name, ratings[1], f"{lead.difference.value:+.0f}", span)


def _lead_lines(found: list[gap.Lead], names: tuple[Text, ...]) -> list[Text]:
    """The brackets in which the lead changed hands: those that are sure, and those by points alone."""
    lines = []
    for sure in (True, False):
        changes = [
            say("bracket", after=one.after, by=one.by, who=names[0] if one.to > 0 else names[1]) for one in gap.brackets(found, sure=sure)
        ]
        listed = Text(en="; ".join(one.en for one in changes), zh="；".join(one.zh for one in changes)) if changes else say("never")
        lines.append(say("brackets_sure" if sure else "brackets_points", listed=listed))
    return lines


def _yearly(found: list[gap.Lead]) -> list[gap.Lead]:
    """The last snapshot of each quarter, so that a table can be read."""
    last = {(lead.snapshot.date.year, (lead.snapshot.date.month - 1) // 3): lead for lead in found}
    return list(last.values())


def _segments(dates: list[datetime.date]) -> list[int]:
    """A number for each stretch without a hole, so that no line is drawn across one."""
    parts: list[int] = []
    for place, date in enumerate(dates):
        broken = place > 0 and (date - dates[place - 1]).days > gap.HOLE
        parts.append((parts[-1] if parts else 0) + broken)
    return parts


def _share(title: Text, keys: _Top, data: Data) -> Exhibit:
    series = data.board.series(keys.style, keys.category)
    parts = _segments([one.date for one in series])
    points, rows = [], {}
    for snapshot, part in zip(series, parts, strict=True):
        found = gap.shares(snapshot, keys.top, keys.side)
        counts = {name: found.get(name, 0.0) for name in ("CN", "US")}
        counts["other"] = max(0.0, 1 - sum(counts.values())) if found else 0.0
        points += [{"date": snapshot.date, "country": name, "share": value, "part": part} for name, value in counts.items()]
        quarter = (snapshot.date.year, (snapshot.date.month - 1) // 3)
        rows[quarter] = (str(snapshot.date), *(f"{100 * value:.0f} %" for value in counts.values()))
    headers = (say("h_date"), country_name("CN"), country_name("US"), say("other_countries"))
    return Exhibit("share", title, headers, tuple(rows.values()), tuple(points), arena=True)


def _lag(title: Text, keys: _Pair, data: Data) -> Exhibit:
    series = data.board.series(keys.style, keys.category)
    points, rows = [], {}
    parts = dict(zip([one.date for one in series], _segments([one.date for one in series]), strict=True))
    for snapshot in series:
        for place, (behind, ahead) in enumerate(((keys.one, keys.other), (keys.other, keys.one))):
            found = gap.lag(data.board, snapshot, behind, ahead)
            if found is None:
                continue
            value = max(found.months or 0.0, 0.0)
            span = {"low": max(found.least or 0.0, 0.0), "high": max(found.most or 0.0, 0.0)}
            points.append({"date": snapshot.date, "side": place, "months": value, **span, "part": parts[snapshot.date]})
            if place == 0:
                quarter = (snapshot.date.year, (snapshot.date.month - 1) // 3)
                rows[quarter] = _lag_row(data, found)
    headers = tuple(say(f"h_{name}") for name in ("date", "best_one", "matched_by", "released", "lag", "range"))
    return Exhibit("lag", title, headers, tuple(rows.values()), tuple(points), (), (say("countries_one"), say("countries_other")), True)


def _lag_row(data: Data, found: gap.Lag) -> tuple[Cell, ...]:
    if found.first is None:
        return (str(found.snapshot.date), found.behind.name, "–", "–", say("not_behind"), f"0 … {max(found.most or 0.0, 0.0):.1f}")
    date, dated = data.board.released(found.first)
    released: Cell = str(date) if dated else say("rated_by", date=date)
    span = f"{max(found.least or 0.0, 0.0):.1f} … {found.most or 0.0:.1f}"
    return (str(found.snapshot.date), found.behind.name, found.first.name, released, f"{found.months:.1f}", span)


def _last(keys: _Top, data: Data) -> Snapshot | None:
    return cost.latest(data, keys.style, keys.category, keys.date)


def _interval(entry: Entry) -> Cell:
    return f"{entry.low:.0f} … {entry.high:.0f}" if entry.low is not None and entry.high is not None else say("point")


def _ranking(title: Text, keys: _Top, data: Data) -> Exhibit:
    snapshot = _last(keys, data)
    top = snapshot.top(keys.top, keys.side) if snapshot else ()
    rows = tuple(
        (
            str(rank),
            one.name,
            one.facts.maker or "?",
            country_name(one.facts.country),
            f"{one.rating:.0f}",
            _interval(one),
            one.facts.licence or "?",
        )
        for rank, one in enumerate(top, 1)
    )
    points = tuple(
        {"model": one.name, "country": one.facts.country or "?", "rating": one.rating, "low": one.low, "high": one.high} for one in top
    )
    headers = tuple(say(f"h_{name}") for name in ("rank", "model", "maker", "country", "rating", "interval", "licence"))
    lines = (say("of_date", date=snapshot.date),) if snapshot else ()
    return Exhibit("ranking", title, headers, rows, points, lines, arena=True)


def _prices(title: Text, keys: _Top, data: Data) -> Exhibit:
    """Rating against blended price; the frontier, and by whom every other model is dominated."""
    snapshot = _last(keys, data)
    rows = cost.priced(data, snapshot, keys.side) if snapshot else []
    beaten = cost.dominated(rows)
    points = tuple(_point(one, "price", price, one.name not in beaten) for one, price in rows)
    return _frontier("prices", title, rows, beaten, points, snapshot)


def _sizes(title: Text, keys: _Top, data: Data) -> Exhibit:
    """Rating of open models against total parameters as their names say them."""
    snapshot = _last(keys, data)
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
        (one.name, country_name(one.facts.country), f"{value:g}", f"{one.rating:.0f}", _interval(one), beaten.get(one.name, "–"))
        for one, value in ordered
    )
    mine = sum(one.facts.country == "CN" for one, _ in best)
    lines = [say("of_date", date=at.date)] if at else []
    lines.append(say("frontier", n=len(best), cn=mine, us=sum(one.facts.country == "US" for one, _ in best), all=len(rows)))
    headers = tuple(say(f"h_{name}") for name in ("model", "country", kind, "rating", "interval", "dominated"))
    return Exhibit(kind, title, headers, table, points, tuple(lines), arena=True)


def _page(title: Text, keys: _Tokens, data: Data) -> Exhibit:
    known = (data.tokens or {}).get("tokenizers", [])
    points, rows = [], []
    for one in known:
        counts = one["texts"]["own"]
        name = one["names"][0].split("/")[-1]
        rows.append((name, *(f"{counts[language]['page_tokens']:.0f}" for language in ("zh", "en")), f"{counts['zh_by_en_tokens']:.2f}"))
        points += [{"model": name, "language": language, "tokens": counts[language]["page_tokens"]} for language in ("zh", "en")]
    headers = tuple(say(f"h_{name}") for name in ("model", "page_zh", "page_en", "zh_en"))
    return Exhibit("tokens", title, headers, tuple(rows), tuple(points), (say("tokens_measured"),))


def _chips(title: Text, keys: _Chips, data: Data) -> Exhibit:
    points, rows = [], []
    for chip in keys.chips:
        ratios = {what: cost.ratio(cost.Chips(chips=(chip,), reference=keys.reference, what=what), chip) for what in WHATS}
        rows.append((chip, *(f"{ratios[what]:.2f}" for what in WHATS)))
        points += [{"chip": chip, "what": what, "ratio": ratios[what]} for what in WHATS]
    headers = tuple(say(f"h_{name}") for name in ("chip", *WHATS))
    return Exhibit("chips", title, headers, tuple(rows), tuple(points), (say("chips_projected"),))


WHATS: tuple[Literal["arithmetic", "reading", "writing"], ...] = ("arithmetic", "reading", "writing")
KINDS: dict[str, tuple[type[Any], Callable[[Text, Any, Data], Exhibit]]] = {
    "gap": (_Pair, _gap),
    "share": (_Top, _share),
    "lag": (_Pair, _lag),
    "ranking": (_Top, _ranking),
    "prices": (_Top, _prices),
    "sizes": (_Top, _sizes),
    "tokens": (_Tokens, _page),
    "chips": (_Chips, _chips),
}
"""Kind to (its keys, the maker)."""

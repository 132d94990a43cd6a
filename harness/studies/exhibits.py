"""What is shown beside a verdict: the kinds of exhibit that a claim may name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.config.problems import suggest
from harness.errors import ConfigError
from harness.studies import adoption, costs, frontiers, gap, scores, tables, winners
from harness.studies.board import Side
from harness.studies.claims import Shown, Text
from harness.studies.data import Data
from harness.studies.exhibited import Cell, Exhibit, Keys, Top, interval, of_date, segments
from harness.studies.finding import country_name, licence_name, maker_name, percent, say, signed
from harness.studies.predicates import cost
from harness.wording import first_problem


class _Pair(Keys):
    one: Side
    other: Side
    between: Literal["countries", "sizes", "names"] = "countries"


class _Tokens(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Chips(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    chips: tuple[str, ...]
    reference: str = "H100"


def exhibit(shown: Shown, data: Data) -> Exhibit:
    """Makes one. Raises ConfigError for a kind or key that is not known."""
    if shown.kind not in KINDS:
        raise ConfigError(
            f"unknown kind of plot {shown.kind!r}{suggest(shown.kind, KINDS)}; known: {', '.join(KINDS)}"
        )
    shape, make = KINDS[shown.kind]
    try:
        keys = shape.model_validate(shown.given)
    except ValidationError as error:
        raise ConfigError(f"plot {shown.kind}: {first_problem(error)}") from error
    found: Exhibit = make(shown.title, keys, data)
    return found


def _gap(title: Text, keys: _Pair, data: Data) -> Exhibit:
    """Difference of the best at each date; the changes of the lead as brackets; the holes."""
    series = data.board.series(keys.style, keys.category, keys.method)
    found = gap.leads(series, keys.one, keys.other)
    names = tuple(say(f"{keys.between}_{place}") for place in ("one", "other"))
    parts = segments([lead.snapshot.date for lead in found])
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
    lines = _lead_lines(found, names) if keys.between == "countries" else list[Text]()
    if keys.method != "bradley-terry":
        lines = [
            say("method_line", method=say(f"method_{keys.method}"))
        ]  # without intervals no change of the lead is sure
    lines += [
        say("hole", after=begin, until=end) for begin, end in gap.holes([lead.snapshot for lead in found])
    ]
    lines = [*winners.of_gap(found), *lines]
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


def _lead_lines(found: list[gap.SideLead], names: tuple[Text, ...]) -> list[Text]:
    """The brackets in which the lead changed hands: those that are sure, and those by points
    alone.
    """
    lines = []
    for sure in (True, False):
        changes = [
            say("bracket", after=one.after, by=one.by, who=names[0] if one.to > 0 else names[1])
            for one in gap.brackets(found, sure=sure)
        ]
        listed = (
            Text(en="; ".join(one.en for one in changes), zh="；".join(one.zh for one in changes))
            if changes
            else say("never")
        )
        lines.append(say("brackets_sure" if sure else "brackets_points", listed=listed))
    return lines


def _yearly(found: list[gap.SideLead]) -> list[gap.SideLead]:
    """The last snapshot of each quarter, so that a table can be read."""
    last = {(lead.snapshot.date.year, (lead.snapshot.date.month - 1) // 3): lead for lead in found}
    return list(last.values())


def _share(title: Text, keys: Top, data: Data) -> Exhibit:
    series = data.board.series(keys.style, keys.category, keys.method)
    parts = segments([one.date for one in series])
    points, rows = list[dict[str, Any]](), dict[tuple[int, int], tuple[Cell, ...]]()
    for snapshot, part in zip(series, parts, strict=True):
        if len(snapshot.top(keys.top, keys.side)) < keys.top:
            continue  # a board of its first rows only
        found = gap.shares(snapshot, keys.top, keys.side)
        counts = {name: found.get(name, 0.0) for name in ("CN", "US")}
        counts["other"] = max(0.0, 1 - sum(counts.values()))
        points += [
            {"date": snapshot.date, "country": name, "share": value, "part": part}
            for name, value in counts.items()
        ]
        quarter = (snapshot.date.year, (snapshot.date.month - 1) // 3)
        rows[quarter] = (str(snapshot.date), *(percent(value) for value in counts.values()))
    headers = (say("h_date"), country_name("CN"), country_name("US"), say("other_countries"))
    return Exhibit(
        "share",
        title,
        headers,
        tuple(rows.values()),
        tuple(points),
        winners.of_shares(points, keys.top),
        arena=True,
    )


def _lag(title: Text, keys: _Pair, data: Data) -> Exhibit:
    series = data.board.series(keys.style, keys.category, keys.method)
    points, rows = [], {}
    parts = dict(zip([one.date for one in series], segments([one.date for one in series]), strict=True))
    for snapshot in series:
        for place, (behind, ahead) in enumerate(((keys.one, keys.other), (keys.other, keys.one))):
            found = gap.lag(data.board, snapshot, behind, ahead)
            if found is None:
                continue
            value = max(found.months or 0.0, 0.0)
            span = {"low": max(found.least or 0.0, 0.0), "high": max(found.most or 0.0, 0.0)}
            points.append(
                {"date": snapshot.date, "side": place, "months": value, **span, "part": parts[snapshot.date]}
            )
            if place == 0:
                quarter = (snapshot.date.year, (snapshot.date.month - 1) // 3)
                rows[quarter] = _lag_row(data, found)
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


def _lag_row(data: Data, found: gap.Lag) -> tuple[Cell, ...]:
    if found.first is None:
        return (
            str(found.snapshot.date),
            found.behind.name,
            "–",
            "–",
            say("not_behind"),
            f"0 … {max(found.most or 0.0, 0.0):.1f}",
        )
    date, dated = data.board.released(found.first)
    released: Cell = str(date) if dated else say("rated_by", date=date)
    span = f"{max(found.least or 0.0, 0.0):.1f} … {found.most or 0.0:.1f}"
    return (
        str(found.snapshot.date),
        found.behind.name,
        found.first.name,
        released,
        f"{found.months:.1f}",
        span,
    )


def _ranking(title: Text, keys: Top, data: Data) -> Exhibit:
    snapshot = costs.latest(data, keys.style, keys.category, keys.date)
    top = snapshot.top(keys.top, keys.side) if snapshot else ()
    rows = tuple(
        (
            str(rank),
            one.name,
            maker_name(one.facts.maker),
            country_name(one.facts.country),
            f"{one.rating:.0f}",
            interval(one),
            licence_name(one.facts.licence),
        )
        for rank, one in enumerate(top, 1)
    )
    points = tuple(
        {
            "model": one.name,
            "country": one.facts.country or "?",
            "rating": one.rating,
            "low": one.low,
            "high": one.high,
        }
        for one in top
    )
    headers = tuple(
        say(f"h_{name}") for name in ("rank", "model", "maker", "country", "rating", "interval", "licence")
    )
    lines = (of_date(snapshot), *winners.of_ranking(top)) if snapshot else ()
    return Exhibit("ranking", title, headers, rows, points, lines, arena=True)


def _page(title: Text, keys: _Tokens, data: Data) -> Exhibit:
    known = (data.tokens or {}).get("tokenizers", [])
    points, rows = [], []
    for one in known:
        counts = one["texts"]["own"]
        name = one["names"][0].split("/")[-1]
        rows.append(
            (
                name,
                *(f"{counts[language]['page_tokens']:.0f}" for language in ("zh", "en")),
                f"{counts['zh_by_en_tokens']:.2f}",
            )
        )
        points += [
            {"model": name, "language": language, "tokens": counts[language]["page_tokens"]}
            for language in ("zh", "en")
        ]
    headers = tuple(say(f"h_{name}") for name in ("model", "page_zh", "page_en", "zh_en"))
    return Exhibit(
        "tokens",
        title,
        headers,
        tuple(rows),
        tuple(points),
        (*winners.of_tokens(points), say("tokens_measured")),
    )


def _chips(title: Text, keys: _Chips, data: Data) -> Exhibit:
    points, rows = [], []
    for chip in keys.chips:
        ratios = {
            what: cost.ratio(cost.Chips(chips=(chip,), reference=keys.reference, what=what), chip)
            for what in WHATS
        }
        rows.append((chip, *(f"{ratios[what]:.2f}" for what in WHATS)))
        points += [{"chip": chip, "what": what, "ratio": ratios[what]} for what in WHATS]
    headers = tuple(say(f"h_{name}") for name in ("chip", *WHATS))
    return Exhibit("chips", title, headers, tuple(rows), tuple(points), (say("chips_projected"),))


WHATS: tuple[Literal["arithmetic", "reading", "writing"], ...] = ("arithmetic", "reading", "writing")
KINDS: dict[str, tuple[type[Any], Callable[[Text, Any, Data], Exhibit]]] = {
    "gap": (_Pair, _gap),
    "share": (Top, _share),
    "lag": (_Pair, _lag),
    "ranking": (Top, _ranking),
    "prices": (Top, frontiers.prices),
    "sizes": (Top, frontiers.sizes),
    "flops": (frontiers.ItemTokens, frontiers.flops),
    "frontiers": (frontiers.Over, frontiers.frontiers),
    "scores": (scores.PublishedScores, scores.scores),
    "board": (tables.Standing, tables.board),
    "speeds": (tables.Nothing, tables.measured_speeds),
    "trained": (tables.Nothing, tables.training),
    "releases": (tables.Span, tables.releases),
    "tokens": (_Tokens, _page),
    "chips": (_Chips, _chips),
    "downloads": (adoption.Shares, adoption.shares),
    "printed_figures": (adoption.Figures, adoption.printed),
    "liked": (adoption.Liked, adoption.liked),
    "likes": (adoption.Likes, adoption.likes),
}
"""Kind to (its keys, the maker)."""

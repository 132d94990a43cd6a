"""What is shown beside a verdict: the kinds of exhibit that a claim may name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.config.problems import suggest
from harness.errors import ConfigError
from harness.studies import adoption, costs, frontiers, gap, scores, tables, winners
from harness.studies.claims import Shown, Text
from harness.studies.data import Data
from harness.studies.exhibited import Cell, Exhibit, Top, interval, of_date, segments
from harness.studies.finding import country_name, licence_name, maker_name, percent, say
from harness.studies.gap_exhibits import PairKeys, gap_exhibit, lag_exhibit
from harness.studies.predicates.chips import Chips, ratio
from harness.wording import first_problem


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
    one_exhibit: Exhibit = make(shown.title, keys, data)
    return one_exhibit


def _share(title: Text, keys: Top, data: Data) -> Exhibit:
    series = data.board.series(keys.style, keys.category, keys.method)
    parts = segments([one.date for one in series])

    points, rows = list[dict[str, Any]](), dict[tuple[int, int], tuple[Cell, ...]]()
    for snapshot, part in zip(series, parts, strict=True):
        # A board of which only the first rows are published would have shares of a smaller top.
        if len(snapshot.top(keys.top, keys.side)) < keys.top:
            continue
        by_country = gap.shares(snapshot, keys.top, keys.side)
        counts = {name: by_country.get(name, 0.0) for name in ("CN", "US")}
        counts["other"] = max(0.0, 1 - sum(counts.values()))

        points += [
            {"date": snapshot.date, "country": name, "share": value, "part": part}
            for name, value in counts.items()
        ]

        # One table row per quarter, its last snapshot; the plot has all of them.
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

    # A rating without a published interval has no bar, only a dot.
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
    tokenizers = (data.tokens or {}).get("tokenizers", [])
    points, rows = [], []

    for one in tokenizers:
        # The plot shows the project's own text; the verdict uses the other parallel texts, too.
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
            what: ratio(Chips(chips=(chip,), reference=keys.reference, what=what), chip) for what in WHATS
        }
        rows.append((chip, *(f"{ratios[what]:.2f}" for what in WHATS)))
        points += [{"chip": chip, "what": what, "ratio": ratios[what]} for what in WHATS]

    headers = tuple(say(f"h_{name}") for name in ("chip", *WHATS))
    return Exhibit("chips", title, headers, tuple(rows), tuple(points), (say("chips_projected"),))


WHATS: tuple[Literal["arithmetic", "reading", "writing"], ...] = ("arithmetic", "reading", "writing")
KINDS: dict[str, tuple[type[Any], Callable[[Text, Any, Data], Exhibit]]] = {
    "gap": (PairKeys, gap_exhibit),
    "share": (Top, _share),
    "lag": (PairKeys, lag_exhibit),
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

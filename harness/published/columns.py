"""What leaderboard files call their columns, and the figures that one row of them holds."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config.problems import suggest
from harness.errors import ConfigError
from harness.published.ratings import LMARENA, METHODS, RatingMethod
from harness.published.sources import check_source

MODEL = ("fullname", "model", "modelname", "name", "key", "evalname", "modelapiname")
RATING = (
    "rating",
    "arenascore",
    "arenaelo",
    "arenaelorating",
    "elorating",
    "elo",
    "intelligenceindex",
    "score",
)
LOWER = ("lower", "ratingq025", "q025", "ratinglower", "cilower")
UPPER = ("upper", "ratingq975", "q975", "ratingupper", "ciupper")
BOOTSTRAP_SINCE = datetime.date(2023, 6, 1)
MLE_SINCE = datetime.date(2023, 12, 6)
"""When LMSYS changed its method (blog of 2023-12-07).

Online Elo was printed in May 2023, the median over shuffled votes until November, and a
Bradley–Terry fit from 2023-12-06 on.
"""
INTERVAL = ("ci95", "95ci", "95pctci", "ci")
DATE = ("date", "snapshotdate", "leaderboardpublishdate")
MAKER = ("organization", "organisation", "maker")
VOTES = ("votes", "numbattles", "votecount")
FLAG = ("flag",)
METHOD = ("method",)
METHOD_NAMES: dict[str, RatingMethod] = {
    "Elo, online": "online-elo",
    "Elo, online (K=4, order of the votes)": "online-elo",
    "Elo, bootstrap median": "elo-bootstrap-median",
    "MLE": "bradley-terry",
    "MLE (Bradley-Terry)": "bradley-terry",
    "MLE, refit of the public votes by a third party": "bradley-terry-refit",
}
"""How files of boards name the methods of `ratings.RatingMethod`."""
LICENCE = ("license", "licence", "hublicense")
SCORES = {
    "averageup": "average",
    "math": "math_lvl_5",
    "mathlvl5": "math_lvl_5",
    "mmlupro": "mmlu_pro",
    "mtbenchscore": "mt_bench",
    "mtbench": "mt_bench",
    "lengthcontrolledwinrate": "length_controlled",
    "winrate": "win_rate",
} | {
    name: name
    for name in (
        "average",
        "ifeval",
        "bbh",
        "gpqa",
        "musr",
        "arc",
        "hellaswag",
        "mmlu",
        "truthfulqa",
        "winogrande",
        "gsm8k",
    )
}
"""Columns of tables with one row per model and one column per task."""


@dataclass(frozen=True)
class Defaults:
    """What holds for every row whose file does not say it."""

    source: str
    board: str
    date: datetime.date | None
    category: str = "full"
    style: str = "default"
    method: RatingMethod | None = None


def column_key(column: str) -> str:
    """A column's name without case and punctuation."""
    return re.sub(r"[^a-z0-9]+", "", column.lower())


def pick(row: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    """The first of several columns that a row fills, None for none."""
    for key in keys:
        if row.get(key) not in (None, ""):
            return row[key]
    return None


def board_in(rows: list[dict[str, Any]], stem: str) -> str:
    """The board that a table's columns show it is of, else one of the file's own name."""
    columns = {column_key(column) for column in rows[0]} if rows else set()
    arena = {"arenascore", "arenaelo", "arenaelorating"} & columns or {
        "snapshotdate",
        "ratingq025",
    } <= columns
    rated = {"category", "style", "method", "votes"} <= columns or {"method", "ispublishedboard"} <= columns
    if arena or rated:
        return LMARENA
    return "artificial-analysis" if "intelligenceindex" in columns else stem.lower()


def _board_of(row: Mapping[str, Any], defaults: Defaults) -> str:
    """The board of one row.

    Versions of an index are boards of their own, since they ask other questions.
    """
    board: str = pick(row, ("board",)) or defaults.board
    return f"{board}-v{row['indexversion']}" if row.get("indexversion") else board


def _method(row: Mapping[str, Any], board: str, date: datetime.date, defaults: Defaults) -> RatingMethod:
    """What the file or the caller names; else, for LMArena, the board's method at that date.

    The dates are `BOOTSTRAP_SINCE` and `MLE_SINCE`. Raises ConfigError for an unknown method.
    """
    name = pick(row, METHOD)
    if name is not None:
        if name not in METHOD_NAMES and name not in METHODS:
            raise ConfigError(
                f"unknown method {name!r}{suggest(str(name), METHODS)}; known: {', '.join(METHODS)}"
            )
        named: RatingMethod = METHOD_NAMES.get(name, name)
        return named

    if defaults.method is not None:
        return defaults.method

    # Two methods give one name two ratings that must never be compared, so the date has to tell
    # them apart.
    if board != LMARENA:
        return "score"
    return (
        "online-elo"
        if date < BOOTSTRAP_SINCE
        else "elo-bootstrap-median"
        if date < MLE_SINCE
        else "bradley-terry"
    )


def _source(row: Mapping[str, Any], defaults: Defaults) -> str:
    """The row's own source where it is one that can be looked up, else the file's."""
    try:
        return check_source(str(pick(row, ("source",)) or defaults.source))
    except ValueError:
        return defaults.source


def _votes(row: Mapping[str, Any]) -> int | None:
    number = _number(pick(row, VOTES))
    return None if number is None else int(number)


def figures_of(rows: list[dict[str, Any]], defaults: Defaults, path: Path) -> Iterator[dict[str, Any]]:
    """The figures of every row, not checked yet; ``rating`` is None where a row has none.

    Raises ConfigError where the file has no model, no figure or no date.
    """
    for raw in rows:
        row = {column_key(column): value for column, value in raw.items()}
        scores = {SCORES[key]: value for key, value in row.items() if key in SCORES}
        rated = any(key in row for key in RATING)
        if pick(row, MODEL) is None:
            columns = ", ".join(map(str, raw))[:120]
            raise ConfigError(f"{path}: no model column; expected one of {', '.join(MODEL)}; got {columns}")
        if not scores and not rated:
            raise ConfigError(
                f"{path}: no figures; expected a column {', '.join(RATING[:3])} … or tasks"
                f" ({', '.join(list(SCORES)[-6:])} …)"
            )

        # A table of ratings has one figure per row, a table of tasks one per column.
        shared = _shared(row, defaults, path)
        if not rated:
            for category, value in scores.items():
                yield shared | {"category": category, "rating": _number(value), "lower": None, "upper": None}
            continue
        rating = _number(pick(row, RATING))
        lower, upper = _interval(row, rating)
        category = pick(row, ("category",)) or defaults.category
        figures = {"category": category, "rating": rating, "lower": lower, "upper": upper}
        yield shared | figures | {"votes": _votes(row)}


def _shared(row: Mapping[str, Any], defaults: Defaults, path: Path) -> dict[str, Any]:
    """What all figures of a row have in common: model, board, date, style, method and source."""
    date = pick(row, DATE) or defaults.date
    if date is None:
        raise ConfigError(f"{path}: no date in the file or its name; say it with --date YYYY-MM-DD")

    board = _board_of(row, defaults)
    style = str(pick(row, ("style",)) or defaults.style).replace("style control", "style_control")
    return {
        "date": date,
        "board": board,
        "style": style,
        "model": str(pick(row, MODEL)).strip(),
        "source": _source(row, defaults),
        "flag": str(pick(row, FLAG) or ""),
        "method": _method(row, board, _date(date, path), defaults),
    }


def _number(value: Any) -> float | None:
    """A figure, or None for an empty cell or text. NaN is an empty cell."""
    try:
        number = float(str(value).strip().rstrip("%").replace(",", ""))
    except ValueError:
        return None
    return number if number == number else None


def _interval(row: Mapping[str, Any], value: float | None) -> tuple[float | None, float | None]:
    lower, upper = _number(pick(row, LOWER)), _number(pick(row, UPPER))
    if lower is not None and upper is not None:
        return lower, upper

    # LMSYS prints "+5/-4" beside the rating.
    signed = re.findall(r"[+-]?\d+(?:\.\d+)?", str(pick(row, INTERVAL) or ""))
    if value is None or not signed:
        return None, None
    parts = [abs(float(part)) for part in signed[:2]]
    return value - parts[-1], value + parts[0]


def _date(value: Any, path: Path) -> datetime.date:
    if isinstance(value, datetime.date):
        return value
    try:
        return datetime.date.fromisoformat(str(value)[:10])
    except ValueError:
        raise ConfigError(f"{path}: expected a day like 2025-08-06, got {value!r}") from None


def date_in(name: str) -> datetime.date | None:
    """The day in a file's name, None where there is none."""
    match = re.search(r"(20\d\d)[-_.]?(\d\d)[-_.]?(\d\d)", name)
    try:
        return datetime.date(*(int(part) for part in match.groups())) if match else None
    except ValueError:
        return None

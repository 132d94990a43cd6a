"""Leaderboard files from a user's disk in this project's own form: LMArena's tables, the Open LLM
Leaderboard's, and simple ones.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.config.problems import suggest
from harness.errors import ConfigError
from harness.published.models import RatedModel, known_makers, other_names, rated_models
from harness.published.ratings import LMARENA, METHODS, Method, PublishedRating, write_ratings
from harness.published.sources import USER_FOLDER, check_source, first_problem
from harness.published.tables import read_rows

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
"""LMSYS printed online Elo in May 2023, the median over shuffled votes until November, and a
Bradley–Terry fit from 2023-12-06 on (blog of 2023-12-07).
"""
INTERVAL = ("ci95", "95ci", "95pctci", "ci")
DATE = ("date", "snapshotdate", "leaderboardpublishdate")
MAKER = ("organization", "organisation", "maker")
VOTES = ("votes", "numbattles", "votecount")
FLAG = ("flag",)
METHOD = ("method",)
SAID: dict[str, Method] = {
    "Elo, online": "online-elo",
    "Elo, online (K=4, order of the votes)": "online-elo",
    "Elo, bootstrap median": "elo-bootstrap-median",
    "MLE": "bradley-terry",
    "MLE (Bradley-Terry)": "bradley-terry",
    "MLE, refit of the public votes by a third party": "bradley-terry-refit",
}
"""How files of boards name the methods of `ratings.Method`."""
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
"""Columns of tables with one row a model and one column a task."""


@dataclass
class Imported:
    """What an import made."""

    file: Path
    ratings: list[PublishedRating] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    without_value: int = 0
    repeated: int = 0


@dataclass(frozen=True)
class Defaults:
    """What holds for every row whose file does not say it."""

    source: str
    board: str
    date: datetime.date | None
    category: str = "full"
    style: str = "default"
    method: Method | None = None


def import_leaderboard(
    path: Path, *, name: str | None = None, folder: Path = USER_FOLDER, source: str | None = None, board: str | None = None,
    date: datetime.date | None = None, style: str | None = None, method: Method | None = None,
) -> Imported:  # fmt: skip
    """Reads a leaderboard file (CSV, JSON, JSONL or Parquet) and writes ``folder/NAME.csv``.

    Models that are not known yet go to ``NAME.models.yaml`` beside it. Recognised: this project's
    own columns; LMArena's catalogue, history and table; tables with one column a task, as the Open
    LLM Leaderboard has. ``source`` defaults to the file's name and hash, ``board`` to LMArena's for
    its tables and to the file's name otherwise, ``date`` to the file's column or a date in its
    name, ``style`` to no style control, ``method`` to what LMArena used at the date, and to a score
    for other boards. Raises ConfigError for a file that has no model, no figure or no date.
    """
    rows = read_rows(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name or path.name.split(".")[0]).strip("-.") or "leaderboard"
    given = Defaults(source or f"file:{path.name}#{digest}", board or _board(rows, stem), date or _date_in(path.name),
                     style=style or "default", method=method)  # fmt: skip
    done = Imported(folder / f"{stem}.csv")
    known = rated_models(folder)
    names = other_names(known)
    seen: set[tuple[object, ...]] = set()
    for number, facts in enumerate(_facts(rows, given, path), 1):
        if facts["rating"] is None:
            done.without_value += 1
            continue
        facts["model"] = names.get(str(facts["model"]).lower(), facts["model"])
        try:
            one = PublishedRating(**facts)
        except ValidationError as error:
            raise ConfigError(f"{path}: figure {number}: {first_problem(error)}") from error
        if (one.snapshot, one.model) in seen:
            done.repeated += 1
            continue
        seen.add((one.snapshot, one.model))
        done.ratings.append(one)
    if not done.ratings:
        raise ConfigError(f"{path}: no figure in any of {len(rows)} rows; nothing written")
    write_ratings(done.file, done.ratings)
    done.models = _write_models(rows, known, names, done.file.with_suffix(".models.yaml"), given.source)
    return done


def _key(column: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", column.lower())


def _pick(row: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    for key in keys:
        if row.get(key) not in (None, ""):
            return row[key]
    return None


def _board(rows: list[dict[str, Any]], stem: str) -> str:
    columns = {_key(column) for column in rows[0]} if rows else set()
    arena = {"arenascore", "arenaelo", "arenaelorating"} & columns or {
        "snapshotdate",
        "ratingq025",
    } <= columns
    rated = {"category", "style", "method", "votes"} <= columns or {"method", "ispublishedboard"} <= columns
    if arena or rated:
        return LMARENA
    return "artificial-analysis" if "intelligenceindex" in columns else stem.lower()


def _board_of(row: Mapping[str, Any], given: Defaults) -> str:
    """The board of one row; versions of an index are boards of their own, since they ask other
    questions.
    """
    board: str = _pick(row, ("board",)) or given.board
    return f"{board}-v{row['indexversion']}" if row.get("indexversion") else board


def _method(row: Mapping[str, Any], board: str, date: datetime.date, given: Defaults) -> Method:
    """What the file or the caller says; else, for LMArena, the board's method at that date
    (`BOOTSTRAP_SINCE`, `MLE_SINCE`).

    Raises ConfigError for a method that is not known.
    """
    said = _pick(row, METHOD)
    if said is not None:
        if said not in SAID and said not in METHODS:
            raise ConfigError(
                f"unknown method {said!r}{suggest(str(said), METHODS)}; known: {', '.join(METHODS)}"
            )
        named: Method = SAID.get(said, said)
        return named
    if given.method is not None:
        return given.method
    if board != LMARENA:
        return "score"
    return (
        "online-elo"
        if date < BOOTSTRAP_SINCE
        else "elo-bootstrap-median"
        if date < MLE_SINCE
        else "bradley-terry"
    )


def _source(row: Mapping[str, Any], given: Defaults) -> str:
    """The row's own source where it is one that can be looked up, else the file's."""
    try:
        return check_source(str(_pick(row, ("source",)) or given.source))
    except ValueError:
        return given.source


def _votes(row: Mapping[str, Any]) -> int | None:
    number = _number(_pick(row, VOTES))
    return None if number is None else int(number)


def _facts(rows: list[dict[str, Any]], given: Defaults, path: Path) -> Iterator[dict[str, Any]]:
    """The figures of every row, not checked yet; ``rating`` is None where a row has none."""
    for raw in rows:
        row = {_key(column): value for column, value in raw.items()}
        model = _pick(row, MODEL)
        if model is None:
            raise ConfigError(
                f"{path}: no model column; expected one of {', '.join(MODEL)}; got {', '.join(map(str, raw))[:120]}"
            )
        scores = {SCORES[key]: value for key, value in row.items() if key in SCORES}
        if not scores and not any(key in row for key in RATING):
            raise ConfigError(
                f"{path}: no figures; expected a column {', '.join(RATING[:3])} … or tasks ({', '.join(list(SCORES)[-6:])} …)"
            )
        date = _pick(row, DATE) or given.date
        if date is None:
            raise ConfigError(f"{path}: no date in the file or its name; say it with --date YYYY-MM-DD")
        board = _board_of(row, given)
        shared = {
            "date": date, "board": board, "style": str(_pick(row, ("style",)) or given.style).replace("style control", "style_control"),
            "model": str(model).strip(), "source": _source(row, given), "flag": str(_pick(row, FLAG) or ""),
            "method": _method(row, board, _date(date, path), given),
        }  # fmt: skip
        if any(key in row for key in RATING):
            value = _number(_pick(row, RATING))
            lower, upper = _interval(row, value)
            category = _pick(row, ("category",)) or given.category
            yield shared | {
                "category": category,
                "rating": value,
                "lower": lower,
                "upper": upper,
                "votes": _votes(row),
            }
            continue
        for category, value in scores.items():
            yield shared | {"category": category, "rating": _number(value), "lower": None, "upper": None}


def _number(value: Any) -> float | None:
    """A figure, or None for an empty cell or text. NaN is an empty cell."""
    try:
        number = float(str(value).strip().rstrip("%").replace(",", ""))
    except ValueError:
        return None
    return number if number == number else None


def _interval(row: Mapping[str, Any], value: float | None) -> tuple[float | None, float | None]:
    lower, upper = _number(_pick(row, LOWER)), _number(_pick(row, UPPER))
    if lower is not None and upper is not None:
        return lower, upper
    signed = re.findall(r"[+-]?\d+(?:\.\d+)?", str(_pick(row, INTERVAL) or ""))
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


def _date_in(name: str) -> datetime.date | None:
    found = re.search(r"(20\d\d)[-_.]?(\d\d)[-_.]?(\d\d)", name)
    try:
        return datetime.date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        return None


def _write_models(
    rows: Iterable[Mapping[str, Any]],
    known: dict[str, RatedModel],
    names: dict[str, str],
    path: Path,
    source: str,
) -> list[str]:
    """Organisation and licence of models that the packaged table lacks, where the file says
    them.
    """
    import yaml

    from harness.results.files import write_text

    makers, spellings = known_makers()
    used: dict[str, Any] = {}
    entries: dict[str, dict[str, Any]] = {}
    for raw in rows:
        row = {_key(column): value for column, value in raw.items()}
        model, maker, licence = (_pick(row, keys) for keys in (MODEL, MAKER, LICENCE))
        if str(model).lower() in names or (maker is None and licence is None):
            continue
        maker = spellings.get(str(maker).lower(), maker)
        entry = {"name": str(model).strip(), "maker": maker, "source": source}
        if maker is None:
            entry["note"] = "the imported file does not say who made it"
        else:
            unknown = {
                "country": None,
                "source": source,
                "note": "not in the packaged table: write its country and a source here",
            }
            used[str(maker)] = makers.get(str(maker), unknown)
        if licence is not None:
            entry |= {"licence": str(licence), "open": not str(licence).lower().startswith("prop")}
        entries.setdefault(entry["name"], entry)
    if entries:
        data = {"makers": used, "models": list(entries.values())}
        write_text(path, yaml.safe_dump(data, sort_keys=False, allow_unicode=True))
    return list(entries)

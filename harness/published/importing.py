"""Leaderboard files from a user's disk in this project's own form: LMArena's tables, the Open LLM Leaderboard's, and simple ones."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import ConfigError
from harness.published.models import RatedModel, known_makers, other_names, rated_models
from harness.published.ratings import LMARENA, Rating, write_ratings
from harness.published.sources import USER_FOLDER, first_problem
from harness.published.tables import read_rows

MODEL = ("fullname", "model", "modelname", "name", "key", "evalname", "modelapiname")
RATING = ("rating", "arenascore", "elorating", "elo", "score")
LOWER = ("lower", "ratingq025", "q025", "ratinglower", "cilower")
UPPER = ("upper", "ratingq975", "q975", "ratingupper", "ciupper")
INTERVAL = ("ci95", "95ci", "95pctci", "ci")
DATE = ("date", "snapshotdate", "leaderboardpublishdate")
MAKER = ("organization", "organisation", "maker")
LICENCE = ("license", "licence", "hublicense")
SCORES = {
    "averageup": "average",
    "mathlvl5": "math_lvl_5",
    "mmlupro": "mmlu_pro",
    "mtbenchscore": "mt_bench",
    "mtbench": "mt_bench",
    "lengthcontrolledwinrate": "length_controlled",
    "winrate": "win_rate",
} | {name: name for name in ("average", "ifeval", "bbh", "gpqa", "musr", "arc", "hellaswag", "mmlu", "truthfulqa", "winogrande", "gsm8k")}
"""Columns of tables with one row a model and one column a task."""


@dataclass
class Imported:
    """What an import made."""

    file: Path
    ratings: list[Rating] = field(default_factory=list)
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


def import_leaderboard(
    path: Path, *, name: str | None = None, folder: Path = USER_FOLDER, source: str | None = None, board: str | None = None,
    date: datetime.date | None = None,
) -> Imported:  # fmt: skip
    """Reads a leaderboard file (CSV, JSON, JSONL or Parquet) and writes ``folder/NAME.csv``.

    Models that are not known yet go to ``NAME.models.yaml`` beside it. Recognised: this project's own columns; LMArena's catalogue, history
    and table; tables with one column a task, as the Open LLM Leaderboard has. ``source`` defaults to the file's name and hash, ``board`` to
    LMArena's for its tables and to the file's name otherwise, ``date`` to the file's column or a date in its name. Raises ConfigError for a
    file that has no model, no figure or no date.
    """
    rows = read_rows(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name or path.name.split(".")[0]).strip("-.") or "leaderboard"
    given = Defaults(source or f"file:{path.name}#{digest}", board or _board(rows, stem), date or _date_in(path.name))
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
            one = Rating(**facts)
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
    arena = "arenascore" in columns or {"snapshotdate", "ratingq025"} <= columns
    return LMARENA if arena else stem.lower()


def _facts(rows: list[dict[str, Any]], given: Defaults, path: Path) -> Iterator[dict[str, Any]]:
    """The figures of every row, not checked yet; ``rating`` is None where a row has none."""
    for raw in rows:
        row = {_key(column): value for column, value in raw.items()}
        model = _pick(row, MODEL)
        if model is None:
            raise ConfigError(f"{path}: no model column; expected one of {', '.join(MODEL)}; got {', '.join(map(str, raw))[:120]}")
        scores = {SCORES[key]: value for key, value in row.items() if key in SCORES}
        if not scores and not any(key in row for key in RATING):
            raise ConfigError(
                f"{path}: no figures; expected a column {', '.join(RATING[:3])} … or tasks ({', '.join(list(SCORES)[-6:])} …)"
            )
        date = _pick(row, DATE) or given.date
        if date is None:
            raise ConfigError(f"{path}: no date in the file or its name; say it with --date YYYY-MM-DD")
        shared = {
            "date": date, "board": _pick(row, ("board",)) or given.board, "style": _pick(row, ("style",)) or given.style,
            "model": str(model).strip(), "source": _pick(row, ("source",)) or given.source,
        }  # fmt: skip
        if any(key in row for key in RATING):
            value = _number(_pick(row, RATING))
            lower, upper = _interval(row, value)
            yield shared | {"category": _pick(row, ("category",)) or given.category, "rating": value, "lower": lower, "upper": upper}
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


def _date_in(name: str) -> datetime.date | None:
    found = re.search(r"(20\d\d)[-_.]?(\d\d)[-_.]?(\d\d)", name)
    try:
        return datetime.date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        return None


def _write_models(
    rows: Iterable[Mapping[str, Any]], known: dict[str, RatedModel], names: dict[str, str], path: Path, source: str
) -> list[str]:
    """Organisation and licence of models that the packaged table lacks, where the file says them."""
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
            unknown = {"country": None, "source": source, "note": "not in the packaged table: write its country and a source here"}
            used[str(maker)] = makers.get(str(maker), unknown)
        if licence is not None:
            entry |= {"licence": str(licence), "open": not str(licence).lower().startswith("prop")}
        entries.setdefault(entry["name"], entry)
    if entries:
        data = {"makers": used, "models": list(entries.values())}
        write_text(path, yaml.safe_dump(data, sort_keys=False, allow_unicode=True))
    return list(entries)

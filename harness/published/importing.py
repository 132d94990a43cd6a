"""Leaderboard files from a user's disk in this project's own form.

LMArena's tables, the Open LLM Leaderboard's, and simple ones.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import ConfigError
from harness.published.columns import (
    LICENCE,
    MAKER,
    MODEL,
    Defaults,
    board_in,
    column_key,
    date_in,
    figures_of,
    pick,
)
from harness.published.models import RatedModel, known_makers, other_names, rated_models
from harness.published.ratings import PublishedRating, RatingMethod, write_ratings
from harness.published.sources import USER_FOLDER, first_problem
from harness.published.tables import read_rows


@dataclass
class Imported:
    """What an import made."""

    file: Path
    ratings: list[PublishedRating] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    without_value: int = 0
    repeated: int = 0


def import_leaderboard(
    path: Path,
    *,
    name: str | None = None,
    folder: Path = USER_FOLDER,
    source: str | None = None,
    board: str | None = None,
    date: datetime.date | None = None,
    style: str | None = None,
    method: RatingMethod | None = None,
) -> Imported:
    """Reads a leaderboard file (CSV, JSON, JSONL or Parquet) and writes ``folder/NAME.csv``.

    Models that no file has yet go to ``NAME.models.yaml`` beside it. Recognised: this project's own
    columns; LMArena's catalogue, history and table; tables with one column per task, as the Open
    LLM Leaderboard has. ``source`` defaults to the file's name and hash, ``board`` to LMArena's for
    its tables and to the file's name otherwise, ``date`` to the file's column or a date in its
    name, ``style`` to no style control, ``method`` to what LMArena used at the date, and to a score
    for other boards. Raises ConfigError for a file that has no model, no figure or no date.
    """
    rows = read_rows(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name or path.name.split(".")[0]).strip("-.") or "leaderboard"
    defaults = Defaults(
        source or f"file:{path.name}#{digest}",
        board or board_in(rows, stem),
        date or date_in(path.name),
        style=style or "default",
        method=method,
    )

    # Names that boards use for a model that is already known are one with it.
    imported = Imported(folder / f"{stem}.csv")
    rated = rated_models(folder)
    names = other_names(rated)
    _collect(imported, figures_of(rows, defaults, path), names, path)
    if not imported.ratings:
        raise ConfigError(f"{path}: no figure in any of {len(rows)} rows; nothing written")

    write_ratings(imported.file, imported.ratings)
    models_file = imported.file.with_suffix(".models.yaml")
    imported.models = _write_models(rows, rated, names, models_file, defaults.source)
    return imported


def _collect(
    imported: Imported, figures: Iterable[dict[str, Any]], names: Mapping[str, str], path: Path
) -> None:
    """Checks the figures and adds them to what was imported, each once."""
    # Copies of a board repeat rows and leave cells empty; both are counted for the person who
    # imports.
    keys: set[tuple[object, ...]] = set()
    for number, facts in enumerate(figures, 1):
        if facts["rating"] is None:
            imported.without_value += 1
            continue
        facts["model"] = names.get(str(facts["model"]).lower(), facts["model"])
        try:
            one = PublishedRating(**facts)
        except ValidationError as error:
            raise ConfigError(f"{path}: figure {number}: {first_problem(error)}") from error
        if (one.snapshot, one.model) in keys:
            imported.repeated += 1
            continue
        keys.add((one.snapshot, one.model))
        imported.ratings.append(one)


def _write_models(
    rows: Iterable[Mapping[str, Any]],
    rated: dict[str, RatedModel],
    names: dict[str, str],
    path: Path,
    source: str,
) -> list[str]:
    """Organisation and licence of models that the packaged table lacks, where the file has them."""
    import yaml

    from harness.results.files import write_text

    makers, spellings = known_makers()
    makers_named: dict[str, Any] = {}
    entries: dict[str, dict[str, Any]] = {}

    # Makers are spelled in many ways; what the packaged table has of them is taken from there.
    for raw in rows:
        row = {column_key(column): value for column, value in raw.items()}
        model, maker, licence = (pick(row, keys) for keys in (MODEL, MAKER, LICENCE))
        if str(model).lower() in names or (maker is None and licence is None):
            continue

        maker = spellings.get(str(maker).lower(), maker)
        entry = _model_entry(str(model).strip(), maker, licence, source)
        entries.setdefault(entry["name"], entry)
        if maker is not None:
            makers_named[str(maker)] = makers.get(str(maker)) or _unknown_maker(source)

    if entries:
        data = {"makers": makers_named, "models": list(entries.values())}
        write_text(path, yaml.safe_dump(data, sort_keys=False, allow_unicode=True))
    return list(entries)


def _model_entry(name: str, maker: Any, licence: Any, source: str) -> dict[str, Any]:
    entry = {"name": name, "maker": maker, "source": source}
    if maker is None:
        entry["note"] = "the imported file does not say who made it"
    if licence is not None:
        entry |= {"licence": str(licence), "open": not str(licence).lower().startswith("prop")}
    return entry


def _unknown_maker(source: str) -> dict[str, Any]:
    """A country is never guessed: the entry is written so that a person can fill it in."""
    note = "not in the packaged table: write its country and a source here"
    return {"country": None, "source": source, "note": note}

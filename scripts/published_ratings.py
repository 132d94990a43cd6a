"""Writes the packaged facts of published leaderboards: harness/data/published/ratings.csv.gz and prices.yaml.

usage: python scripts/published_ratings.py [FOLDER]        FOLDER: leaderboard files as INDEX says; default ../shared/published

Only figures are kept (date, model, rating, interval, source), under one name a model: arena_models.yaml says which spellings are the same.
Says at the end which rated models that file does not know, and where it disagrees with the leaderboards' own organisation and licence.
AlpacaEval 2 is left out: its table has no date.
"""

from __future__ import annotations

import csv
import datetime
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.published.models import other_names, rated_models
from harness.published.prices import FILE as PRICES
from harness.published.ratings import FILE, LMARENA, Rating, write_ratings

LIST_DATE = datetime.date(2025, 12, 17)
LMSYS_DATE = datetime.date(2024, 3, 29)
AUGUST = datetime.date(2025, 8, 6)
HARD = datetime.date(2024, 7, 31)
NO_TEXT = ("imagen", "recraft", "photon", "ideogram", "flux", "dall-e", "stable-diffusion")
CLOSED = {"Proprietary", "Propretary"}


def main() -> None:
    """Reads the folder, writes both files, prints what does not fit."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/published")
    if not (folder / "lmarena" / "leaderboards.csv").is_file():
        sys.exit(f"no lmarena/leaderboards.csv in {folder}")
    names = other_names(rated_models(None))
    unknown: set[str] = set()
    rows = [*_catalog(folder), *_history(folder), *_tables(folder)]
    ratings = []
    for row in rows:
        name = names.get(row["model"].lower())
        if name is None:
            unknown.add(row["model"])
        ratings.append(Rating(**(row | {"model": name or row["model"]})))
    unique = {(one.snapshot, one.model): one for one in ratings}
    ordered = sorted(unique.values(), key=lambda one: (one.board, one.date, one.source, one.style, one.category, one.model.lower()))
    count = write_ratings(FILE, ordered)
    models, dates = len({one.model for one in ordered}), len({one.date for one in ordered})
    print(f"{count} ratings of {models} models at {dates} dates: {FILE.stat().st_size:,} bytes")
    prices = _write_prices(json.loads((folder / "lmarena" / "models-prices.json").read_text(encoding="utf-8")))
    print(f"{prices} prices")
    if unknown:
        print(f"not in arena_models.yaml: {', '.join(sorted(unknown))}")
    for line in _disagreements(folder, names):
        print(line)


def _catalog(folder: Path) -> Iterator[dict[str, Any]]:
    with (folder / "lmarena" / "leaderboards.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield {
                "date": row["snapshot_date"], "board": LMARENA, "category": row["category"], "style": row["style"], "model": row["model"],
                "rating": float(row["rating"]), "lower": float(row["rating_q025"]), "upper": float(row["rating_q975"]),
                "source": "lmarena-catalog",
            }  # fmt: skip


def _history(folder: Path) -> Iterator[dict[str, Any]]:
    with (folder / "lmarena" / "history.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield _row(row["date"], "lmarena-history", row["model"], float(row["rating"]), None, None)


def _tables(folder: Path) -> Iterator[dict[str, Any]]:
    import pandas as pd

    lmsys = pd.read_parquet(next((folder / "lmsys-arena-2024-03-29" / "ratings").glob("*.parquet")))
    for row in lmsys.to_dict("records"):
        low, high = sorted((row["rating_q025"], row["rating_q975"]))
        yield _row(LMSYS_DATE, "lmarena-2024-03-29", row["model"], row["rating"], low, high, digits=3)
    august = pd.read_parquet(next((folder / "published-leaderboards" / "lmarena_text_2025_08").glob("*.parquet")))
    for row in august.to_dict("records"):
        plus, minus = (float(part) for part in row["ci95"].split("/"))
        yield _row(AUGUST, "lmarena-2025-08", row["model"], row["arena_score"], row["arena_score"] + minus, row["arena_score"] + plus)
    hard = pd.read_parquet(next((folder / "published-leaderboards" / "arena_hard_20240731").glob("*.parquet")))
    for row in hard.to_dict("records"):
        yield _row(HARD, "arena-hard-2024-07-31", row["model"], row["score"], row["q025"], row["q975"]) | {"board": "arena-hard-auto"}


def _row(date: Any, source: str, model: str, rating: float, lower: float | None, upper: float | None, digits: int = 6) -> dict[str, Any]:
    figures = [None if value is None else round(float(value), digits) for value in (rating, lower, upper)]
    shared = {"date": date, "board": LMARENA, "category": "full", "style": "default", "model": model, "source": source}
    return shared | dict(zip(("rating", "lower", "upper"), figures, strict=True))


def _write_prices(listed: list[dict[str, Any]]) -> int:
    lines = [
        "# $ per million tokens in and out. `source`: the seller's page as LMArena's list names it, not read again; `date`: of the list.",
        "# Written by scripts/published_ratings.py. Left out: models without a price or a page in that list, and those that make no text.",
        "listed: lmarena-prices",
        f"date: {LIST_DATE}",
        "prices:",
    ]
    count = 0
    for entry in sorted(listed, key=lambda one: str(one["model_api_name"])):
        given, answered, page = entry.get("input_token_price"), entry.get("output_token_price"), str(entry.get("price_source") or "")
        name = str(entry["model_api_name"])
        if not given or not answered or not page.startswith("http") or name.startswith(NO_TEXT):
            continue
        lines.append(f"  - {{model: {name}, input: {float(given):g}, output: {float(answered):g}, source: {json.dumps(page)}}}")
        count += 1
    PRICES.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return count


def _disagreements(folder: Path, names: dict[str, str]) -> Iterator[str]:
    """Where a leaderboard's licence says another thing than arena_models.yaml, which then needs a note."""
    import pandas as pd

    models = rated_models(None)
    listed = [(one["model_api_name"], one.get("license")) for one in json.loads((folder / "lmarena" / "models-prices.json").read_text())]
    august = pd.read_parquet(next((folder / "published-leaderboards" / "lmarena_text_2025_08").glob("*.parquet")))
    listed += list(zip(august["model"], august["license"], strict=True))
    for spelling, licence in listed:
        model = models.get(names.get(str(spelling).lower(), ""))
        if model is not None and licence and model.open is not None and model.open == (licence in CLOSED) and not model.note:
            yield f"{model.name}: listed as {licence}, here open: {model.open}, and no note says why"


if __name__ == "__main__":
    main()

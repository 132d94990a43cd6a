"""Writes the packaged facts of published leaderboards into harness/data/published: ratings.csv.gz,
open_llm_2.csv.gz, artificial_analysis.csv.gz, snapshots.csv.gz, arena_models_new.yaml and
prices.yaml.

usage: python scripts/published_ratings.py [FOLDER]        FOLDER: leaderboard files as INDEX says;
default ../shared/published

Only figures are kept (date, model, rating, interval, votes, method, source), under one name per
model: arena_models.yaml says which spellings are the same, and the boards' own table of names. Says
at the end where that table disagrees with arena_models.yaml on country or openness. AlpacaEval 2 is
left out: its table has no date.
"""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import published_boards as boards

from harness.published.models import FILE as MODELS
from harness.published.models import NEWER, other_names, parse_models, rated_models
from harness.published.prices import FILE as PRICES
from harness.published.ratings import FILE, PublishedRating, write_ratings
from harness.published.sources import read_yaml

LIST_DATE = datetime.date(2025, 12, 17)
SECOND = {"Gemini Pro": "gemini-pro-dev-api"}
"""What a spelling means on a board that has the other model of that name, too (there
"Gemini-1.0-Pro-001" is the first).
"""
HARD = datetime.date(2024, 7, 31)
NO_TEXT = ("imagen", "recraft", "photon", "ideogram", "flux", "dall-e", "stable-diffusion")


def main() -> None:
    """Reads the folder, writes the files, prints what does not fit."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/published")
    tables = folder / "boards"
    if not (tables / "lmarena-boards.csv").is_file():
        sys.exit(f"no boards/lmarena-boards.csv in {folder}")
    rows = [*boards.ratings(tables), *_arena_hard(folder)]

    by_hand = other_names(parse_models(read_yaml(MODELS), str(MODELS)))
    keys = boards.names(tables)
    mapped = {name: by_hand[key.lower()] for name, key in keys.items() if key.lower() in by_hand} | by_hand
    _write_models(boards.new_models(tables, mapped, {row["model"] for row in rows}))

    # Read again: the models just written count, too.
    names = other_names(rated_models(None))
    _write_ratings(rows, {name: names.get(key.lower(), key) for name, key in keys.items()} | names)
    prices = json.loads((folder / "lmarena" / "models-prices.json").read_text(encoding="utf-8"))
    print(f"{_write_prices(prices)} prices")
    for line in (*boards.write_tables(tables), *boards.disagreements(tables, rated_models(None), names)):
        print(line)


def _write_ratings(rows: list[dict[str, Any]], names: dict[str, str]) -> None:
    """One name a model; where a snapshot has a model under two spellings, the first stays and the
    other is named.
    """
    unique: dict[Any, PublishedRating] = {}
    for row in rows:
        one = PublishedRating(**(row | {"model": names.get(row["model"].lower(), row["model"])}))
        if (one.snapshot, one.model) in unique and row["model"] in SECOND:
            one = PublishedRating(**(row | {"model": SECOND[row["model"]]}))
        if (one.snapshot, one.model) in unique:
            print(
                f"twice on {one.date} ({one.source}, {one.style}, {one.category}): {one.model}, here as "
                f"{row['model']}"
            )
        unique.setdefault((one.snapshot, one.model), one)
    ordered = sorted(
        unique.values(),
        key=lambda one: (
            one.board,
            one.date,
            one.source,
            one.style,
            one.category,
            one.method,
            one.model.lower(),
        ),
    )
    count = write_ratings(FILE, ordered)
    models, dates = len({one.model for one in ordered}), len({one.date for one in ordered})
    print(f"{count} ratings of {models} models at {dates} dates: {FILE.stat().st_size:,} bytes")


def _write_models(data: dict[str, Any]) -> None:
    import yaml

    head = (
        "# Written by scripts/published_ratings.py: rated models that arena_models.yaml, which is kept by "
        "hand, lacks. Maker and licence\n"
        "# as the board lists them, the release date as Artificial Analysis does; what neither says is "
        "absent.\n"
    )
    body = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=140, default_flow_style=None)
    NEWER.write_text(head + body, encoding="utf-8")
    print(
        f"{len(data['models'])} models in {NEWER.name}; no maker: "
        f"{sum(one['maker'] is None for one in data['models'])}"
    )


def _arena_hard(folder: Path) -> Iterator[dict[str, Any]]:
    import pandas as pd

    hard = pd.read_parquet(
        next((folder / "published-leaderboards" / "arena_hard_20240731").glob("*.parquet"))
    )
    for row in hard.to_dict("records"):
        figures = {
            name: round(float(row[key]), 6)
            for name, key in (("rating", "score"), ("lower", "q025"), ("upper", "q975"))
        }
        shared = {
            "date": HARD,
            "board": "arena-hard-auto",
            "category": "full",
            "style": "default",
            "method": "score",
        }
        yield shared | figures | {"model": row["model"], "source": "arena-hard-2024-07-31"}


def _write_prices(listed: list[dict[str, Any]]) -> int:
    lines = [
        "# $ per million tokens in and out. `source`: the seller's page as LMArena's list names it, not "
        "read again; `date`: of the list.",
        "# Written by scripts/published_ratings.py. Left out: models without a price or a page in that "
        "list, and those that make no text.",
        "listed: lmarena-prices",
        f"date: {LIST_DATE}",
        "prices:",
    ]
    count = 0
    for entry in sorted(listed, key=lambda one: str(one["model_api_name"])):
        input_price, output_price, page = (
            entry.get("input_token_price"),
            entry.get("output_token_price"),
            str(entry.get("price_source") or ""),
        )
        name = str(entry["model_api_name"])
        if not input_price or not output_price or not page.startswith("http") or name.startswith(NO_TEXT):
            continue
        lines.append(
            f"  - {{model: {name}, input: {float(input_price):g}, output: {float(output_price):g}, source: "
            f"{json.dumps(page)}}}"
        )
        count += 1
    PRICES.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return count


if __name__ == "__main__":
    main()

"""Rows of the packaged boards, read from the leaderboard files of a folder ``boards``; see
published_ratings.py.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.published.columns import METHOD_NAMES
from harness.published.models import RatedModel, known_makers
from harness.published.ratings import LMARENA
from harness.published.sources import FOLDER

Row = dict[str, Any]
OPEN_LLM_COLUMNS = (
    *("date", "model", "region", "official", "params_b", "type", "average"),
    *(
        f"{part}{end}"
        for end in ("", "_raw")
        for part in ("ifeval", "bbh", "math", "gpqa", "musr", "mmlu_pro")
    ),
    *("submission_date", "upload_date", "commit"),
)
ANALYSIS_COLUMNS = (
    *(
        "date",
        "index_version",
        "source",
        "model",
        "slug",
        "creator",
        "country",
        "open_weights",
        "release_date",
        "intelligence_index",
    ),
    *(
        "estimated",
        "mmlu_pro",
        "gpqa",
        "hle",
        "livecodebench",
        "scicode",
        "ifbench",
        "aime_2025",
        "aa_lcr",
        "price_blended",
        "price_basis",
    ),
    *("output_tokens_per_s", "total_params_b", "active_params_b", "commit"),
)
SNAPSHOT_COLUMNS = ("source", "date", "board_file", "commit", "path", "date_is")
SUFFIXES = re.compile(
    r"-(thinking|no-thinking|max|high|xhigh|low|medium|preview|non-reasoning|reasoning|instruct|latest|\d{8}|\d{4})$"
)
MAKERS = {
    "Thinky": "Thinking Machines Lab",
    "Bytedance": "ByteDance",
    "Inception AI": "Inception Labs",
    "Microsoft AI": "Microsoft",
}
"""LMArena's name of an organisation where the table of makers has another."""
CLOSED = {"claude-": "rule", "gemini-": "rule", "qwen3.8-max": "rule-qwen-max"}
"""Families without published weights, and the source that says so."""
NEW_MAKERS: dict[str, Row] = {
    "Arcee AI": {"country": "US", "source": "artificial-analysis"},
    "ByteDance": {"country": "CN", "source": "https://en.wikipedia.org/wiki/ByteDance"},
    "SpaceXAI": {"country": "US", "source": "artificial-analysis"},
    "Thinking Machines Lab": {
        "country": "US",
        "source": "https://en.wikipedia.org/wiki/Thinking_Machines_Lab",
    },
    "Xiaomi": {"country": "CN", "source": "https://en.wikipedia.org/wiki/Xiaomi"},
}


def read(path: Path) -> list[Row]:
    """A CSV file's rows."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ratings(folder: Path) -> Iterator[Row]:
    """Every figure of LMArena's dated boards, and the online Elo series of before 2024-06-29, under
    the names that the files use.
    """
    for row in read(folder / "lmarena-boards.csv"):
        yield {
            "date": row["date"],
            "board": LMARENA,
            "category": row["category"],
            "style": row["style"].replace(" ", "_"),
            "method": METHOD_NAMES[row["method"]],
            "model": row["model"],
            "rating": float(row["rating"]),
            "lower": _number(row["lower"]),
            "upper": _number(row["upper"]),
            "votes": _whole(row["votes"]),
            "flag": row["flag"],
            "source": row["source"],
        }
    for row in read(folder / "lmarena-online-elo.csv"):
        # The others are the blog's own boards.
        if METHOD_NAMES.get(row["method"]) == "online-elo" and row["is_published_board"] != "yes":
            yield {
                "date": row["date"],
                "board": LMARENA,
                "category": "full",
                "style": "default",
                "method": "online-elo",
                "model": row["model"],
                "rating": float(row["rating"]),
                "lower": None,
                "upper": None,
                "votes": None,
                "flag": "never the published board",
                "source": "lmarena-history",
            }


def names(folder: Path) -> dict[str, str]:
    """LMArena's spelling, lower case, to the arena's key where it is known."""
    return {
        row["variant"].lower(): row["canonical"]
        for row in read(folder / "lmarena-names.csv")
        if row["canonical"]
    }


def new_models(folder: Path, known: dict[str, str], rated: set[str]) -> Row:
    """Models that the hand-kept table lacks: maker and licence as the board lists them, country by
    maker, release by Artificial Analysis.

    A maker that the board does not name stays unknown, with a note.
    """
    _, spellings = known_makers()
    dates = releases(folder)
    first: dict[str, str] = {}
    for row in read(folder / "lmarena-boards.csv"):
        first[row["model"]] = min(row["date"], first.get(row["model"], row["date"]))
    models: dict[str, Row] = {}
    for row in sorted(read(folder / "lmarena-names.csv"), key=lambda one: one["canonical"].lower()):
        name = row["canonical"] or row["variant"]
        if name.lower() in known or row["variant"].lower() in known or row["variant"] not in rated:
            continue
        wanted = MAKERS.get(row["organization"], row["organization"])
        maker = wanted if wanted in NEW_MAKERS else spellings.get((wanted or "").lower())
        entry: Row = models.setdefault(name, {"name": name, "also": [], "maker": maker})
        if row["variant"] != name:
            entry["also"].append(row["variant"])
        if row["open_weights"]:
            entry["open"] = row["open_weights"] == "yes"
        if row["license"]:
            entry["licence"] = row["license"]
        entry["source"] = "lmarena-site-2026"
        released = dates.get(slug(name)) or dates.get(stem(name))
        # A later date is that of another model of that name.
        if released and released <= first[row["variant"]]:
            entry |= {"released": released, "released_source": "artificial-analysis"}
        if maker is None:
            organization = f": {row['organization']}" if row["organization"] else ""
            entry["note"] = f"The board names no maker that a source places{organization}."
        elif row["note"]:
            entry["note"] = row["note"]
    for entry in models.values():
        _finish(entry)
    return {"makers": NEW_MAKERS, "models": list(models.values())}


def _finish(entry: Row) -> None:
    """Openness by the family's rule where the board names no licence, else a note; no empty list of
    other names.
    """
    if "open" not in entry:
        rule = next((key for prefix, key in CLOSED.items() if entry["name"].startswith(prefix)), None)
        entry |= (
            {"open": False, "source": rule}
            if rule
            else {"note": "Seen in the top-30 tables of August 2026 alone, which name no licence."}
        )
    if not entry["also"]:
        del entry["also"]


def releases(folder: Path) -> dict[str, str]:
    """Release date by slug and by the slug's stem, of Artificial Analysis's tables of 2026; a stem
    with two dates has none.
    """
    exact: dict[str, str] = {}
    stems: dict[str, set[str]] = {}
    for row in read(folder / "artificial-analysis.csv"):
        if row["release_date"] and row["slug"]:
            exact[row["slug"]] = row["release_date"]
            stems.setdefault(stem(row["slug"]), set()).add(row["release_date"])
    return {name: next(iter(days)) for name, days in stems.items() if len(days) == 1} | exact


def slug(name: str) -> str:
    """A name as Artificial Analysis writes it in addresses."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def stem(name: str) -> str:
    """The slug without words for a mode of thinking or a date."""
    short = slug(name)
    while (shorter := SUFFIXES.sub("", short)) != short:
        short = shorter
    return short


def disagreements(folder: Path, models: dict[str, RatedModel], own: dict[str, str]) -> Iterator[str]:
    """Where the names' table says another country or openness than the models' table, which then
    needs a note.
    """
    for row in read(folder / "lmarena-names.csv"):
        model = models.get(own.get(row["variant"].lower(), ""))
        if model is None or model.note:
            continue
        if model.country and row["country"] and model.country != row["country"]:
            yield f"{model.name}: {row['country']} in lmarena-names.csv, here {model.country}"
        if model.open is not None and row["open_weights"] and model.open != (row["open_weights"] == "yes"):
            listed = f"open weights {row['open_weights']} in lmarena-names.csv"
            yield f"{model.name}: {listed}, here {model.open}, and no note says why"


def write_tables(folder: Path) -> Iterator[str]:
    """Writes the two score boards and the origin of each snapshot; says what was written."""
    for name, file, columns in (
        ("open-llm-leaderboard-2.csv", "open_llm_2.csv.gz", OPEN_LLM_COLUMNS),
        ("artificial-analysis.csv", "artificial_analysis.csv.gz", ANALYSIS_COLUMNS),
        ("lmarena-snapshots.csv", "snapshots.csv.gz", SNAPSHOT_COLUMNS),
    ):
        rows = read(folder / name)
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        (FOLDER / file).write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))
        yield f"{len(rows)} rows: {file}, {(FOLDER / file).stat().st_size:,} bytes"


def _number(text: str) -> float | None:
    return float(text) if text else None


def _whole(text: str) -> int | None:
    return int(float(text)) if text else None

"""Writes the packaged facts on adoption: harness/data/adoption/snapshots.csv.gz, organizations.csv
and figures.csv.

usage: python scripts/published_adoption.py [FOLDER] FOLDER: adoption-*.csv,
organization-country.csv; default ../shared/published/boards

Only figures are kept (date, source, model, pipeline, likes, downloads). Sources with their commits:
harness/data/adoption/sources.yaml.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
from pathlib import Path

from harness.adoption.files import read_snapshots
from harness.adoption.organizations import FILE as ORGANIZATIONS
from harness.adoption.published import FIGURES, SNAPSHOTS, list_sources

TABLES = ("adoption-likes.csv", "adoption-downloads.csv")
WITH_LISTS = "given with the dated lists, by hand: seat of the makers of its models"
FIELDS = ("date", "source", "selection", "model", "pipeline", "likes", "downloads_30d", "exact")


def main() -> None:
    """Reads the folder, writes the three files, says what is in them."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/published/boards")
    if not (folder / TABLES[0]).is_file():
        sys.exit(f"no {TABLES[0]} in {folder}")
    print(f"{_snapshots(folder)} figures: {SNAPSHOTS.stat().st_size:,} bytes")
    print(f"{_organizations(folder)} namespaces: {ORGANIZATIONS.stat().st_size:,} bytes")
    print(f"{_figures(folder)} single figures: {FIGURES.stat().st_size:,} bytes")


def _snapshots(folder: Path) -> int:
    snapshots = read_snapshots(folder / name for name in TABLES)
    if unknown := {one.source for one in snapshots} - set(list_sources()):
        sys.exit(f"not in sources.yaml: {', '.join(sorted(unknown))}")

    # Without the time of writing in its head, equal rows give an equal file.
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    count = 0
    for one in snapshots:
        for row in one.rows:
            facts = (
                one.date,
                one.source,
                one.selection,
                row.model,
                row.pipeline,
                row.likes,
                row.downloads_30d,
            )
            writer.writerow([*("" if value is None else value for value in facts), "" if row.exact else "no"])
            count += 1
    SNAPSHOTS.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))
    return count


def _organizations(folder: Path) -> int:
    with (folder / "organization-country.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "Hugging Face namespace"]
    listed = {row["organization"].lower() for row in rows}

    more: dict[str, dict[str, str]] = {}
    for name in TABLES:  # a few namespaces have their region only with the lists' own rows
        with (folder / name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["region"] and row["organization"].lower() not in listed:
                    facts = {
                        "organization": row["organization"],
                        "region": row["region"],
                        "source": WITH_LISTS,
                        "note": "",
                    }
                    more[row["organization"].lower()] = facts
    rows += [more[name] for name in sorted(more)]

    with ORGANIZATIONS.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("organization", "region", "source", "note"))
        writer.writerows((row["organization"], row["region"], row["source"], row["note"]) for row in rows)
    return len(rows)


def _figures(folder: Path) -> int:
    with (folder / "adoption-published.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with FIGURES.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("id", "claim", "who", "what", "printed", "unit", "date", "source", "kind"))
        count, what = 0, ""
        for row in rows:
            text = row["what"]
            what = what if text == "the same" else re.sub(r"^the same; ", f"{what}; ", text)
            count += 1
            unit = row["unit"] or "when"
            who = row["region_or_model"]
            slug = re.sub(r"[^a-z0-9]+", "-", who.split("/")[-1].lower()).strip("-")
            source = row["source"].split("; /")[0]
            printed = re.sub(r"\.0$", "", row["value"])
            name = f"{row['claim']}-{slug}-{row['date']}-{unit.replace(' ', '-')}".lower()
            writer.writerow((name, row["claim"], who, what, printed, unit, row["date"], source, row["kind"]))
            what = what.split("; OpenAI")[0]
    return count


if __name__ == "__main__":
    main()

"""Published ratings: every figure has a source, the packaged file is what the leaderboards say, broken rows are refused by line."""

from __future__ import annotations

import csv
import datetime
import gzip
from collections import Counter
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.published import load_prices, load_ratings, rated_models
from harness.published.ratings import FIELDS, FILE, read_ratings, write_ratings
from harness.published.sources import source_url, sources

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "published"
GOOD = "2025-12-17,lmarena-text,full,default,some-model,1400.5,1390.1,1410.2,lmarena-catalog"


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "mine.csv"
    path.write_text("\n".join([",".join(FIELDS), *lines]) + "\n", encoding="utf-8")
    return path


def test_every_packaged_rating_has_a_source_that_can_be_opened() -> None:
    ratings = load_ratings(None, board=None)
    assert len(ratings) > 48_000
    assert {one.source for one in ratings} <= set(sources())
    assert all(source_url(one.source).startswith("https://") for one in ratings)
    assert len({(one.snapshot, one.model) for one in ratings}) == len(ratings)
    assert FILE.stat().st_size < 1_000_000


@pytest.mark.parametrize("source", ["", "hearsay"])
def test_a_rating_without_a_source_is_refused(tmp_path: Path, source: str) -> None:
    path = written(tmp_path, GOOD, GOOD.rsplit(",", 1)[0] + f",{source}")
    with pytest.raises(ConfigError, match=r"mine\.csv:3: .*needs a source"):
        read_ratings(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (GOOD.replace("1390.1", "1401"), "outside its interval"),
        (GOOD.replace("1390.1", ""), "both ends"),
        (GOOD.replace("1400.5", "nan"), "finite"),
        (GOOD.replace("2025-12-17", "yesterday"), "date"),
        (GOOD.replace("some-model", ""), "model"),
    ],
)
def test_a_broken_row_is_refused_by_its_line(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ConfigError, match=rf"mine\.csv:2: .*{said}"):
        read_ratings(written(tmp_path, line))


def test_other_columns_and_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("model,rating\na,1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="expected the columns date, board"):
        read_ratings(path)
    (tmp_path / "x.csv.gz").write_bytes(b"not gzip")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_ratings(tmp_path / "x.csv.gz")


def test_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    ratings = load_ratings(None)[:500]
    for name in ("a.csv.gz", "b.csv.gz"):
        assert write_ratings(tmp_path / name, ratings) == 500
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()
    assert sorted(map(repr, read_ratings(tmp_path / "a.csv.gz"))) == sorted(map(repr, ratings))


def test_a_users_file_joins_the_packaged_ones(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    assert len(load_ratings(tmp_path)) == len(load_ratings(None)) + 1
    assert [one.model for one in load_ratings(tmp_path) if one.model == "some-model"] == ["some-model"]
    assert load_ratings(tmp_path, board="nothing") == []


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no leaderboard files at {SHARED}")
def test_the_packaged_file_is_what_the_leaderboards_say() -> None:
    """Counted again with the csv module alone: all rows of both LMArena files, and three of them by value."""
    ours = Counter(one.source for one in load_ratings(None, board=None))
    for name, key in (("leaderboards.csv", "lmarena-catalog"), ("history.csv", "lmarena-history")):
        with (SHARED / "lmarena" / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert ours[key] == len(rows)
        for row in rows[:: len(rows) // 3]:
            day = datetime.date.fromisoformat(row.get("snapshot_date") or row["date"])
            found = [
                one for one in load_ratings(None)
                if (one.source, one.date, one.model) == (key, day, row["model"])
                and one.style == row.get("style", "default") and one.category == row.get("category", "full")
            ]  # fmt: skip
            assert [one.rating for one in found] == [float(row["rating"])]
            assert found[0].lower == (float(row["rating_q025"]) if "rating_q025" in row else None)


def test_every_rated_model_is_in_the_table_of_models() -> None:
    assert {one.model for one in load_ratings(None, board=None)} == set(rated_models(None))


def test_every_price_has_a_source_and_a_day() -> None:
    prices = load_prices()
    assert len(prices) > 120
    assert all(one.source.startswith("http") and one.listed in sources() and one.date.year == 2025 for one in prices.values())
    assert prices["deepseek-v3"].input == 0.27
    assert prices["deepseek-v3"].output == 1.10


def test_the_packaged_file_is_plain_csv_inside() -> None:
    text = gzip.decompress(FILE.read_bytes()).decode("utf-8")
    assert text.splitlines()[0] == ",".join(FIELDS)

"""Published ratings: every figure has a source, the packaged file is what the leaderboards say,
broken rows are refused by line.
"""

from __future__ import annotations

import csv
import datetime
import gzip
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.published import load_prices, load_ratings, rated_models
from harness.published.ratings import FIELDS, FILE, NEEDED, read_ratings, write_ratings
from harness.published.sources import FOLDER, source_url, sources

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "published"
GOOD = (
    "2025-12-17,lmarena-text,full,default,bradley-terry,some-model,1400.5,1390.1,1410.2,900,,lmarena-catalog"
)


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


@pytest.mark.skipif(not (SHARED / "boards").is_dir(), reason=f"no boards at {SHARED}")
def test_the_packaged_file_is_what_the_boards_say() -> None:
    """Counted again with the csv module alone: every row of every board by its figures, method and
    votes; names may be others.
    """
    said = {
        "Elo, online": "online-elo",
        "Elo, bootstrap median": "elo-bootstrap-median",
        "MLE": "bradley-terry",
    }
    ours: Counter[tuple[object, ...]] = Counter()
    theirs: Counter[tuple[object, ...]] = Counter()
    for one in load_ratings(None):
        if one.source != "lmarena-history":
            ours[
                str(one.date),
                one.source,
                one.category,
                one.style,
                one.method,
                one.rating,
                one.lower,
                one.upper,
                one.votes,
            ] += 1
    with (SHARED / "boards" / "lmarena-boards.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rating, lower, upper = (
                float(row[key]) if row[key] else None for key in ("rating", "lower", "upper")
            )
            votes = int(float(row["votes"])) if row["votes"] else None
            method = said.get(row["method"], "bradley-terry-refit")
            theirs[
                row["date"],
                row["source"],
                row["category"],
                row["style"].replace(" ", "_"),
                method,
                rating,
                lower,
                upper,
                votes,
            ] += 1
    assert ours == theirs


@pytest.mark.skipif(not (SHARED / "boards").is_dir(), reason=f"no boards at {SHARED}")
def test_the_old_series_is_kept_only_as_what_it_was() -> None:
    """Online Elo, never the board, without an interval; the later half, which the dated boards
    replace, is gone.
    """
    old = [one for one in load_ratings(None) if one.source == "lmarena-history"]
    with (SHARED / "boards" / "lmarena-online-elo.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if row["method"].startswith("Elo") and row["is_published_board"] == "no"
        ]
    assert len(old) == len(rows) > 2000
    assert {one.method for one in old} == {"online-elo"}
    assert {one.lower for one in old} == {None}
    assert max(one.date for one in old) == datetime.date(2024, 6, 26)


def test_online_elo_has_no_interval(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="online Elo has no confidence interval"):
        read_ratings(written(tmp_path, GOOD.replace("bradley-terry", "online-elo")))
    with pytest.raises(ConfigError, match=r"mine\.csv:2: .*method"):
        read_ratings(written(tmp_path, GOOD.replace("bradley-terry", "votes")))


def test_a_file_of_before_the_method_was_kept_still_opens(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text(
        ",".join(NEEDED) + "\n2025-12-17,b,full,default,m,1400.5,1390.1,1410.2,lmarena-catalog\n",
        encoding="utf-8",
    )
    assert [(one.method, one.votes, one.flag) for one in read_ratings(path)] == [("bradley-terry", None, "")]


def test_every_board_of_votes_says_where_it_was_read() -> None:
    boards = {(one.source, one.date) for one in load_ratings(None) if one.source != "lmarena-history"}
    text = gzip.decompress((FOLDER / "snapshots.csv.gz").read_bytes()).decode("utf-8")
    commits = {(row["source"], row["date"]): row["commit"] for row in csv.DictReader(text.splitlines())}
    assert all(commits[source, date.isoformat()] for source, date in boards)
    assert max(date for _, date in boards) == datetime.date(2026, 8, 20)


def test_every_rated_model_is_in_the_table_of_models() -> None:
    assert {one.model for one in load_ratings(None, board=None)} <= set(rated_models(None))


def test_every_price_has_a_source_and_a_day() -> None:
    prices = load_prices()
    assert len(prices) > 120
    assert all(
        one.source.startswith("http") and one.listed in sources() and one.date.year == 2025
        for one in prices.values()
    )
    assert prices["deepseek-v3"].input == 0.27
    assert prices["deepseek-v3"].output == 1.10
    assert (
        sum(one.resold for one in prices.values()) >= 26
    )  # a reseller's or a third party's page, not the maker's
    assert not prices["deepseek-v3"].resold


def test_the_packaged_file_is_plain_csv_inside() -> None:
    text = gzip.decompress(FILE.read_bytes()).decode("utf-8")
    assert text.splitlines()[0] == ",".join(FIELDS)


def test_reading_is_light() -> None:
    heavy = {"torch", "transformers", "lm_eval", "vllm", "pandas", "pyarrow"}
    code = (
        "import sys, harness.published as p; p.load_ratings(); p.rated_models(); p.load_prices(); "
        f"print({heavy} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"

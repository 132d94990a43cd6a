"""C9 and C12 counted again from the source tables by other code: pandas, the tables' own regions,
nothing of harness but its answers.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.mirror import ROOT

from harness.studies.answer import answer
from harness.studies.claims import find_claim
from harness.studies.data import Data

TEXT = ["text-generation"]
LANGUAGE = ["text-generation", "image-text-to-text", "any-to-any"]


@pytest.fixture(scope="module")
def folder() -> Path:
    found = Path(os.environ.get("HARNESS_SHARED") or ROOT.parent / "shared") / "published" / "boards"
    if not (found / "adoption-likes.csv").is_file():
        pytest.skip(f"no adoption-likes.csv in {found}; set HARNESS_SHARED")
    return found


@pytest.fixture(scope="module")
def tables(folder: Path) -> dict[str, Any]:
    """likes and downloads, with the pipeline in one spelling; models that the hub tags with none
    but presets know are text models.
    """
    pandas = pytest.importorskip("pandas")
    presets: set[str] = set()
    for path in (ROOT / "harness" / "data" / "presets").glob("*.yaml"):
        _ids(yaml.safe_load(path.read_text(encoding="utf-8")), presets)
    found = {}
    for name in ("likes", "downloads"):
        table = pandas.read_csv(folder / f"adoption-{name}.csv", dtype={"pipeline": str})
        spelt = table.pipeline.fillna("").str.lower().str.replace(" ", "-")
        table["pipeline"] = spelt.where(
            spelt.isin([*LANGUAGE]), spelt.where(spelt.str.contains("-") & ~spelt.str[:1].str.isdigit(), "")
        )
        table.loc[(table.pipeline == "") & table.model.str.lower().isin(presets), "pipeline"] = (
            "text-generation"
        )
        found[name] = table
    return found


def _ids(data: Any, found: set[str]) -> None:
    """Every text of a preset file that looks like a hub id under the key ``id``."""
    if isinstance(data, dict):
        if isinstance(data.get("id"), str):
            found.add(data["id"].lower())
        for value in data.values():
            _ids(value, found)
    elif isinstance(data, list):
        for value in data:
            _ids(value, found)


def best(table: Any, pipelines: list[str]) -> Any:
    """The most-liked model of each organisation, most first."""
    mine = table[table.pipeline.isin(pipelines)].sort_values(["likes", "model"], ascending=[False, False])
    return mine.drop_duplicates("organization").reset_index(drop=True)


def test_c9(tables: dict[str, Any]) -> None:
    likes = tables["likes"]
    window = likes[likes.date.between("2026-02-15", "2026-03-01") & (likes.exact == "yes")]
    window = window.sort_values("date", kind="stable").drop_duplicates("model", keep="last")
    then = best(window, TEXT)
    ranks = {name: place + 1 for place, name in enumerate(then.organization)}
    top = dict(zip(then.organization, then.likes, strict=True))
    assert list(then.model[:5]) == [
        "deepseek-ai/DeepSeek-R1", "meta-llama/Meta-Llama-3-8B", "bigscience/bloom", "mistralai/Mixtral-8x7B-Instruct-v0.1",
        "openai/gpt-oss-120b",
    ]  # fmt: skip

    found = answer(find_claim("C9"), Data(folder=None))
    printed, more, first, fifth = found.findings
    assert printed.figures["ratio"] == pytest.approx(12800 / 6300)
    assert (printed.figures["low"], printed.figures["high"]) == pytest.approx((12750 / 6350, 12850 / 6250))
    pair = (more.figures["one"], more.figures["other"])
    assert pair == (top["deepseek-ai"], top["meta-llama"]) == (13013, 6467)
    assert (first.figures["rank"], fifth.figures["rank"]) == (ranks["deepseek-ai"], ranks["openai"]) == (1, 5)
    assert 13013 >= 2 * 6467
    assert (found.verdict, [one.outcome for one in found.findings]) == ("supported", ["holds"] * 4)


def test_c9_today(tables: dict[str, Any]) -> None:
    """The last list of the hub's top: what stands beside the verdict, and the sums."""
    likes = tables["likes"]
    today = likes[(likes.date == "2026-08-22") & (likes.source == "namhyeokwoo")]
    found = answer(find_claim("C9"), Data(folder=None))
    for exhibit, pipelines in zip(found.exhibits[1:3], (TEXT, LANGUAGE), strict=True):
        mine = today[today.pipeline.isin(pipelines)]
        sums = mine.groupby("organization").likes.sum()
        slow = [
            (one.model, f"{one.likes:,}", f"{sums[one.organization]:,}")
            for one in best(today, pipelines).itertuples()
        ]
        assert [(row[3], row[4], row[5]) for row in exhibit.rows] == slow[:12]
    text, language = best(today, TEXT), best(today, LANGUAGE)
    assert list(text.likes[:3]) == [13583, 6643, 5116]
    assert list(language.organization[:3]) == ["deepseek-ai", "Qwen", "moonshotai"]
    more, first, fifth = found.today
    rank = list(text.organization).index("openai") + 1
    assert f"is number {rank} of {len(text)} organisations" in fifth.measured.en
    assert "a ratio of 2.04" in more.measured.en
    assert more.figures == {"date": "2026-08-22", "one": text.likes[0], "other": text.likes[1]}
    assert first.figures == {"date": "2026-08-22", "rank": 1, "likes": text.likes[0]}
    assert fifth.figures == {"date": "2026-08-22", "rank": rank, "likes": text.likes[rank - 1]}
    assert [one.outcome for one in found.today] == ["holds", "holds", "fails"]


def test_c12(tables: dict[str, Any]) -> None:
    downloads = tables["downloads"]
    today = downloads[(downloads.date == "2026-08-22") & (downloads.source == "namhyeokwoo")]

    def shares(mine: Any) -> dict[str, float]:
        sums = mine.groupby(mine.region.fillna("unlisted")).downloads_30d.sum()
        return {
            place: float(sums.get(region, 0) / sums.sum())
            for place, region in (("CN", "china"), ("US", "us"), ("?", "unlisted"))
        }

    fewer = (
        today.model.str.split("/")
        .str[-1]
        .str.lower()
        .str.contains(r"gguf|gptq|awq|exl2|bnb|mlx|nvfp4|mxfp4|fp8|int4|int8|4bit|4-bit|8bit|2bit")
    )
    again = fewer & today.region.isna()
    speaks = today.pipeline.isin(LANGUAGE)
    slow = {
        "all": shares(today),
        "language": shares(today[speaks]),
        "text": shares(today[today.pipeline.isin(TEXT)]),
        "first_party": shares(today[speaks & today.region.notna() & ~again]),
        "no_reuploads": shares(today[speaks & ~again]),
    }
    found = answer(find_claim("C12"), Data(folder=None))
    new, tracked = found.findings
    (now,) = found.today
    assert now.figures["date"] == "2026-08-22"
    for name, places in slow.items():
        assert now.figures[name] == pytest.approx(places), name
    assert slow["language"]["CN"] > slow["language"]["US"] + slow["language"]["?"]
    assert (
        slow["all"]["CN"] < slow["all"]["US"] < slow["all"]["CN"] + slow["all"]["?"]
    )  # of all pipelines it cannot be told
    assert [round(100 * slow["all"][place]) for place in ("CN", "US")] == [24, 26]
    assert new.figures["ratio"] == pytest.approx(17.1 / 15.8)
    assert tracked.figures["ratio"] == pytest.approx(1150 / 723)
    assert (found.verdict, [one.outcome for one in (*found.findings, now)]) == ("supported", ["holds"] * 3)


def test_the_denominator_decides(tables: dict[str, Any]) -> None:
    """C12's table has every day and denominator, with who is ahead; all models: open, language
    models: China.
    """
    found = answer(find_claim("C12"), Data(folder=None))
    rows = [row for row in found.exhibits[0].rows if row[0] == "2026-08-22"]
    ahead = [getattr(row[-1], "en", row[-1]) for row in rows]
    assert len(found.exhibits[0].rows) == 3 + 3 * 5
    assert ahead == [
        "undecided (unlisted organisations decide)",
        "China",
        "undecided (unlisted organisations decide)",
        "China",
        "China",
    ]


def test_concentration(tables: dict[str, Any]) -> None:
    downloads = tables["downloads"]
    today = downloads[(downloads.date == "2026-08-22") & (downloads.source == "namhyeokwoo")]
    names = today.model.where(~today.model.str.contains("/"), today.organization)
    sums = today.groupby(names).downloads_30d.sum()
    slow = float(((sums / sums.sum()) ** 2).sum())
    found = answer(find_claim("C12"), Data(folder=None))
    (row,) = (
        row
        for row in found.exhibits[0].rows
        if row[0] == "2026-08-22" and "all 529" in getattr(row[1], "en", "")
    )
    assert row[-2] == f"{slow:.3f}"


def test_the_tables_themselves_give_the_same_report(folder: Path) -> None:
    """`harness adoption report` reads the source tables as they are, and says what it says of the
    packaged lists.
    """
    from typer.testing import CliRunner

    from harness.cli.main import app

    files = [str(folder / f"adoption-{name}.csv") for name in ("likes", "downloads")]
    said = [CliRunner().invoke(app, ["adoption", "report", *more, "--csv"]).output for more in (files, [])]
    assert said[0] == said[1]
    assert said[0].count("\n") > 1000


def test_nothing_was_lost_on_the_way(folder: Path, tables: dict[str, Any]) -> None:
    """Every figure of the tables is in the packaged lists, and no other; every namespace has the
    tables' region.
    """
    import gzip

    import pandas

    with gzip.open(
        ROOT / "harness" / "data" / "adoption" / "snapshots.csv.gz", "rt", encoding="utf-8"
    ) as file:
        kept = pandas.read_csv(file)
    for name, column in (("likes", "likes"), ("downloads", "downloads_30d")):
        there = tables[name].set_index(["date", "source", "model"])[column].sort_index()
        mine = kept.dropna(subset=[column]).set_index(["date", "source", "model"])[column].sort_index()
        assert mine.astype("int64").to_dict() == there.astype("int64").to_dict()
    regions = pandas.concat(tables.values())[["organization", "region"]].dropna().drop_duplicates()
    table = pandas.read_csv(
        ROOT / "harness" / "data" / "adoption" / "organizations.csv", keep_default_na=False
    )
    known = {name.lower(): region for name, region in zip(table.organization, table.region, strict=True)}
    assert {(one.organization, one.region) for one in regions.itertuples()} == {
        (one.organization, known[one.organization.lower()]) for one in regions.itertuples()
    }
    untold = set(pandas.concat(tables.values()).query("region.isna()").organization)
    assert not {name for name in untold if str(name).lower() in known}

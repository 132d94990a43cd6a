"""``harness adoption report``: tables, data and pictures, in both languages."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from support.hub import Hub, model
from typer.testing import CliRunner

from harness.adoption.client import HubClient, Manners
from harness.adoption.snapshot import Query, take
from harness.cli.main import app

HEADINGS = ("all", "language models", "first-party", "without quantised re-uploads")


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["adoption", "report", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def table() -> str:
    return run("--markdown")


def test_every_heading_says_its_denominator(table: str) -> None:
    headings = re.findall(r"^\*\*(.+)\*\*$", table, flags=re.M)
    assert len(headings) == 12
    for heading in headings:
        assert re.search(r"of (all )?[\d,]+ (text |language |first-party language )?models", heading), heading
    for name in HEADINGS:
        assert sum(name in heading for heading in headings) >= 2, name
    assert "**Share of downloads of the last 30 days by country, of 240 language models" in table
    assert "Organisations that the country table does not list" in table


def test_in_chinese() -> None:
    text = run("--markdown", "--lang", "zh")
    headings = re.findall(r"^\*\*(.+)\*\*$", text, flags=re.M)
    assert len(headings) == 12
    assert all(re.search(r"分母：|范围：", heading) for heading in headings)
    assert "各国近 30 天下载量占比，分母：240 个语言模型" in text
    assert "52.1%" in text
    assert " %" not in text


def test_the_records_are_the_tables(table: str) -> None:
    rows = list(csv.DictReader(io.StringIO(run("--csv"))))
    data = json.loads(run("--json"))
    assert len(rows) == len(data["figures"])
    (one,) = (
        row
        for row in rows
        if (row["date"], row["denominator"], row["kind"], row["name"])
        == ("2026-08-22", "language", "country", "CN")
    )
    share = f"{100 * float(one['share']):.1f} %"
    line = next(
        line
        for line in table.split("of 240 language models", 1)[1].splitlines()
        if line.startswith("| 2026-08-22")
    )
    assert line.split("|")[2].strip() == share


def test_of_one_s_own_snapshot_with_all_time_downloads(tmp_path: Path) -> None:
    models = [model(f"Qwen/model-{place}", place, place) for place in range(1, 4)] + [model("openai/x", 9, 4)]
    out = tmp_path / "x.csv.gz"
    with Hub(models) as hub, HubClient(hub.url, manners=Manners(pause=0)) as client:
        take(client, Query(("Qwen", "openai")), out)
    text = run(str(out), "--measure", "downloads_all", "--markdown")
    assert "Share of downloads of all time by country, of 4 language models" in text
    assert (
        "Share of downloads of all time by country, of 0 new models" not in text
    )  # they are older than a year
    assert "60.0 %" in text  # (10 + 20 + 30) of 100
    assert "all models of Qwen, openai" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--measure", "downloads_all"], "none of these lists has it"),
        (["--source", "nobody"], "no list of the source 'nobody'"),
        (["none.jsonl"], "cannot be read"),
        (["--json", "--csv"], "choose one of"),
    ],
)
def test_what_cannot_be_shown_is_one_line(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["adoption", "report", *arguments])
    assert done.exit_code in (1, 2)
    assert said in done.output
    assert done.output.strip().count("\n") == 0


def test_small_lists_are_named_and_shown_when_asked() -> None:
    assert (
        "Left out as too small (fewer than 100 models): hyeonseo2, llmfit, park-onezero, rip-tyang" in run()
    )
    text = run("--source", "hyeonseo2", "--markdown")
    assert "a newsletter's twelve models of the day" in text
    assert "This source rounds its figures." in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pictures(tmp_path: Path, language: str) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run("--plots", str(tmp_path), "--format", "json", "--lang", language)
    made = sorted(path.name for path in tmp_path.iterdir())
    names = [
        f"{kind}-1-{name}.json"
        for kind in ("countries", "organizations", "organizations-over-time")
        for name in ("all", "first_party", "language", "no_reuploads")
    ]
    assert made == names
    spec = json.loads((tmp_path / "countries-1-language.json").read_text(encoding="utf-8"))
    assert ("240 language models" if language == "en" else "分母：240 个语言模型") in " ".join(
        spec["title"]["text"]
    )

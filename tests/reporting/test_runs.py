"""`harness results`: listing, filtering and joining runs below a folder."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.results.schema import Results


@pytest.fixture
def top(tmp_path: Path, full: Results) -> Path:
    """Two runs of two days, one of them deeper, a broken one, and files that are no run."""
    for name, day in (("one", "2026-01-01"), ("deep/er/two", "2026-03-05")):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        made = full.model_copy(update={"name": folder.name, "created": f"{day}T10:00:00+00:00"})
        (folder / "results.json").write_text(made.model_dump_json(), encoding="utf-8")
    (tmp_path / "one" / "manifest.json").write_text(
        json.dumps({"hardware": {"cpu": "A chip", "gpus": [{"name": "H200"}] * 2}}), encoding="utf-8"
    )
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "results.json").write_text("{", encoding="utf-8")
    (tmp_path / "other").mkdir()
    return tmp_path


def invoke(*arguments: Any) -> Any:
    return CliRunner().invoke(app, ["results", *map(str, arguments)], env={"COLUMNS": "200"})


def test_runs_are_listed_and_broken_ones_told(top: Path) -> None:
    done = invoke(top)
    assert done.exit_code == 0
    assert f"2 runs below {top}" in done.stdout.replace("\n", "")
    assert "deep/er/two" in done.stdout
    assert "2 × H200" in done.stdout
    assert "broken" in done.stderr
    assert "not JSON" in done.stderr


def test_filters(top: Path) -> None:
    assert "two" not in invoke(top, "--until", "2026-02-01").stdout.replace("2 ", "")
    assert "0 runs" in invoke(top, "--model", "nobody").stdout
    rows = list(
        csv.DictReader(
            io.StringIO(
                invoke(top, "--csv", "--task", "zh_*", "--model", "a", "--since", "2026-02-01").stdout
            )
        )
    )
    assert {(row["run"], row["model"]) for row in rows} == {("two", "a")}
    assert {row["task"] for row in rows} == {"zh_one", "zh_two", "zh_text"}
    wrong = invoke(top, "--since", "yesterday")
    assert wrong.exit_code == 2
    assert "expected a day as YYYY-MM-DD" in wrong.stderr
    assert invoke(top / "nothing").exit_code == 2


def test_rows_of_all_runs_are_joined(top: Path, full: Results) -> None:
    data = json.loads(invoke(top, "--json").stdout)
    assert len(data) == 2 * len(full.rows)
    assert {row["folder"] for row in data} == {str(top / "one"), str(top / "deep" / "er" / "two")}
    text = invoke(top, "--rows", "--language", "en").stdout
    assert text.count(" en_one ") == 4
    assert "zh_one" not in text

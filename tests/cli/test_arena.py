"""``harness arena``: what it prints in each form, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from harness.cli.main import app

COUNTS = "model_a,model_b,wins_a,wins_b,ties\na,b,60,40,10\nb,c|*x*,55,45,0\na,c|*x*,70,30,5\n"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["arena", *map(str, arguments)])


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    path = tmp_path / "counts.csv"
    path.write_text(COUNTS, encoding="utf-8")
    return path


def test_every_form_says_the_same(counts: Path) -> None:
    data = json.loads(run(counts, "--json").stdout)
    first = data["ratings"][0]
    assert (first["model"], data["battles"], len(data["ratings"])) == ("a", 315, 3)
    rows = list(csv.DictReader(io.StringIO(run(counts, "--csv").stdout)))
    assert float(rows[0]["rating"]) == pytest.approx(first["rating"])
    table = run(counts, "--markdown").stdout
    assert f"{first['rating']:.1f}" in table
    assert "c\\|\\*x\\*" in table  # a name is data
    for form in ("--markdown", "--latex"):
        assert "2504.20879" in run(counts, form).stdout
    assert "2504.20879" in run(counts).stdout
    assert "Leaderboard Illusion" in data["notes"][-1]


def test_options(counts: Path) -> None:
    data = json.loads(run(counts, "--json", "--anchor", "b=1100", "--bootstrap", 20, "--seed", 3).stdout)
    at = {row["model"]: row for row in data["ratings"]}
    assert at["b"]["rating"] == 1100
    assert len(at["a"]["bootstrap"]) == 2
    assert (data["draws"], data["seed"]) == (20, 3)
    done = run(counts, "--json", "--without", "c|*x*")
    assert len(json.loads(done.stdout)["ratings"]) == 2
    counts.write_text(COUNTS + "a,rare,1,0,0\n", encoding="utf-8")
    done = run(counts, "--json", "--min-battles", 2)
    assert len(json.loads(done.stdout)["ratings"]) == 3
    assert "left out, fewer than 2 battles: rare" in done.stderr


@pytest.mark.parametrize(
    ("text", "arguments", "code", "said"),
    [
        ("model_a,model_b,winner\nx,y,model_a\n", [], 1, "never lost: x; never won: y"),
        (COUNTS, ["--style-control"], 1, "win counts holds no answers"),
        (COUNTS, ["--anchor", "b"], 2, "expected MODEL=RATING"),
        (COUNTS, ["--without", "zz"], 1, "no votes on 'zz'"),
        ("x\n1\n", [], 1, "no column model_a, model_b"),
    ],
)
def test_refusals_are_one_line(tmp_path: Path, text: str, arguments: list[str], code: int, said: str) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(text, encoding="utf-8")
    done = run(path, *arguments)
    assert done.exit_code == code
    (line,) = done.stderr.strip().splitlines()
    assert said in line

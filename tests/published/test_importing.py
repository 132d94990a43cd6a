"""`harness published import`: the shapes of leaderboard files that people have."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.errors import ConfigError
from harness.published import load_ratings, rated_models
from harness.published.importing import import_leaderboard

ARENA = """model,rank,arena_score,ci95,votes,organization,license
GPT-4.5-Preview,1,1415,+5/-6,15271,OpenAI,Proprietary
New-Model-9,2,1300,+4/-4,99,Somebody New,MIT
New-Model-9,2,1300,+4/-4,99,Somebody New,MIT
Empty,3,,,0,OpenAI,Proprietary
"""
OPEN_LLM = [
    {
        "fullname": "Qwen/Qwen2-72B-Instruct",
        "Average ⬆️": 43.59,
        "IFEval": 79.89,
        "MATH Lvl 5": 41.77,
        "MMLU-PRO": 48.92,
    },
    {
        "fullname": "01-ai/Yi-1.5-34B-Chat",
        "Average ⬆️": 33.36,
        "IFEval": 60.67,
        "MATH Lvl 5": 27.72,
        "MMLU-PRO": None,
    },
]


def test_a_table_of_lmarena(tmp_path: Path) -> None:
    path = tmp_path / "arena_20250806.csv"
    path.write_text(ARENA, encoding="utf-8")
    done = import_leaderboard(path, folder=tmp_path / "mine", source="https://example.org/arena")
    assert (len(done.ratings), done.repeated, done.without_value) == (2, 1, 1)
    first = done.ratings[0]
    assert (first.model, first.board, first.date) == (
        "gpt-4.5-preview-2025-02-27",
        "lmarena-text",
        datetime.date(2025, 8, 6),
    )
    assert (first.rating, first.lower, first.upper, first.source) == (
        1415,
        1409,
        1420,
        "https://example.org/arena",
    )
    assert len(load_ratings(tmp_path / "mine")) == len(load_ratings(None)) + 2
    new = rated_models(tmp_path / "mine")["New-Model-9"]
    assert (new.maker, new.country, new.open, new.licence) == ("Somebody New", None, True, "MIT")
    assert new.unknown == ("country", "release date")


def test_a_table_with_one_column_a_task_as_the_open_llm_leaderboard_has_it(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "contents.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(OPEN_LLM), path)
    done = import_leaderboard(
        path, name="open-llm-v2", folder=tmp_path / "mine", date=datetime.date(2024, 7, 1)
    )
    assert done.file.name == "open-llm-v2.csv"
    assert (len(done.ratings), done.without_value) == (7, 1)
    found = {
        (one.model, one.category): one.rating for one in load_ratings(tmp_path / "mine", board="open-llm-v2")
    }
    assert found["Qwen/Qwen2-72B-Instruct", "average"] == 43.59
    assert found["01-ai/Yi-1.5-34B-Chat", "math_lvl_5"] == 27.72
    assert done.ratings[0].source.startswith("file:contents.parquet#")


def test_lmarenas_catalogue_and_jsonl(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    row = {
        "snapshot_date": "2025-12-17",
        "style": "style_control",
        "category": "chinese",
        "model": "glm-4.6",
        "rating": 1440.25,
        "rating_q025": 1430.5,
        "rating_q975": 1450.75,
    }
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    (one,) = import_leaderboard(path, folder=tmp_path / "mine").ratings
    assert (one.board, one.style, one.category, one.lower, one.upper) == (
        "lmarena-text",
        "style_control",
        "chinese",
        1430.5,
        1450.75,
    )


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.csv", "a,b\n1,2\n", "no model column"),
        ("x.csv", "model,colour\na,red\n", "no figures"),
        ("x.csv", "model,rating\na,1\n", "say it with --date"),
        ("x_2025-01-02.csv", "model,rating\na,\n", "no figure in any of 1 rows"),
        ("x_2025-01-02.csv", "model,rating,lower,upper\na,1,2,3\n", "outside its interval"),
        ("x.csv", "", "no header"),
        ("x.csv", "model,rating\n", "got no rows"),
        ("x.csv", "model,rating\na,1,2\n", "row 1 .line 2. has 3 cells"),
        ("x.json", "{}", "row 1 is an empty object"),
        ("x.parquet", "not parquet", "cannot be read"),
        ("x.xlsx", "", "expected .csv"),
    ],
)
def test_a_file_that_is_no_leaderboard_is_refused_and_nothing_is_written(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        import_leaderboard(path, folder=tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_the_commands(tmp_path: Path) -> None:
    path = tmp_path / "arena.csv"
    path.write_text(ARENA, encoding="utf-8")
    folder = str(tmp_path / "mine")
    done = CliRunner().invoke(
        app, ["published", "import", str(path), "--date", "2025-08-06", "--folder", folder]
    )
    assert done.exit_code == 0
    assert "2 figures of 2 models" in done.output
    listed = CliRunner().invoke(app, ["published", "list", "--json", "--folder", folder])
    boards = json.loads(listed.output)
    assert any(entry["source"].startswith("file:arena.csv#") and entry["models"] == 2 for entry in boards)
    unknown = CliRunner().invoke(app, ["published", "list", "--unknown", "--folder", folder])
    assert "New-Model-9" in unknown.output
    assert "late-june-chatbot" in unknown.output
    wrong = CliRunner().invoke(
        app, ["published", "import", str(path), "--date", "yesterday", "--folder", folder]
    )
    assert wrong.exit_code == 2


def test_an_elo_column_is_lmarenas_and_the_method_that_of_its_time(tmp_path: Path) -> None:
    """The Space's tables call it Arena Elo; how it was made follows from the day, where the caller
    does not say it.
    """
    made = []
    for day, method in (
        ("20230522", None),
        ("20230905", None),
        ("20240802", None),
        ("20240802", "online-elo"),
    ):
        path = tmp_path / f"lmsys_{day}.csv"
        path.write_text("key,arena_elo,votes,License\nvicuna-13b,1083,500,Non-commercial\n", encoding="utf-8")
        done = import_leaderboard(path, name=f"{day}{method}", folder=tmp_path / "mine", method=method)  # type: ignore[arg-type]
        made.append(
            (done.ratings[0].board, done.ratings[0].method, done.ratings[0].rating, done.ratings[0].votes)
        )
    assert made == [
        ("lmarena-text", "online-elo", 1083, 500),
        ("lmarena-text", "elo-bootstrap-median", 1083, 500),
        ("lmarena-text", "bradley-terry", 1083, 500),
        ("lmarena-text", "online-elo", 1083, 500),
    ]


BOARDS = Path(__file__).resolve().parents[2].parent / "shared" / "published" / "boards"


@pytest.mark.skipif(not BOARDS.is_dir(), reason=f"no boards at {BOARDS}")
@pytest.mark.parametrize(
    ("name", "boards", "methods"),
    [
        (
            "lmarena-boards.csv",
            {"lmarena-text"},
            {"online-elo", "elo-bootstrap-median", "bradley-terry", "bradley-terry-refit"},
        ),
        ("lmarena-online-elo.csv", {"lmarena-text"}, {"online-elo", "bradley-terry"}),
        ("open-llm-leaderboard-2.csv", {"open-llm-leaderboard-2"}, {"score"}),
        (
            "artificial-analysis.csv",
            {f"artificial-analysis-v{one}" for one in ("2.2", "4.0", "4.1")},
            {"score"},
        ),
    ],
)
def test_the_boards_files_are_read_as_they_are(
    tmp_path: Path, name: str, boards: set[str], methods: set[str]
) -> None:
    path = tmp_path / name
    lines = (BOARDS / name).read_text(encoding="utf-8").splitlines()
    # every seventh row
    path.write_text("\n".join([lines[0], *lines[1::7]]) + "\n", encoding="utf-8")
    done = import_leaderboard(path, folder=tmp_path / "mine", source="https://example.org/boards")
    assert {one.board for one in done.ratings} == boards
    assert {one.method for one in done.ratings} == methods
    if name == "lmarena-boards.csv":
        assert {one.style for one in done.ratings} == {"default", "style_control"}
        assert any(one.votes and one.lower for one in done.ratings)


def test_the_command_refuses_a_method_that_there_is_not(tmp_path: Path) -> None:
    path = tmp_path / "x_20240101.csv"
    path.write_text("model,rating\na,1\n", encoding="utf-8")
    done = CliRunner().invoke(
        app, ["published", "import", str(path), "--method", "elo", "--folder", str(tmp_path)]
    )
    assert done.exit_code == 2
    assert "bradley-terry" in done.stderr
    path.write_text("model,rating,method\na,1,Eloo\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="unknown method 'Eloo'"):
        import_leaderboard(path, folder=tmp_path)

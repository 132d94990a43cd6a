"""Reading votes: LMArena's columns and simple ones, in every kind of file; what is no vote is
refused with its row.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.analysis.arena import files, make_ratings, read_votes
from harness.analysis.arena.fit import fit
from harness.errors import DataError


def metadata(
    length: tuple[int, int], headers: tuple[int, int] = (0, 0), bold: tuple[int, int] = (0, 0)
) -> dict[str, Any]:
    """LMArena's conv_metadata of two answers."""
    found: dict[str, Any] = {}
    for place, side in enumerate("ab"):
        found[f"sum_assistant_{side}_tokens"] = length[place]
        found[f"header_count_{side}"] = {"h1": 0, "h2": headers[place], "h3": None}
        found[f"bold_count_{side}"] = {"**": bold[place], "__": 1}
        found[f"list_count_{side}"] = {"ordered": 2 * place, "unordered": 1}
    return found


BATTLES = [
    {
        "model_a": "x",
        "model_b": "y",
        "winner": "model_a",
        "language": "Chinese",
        "conv_metadata": metadata((100, 50), (2, 0)),
    },
    {
        "model_a": "y",
        "model_b": "x",
        "winner": "model_a",
        "language": "English",
        "conv_metadata": metadata((10, 29), bold=(3, 1)),
    },
    {
        "model_a": "x",
        "model_b": "y",
        "winner": "tie (bothbad)",
        "language": "Chinese",
        "conv_metadata": metadata((7, 7)),
    },
    {
        "model_a": "y",
        "model_b": "x",
        "winner": "model_b",
        "language": "English",
        "conv_metadata": metadata((7, 8)),
    },
]


def written(folder: Path, kind: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / f"votes.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "\n", encoding="utf-8")
    elif kind == "json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    elif kind == "parquet":
        pd.DataFrame(rows).to_parquet(path)
    else:
        flat = [
            {key: json.dumps(value) if isinstance(value, dict) else value for key, value in row.items()}
            for row in rows
        ]
        pd.DataFrame(flat).to_csv(path, index=False, sep="\t" if kind == "tsv" else ",")
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "json", "parquet"])
def test_every_kind_of_file_gives_the_same_votes(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, kind, BATTLES)
    votes = read_votes(path)
    assert votes.models == ("x", "y")
    assert votes.battles == 4
    assert votes.wins().tolist() == [[0, 2.5], [1.5, 0]]
    assert votes.style.shape == (len(votes.first), 0)
    styled = read_votes(path, style=True)
    assert styled.battles == 4
    assert styled.wins().tolist() == votes.wins().tolist()
    expected = [
        [50 / 151, 2 / 3, 0, -2 / 5],
        [-19 / 40, 0, 2 / 7, -2 / 5],
        [0, 0, 0, -2 / 5],
        [-1 / 16, 0, 0, -2 / 5],
    ]
    assert styled.style == pytest.approx(np.array(expected))
    assert read_votes(path, where=["language=Chinese"]).wins().tolist() == [[0, 1.5], [0.5, 0]]


def test_simple_columns(tmp_path: Path) -> None:
    rows = [
        {"model_a": "tie", "model_b": "b", "winner": "tie"},
        {"model_a": "tie", "model_b": "b", "winner": "Both_Bad"},
    ]
    assert read_votes(written(tmp_path, "csv", rows)).wins().tolist() == [
        [0, 1.5],
        [0.5, 0],
    ]  # a model may be called "tie"
    rows = [{"winner": "p", "loser": "q"}, {"winner": "q", "loser": "p"}, {"winner": "p", "loser": "q"}]
    assert read_votes(written(tmp_path, "csv", rows)).wins().tolist() == [[0, 2], [1, 0]]
    simple = [
        row | {f"{name}_{side}": k for k, side in enumerate("ab") for name in files.SOURCES}
        for row in BATTLES
    ]
    for row in simple:
        del row["conv_metadata"]
    assert read_votes(written(tmp_path, "csv", simple), style=True).style == pytest.approx(-0.5)


def test_win_counts(tmp_path: Path) -> None:
    rows = [
        {"model_a": "x", "model_b": "y", "wins_a": 3, "wins_b": 2, "ties": 4},
        {"model_a": "y", "model_b": "x", "wins_a": 1, "wins_b": 0},
    ]
    votes = read_votes(written(tmp_path, "csv", rows))
    assert (votes.battles, votes.wins().tolist()) == (10, [[0, 5], [5, 0]])
    assert fit(votes).theta == pytest.approx(0)
    with pytest.raises(DataError, match="win counts holds no answers"):
        read_votes(written(tmp_path, "csv", rows), style=True)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [*BATTLES, {"model_a": "x", "model_b": "y", "winner": "perhaps"}],
            "row 5: winner 'perhaps'; expected model_a",
        ),
        ([*BATTLES, {"model_a": "x", "model_b": "x", "winner": "tie"}], "row 5: 'x' against itself"),
        ([*BATTLES, {"model_a": "", "model_b": "x", "winner": "tie"}], "row 5: no name in model_a"),
        ([{"a": 1, "b": 2}], "no column model_a, model_b: .*got a, b"),
        ([{"model_a": "x", "model_b": "y", "wins": 2}], "no column winner: .*got model_a, model_b, wins"),
        (
            [{"model_a": "x", "model_b": "y", "wins_a": -1, "wins_b": 2}],
            "row 1: wins_a '-1'; expected a count",
        ),
        ([{"model_a": "x", "model_b": "y", "wins_a": 0, "wins_b": 0}], "no votes"),
    ],
)
def test_what_is_no_vote_is_refused_with_its_row(
    tmp_path: Path, rows: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        read_votes(written(tmp_path, "csv", rows))


def test_rows_are_counted_across_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ROWS", 3)
    for kind in ("csv", "jsonl", "json", "parquet"):
        rows: list[dict[str, Any]] = [*BATTLES, *BATTLES, {"model_a": "x", "model_b": "y", "winner": "no"}]
        with pytest.raises(DataError, match="row 9: winner 'no'"):
            read_votes(written(tmp_path, kind, rows))
        with pytest.raises(DataError, match="row 9: winner 'no'"):
            read_votes(written(tmp_path, kind, rows), where=["model_a=x"])


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    broken = tmp_path / "x.jsonl"
    broken.write_text('{"model_a": "x", "model_b": "y", "winner": "tie"}\n{"model_a": \n', encoding="utf-8")
    with pytest.raises(DataError, match="row 2: no valid JSON"):
        read_votes(broken)
    for name, text in (("x.parquet", "no parquet"), ("x.csv", ""), ("x.json", "{}"), ("x.txt", "x")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=name.replace(".", r"\.")):
            read_votes(tmp_path / name)
    with pytest.raises(DataError, match="no such file"):
        read_votes(tmp_path / "absent.csv")
    with pytest.raises(DataError, match=r"row 1: length of side a: expected a count"):
        read_votes(
            written(
                tmp_path, "jsonl", [{"model_a": "x", "model_b": "y", "winner": "tie", "conv_metadata": {}}]
            ),
            style=True,
        )
    with pytest.raises(DataError, match="--where tongue=Chinese: expected COLUMN=VALUE"):
        read_votes(written(tmp_path, "csv", BATTLES), where=["tongue=Chinese"])


def test_leaving_models_out(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [*BATTLES, {"model_a": "x", "model_b": "rare", "winner": "x"}]
    votes = read_votes(written(tmp_path, "csv", rows))
    assert votes.sparse(2) == ["rare"]
    assert votes.keep(["rare"]).wins().tolist() == [[0, 2.5], [1.5, 0]]
    with pytest.raises(DataError, match="no votes on 'other'"):
        votes.keep(["other"])
    with pytest.raises(DataError, match="1 model left of 3"):
        votes.keep(["rare", "x"])


HOT = [("model_a", 1, 0, 0), ("model_b", 0, 1, 0), ("tie", 0, 0, 1), ("model_a", 1, 0, 0)]


def hot(write: Any = int, both: bool = False) -> list[dict[str, Any]]:
    """The layout of LMSYS's Kaggle competition."""
    rows = []
    for word, a, b, tie in HOT:
        row = {
            "id": 7,
            "model_a": "x",
            "model_b": "y",
            "prompt": '["q,\\n"]',
            "response_a": "r\n, s",
            "response_b": "t",
        }
        row |= {"winner_model_a": write(a), "winner_model_b": write(b), "winner_tie": write(tie)} | (
            {"winner": word} if both else {}
        )
        rows.append(row)
    return rows


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "json", "parquet"])
@pytest.mark.parametrize("write", [int, float, bool, str])
@pytest.mark.parametrize("both", [False, True])
def test_winners_in_columns_of_their_own(tmp_path: Path, kind: str, write: Any, both: bool) -> None:
    votes = read_votes(written(tmp_path, kind, hot(write, both)))
    assert (votes.models, votes.wins().tolist()) == (("x", "y"), [[0, 2.5], [1.5, 0]])


@pytest.mark.parametrize(
    "marks", [(1, 1, 0), (0, 0, 0), (2, 0, 0), ("", "", ""), (1, "x", 0), (1, None, 0), (0.5, 0.5, 0)]
)
def test_a_row_without_one_winner_is_refused(tmp_path: Path, marks: tuple[Any, Any, Any]) -> None:
    wrong = hot()[0] | dict(zip(("winner_model_a", "winner_model_b", "winner_tie"), marks, strict=True))
    for kind in ("csv", "jsonl"):
        with pytest.raises(DataError, match=r"row 5: winner_model_a .*expected 1 in one of them"):
            read_votes(written(tmp_path, kind, [*hot(), wrong]))
    with pytest.raises(DataError, match="row 1: winner 'tie', but winner_model_a"):
        read_votes(written(tmp_path, "jsonl", [hot()[0] | {"winner": "tie"}]))


LOOKS = ["qwen ", " qwen", "ｑｗｅｎ", "qwen\u200b", "\ufeffqwen", "qwen\u3000", "qwen\u00a0"]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("name", LOOKS)
def test_names_that_look_alike_are_one_and_it_is_said(tmp_path: Path, kind: str, name: str) -> None:
    rows = [
        {"model_a": "qwen", "model_b": "glm 4", "winner": "model_a"},
        {"model_a": "glm  4", "model_b": name, "winner": "glm 4"},
        {"model_a": name, "model_b": "glm 4", "winner": "qwen"},
    ]
    votes = read_votes(written(tmp_path, kind, rows))
    assert (votes.models, votes.wins().tolist()) == (("qwen", "glm 4"), [[0, 2], [1, 0]])
    (note,) = votes.notes
    assert f"{name!r} is read as 'qwen'" in note
    assert "'glm  4' is read as 'glm 4'" in note
    assert (
        read_votes(written(tmp_path, kind, [*rows, {"model_a": "x", "model_b": name, "winner": "x"}]))
        .keep([" x"])
        .notes
        == votes.notes
    )
    with pytest.raises(DataError, match=r"row 4: .* against itself"):
        read_votes(written(tmp_path, kind, [*rows, {"model_a": name, "model_b": "qwen", "winner": "tie"}]))


def test_names_that_differ_by_case_are_two_and_it_is_said(tmp_path: Path) -> None:
    rows = [
        {"model_a": "Qwen", "model_b": "glm", "winner": "tie"},
        {"model_a": "glm", "model_b": "qwen", "winner": "tie"},
    ]
    votes = read_votes(written(tmp_path, "csv", rows))
    assert votes.models == ("Qwen", "glm", "qwen")
    assert "'Qwen' and 'qwen'" in votes.notes[0]


@pytest.mark.parametrize("name", ["nan", "None", "NULL", "N/A", "<NA>", " ", "\u200b"])
def test_no_name_is_no_model(tmp_path: Path, name: str) -> None:
    for kind in ("csv", "jsonl", "parquet"):
        with pytest.raises(DataError, match="row 5: no name in model_b"):
            read_votes(
                written(tmp_path, kind, [*BATTLES, {"model_a": "x", "model_b": name, "winner": "tie"}])
            )
    for literal in ("null", "NaN"):
        text = (
            json.dumps(BATTLES[0])
            + "\n"
            + json.dumps({"model_a": "x", "model_b": 0, "winner": "tie"}).replace("0", literal)
        )
        (tmp_path / "x.jsonl").write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match="row 2: no name in model_b"):
            read_votes(tmp_path / "x.jsonl")


@pytest.mark.parametrize("value", ["", "nan", "x", "-1", "inf"])
def test_an_empty_count_is_no_zero(tmp_path: Path, value: str) -> None:
    for column in ("wins_a", "wins_b"):
        row = {"model_a": "x", "model_b": "y", "wins_a": "1", "wins_b": "2"} | {column: value}
        with pytest.raises(DataError, match=f"row 1: {column}"):
            read_votes(written(tmp_path, "csv", [row]))


def test_a_winner_that_is_a_side_and_the_other_model(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 1: winner 'a' is one side and the other model's name"):
        read_votes(written(tmp_path, "csv", [{"model_a": "b", "model_b": "a", "winner": "a"}]))


HEAD = "model_a,model_b,winner\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ((HEAD + 'x,"y,model_a\ny,x",model_b\n').encode(), "quote"),
        ((HEAD + "x,y,model_a\nx,y\n").encode(), "row 2 .line 3. has 2 cells"),
        (b"model_a,model_b,winner,winner\nx,y,tie,tie\n", "two columns are called 'winner'"),
        ((HEAD + "x,y,tie\n").encode("utf-16"), "UTF-16"),
        ((HEAD + "千问模型,y,tie\n").encode("gbk"), "GB18030"),
        (b"x,y,model_a\ny,x,model_b\n", "no column model_b"),
        (b"model_a;model_b;winner\nx,y;tie\n", "has 2 cells"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "x.csv").write_bytes(data)
    with pytest.raises(DataError, match=said):
        read_votes(tmp_path / "x.csv")


def test_blank_rows_and_a_mark_of_order(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("\ufeff" + HEAD + "x,y,tie\n,,\n\nx,y,no\n", encoding="utf-8")
    with pytest.raises(DataError, match="row 4: winner 'no'"):
        read_votes(tmp_path / "x.csv")


def all_ties(folder: Path, battles: int) -> Path:
    return written(
        folder,
        "csv",
        [{"model_a": one, "model_b": two, "winner": "tie"} for one, two in ("xy", "yz", "zx")] * battles,
    )


@pytest.mark.parametrize("battles", [1, 100])
def test_ties_alone_make_models_equal_with_an_interval(tmp_path: Path, battles: int) -> None:
    found = make_ratings(read_votes(all_ties(tmp_path, battles)), draws=20)
    assert [row.rating for row in found.rows] == pytest.approx([1000] * 3)
    # H = n/4·(graph's Laplacian); of a triangle its generalised inverse has 2/9 on the diagonal
    assert [row.se for row in found.rows] == pytest.approx(
        [400 / np.log(10) * np.sqrt(4 / battles * 2 / 9)] * 3
    )
    assert all(
        (row.rank, row.rank_high) == (1, 3) and row.low < 1000 < row.high and row.bootstrap is None
        for row in found.rows
    )
    assert "Only ties tell x, y, z" in found.notes[0]


def test_a_model_that_only_ties_with_the_anchor(tmp_path: Path) -> None:
    rows = [{"model_a": "x", "model_b": "y", "winner": "tie"}] * 9
    rows += [{"model_a": "y", "model_b": "z", "winner": word} for word in ("model_a", "model_b", "model_a")]
    found = make_ratings(read_votes(written(tmp_path, "csv", rows)), anchor=("y ", 1100.0))
    at = {row.model: row for row in found.rows}
    assert (at["y"].se, at["y"].rating) == (0, 1100)
    assert at["x"].rating == pytest.approx(1100)
    assert at["x"].se == pytest.approx(400 / np.log(10) * np.sqrt(4 / 9))
    assert "Only ties tell x from" in found.notes[0]
    assert not make_ratings(read_votes(written(tmp_path, "csv", rows))).notes


@pytest.mark.parametrize("literal", ['["x"]', '{"name": "x"}', "true"])
def test_a_name_is_a_text(tmp_path: Path, literal: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"model_a": "x", "model_b": @, "winner": "tie"}\n'.replace("@", literal), encoding="utf-8"
    )
    with pytest.raises(DataError, match=r"row 1: model_b is .*expected a model's name"):
        read_votes(path)

"""Votes: names that look alike, names that are missing, and votes that are ties alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.votes import BATTLES, written

from harness.analysis.arena import make_ratings, read_votes
from harness.errors import DataError

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

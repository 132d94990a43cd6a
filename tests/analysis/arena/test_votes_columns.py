"""Votes in other layouts: dashes in names, ties, counts and winners in columns of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.analysis.arena import make_ratings, read_votes
from harness.errors import DataError


def written(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """Rows as a CSV."""
    path = folder / "votes.csv"
    path.write_text(
        "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]) + "\n", encoding="utf-8"
    )
    return path


@pytest.mark.parametrize("name", ["gpt‑4", "gpt–4", "gpt‐4", "gpt−4", "gpt－4"])
def test_dashes_are_one_and_look_alikes_are_said(tmp_path: Path, name: str) -> None:
    rows = [
        {"model_a": "gpt-4", "model_b": "glm", "winner": "model_a"},
        {"model_a": name, "model_b": "glm", "winner": "model_b"},
    ]
    votes = read_votes(written(tmp_path, rows))
    assert (votes.models, len(votes.notes)) == (("gpt-4", "glm"), 1)
    for other in ("gpt_4", "gpt 4", "GPT-4", "gрt-4"):  # the last one's second letter is Cyrillic
        rows[1]["model_a"] = other
        votes = read_votes(written(tmp_path, rows))
        assert f"'gpt-4' and {other!r}" in votes.notes[0]
        with pytest.raises(
            DataError, match=f"infinite.*'gpt-4' and {other!r}"
        ):  # the cause is said where nothing can be rated
            make_ratings(votes)


@pytest.mark.parametrize("column", ["tie", "is_tie", "draw"])
@pytest.mark.parametrize(("yes", "no"), [("1", "0"), ("True", "False")])
def test_ties_in_a_column_of_their_own(tmp_path: Path, column: str, yes: str, no: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"winner,loser,{column}\nx,y,{no}\ny,x,{no}\nx,y,{yes}\n", encoding="utf-8")
    assert read_votes(path).wins().tolist() == [[0, 1.5], [1.5, 0]]
    path.write_text(
        f"model_a,model_b,winner,{column}\nx,y,model_a,{no}\nx,y,model_b,{no}\nx,y,tie,{yes}\n",
        encoding="utf-8",
    )
    assert read_votes(path).wins().tolist() == [[0, 1.5], [1.5, 0]]
    path.write_text(
        f"model_a,model_b,winner,{column}\nx,y,model_a,{no}\nx,y,model_b,{yes}\n", encoding="utf-8"
    )
    with pytest.raises(DataError, match=r"row 2: .*as the winner says"):
        read_votes(path)
    path.write_text(f"winner,loser,{column}\nx,y,\n", encoding="utf-8")
    with pytest.raises(DataError, match=f"row 1: {column} ''"):
        read_votes(path)


@pytest.mark.parametrize("column", ["ties", "tie", "draws", "draw"])
def test_draws_of_win_counts(tmp_path: Path, column: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"model_a,model_b,wins_a,wins_b,{column}\nx,y,3,2,5\n", encoding="utf-8")
    assert read_votes(path).wins().tolist() == [[0, 5.5], [4.5, 0]]


@pytest.mark.parametrize("extra", ["winner", "winner_model_a"])
def test_two_kinds_of_counting_in_one_file(tmp_path: Path, extra: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"model_a,model_b,wins_a,wins_b,{extra}\nx,y,3,2,1\n", encoding="utf-8")
    with pytest.raises(DataError, match=f"wins_a and wins_b beside {extra}: which of them counts"):
        read_votes(path)


@pytest.mark.parametrize("column", ["count", "weight", "n", "votes"])
def test_rows_that_may_stand_for_several_battles(tmp_path: Path, column: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"model_a,model_b,winner,{column}\nx,y,model_a,1\nx,y,model_b,5\n", encoding="utf-8")
    with pytest.raises(DataError, match=f"row 2: {column} '5': does a row stand for so many battles"):
        read_votes(path)
    for harmless in ("1", "many"):
        path.write_text(
            f"model_a,model_b,winner,{column}\nx,y,model_a,{harmless}\nx,y,model_b,1\n", encoding="utf-8"
        )
        assert read_votes(path).battles == 2


@pytest.mark.parametrize(
    "column", ["winner_tie", "winner_tie (bothbad)", "winner_bothbad", "winner_both_bad", "winner_draw"]
)
def test_names_of_the_column_of_ties(tmp_path: Path, column: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(
        f"model_a,model_b,winner_model_a,winner_model_b,{column}\nx,y,1,0,0\nx,y,0,0,1\n", encoding="utf-8"
    )
    assert read_votes(path).wins().tolist() == [[0, 1.5], [0.5, 0]]

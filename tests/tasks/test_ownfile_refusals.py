"""Own files: what cannot be read for sure is refused, in one line that says what to write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.ownfile import FOUR, golds, jsonl, read, refused, row, table


@pytest.mark.parametrize(
    ("text", "settings", "parts"),
    [
        ("question,answer\nq,A\nr,B\n", {}, ["option letters only", "choices:"]),
        ("question,answer\nq,AC\nr,B\n", {}, ["option letters only"]),
        ("question,A,B,C,answer\nq,x,y,z,AC\n", {}, ["row 1", "names several options, as 1 of 1 answers do"]),
        ("question,A,B,answer\nq,x,y,A\n", {"category": "类别"}, ["no column '类别' (category:)"]),
        ("question,A,B,kind,answer\nq,x,y,k,A\n", {"category": "kid"}, ["did you mean 'kind'"]),
        ("question,A,B,kind,answer\nq,x,y,,A\n", {"category": "kind"}, ["row 1, column 'kind' is empty"]),
        ("question,A,B,answer\nq,x,y,A\n", {"context": "text"}, ["no column 'text' (context:)"]),
        ("question,answer\nq,x\n", {"aliases": "also"}, ["no column 'also' (aliases:)"]),
        ("question,passage,article,answer\nq,x,y,z\n", {}, ["'passage', 'article'", "context: passage"]),
        ("question,answer\nq A. x B. y,A\nr,B\n", {}, ["row 2, column 'question'", "A. … B. …"]),
        ("question,options,answer\nq,x、y、z,A\n", {}, ["row 1, column 'options'", "A. … B. …"]),
        ("question,options,answer\nq,B. x A. y,A\n", {}, ["row 1, column 'options'"]),
        ("question,A,B,answer\nq,x,y,A\nr,,,B\n", {}, ["row 2", "names an option", "file of their own"]),
        ("question,A,B,answer\nq,x,y,0\nr,x,y,1\ns,,,1\n", {}, ["row 3", "names an option"]),
        ("question,A,B,answer\nq,A,B,B\n", {}, ["row 1, column 'A'", "only their letters"]),
        ("question,answer\nq,B\n", {"answer_is": "letter"}, ["answer_is: letter needs options"]),
        ("question,A,B,kind,answer\nq,x,y,Law,A\nr,x,y,law,A\n", {"category": "kind"}, ["'Law' and 'law'"]),
        ("考题,A,B,answer\nq,x,y,A\n", {}, ["no column 'question'", "as question: COLUMN"]),
        ("question,answer\nq,x\n", {"sheet": "One"}, ["sheet:", "text file"]),
    ],
)
def test_what_is_not_sure_is_refused(
    tmp_path: Path, text: str, settings: dict[str, Any], parts: list[str]
) -> None:
    refused(table(tmp_path, text), *parts, **settings)


def test_several_right_options_are_refused_with_their_number(tmp_path: Path) -> None:
    rows = [row(), row(answer=["A", "C"]), row(answer=["B"])]
    refused(jsonl(tmp_path, rows), "row 2, column 'answer'", "several right options (A, C)", "1 of 3")


def test_a_list_of_answers_means_any_of_them(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path,
        [
            {"question": "q", "answer": ["NYC", "New York"]},
            {"question": "r", "answer": {"value": "x", "aliases": ["y"]}},
            {"question": "s", "answer": "z", "aliases": "w|v"},
            {"question": "t", "answer": "u", "aliases": None},
        ],
    )
    own = read(path)
    assert [one["answers"] for one in own.rows] == [["NYC", "New York"], ["x", "y"], ["z", "w", "v"], ["u"]]
    assert golds(path) == ["NYC", "x", "z", "u"]
    assert any("any one of several answers is right in 3 of 4" in note for note in own.notes)
    # Lists of numbers are values, not names for one thing.
    refused(jsonl(tmp_path, [{"question": "sort", "answer": [1, 2]}]), "row 1, column 'answer' is a list")


def test_cells_that_excel_rewrote_are_named(tmp_path: Path) -> None:
    text = "question,A,B,C,answer\n得分？,2-Jan,3-Feb,1.23457E+11,A\n"
    assert any(
        "3 cells look as Excel" in note and "row 1" in note for note in read(table(tmp_path, text)).notes
    )


def test_categories_part_a_file_or_are_said_not_to(tmp_path: Path) -> None:
    def parted(*values: str, **settings: Any) -> tuple[bool, str]:
        rows = [row(subject=value) if value else row() for value in values]
        own = read(jsonl(tmp_path, rows), **settings)
        return own.columns.extras.category is not None, " ".join(own.notes)

    assert parted("数学", "数学", "语文", "语文")[0]
    apart, note = parted("a", "b", "c", "d")
    assert not apart
    assert "say category: subject" in note
    assert not parted("数学", "数学", "语文", "")[0]
    assert parted("a", "b", "c", category="subject")[0]
    assert not parted("数学", "数学", "语文", "语文", category="")[0]
    assert read(jsonl(tmp_path, [row(subject="x"), row(subject="x")])).rows[0]["choices"] == FOUR


def test_a_second_column_of_answers_that_disagrees_is_said(tmp_path: Path) -> None:
    text = "question,A,B,answer,answer_text\nq,x,y,A,x\nr,x,y,B,x\n"
    (note,) = [
        note for note in read(table(tmp_path, text)).notes if "answer_text" in note and "wrong" in note
    ]
    assert "in 1 of 2 rows (the first: row 2)" in note

"""Own files: how an answer names its option."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.ownfile import golds, jsonl, read, refused, row, table

LETTERS = [
    "B",
    "b",
    "Ｂ",
    "ｂ",
    "(B)",
    "（B）",
    "B.",
    "B)",
    "B、",
    "【B】",
    " B ",
    "选项B",
    "选B",
    "Option B",
    "答案：B",
    "\u200bB",
    "B。",
]


@pytest.mark.parametrize(
    "said", [*LETTERS, "②", "第2项", "第二个", "⑵", "❷", "B. 乙", "乙", " 乙", "乙\u3000"]
)
def test_one_option_is_named_in_many_ways(tmp_path: Path, said: str) -> None:
    assert golds(jsonl(tmp_path, [row(answer=said)])) == [1]


def test_texts_match_by_what_is_seen(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path,
        [
            row(choices=["New  York", "ＡＢＣ", "x"], answer="New York"),
            row(choices=["New York", "ABC", "x"], answer="ＡＢＣ"),
        ],
    )
    assert golds(path) == [0, 1]
    refused(
        jsonl(tmp_path, [row(choices=["Paris", "paris"], answer="PARIS")]), "row 1, column 'answer'", "PARIS"
    )
    assert golds(jsonl(tmp_path, [row(choices=["Paris", "paris"], answer="paris")])) == [1]
    assert golds(
        jsonl(
            tmp_path, [row(choices=["yes", "no"], answer="No"), row(choices=["True", "False"], answer="TRUE")]
        )
    ) == [1, 0]
    refused(
        jsonl(tmp_path, ['{"question": "q\\ud83d", "answer": "x"}']),
        "row 1, column 'question'",
        "half a character",
    )


@pytest.mark.parametrize(
    "said", ["E", "e", "Ｅ", "(E)", 4.5, "-1", 17, "④⑤", "AB", "A,C", "A和B", "½", "⓪", "⑤", "第9项", "戊"]
)
def test_what_names_no_option_is_refused(tmp_path: Path, said: Any) -> None:
    refused(jsonl(tmp_path, [row(answer="乙"), row(answer=said)]), "row 2, column 'answer'", str(said))


def test_indices_count_from_zero_and_floats_are_whole(tmp_path: Path) -> None:
    assert golds(jsonl(tmp_path, [row(answer=0), row(answer=3)])) == [0, 3]
    assert golds(jsonl(tmp_path, [row(answer=0.0), row(answer=3.0)])) == [0, 3]
    assert golds(jsonl(tmp_path, [row(answer="0"), row(answer="１")])) == [0, 1]


@pytest.mark.parametrize("answers", [[1, 2, 3], [1, 2, 4], [2], ["1", "4"], [1.0, 4.0]])
def test_numbers_that_are_never_zero_are_asked_for(tmp_path: Path, answers: list[Any]) -> None:
    path = jsonl(tmp_path, [row(answer=one) for one in answers])
    refused(path, "row 1, column 'answer'", "answer_is", "number")
    assert golds(path, answer_is="number") == [int(float(one)) - 1 for one in answers]
    if max(float(one) for one in answers) < 4:
        assert golds(path, answer_is="index") == [int(float(one)) for one in answers]
    else:
        refused(path, "answer_is: index", answer_is="index")


def test_zero_and_the_number_of_options_cannot_both_be(tmp_path: Path) -> None:
    refused(jsonl(tmp_path, [row(answer=0), row(answer=4)]), "row 2, column 'answer'", "4")


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_numbers_as_options_with_a_number_as_answer_are_asked_for(tmp_path: Path, kind: str) -> None:
    if kind == "json":
        path = jsonl(tmp_path, [row(choices=[3, 2, 1, 0], answer=1), row(choices=[3, 2, 1, 0], answer=0)])
    else:
        path = table(tmp_path, "question,A,B,C,D,answer\nq,3,2,1,0,1\nr,3,2,1,0,0\n")
    refused(
        path,
        "row 1, column 'answer'",
        "as text option C",
        "as index (from 0) option B",
        "answer_is: text, index",
    )
    assert golds(path, answer_is="text") == [2, 3]
    assert golds(path, answer_is="index") == [1, 0]


def test_letters_as_options(tmp_path: Path) -> None:
    path = jsonl(tmp_path, [row(choices=["C", "A", "B"], answer="A")])
    refused(path, "as text option B", "as letter option A")
    assert (golds(path, answer_is="text"), golds(path, answer_is="letter")) == ([1], [0])
    # Both ways say the same, but what the options say may stand nowhere.
    bare = jsonl(tmp_path, [row(choices=["A", "B"], answer="B")])
    refused(bare, "only their letters", "answer_is: text")
    assert golds(bare, answer_is="text") == [1]


@pytest.mark.parametrize(("one", "other"), [("B", 0), (0, "B"), ("乙", 0), (0, "乙"), ("B", 2), (0, "②")])
def test_numbers_among_in_one_file_are_refused_with_the_row(tmp_path: Path, one: Any, other: Any) -> None:
    refused(
        jsonl(tmp_path, [row(answer=one), row(answer=one), row(answer=other)]),
        "row 3, column 'answer'",
        "one way",
        "row 1",
    )


def test_letters_beside_texts_are_read_and_said(tmp_path: Path) -> None:
    found = read(jsonl(tmp_path, [row(answer="乙"), row(answer="(d)"), row(answer="A")]))
    assert [one["answer"] for one in found.rows] == [1, 3, 0]
    assert found.notes == ("answers are written in two ways: 1 as the option's text, 2 as its letter",)
    twisted = row(choices=["B", "A"], answer="A")
    assert golds(jsonl(tmp_path, [row(answer="乙"), twisted])) == [1, 1]  # texts, one and all
    refused(
        jsonl(tmp_path, [row(answer="乙"), row(answer="D"), twisted]),
        "row 3",
        "as text option B",
        "as letter option A",
    )


def test_what_is_said_must_hold(tmp_path: Path) -> None:
    refused(
        jsonl(tmp_path, [row(answer="A"), row(answer="乙")]), "row 2", "answer_is: letter", answer_is="letter"
    )
    refused(
        jsonl(tmp_path, [{"question": "q", "answer": "B"}]),
        "answer_is: letter needs options",
        answer_is="letter",
    )


def test_an_option_that_stands_twice(tmp_path: Path) -> None:
    refused(jsonl(tmp_path, [row(choices=["x", "x", "y"], answer="x")]), "row 1, column 'answer'", "A, B")
    found = read(
        jsonl(
            tmp_path,
            [row(), row(choices=["x", "y", "x "], answer="A"), row(choices=["x", "y", "y"], answer="A")],
        )
    )
    assert found.notes == (
        "the right option stands twice, and its twin counts as wrong: 1 of 3 questions, the first in row 2",
        "a wrong option stands twice: 1 of 3 questions, the first in row 3",
    )


def test_what_is_not_read_is_said(tmp_path: Path) -> None:
    """XCOPA: the column question says cause or effect, what it is about stands in premise."""
    rows = [
        {"premise": f"p{k}", "choice1": "a1", "choice2": "b1", "question": "cause", "label": k % 2}
        for k in range(12)
    ]
    notes = " / ".join(read(jsonl(tmp_path, rows)).notes)
    assert "columns that are not read: premise" in notes
    assert "12 rows ask 1 different questions" in notes


def test_a_list_as_numpy_prints_it(tmp_path: Path) -> None:
    refused(
        jsonl(tmp_path, [row(choices="['0' '4'\n '2' '6']", answer="B")]), "row 1, column 'choices'", "numpy"
    )

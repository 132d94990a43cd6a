"""Own files: signs that count from 1 by themselves, and options under other names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.ownfile import golds, jsonl, read, refused, row, table


@pytest.mark.parametrize(
    "said", ["②", "❷", "⑵", "⒉", "Ⅱ", "乙", "（乙）", "乙.", "「乙」", "二", "第二个", "第2项", "二、"]
)
def test_signs_that_count_from_one(tmp_path: Path, said: str) -> None:
    texts = ["red", "green", "blue", "white"]
    assert golds(jsonl(tmp_path, [row(choices=texts, answer=said), row(choices=texts, answer="①")])) == [1, 0]


@pytest.mark.parametrize(
    "said", ['"B"', "'B'", "“B”", "`B`", "『B』", "《B》", "**B**", "故选B", "应选 B。", "{B}"]
)
def test_letters_in_marks(tmp_path: Path, said: str) -> None:
    assert golds(jsonl(tmp_path, [row(answer=said)])) == [1]


def test_a_sign_beside_a_plain_number_is_asked_for(tmp_path: Path) -> None:
    path = jsonl(tmp_path, [row(answer="乙"), row(answer="2")])
    refused(path, "row 2, column 'answer'", "say in the task which it is")
    assert golds(path, answer_is="number") == [1, 1]
    refused(
        jsonl(tmp_path, [row(choices=["乙", "甲"], answer="甲")]),
        "as text option B",
        "as number (from 1) option A",
    )


@pytest.mark.parametrize(
    "options",
    [["②上海", "①北京"], ["乙、上海", "甲、北京"], ["2. 上海", "1. 北京"], ["(2) 上海", "(1) 北京"]],
)
def test_options_that_bring_numbers_out_of_order(tmp_path: Path, options: list[str]) -> None:
    refused(
        jsonl(tmp_path, [row(choices=options, answer="A")]), "row 1, column 'choices'", "out of order (2, 1)"
    )
    assert golds(jsonl(tmp_path, [row(choices=options[::-1], answer="A")])) == [0]


@pytest.mark.parametrize(
    "options",
    [["②③", "①④"], ["②和③", "①和④"], ["2.5", "1.5"], ["2:30", "1:30"], ["2、3", "1、2"], ["乙醇", "甲醇"]],
)
def test_options_that_only_begin_like_numbers(tmp_path: Path, options: list[str]) -> None:
    assert golds(jsonl(tmp_path, [row(choices=options, answer="B")])) == [1]


@pytest.mark.parametrize(
    ("head", "answer"),
    [
        ("题目,甲,乙,丙,丁,答案", "乙"),
        ("题目,①,②,③,④,答案", "②"),
        ("题目,选项一,选项二,选项三,选项四,答案", "二"),
        ("题目,选项甲,选项乙,选项丙,选项丁,正确选项", "乙"),
        ("question,1,2,3,4,answer", "2"),
        ("question,(A),(B),(C),(D),answer", "B"),
        ("Question:,Option A:,Option B:,Option C:,Option D:,Answer:", "b"),
        ("question,A,B,C,D,correct", "B"),
        ("question,(1),(2),(3),(4),answer", "x2"),
    ],
)
def test_more_layouts(tmp_path: Path, head: str, answer: str) -> None:
    found = read(table(tmp_path, f"{head}\nq,x1,x2,x3,x4,{answer}\n"))
    assert found.rows == [{"question": "q", "choices": ["x1", "x2", "x3", "x4"], "answer": 1}]


@pytest.mark.parametrize(
    "text",
    [
        "question,first,second,third,answer\nq,x,y,z,second\nq,x,y,z,first\n",
        "question,p,q,answer\nq,x,y,x\nr,a,b,b\n",
        "question,answer\nq,①\nr,②\n",
        "question,answer\nq,甲\nr,（乙）\n",
    ],
)
def test_answers_that_name_what_would_not_be_shown(tmp_path: Path, text: str) -> None:
    path = table(tmp_path, text)
    refused(path, "say answer_is: generated")
    assert len(read(path, answer_is="generated").rows) == 2


def test_a_column_that_repeats_the_answer_is_no_option(tmp_path: Path) -> None:
    assert golds(table(tmp_path, "question,final,note,answer\nq,2,x,2\nr,3,y,3\n")) == ["2", "3"]
    assert golds(table(tmp_path, "question,2019,2020,answer\nq,1,2,3\nr,4,5,9\n")) == ["3", "9"]
    notes = read(table(tmp_path, "question,answer\n1+1,2.0\n1/2,0.5\n")).notes
    assert notes == (
        "1 of 2 answers end in .0, and a generated answer must end so, too: write whole numbers as such",
    )


@pytest.mark.parametrize("mark", [";", "\t", "|", "，"])
@pytest.mark.parametrize("begin", ["", "\ufeff", "sep=@\r\n", '\ufeff"sep=@"\r\n'])
def test_other_separators(tmp_path: Path, mark: str, begin: str) -> None:
    text = begin + 'question@A@B@answer\r\nq@0,5@1,5@B\r\n"r@s"@x@y@A\r\n'
    found = read(table(tmp_path, text.replace("@", mark)))
    assert [(one["question"], one["choices"], one["answer"]) for one in found.rows] == [
        ("q", ["0,5", "1,5"], 1),
        (f"r{mark}s", ["x", "y"], 0),
    ]


@pytest.mark.parametrize("orient", ["columns", "split", "table"])
def test_tables_of_pandas_by_columns_are_named(tmp_path: Path, orient: Any) -> None:
    import pandas as pd

    frame = pd.DataFrame({"question": ["q", "r"], "A": ["x", "y"], "B": ["z", "w"], "answer": ["A", "B"]})
    (tmp_path / "own.json").write_text(frame.to_json(orient=orient), encoding="utf-8")
    refused(tmp_path / "own.json", "by its columns", "orient='records'")
    (tmp_path / "own.json").write_text(frame.to_json(orient="records"), encoding="utf-8")
    assert golds(tmp_path / "own.json") == [0, 1]

"""Own files: the usual layouts, and columns that are not clear."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.ownfile import FOUR, golds, jsonl, read, refused, row, table

HEADS = [
    "question,A,B,C,D,answer",
    "Question,A,B,C,D,Answer",
    "id,question,A,B,C,D,answer,explanation",
    ",Question,A,B,C,D,Answer",
    "question,option_a,option_b,option_c,option_d,answer",
    "question,optionA,optionB,optionC,optionD,answer",
    "question,Option A,Option B,Option C,Option D,answer",
    "question,choice1,choice2,choice3,choice4,answer",
    "question,choice_0,choice_1,choice_2,choice_3,answer",
    "question,opa,opb,opc,opd,answer",
    "question,选项A,选项B,选项C,选项D,答案",
    "题目,A,B,C,D,答案",
    "question,a,b,c,d,answer",
    "question, A , B , C , D ,answer",
    "question,Ａ,Ｂ,Ｃ,Ｄ,answer",
    "question,answerA,answerB,answerC,answerD,label",
    "question,mc_answer1,mc_answer2,mc_answer3,mc_answer4,answer",
    "question,ending0,ending1,ending2,ending3,label",
]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "json"])
def test_usual_layouts(tmp_path: Path, head: str, kind: str) -> None:
    names = [name.strip() for name in head.split(",")]
    cells = dict.fromkeys(names, "7") | dict(zip([one for one in names if _option(one)], FOUR, strict=True))
    key = next(name for name in names if name.lower() in ("answer", "答案", "label"))
    asked = next(name for name in names if name.lower() in ("question", "题目"))
    cells |= {key: "C", asked: "哪个？"}
    if kind in ("csv", "tsv"):
        mark = "," if kind == "csv" else "\t"
        path = table(
            tmp_path, head.replace(",", mark) + "\n" + mark.join(cells.values()) + "\n", f"own.{kind}"
        )
    else:
        rows = json.dumps(cells, ensure_ascii=False)
        path = table(tmp_path, rows if kind == "jsonl" else f"[{rows}]", f"own.{kind}")
    assert read(path).rows == [{"question": "哪个？", "choices": FOUR, "answer": 2}]


def _option(name: str) -> bool:
    return name.lower() not in ("question", "answer", "题目", "答案", "label", "id", "explanation", "")


@pytest.mark.parametrize("name", ["choices", "options", "Options", "选项", "candidates", "endings"])
@pytest.mark.parametrize(
    "value",
    [
        FOUR,
        dict(zip("ABCD", FOUR, strict=True)),
        dict(zip("abcd", FOUR, strict=True)),
        {"label": list("ABCD"), "text": FOUR},
        [{"label": label, "text": text} for label, text in zip("ABCD", FOUR, strict=True)],
        [{"key": label, "value": text} for label, text in zip("ABCD", FOUR, strict=True)],
        json.dumps(FOUR),
        str(FOUR),
        "|".join(FOUR),
        "\n".join(FOUR),
        [f"{label}. {text}" for label, text in zip("ABCD", FOUR, strict=True)],
        [f"（{label}）{text}" for label, text in zip("ABCD", FOUR, strict=True)],
    ],
)
def test_lists_of_options(tmp_path: Path, name: str, value: Any) -> None:
    path = jsonl(tmp_path, [{"question": "哪个？", name: value, "answer": "C"}])
    assert read(path).rows == [{"question": "哪个？", "choices": FOUR, "answer": 2}]


def test_labels_that_a_row_brings_count(tmp_path: Path) -> None:
    """ARC: some questions are labelled A to D, some 1 to 4; there 2 is the label, not an index."""
    arc = [
        {"question": "q", "choices": {"label": list("1234"), "text": FOUR}, "answerKey": "2"},
        {"question": "r", "choices": {"label": list("ABCD"), "text": FOUR}, "answerKey": "D"},
    ]
    assert golds(jsonl(tmp_path, arc)) == [1, 3]
    refused(jsonl(tmp_path, [row(choices={"B": "x", "A": "y"}, answer="A")]), "row 1", "B, A", "sort them")
    refused(jsonl(tmp_path, [row(choices=["B. x", "A. y"], answer="A")]), "row 1", "out of order")


def test_names_of_option_columns_as_answers(tmp_path: Path) -> None:
    path = table(tmp_path, "question,option1,option2,answer\nq,x,y,option2\nr,x,y,Option1\n")
    assert golds(path) == [1, 0]


def test_columns_in_one_text_and_one_list_in_a_list(tmp_path: Path) -> None:
    path = table(tmp_path, "question,w,x,y,answer\nq,1月,2月,3月,B\n")
    for said in ("w,x,y", "w, x, y", ["w", "x", "y"]):
        assert read(path, choices=said).rows[0]["choices"] == ["1月", "2月", "3月"]
    both = jsonl(tmp_path, [row(options=["1", "2"])])
    refused(both, "'choices'", "'options'", "choices: [choices]")
    assert read(both, choices=["choices"]).rows[0]["choices"] == FOUR


@pytest.mark.parametrize(
    ("head", "settings", "parts"),
    [
        ("question,optionA,optionC,answer", {}, ["'optionA'", "'optionC'", "look like options"]),
        ("question,distractor1,distractor2,answer", {}, ["'distractor1'", "look like options"]),
        ("question,incorrect_answers,correct_answer", {}, ["'incorrect_answers'", "look like options"]),
        ("question,A,B,D,answer", {}, ["look like options"]),
        ("question,A,B,C,D,answer", {"choices": ["A", "B", "C"]}, ["'D'", "not in choices"]),
        ("question,A,B,option1,option2,answer", {}, ["say which"]),
        ("question,A,B,answer", {"choices": "opts"}, ["no column 'opts'", "it has: A, B"]),
        ("question,choises,answer", {"choices": "choises2"}, ["did you mean 'choises'"]),
        ("question,A,B,answer", {"choices": ["A", "BB"]}, ["no column 'BB'"]),
        ("questoin,A,B,answer", {}, ["no column 'question'", "did you mean 'questoin'"]),
        ("question,A,B,anser", {}, ["no column 'answer'", "did you mean 'anser'"]),
        ("question,A,B,answer", {"answer": "key"}, ["no column 'key'"]),
        ("question,A,B,answer", {"choices": ["A", "A"]}, ["twice"]),
        ("question,A,B,answer", {"answer": "question"}, ["at once"]),
        ("prompt,query,answer", {}, ["'prompt', 'query'", "question: prompt"]),
    ],
)
def test_columns_that_are_not_clear_are_refused(
    tmp_path: Path, head: str, settings: dict[str, Any], parts: list[str]
) -> None:
    path = table(tmp_path, head + "\n" + ",".join(f"t{place}" for place in range(head.count(",") + 1)) + "\n")
    refused(path, *parts, **settings)


def test_free_answers(tmp_path: Path) -> None:
    path = table(tmp_path, "question,answer\nq,B\nr,(C)\n")
    refused(path, "option letters", "choices:", "answer_is: generated")
    assert golds(path, answer_is="generated") == ["B", "(C)"]
    assert golds(table(tmp_path, "question,distractor1,answer\nq,x,y\n"), answer_is="generated") == ["y"]
    assert golds(table(tmp_path, "question,answer\nq,B\nr,Berlin\n")) == ["B", "Berlin"]
    refused(jsonl(tmp_path, [row(), {"question": "q", "answer": "B"}]), "row 2, column 'choices'", "absent")

"""Own question files: which columns are read, what is missing, how an answer names its option; all
else is refused in one line.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.config.schema import TaskEntry
from harness.errors import ConfigError
from harness.tasks import DataSources, PromptStyle, expand, load
from harness.tasks.ownfile import OwnRows, read_file

FOUR = ["甲", "乙", "丙", "丁"]


def jsonl(folder: Path, rows: list[Any], name: str = "own.jsonl") -> Path:
    path = folder / name
    path.write_text(
        "".join(
            (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)) + "\n" for row in rows
        ),
        encoding="utf-8",
    )
    return path


def table(folder: Path, text: str, name: str = "own.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def read(path: Path, **settings: Any) -> OwnRows:
    return read_file(path, TaskEntry(file=str(path), **settings))


def golds(path: Path, **settings: Any) -> list[Any]:
    return [row["answer"] for row in read(path, **settings).rows]


def refused(path: Path, *parts: str, **settings: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        read(path, **settings)
    message = str(caught.value)
    assert "\n" not in message
    for part in (str(path), *parts):
        assert part in message


def row(**changes: Any) -> dict[str, Any]:
    return {"question": "选哪个？", "choices": FOUR, "answer": "B"} | changes


# --- missing values and other kinds of value -------------------------------------------------------------------------------------------

LITERALS = [
    "null",
    "NaN",
    "Infinity",
    "-Infinity",
    "true",
    "false",
    '""',
    '"  \\u3000 "',
    '"\\u200b"',
    "[]",
    "{}",
    '["x"]',
    '{"a": 1}',
]


@pytest.mark.parametrize("literal", LITERALS)
@pytest.mark.parametrize("column", ["question", "answer"])
@pytest.mark.parametrize("with_choices", [True, False])
def test_no_value_in_a_cell_is_refused(tmp_path: Path, literal: str, column: str, with_choices: bool) -> None:
    good = row() if with_choices else {"question": "一加一？", "answer": "二"}
    bad = json.dumps(good | {column: "@"}, ensure_ascii=False).replace('"@"', literal)
    refused(jsonl(tmp_path, [good, bad]), f"row 2, column '{column}'")


@pytest.mark.parametrize(
    "literal",
    [one for one in LITERALS if one not in ("[]", "{}", '["x"]', '{"a": 1}')] + ["[1]", '{"a": [1]}'],
)
def test_no_value_in_a_list_of_options_is_refused(tmp_path: Path, literal: str) -> None:
    bad = json.dumps(row(choices=["甲", "@", "丙"]), ensure_ascii=False).replace('"@"', literal)
    refused(jsonl(tmp_path, [row(), bad]), "row 2, column 'choices', option 2")


@pytest.mark.parametrize("literal", ["null", "NaN", "Infinity", "true", "[1]"])
@pytest.mark.parametrize("column", ["A", "B", "D"])
def test_no_value_in_an_option_column_is_refused(tmp_path: Path, literal: str, column: str) -> None:
    good = {"question": "?", "A": "1月", "B": "2月", "C": "3月", "D": "4月", "answer": "A"}
    bad = json.dumps(good | {column: "@"}).replace('"@"', literal)
    refused(jsonl(tmp_path, [good, bad]), f"row 2, column '{column}'")


WORDS = ["nan", "NaN", "None", "null", "NULL", "N/A", "#N/A", "NA", "<NA>", "NaT", "n/a", "#DIV/0!", " nan "]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_words_for_a_missing_value(tmp_path: Path, word: str, kind: str) -> None:
    """Table programs write them; where they are meant as written, the task says so."""
    cells = {"question": "why", "A": "x", "B": word, "C": "z", "answer": "A"}
    text = ",".join(cells) + "\n" + ",".join(cells.values()) + "\n"
    path = table(tmp_path, text) if kind == "csv" else jsonl(tmp_path, [cells])
    refused(path, "row 1, column 'B'", word.strip(), "missing_words: text")
    assert read(path, missing_words="text").rows == [
        {"question": "why", "choices": ["x", word, "z"], "answer": 0}
    ]


def test_words_inside_a_text_are_text(tmp_path: Path) -> None:
    path = jsonl(tmp_path, [row(choices=["None of these", "nano", "NAS", "null set"], question="NaN?")])
    assert read(path).rows[0]["choices"][0] == "None of these"


def test_numbers_stay_as_they_are_written(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path,
        ['{"question": "哪个?", "choices": [1.10, 2.50, 1e3, 12345678901234567890], "answer": "2.50"}'],
    )
    assert read(path).rows == [
        {"question": "哪个?", "choices": ["1.10", "2.50", "1e3", "12345678901234567890"], "answer": 1}
    ]


def test_whole_numbers_that_became_fractions_are_seen(tmp_path: Path) -> None:
    path = jsonl(tmp_path, ['{"question": "2+3", "answer": 5.0}', '{"question": "2+4", "answer": 6.0}'])
    refused(path, "5.0", "row 1, column 'answer'", "answer_is: generated")
    assert golds(path, answer_is="generated") == ["5.0", "6.0"]
    assert golds(
        jsonl(tmp_path, ['{"question": "5/2", "answer": 2.5}', '{"question": "2+4", "answer": 6.0}'])
    ) == ["2.5", "6.0"]


# --- how an answer names its option ----------------------------------------------------------------------------------------------------

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
    # both ways say the same
    assert golds(jsonl(tmp_path, [row(choices=["A", "B"], answer="B")])) == [1]


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


# --- layouts ---------------------------------------------------------------------------------------------------------------------------

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


# --- files -----------------------------------------------------------------------------------------------------------------------------

HEAD = "question,A,B,C,D,answer\n"


def test_fewer_options_and_blank_rows(tmp_path: Path) -> None:
    path = table(tmp_path, HEAD + "q,1月,2月,3月,4月,D\nr,1月,2月,3月,,C\ns,1月,2月,, ,A\n,,,,,\n , ,,,,\n\n")
    found = read(path)
    assert [len(one["choices"]) for one in found.rows] == [4, 3, 2]
    assert "fewer than 4 options: 2 of 3 questions, the first in row 2" in found.notes
    assert any("empty rows that are left out: 3" in note for note in found.notes)
    refused(table(tmp_path, HEAD + "q,a1,b1,c1,,D\n"), "row 1, column 'answer'", "'D'")
    refused(table(tmp_path, HEAD + "q,a1,,c1,d1,A\n"), "row 1, column 'B' is empty")
    refused(table(tmp_path, HEAD + "q,a1,,,,A\n"), "row 1", "2 to 26 options")


def test_varying_numbers_of_options_are_asked(tmp_path: Path) -> None:
    path = table(tmp_path, HEAD + "q,1月,2月,3月,4月,D\nr,1月,2月,3月,,C\n")
    spec = expand([TaskEntry(file=str(path), fewshot=0)], limit=None, base_dir=tmp_path).tasks[0]
    items = list(load(spec, DataSources()).items(PromptStyle()))
    assert [[pair[1].strip() for pair in item.pairs] for item in items] == [list("ABCD"), list("ABC")]  # type: ignore[union-attr]
    assert items[1].pairs[0][0] == "r\nA. 1月\nB. 2月\nC. 3月\nAnswer:"  # type: ignore[union-attr]
    assert any("fewer than 4" in note for note in spec.notes)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("question,A,A,answer\nq,x,y,A\n", "two columns are called 'A'"),
        ("question,answer\nq,x,y\n", "row 1 (line 2) has 3 cells, the header 2"),
        ("question,answer\nq\n", "row 1 (line 2) has 1 cells"),
        ("question;answer\nq,1;x;y\n", "row 1 (line 2) has 3 cells"),
        ("sep=;\nquestion;answer\nq\n", "row 1 (line 3) has 1 cells"),
        ("", "no header"),
        ("question,answer\n", "no rows"),
        ("question,answer\n,\n", "no rows"),
        ("法国的首都是哪里？,巴黎,里昂,A\n德国的首都是哪里？,柏林,波恩,A\n", "header"),
        (HEAD + 'q,"a1,b1,c1,d1,A\nr,a2,b2,c2,d2,B\n', "quote"),
        (HEAD + 'q,a1,"b1,c1,d1,A\nr,a2,b2,c2,d2,B\ns,a3,b3",c3,d3,C\n', "quote"),
        (HEAD + '"q,a1,b1,c1,d1,A\nr",a2,b2,c2,d2,B\n', "quote"),
        (HEAD + 'q,a1,b1,c1,"d1,A\nr,a2,b2,c2,d2,B\ns,a3,b3,c3,d3",C\n', "quote"),
        ('question,answer\n"q,x\nr,y\ns",z\n', "quote"),
        (HEAD + 'q,"a "x" b",b1,c1,d1,A\n', "no valid CSV"),
    ],
)
def test_damaged_tables_are_refused(tmp_path: Path, text: str, part: str) -> None:
    refused(table(tmp_path, text), part)


def test_lines_inside_a_field_are_text(tmp_path: Path) -> None:
    code = '"Which is printed?\nprint(1, 2, 3, 4, 5)\nprint(6)"'
    assert golds(table(tmp_path, HEAD + f'{code},a1,b1,c1,d1,A\n"It has 1,000\nitems",x,y,z,w,D\n')) == [0, 3]
    assert golds(table(tmp_path, 'question,answer\n"Hello, you,\nwho?",me\n')) == ["me"]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize(
    ("encoding", "part"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-8"),
        ("utf-32", "UTF-32"),
        ("gbk", "GB18030"),
        ("gb18030", "GB18030"),
    ],
)
def test_encodings(tmp_path: Path, kind: str, encoding: str, part: str) -> None:
    text = (
        "question,answer\n中国的首都是哪里,北京\n"
        if kind == "csv"
        else json.dumps({"question": "中国的首都", "answer": "北京"}, ensure_ascii=False)
    )
    refused(table(tmp_path, text, f"own.{kind}", encoding), part, "UTF-8")
    assert golds(table(tmp_path, text, f"own.{kind}", "utf-8-sig")) == ["北京"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('{"question": "q", "question": "r", "answer": "x"}\n', "row 1: the key 'question' stands twice"),
        ('{"question": "q", "answer": "x"}\n["q", "x"]\n', "row 2 must be a JSON object, got a list"),
        ('{"question": "q", "answer": "x"}\n"q"\n', "row 2 must be a JSON object, got a text"),
        ('{"question": "q", "answer": "x"}\nNaN\n', "row 2 must be a JSON object, got a number"),
        ('{"question": "q", "answer": "x"}\n{}\n', "row 2 is an empty object"),
        ('{"question": "q", "answer": "x"}\n{"question": "q"}\n', "row 2 has no column 'answer'"),
        ('{"question": "q", "answer": "x"}\n{"question": "q", "ans\n', "row 2: no valid JSON"),
        ('{\n "question": "q",\n "answer": "x"\n}\n', "over several lines"),
        ('[{"question": "q", "answer": "x"}, 3]', "row 2 must be a JSON object"),
        ('[{"question": "q", "answer": "x"}', "no valid JSON"),
    ],
)
def test_damaged_json_is_refused(tmp_path: Path, text: str, part: str) -> None:
    refused(table(tmp_path, text, "own.jsonl"), part)


def test_a_list_in_a_json_file(tmp_path: Path) -> None:
    text = json.dumps([{"question": "q", "answer": "x"}, {"question": "r", "answer": "y"}], indent=1)
    for name in ("own.json", "own.jsonl"):
        assert golds(table(tmp_path, text, name)) == ["x", "y"]


def test_identity_is_what_is_asked(tmp_path: Path) -> None:
    """The same rows elsewhere and in another kind of file are the same; another way to read the
    answers is not.
    """
    ids = []
    for name, kind in (("one", "jsonl"), ("two", "csv")):
        (tmp_path / name).mkdir()
        path = tmp_path / name / f"own.{kind}"
        text = (
            HEAD + "q,a1,b1,c1,d1,2\n"
            if kind == "csv"
            else json.dumps({"question": "q", "choices": ["a1", "b1", "c1", "d1"], "answer": 2})
        )
        path.write_text(text, encoding="utf-8")
        for way in ("index", "number"):
            spec = expand(
                [TaskEntry(file=str(path), answer_is=way, fewshot=0)], limit=None, base_dir=tmp_path
            ).tasks[0]
            task = load(spec, DataSources())
            list(task.items(PromptStyle()))
            ids.append(task.provenance.fingerprint)
    assert ids[0] == ids[2] != ids[1] == ids[3]


# --- what counts from 1 by itself, and options under other names ------------------------------------------------------------------------


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

"""Own files: damaged tables and JSON, encodings, and what identifies the data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.ownfile import golds, read, refused, table

from harness.config.schema import TaskEntry
from harness.tasks import DataSources, PromptStyle, expand, load

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
        ("big5", "Big5"),
        ("latin-1", "UTF-8"),
    ],
)
def test_encodings(tmp_path: Path, kind: str, encoding: str, part: str) -> None:
    cells = ["Où est le café ?", "à Orléans"] if encoding == "latin-1" else ["中國的首都是哪裡", "北京"]
    text = (
        f"question,answer\n{','.join(cells)}\n"
        if kind == "csv"
        else json.dumps(dict(zip(("question", "answer"), cells, strict=True)), ensure_ascii=False)
    )
    refused(table(tmp_path, text, f"own.{kind}", encoding), part, "UTF-8")
    assert golds(table(tmp_path, text, f"own.{kind}", "utf-8-sig")) == [cells[1]]


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
                [TaskEntry(file=str(path), answer_is=way, fewshot=0)],
                limit=None,
                base_dir=tmp_path,
            ).tasks[0]
            task = load(spec, DataSources())
            list(task.items(PromptStyle()))
            ids.append(task.provenance.fingerprint)
    assert ids[0] == ids[2] != ids[1] == ids[3]

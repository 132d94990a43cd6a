"""Own files: missing values, and values of another kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.ownfile import golds, jsonl, read, refused, row, table

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
    if literal == '["x"]' and column == "answer" and not with_choices:
        return  # a list of right answers
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

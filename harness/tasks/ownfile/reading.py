"""An own file as rows that a task asks.

A row is a question, options and the right one's index, or a question and the text to generate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config.schema import TaskEntry
from harness.errors import ConfigError
from harness.names import tidy
from harness.tasks.ownfile.answers import answered, choose
from harness.tasks.ownfile.cells import RowOptions, options, text, where
from harness.tasks.ownfile.columns import Columns, find_columns
from harness.tasks.ownfile.marks import is_sign
from harness.textfiles import Unreadable, rows
from harness.wording import list_first

SUFFIXES = (".jsonl", ".csv", ".tsv", ".json", ".ndjson")
MOST, FEW = 8, 10
"""Columns that a note lists; rows from which on repeated questions are odd."""
_LETTER = re.compile(r"[(\[【]?[A-Ja-j][)\]】]?[.。、]?")
_POINT_ZERO = re.compile(r"-?\d+\.0")


@dataclass(frozen=True)
class OwnRows:
    """Rows as {question, choices, answer}.

    ``answer`` is an index where there are choices, else a text (and no ``choices``); ``notes`` say
    which columns were detected and what was left out.
    """

    rows: list[dict[str, Any]]
    columns: Columns
    notes: tuple[str, ...]


def read_file(path: Path, source: TaskEntry | Columns) -> OwnRows:
    """Reads and checks a whole file.

    Raises ConfigError, which names the file and, where it can, row and column.
    """
    try:
        return _read(list(rows(path)), source)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); the path is relative to the YAML file"
        ) from error
    except (Unreadable, ConfigError) as error:
        raise ConfigError(f"{path}: {error}") from error


def _read(numbered: list[tuple[int, dict[str, Any]]], source: TaskEntry | Columns) -> OwnRows:
    filled = [(number, row) for number, row in numbered if row]
    if not filled:
        raise ConfigError("no rows; a question and an answer per row are expected")

    columns = (
        find_columns(source, list(dict.fromkeys(key for _, row in filled for key in row)))
        if isinstance(source, TaskEntry)
        else source
    )
    notes = [*columns.notes, *_unread(filled, columns)]
    if len(filled) < len(numbered):
        notes.append(f"empty rows that are left out: {len(numbered) - len(filled)}")

    parts = [
        (number, _cell(row, columns.question, number, columns), _cell(row, columns.answer, number, columns))
        for number, row in filled
    ]
    options_of_rows = (
        [options(row, columns, number) for number, row in filled] if columns.choices else [None] * len(filled)
    )

    # Options in some rows only would make two tasks of one file.
    if any(one is None for one in options_of_rows):
        lacking = [number for (number, _), one in zip(filled, options_of_rows, strict=True) if one is None]
        if columns.choices and len(lacking) < len(filled):
            raise ConfigError(
                f"{where(lacking[0], columns.choices[0])} is absent: either every row has options or none has"
            )
        _unshown(filled, columns)
        return OwnRows(_generated(parts, columns), columns, (*notes, *_odd(parts)))

    row_options = [one for one in options_of_rows if one is not None]
    asked_rows, more = _chosen(parts, row_options, columns)
    return OwnRows(asked_rows, columns, (*notes, *more))


def _cell(row: dict[str, Any], column: str, number: int, columns: Columns) -> str:
    if column not in row:
        raise ConfigError(f"row {number} has no column {column!r}; it has: {', '.join(map(str, row))}")
    return text(row[column], where(number, column), keep_words=columns.keep_words)


def _generated(parts: list[tuple[int, str, str]], columns: Columns) -> list[dict[str, Any]]:
    """Rows whose answers are generated.

    Raises ConfigError where the answers show that options were meant, or were made by a table
    program: both would score 0.
    """
    answers = [answer for _, _, answer in parts]

    # Where the task says "generated", letters and 5.0 are meant as they stand.
    if columns.answer_is is None:
        way_out = "where it is meant as it stands, say answer_is: generated in the task"
        if all(_LETTER.fullmatch(tidy(answer)) or is_sign(answer) for answer in answers):
            raise ConfigError(
                f"column {columns.answer!r} holds option letters only, and no column holds"
                f" options: name them (choices:); {way_out}"
            )
        if all(_POINT_ZERO.fullmatch(tidy(answer)) for answer in answers):
            raise ConfigError(
                f"{where(parts[0][0], columns.answer)}: {answers[0]!r}, and every answer ends in"
                f" .0, as table programs write whole numbers "
                f"of a column with gaps; a model writes {answers[0].strip()[:-2]}: write the"
                f" column as whole numbers; {way_out}"
            )

    return [{"question": question, "answer": answer} for _, question, answer in parts]


def _unshown(filled: list[tuple[int, dict[str, Any]]], columns: Columns) -> None:
    """Raises ConfigError where the answers show that columns nobody is shown are options.

    They do where the answers are the names of such columns, or stand now in one and now in another
    of them.
    """
    if columns.answer_is is not None:
        return

    matches = []
    for _, row in filled:
        answer = tidy(str(row[columns.answer])).casefold()
        cells = {name: value for name, value in row.items() if name not in (columns.question, columns.answer)}
        named = {name for name in cells if tidy(name).casefold() == answer}
        matches.append(
            named or {name for name, value in cells.items() if tidy(str(value)).casefold() == answer}
        )

    # An answer always in the same column is a copy of it; one that wanders picks an option.
    columns_named = list(dict.fromkeys(name for names in matches for name in sorted(names)))
    by_name = all(
        any(tidy(name).casefold() == tidy(str(row[columns.answer])).casefold() for name in columns_named)
        for _, row in filled
    )
    if all(matches) and (by_name or not set.intersection(*matches)):
        column_list = ", ".join(map(repr, columns_named[:MOST]))
        raise ConfigError(
            f"the answers name or repeat columns that would not be shown ({column_list}): where these are"
            f" options, say choices: [A, B, …] "
            "with all their names; where they are none, say answer_is: generated in the task"
        )


def _odd(parts: Iterable[tuple[int, str, str]]) -> list[str]:
    """What is odd about answers that are generated."""
    answers = [answer.strip() for _, _, answer in parts]
    lines, decimals = (
        sum("\n" in answer for answer in answers),
        sum(bool(_POINT_ZERO.fullmatch(tidy(answer))) for answer in answers),
    )

    notes = []
    if lines:
        until = "at which a generated answer ends unless generation: until: says otherwise"
        notes.append(f"{lines} of {len(answers)} answers hold a line break, {until}")
    if decimals:
        notes.append(
            f"{decimals} of {len(answers)} answers end in .0, and a generated answer must end so,"
            f" too: write whole numbers as such"
        )
    return notes


def _chosen(
    parts: list[tuple[int, str, str]], row_options: list[RowOptions], columns: Columns
) -> tuple[list[dict[str, Any]], list[str]]:
    answers = [
        answered(number, answer, one_row)
        for (number, _, answer), one_row in zip(parts, row_options, strict=True)
    ]

    positions, note = choose(answers, columns.answer, columns.answer_is)
    asked_rows = [
        {"question": question, "choices": list(one_row.texts), "answer": position}
        for (_, question, _), one_row, position in zip(parts, row_options, positions, strict=True)
    ]
    rows = [number for number, _, _ in parts]
    return asked_rows, ([note] if note else []) + _notes(rows, row_options, positions, len(columns.choices))


def _notes(rows: list[int], row_options: list[RowOptions], positions: list[int], columns: int) -> list[str]:
    """What is odd about options, each with how many questions and the first row."""
    names = [[tidy(text) for text in one.texts] for one in row_options]
    right = [name.count(name[position]) > 1 for name, position in zip(names, positions, strict=True)]
    oddities = {
        f"fewer than {columns} options": [columns > 1 and len(one.texts) < columns for one in row_options],
        "the right option stands twice, and its twin counts as wrong": right,
        "a wrong option stands twice": [
            len(set(name)) < len(name) and not twin for name, twin in zip(names, right, strict=True)
        ],
        "letters that the options bring themselves are taken off": [one.stripped for one in row_options],
    }

    return [
        f"{what}: {sum(flags)} of {len(flags)} questions, the first in row {rows[flags.index(True)]}"
        for what, flags in oddities.items()
        if any(flags)
    ]


def _unread(filled: list[tuple[int, dict[str, Any]]], columns: Columns) -> list[str]:
    """Columns that are not asked, which may hold what the questions are about.

    Also questions that are all alike.
    """
    used_columns = {columns.question, columns.answer, *columns.choices}
    others = list(dict.fromkeys(name for _, row in filled for name in row if name not in used_columns))
    notes = [f"columns that are not read: {list_first(others, MOST)}"] if others else []

    # Few different questions over many rows: the text that they are about may be in a column that
    # is not shown.
    different = len({str(row.get(columns.question)) for _, row in filled})
    if len(filled) >= FEW and different <= len(filled) / 4:
        notes.append(
            f"{len(filled)} rows ask {different} different questions: is what they are about in"
            f" another column?"
        )
    return notes

"""An own file as rows that a task asks.

A row is a question, options and the right one's index, or a question and the text to generate. A
file may hold both kinds: then it is two tasks.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config.schema import TaskEntry
from harness.errors import ConfigError
from harness.names import blank, tidy
from harness.tasks.letters import LETTERS
from harness.tasks.ownfile import inline
from harness.tasks.ownfile.answers import answered, choose
from harness.tasks.ownfile.categories import categorised
from harness.tasks.ownfile.cells import RowOptions, options, text, where
from harness.tasks.ownfile.columns import Columns, find_columns
from harness.tasks.ownfile.files import Numbered, file_rows
from harness.tasks.ownfile.golds import Gold, read_gold, several
from harness.tasks.ownfile.oddities import notes_on_options, notes_on_rivals, notes_on_rows, notes_on_texts
from harness.tasks.ownfile.unshown import (
    names_an_option,
    only_letters,
    require_generated,
    require_shown,
)
from harness.textfiles import Unreadable


@dataclass(frozen=True)
class OwnRows:
    """Rows as {question, choices, answer}, and ``category`` where the file is parted.

    ``answer`` is an index where there are choices, else a text (and no ``choices``), with all right
    texts under ``answers`` where some row has several; ``notes`` say which columns were detected and
    what was left out.
    """

    rows: list[dict[str, Any]]
    columns: Columns
    notes: tuple[str, ...]

    def part(self, form: str | None, category: str | None) -> list[dict[str, Any]]:
        """The rows of a form (``choice``, ``short``) and category; None of either is every row."""
        return [
            row
            for row in self.rows
            if form in (None, "choice" if "choices" in row else "short")
            and category in (None, row.get("category"))
        ]


@dataclass(frozen=True)
class _Row:
    """One filled row, its parts read; ``options`` None where the answer is generated."""

    number: int
    cells: dict[str, Any]
    question: str
    gold: Gold
    options: RowOptions | None


def read_file(path: Path, source: TaskEntry | Columns) -> OwnRows:
    """Reads and checks a whole file.

    Raises ConfigError, which names the file and, where it can, row and column.
    """
    if isinstance(source, TaskEntry):
        return _read_file(path, source)
    try:
        changed = path.stat()
    except OSError:
        return _read_file(path, source)
    return _remembered(path, changed.st_mtime_ns, changed.st_size, source)


@functools.lru_cache(maxsize=4)
def _remembered(path: Path, changed: int, size: int, columns: Columns) -> OwnRows:
    """Every category of a file is a task that loads it: it is read once."""
    return _read_file(path, columns)


def _read_file(path: Path, source: TaskEntry | Columns) -> OwnRows:
    try:
        numbered, notes = file_rows(path, source.encoding, source.sheet)
        return _read(numbered, source, notes)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); the path is relative to the YAML file"
        ) from error
    except (Unreadable, ConfigError) as error:
        raise ConfigError(f"{path}: {error}") from error


def _read(numbered: list[Numbered], source: TaskEntry | Columns, file_notes: list[str]) -> OwnRows:
    filled = [(number, row) for number, row in numbered if row]
    if not filled:
        raise ConfigError("no rows; a question and an answer per row are expected")

    columns = _columns(filled, source)
    columns, category_notes = categorised(filled, columns)
    notes = [*file_notes, *columns.notes, *category_notes, *notes_on_rows(filled, columns)]
    if len(filled) < len(numbered):
        notes.append(f"empty rows that are left out: {len(numbered) - len(filled)}")

    rows = [_row(number, cells, columns) for number, cells in filled]
    bare = all(row.options is None or _bare(row.options) for row in rows)
    if bare and columns.answer_is not in ("text", "generated"):
        rows, more = _inlined(rows, columns)
        notes += more
    choices, short = [row for row in rows if row.options], [row for row in rows if not row.options]
    if choices and short:
        _require_free(short, choices, columns)
        notes.append(
            f"{len(choices)} rows have options and {len(short)} have none (the first: row"
            f" {short[0].number}), which"
            " are answered in words: two tasks, each with its own score"
        )

    documents: dict[int, dict[str, Any]] = {}
    if choices:
        chosen, more = _chosen(choices, columns)
        documents |= dict(zip([row.number for row in choices], chosen, strict=True))
        notes += more
    if short:
        texts, more = _generated(short, columns, mixed=bool(choices))
        documents |= dict(zip([row.number for row in short], texts, strict=True))
        notes += more
    return OwnRows([documents[row.number] for row in rows], columns, tuple(notes))


def _columns(filled: list[Numbered], source: TaskEntry | Columns) -> Columns:
    if isinstance(source, Columns):
        return source
    names = list(dict.fromkeys(key for _, row in filled for key in row))
    empty = {
        name
        for name in names
        if all(
            row.get(name) is None or (isinstance(row[name], str) and blank(row[name])) for _, row in filled
        )
    }
    return find_columns(source, names, empty)


def _row(number: int, cells: dict[str, Any], columns: Columns) -> _Row:
    if columns.question not in cells:
        raise ConfigError(
            f"row {number} has no column {columns.question!r}; it has: {', '.join(map(str, cells))}"
        )
    location = where(number, columns.question)
    question = text(cells[columns.question], location, keep_words=columns.keep_words)

    # What the question is about stands before it; some rows of AGIEval and others need none.
    about = cells.get(columns.extras.context) if columns.extras.context else None
    if about is not None and not (isinstance(about, str) and blank(about)):
        place = where(number, columns.extras.context or "")
        question = f"{text(about, place, keep_words=columns.keep_words).strip()}\n{question}"
    gold = read_gold(cells, number, columns)
    return _Row(number, cells, question, gold, options(cells, columns, number) if columns.choices else None)


def _inlined(rows: list[_Row], columns: Columns) -> tuple[list[_Row], list[str]]:
    """The rows with the options that stand in the questions' own texts, where letters are"
    " the answers."""
    bare = any(row.options for row in rows)
    if not bare and columns.answer_is not in (None, "letter"):
        return rows, []
    if not bare and columns.answer_is is None and not only_letters([row.gold.first for row in rows]):
        return rows, []

    parts = [inline.split(row.question) for row in rows]
    lacking = [row.number for row, part in zip(rows, parts, strict=True) if part is None]
    if len(lacking) == len(rows):
        _require_options(rows, columns, bare=bare)
        return rows, []
    if lacking:
        raise ConfigError(
            f"{where(lacking[0], columns.question)}: no options A. … B. … are found in it, as in"
            " other rows' questions;"
            " write them so, or give the options a column of their own"
        )
    lettered = [
        _Row(
            row.number,
            row.cells,
            part[0],
            row.gold,
            RowOptions(tuple(part[1]), tuple(LETTERS[: len(part[1])]), cut=True),
        )
        for row, part in zip(rows, parts, strict=True)
        if part is not None
    ]
    empty = next((row.number for row in lettered if not row.question.strip()), None)
    if empty is not None:
        raise ConfigError(f"{where(empty, columns.question)} holds options and no question")
    return lettered, ["options are read from the questions' texts (A. … B. …)"]


def _bare(row_options: RowOptions) -> bool:
    """Whether the options are nothing but their letters: what they say stands elsewhere."""
    return tuple(map(tidy, row_options.texts)) == tuple(LETTERS[: len(row_options.texts)])


def _require_options(rows: list[_Row], columns: Columns, *, bare: bool) -> None:
    """Raises ConfigError where options are called for, and only their letters are there, or"
    " nothing."""
    if bare:
        raise ConfigError(
            f"{where(rows[0].number, columns.choices[0])}: the options are only their"
            " letters, and no"
            " question holds A. … B. …: give the options' texts; where the letters are meant,"
            " say answer_is: text"
        )
    if columns.answer_is == "letter":
        raise ConfigError(
            "answer_is: letter needs options: there is no such column, and no question holds A. … B. …"
        )


def _require_free(short: list[_Row], choices: list[_Row], columns: Columns) -> None:
    """Raises ConfigError where a row without options has an answer that names one: they were lost."""
    counted = all(tidy(row.gold.first).isdigit() for row in choices)
    column = columns.choices[0] if columns.choices else columns.question
    for row in short:
        if names_an_option(row.gold.first) or (counted and tidy(row.gold.first).isdigit()):
            raise ConfigError(
                f"{where(row.number, column)} is absent, and the answer {row.gold.first.strip()!r}"
                " names an option: fill the options in, or put rows that are answered in words into"
                " a file of their own"
            )


def _generated(rows: list[_Row], columns: Columns, *, mixed: bool) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows whose answers are generated, and notes."""
    golds = [row.gold for row in rows]
    if not mixed:
        require_generated([(gold.row, gold.first) for gold in golds], columns)
        require_shown([(row.number, row.cells, row.gold.first) for row in rows], columns)
    note = several(golds)

    documents = [
        _with_category({"question": row.question, "answer": row.gold.first}, row, columns)
        | ({"answers": list(row.gold.texts)} if note else {})
        for row in rows
    ]
    return documents, [*([note] if note else []), *notes_on_texts([gold.first for gold in golds])]


def _with_category(document: dict[str, Any], row: _Row, columns: Columns) -> dict[str, Any]:
    name = columns.extras.category
    return document | {"category": tidy(str(row.cells[name]))} if name else document


def _chosen(rows: list[_Row], columns: Columns) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows with options, and notes. Raises ConfigError where an answer names none, or several."""
    row_options = [row.options for row in rows if row.options is not None]
    lists = [row.gold for row in rows if len(row.gold.texts) > 1]
    if lists:
        raise ConfigError(
            f"{where(lists[0].row, columns.answer)} names several right options"
            f" ({', '.join(lists[0].texts)}), as"
            f" {len(lists)} of {len(rows)} questions do; questions with one right option are"
            " asked: take the others out"
        )
    answers = [answered(row.number, row.gold.first, one) for row, one in zip(rows, row_options, strict=True)]

    positions, note = choose(answers, columns.answer, columns.answer_is)
    documents = [
        _with_category(
            {"question": row.question, "choices": list(one.texts), "answer": position}, row, columns
        )
        for row, one, position in zip(rows, row_options, positions, strict=True)
    ]
    numbers = [row.number for row in rows]
    more = notes_on_options(numbers, row_options, positions, len(columns.choices))
    more += notes_on_rivals([(row.number, row.cells) for row in rows], row_options, positions, columns)
    return documents, ([note] if note else []) + more

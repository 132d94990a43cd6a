"""Cells of an own file as texts and options.

What is missing or of another kind is refused with its row and column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from harness.errors import ConfigError
from harness.names import INVISIBLE, MISSING, blank, tidy
from harness.tasks.letters import LETTERS
from harness.tasks.ownfile import inline
from harness.tasks.ownfile.columns import Columns
from harness.tasks.ownfile.lists import list_of
from harness.tasks.ownfile.marks import brought
from harness.tasks.ownfile.sheets import Odd
from harness.textfiles import Number

_MARKED = re.compile(r"\s*[(（\[【]?([A-Z])\s*[)）\]】.．、:：]\s*(\S.*)", re.DOTALL)
"""An option that brings its own letter: ``B. 北京``, ``(B) Beijing``."""


@dataclass(frozen=True)
class RowOptions:
    """A row's options.

    ``labels`` are set where the file names them itself (keys of an object, column names).
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()
    explicit: bool = False
    """The labels stand in the row, or name columns by a bare 1 or 甲.

    An answer that is one of them then means it.
    """
    stripped: bool = False
    """Letters that the options brought themselves were taken off."""
    cut: bool = False
    """They were cut out of one text at their letters."""


def where(number: int, column: str) -> str:
    """``row 3, column 'B'``."""
    return f"row {number}, column {column!r}"


def text(value: Any, location: str, *, keep_words: bool) -> str:
    """The cell as text.

    Raises ConfigError where it is missing (null, NaN, empty, a word for it) or no text.
    """
    if value is None:
        raise ConfigError(f"{location} is null: a value is missing")
    if isinstance(value, bool):
        raise ConfigError(f"{location} is {str(value).lower()}, not text: put what is meant into quotes")

    if isinstance(value, Number):
        if not value.lstrip("-").isdigit() and value.lstrip("-") in ("NaN", "Infinity"):
            raise ConfigError(f"{location} is {value}: a value is missing")
        return str(value)
    if isinstance(value, Odd):
        raise ConfigError(f"{location} {value}")
    if not isinstance(value, str):
        raise ConfigError(f"{location} is {'a list' if isinstance(value, list) else 'an object'}, not text")

    # JSON allows "\ud83d" alone; no tokenizer takes it.
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise ConfigError(
            f"{location} holds half a character (a lone surrogate): the text was cut or decoded wrongly"
        )
    if blank(value):
        raise ConfigError(f"{location} is empty")

    # Table programs write None, NaN or null where a cell is empty.
    if not keep_words and (word := value.translate(INVISIBLE).strip()) in MISSING:
        raise ConfigError(
            f"{location} is {word!r}, which stands for a missing value; where it is meant as"
            f" written,"
            f" say missing_words: text in the task"
        )
    return value


def options(row: dict[str, Any], columns: Columns, number: int) -> RowOptions | None:
    """The row's options; None where it has none. Raises ConfigError."""
    # A question of a mixed file that is answered in words has nothing in any option's column.
    if all(_empty(row.get(name)) for name in columns.choices):
        return None
    row_options = (
        _of_cell(row, columns, number) if len(columns.choices) == 1 else _of_columns(row, columns, number)
    )

    if not 2 <= len(row_options.texts) <= len(LETTERS):
        raise ConfigError(
            f"{where(number, columns.choices[0])}: 2 to 26 options are expected, got {len(row_options.texts)}"
        )
    return _unmarked(row_options, where(number, columns.choices[0]))


def _empty(value: Any) -> bool:
    return value is None or value in ([], {}) or (isinstance(value, str) and blank(value))


def _of_columns(row: dict[str, Any], columns: Columns, number: int) -> RowOptions:
    """One option per column.

    The last ones may be absent or empty: this question has fewer.
    """
    cells = [(name, row[name]) for name in columns.choices if name in row]

    # CSV files pad short questions with empty cells.
    while cells and isinstance(cells[-1][1], str) and blank(cells[-1][1]):
        cells.pop()

    lacking = [name for name in columns.choices[: len(cells)] if name not in row]
    if lacking:
        raise ConfigError(f"{where(number, lacking[0])} is absent, but a later option is there")

    if len(cells) > 2 and cells[-1][1] is None:
        raise ConfigError(
            f"{where(number, cells[-1][0])} is null: a value is missing; "
            'a question that has fewer options leaves the last ones out, or says "" there'
        )

    texts = tuple(text(value, where(number, name), keep_words=columns.keep_words) for name, value in cells)
    names = tuple(name for name, _ in cells)
    return RowOptions(texts, names, explicit=all(_bare(tidy(name)) for name in names))


def _bare(name: str) -> bool:
    """Whether a column is named by nothing but a number or a sign.

    Letters are also how any answer names its option.
    """
    return name.isdigit() or (len(name) == 1 and not name.isascii())


def _of_cell(row: dict[str, Any], columns: Columns, number: int) -> RowOptions:
    (column,) = columns.choices
    location = where(number, column)
    value = row[column]

    # Table programs store a list as its text.
    if isinstance(value, str) and not isinstance(value, Number) and not blank(value):
        value = list_of(value, location)
    if isinstance(value, dict):
        return _of_object(value, location, columns)
    if not isinstance(value, list):
        text(value, location, keep_words=columns.keep_words)
        raise ConfigError(f"{location} must list the options (a JSON list, or texts split by |)")
    if value and all(isinstance(one, dict) for one in value):
        return _of_objects(value, location, columns)

    texts = [
        text(one, f"{location}, option {spot}", keep_words=columns.keep_words)
        for spot, one in enumerate(value, 1)
    ]
    cut = isinstance(row[column], str) and inline.split(row[column]) is not None
    return RowOptions(tuple(texts), cut=cut)


def _of_object(value: dict[str, Any], location: str, columns: Columns) -> RowOptions:
    """``{"A": …, "B": …}``, or ``{"label": […], "text": […]}`` as ARC has it."""
    if set(value) == {"label", "text"} and all(isinstance(part, list) for part in value.values()):
        labels, cells = value["label"], value["text"]
        if len(labels) != len(cells):
            raise ConfigError(f"{location}: {len(labels)} labels for {len(cells)} texts")
    else:
        labels, cells = list(value), list(value.values())
    return _labelled(labels, cells, location, columns)


def _of_objects(value: list[dict[str, Any]], location: str, columns: Columns) -> RowOptions:
    """``[{"label": "A", "text": …}, …]`` under the usual names."""
    names = [
        (label, content)
        for label in ("label", "key", "id", "letter")
        for content in ("text", "value", "content", "option")
        if all({label, content} <= set(one) for one in value)
    ]

    if not names:
        raise ConfigError(
            f"{location}: an option is an object with {', '.join(value[0])}; expected label and"
            f" text,"
            f" or a list of texts"
        )
    label, content = names[0]
    return _labelled([one[label] for one in value], [one[content] for one in value], location, columns)


def _labelled(labels: list[Any], cells: list[Any], location: str, columns: Columns) -> RowOptions:
    keep = columns.keep_words
    names = tuple(
        tidy(text(one, f"{location}, label {spot}", keep_words=True)) for spot, one in enumerate(labels, 1)
    )
    if len({name.casefold() for name in names}) < len(names):
        raise ConfigError(f"{location}: two options have one label: {', '.join(names)}")

    # Labels in another order would let the answer "B" mean the option that the prompt shows as A.
    capitals = [name.upper() for name in names]
    if all(len(name) == 1 and name in LETTERS for name in capitals) and capitals != list(
        LETTERS[: len(capitals)]
    ):
        raise ConfigError(
            f"{location}: the labels are {', '.join(names)}, not"
            f" {', '.join(LETTERS[: len(capitals)])} in this order; sort them"
        )

    texts = tuple(
        text(one, f"{location}, option {name!r}", keep_words=keep)
        for name, one in zip(names, cells, strict=True)
    )
    return RowOptions(texts, names, explicit=True)


def _unmarked(row_options: RowOptions, location: str) -> RowOptions:
    """The options without letters that all of them bring themselves: the prompt writes its own.

    Raises ConfigError where what they bring is out of order: an answer that names it would name
    another option.
    """
    numbers = brought(row_options.texts)

    # Numbers stay in the text, so only their order is checked.
    if numbers != sorted(numbers) and sorted(numbers) == list(range(1, len(numbers) + 1)):
        raise ConfigError(
            f"{location}: the options bring their own numbers out of order"
            f" ({', '.join(map(str, numbers))}); sort them"
        )

    marks = [_MARKED.fullmatch(one) for one in row_options.texts]
    letters = [mark[1] for mark in marks if mark is not None]
    if len(letters) < len(marks):
        return row_options
    if letters != list(LETTERS[: len(letters)]):
        if len(set(letters)) == len(letters) and set(letters) == set(LETTERS[: len(letters)]):
            raise ConfigError(
                f"{location}: the options bring their own letters out of order"
                f" ({', '.join(letters)}); sort them"
            )
        return row_options

    return RowOptions(
        tuple(mark[2] for mark in marks if mark is not None),
        row_options.labels,
        row_options.explicit,
        stripped=True,
    )

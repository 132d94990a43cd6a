"""Answers that point at something that would not be shown: options in no column, or in others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from harness.errors import ConfigError
from harness.names import tidy
from harness.tasks.ownfile.cells import where
from harness.tasks.ownfile.columns import Columns
from harness.tasks.ownfile.marks import is_sign

MOST = 8
"""Columns that an error lists."""
_LETTER = re.compile(r"[(\[【]?[A-Ja-j][)\]】]?[.。、]?")
_LETTERS = re.compile(r"[A-J](?:\s*[,、;/&+ ]?\s*[A-J])+")
POINT_ZERO = re.compile(r"-?\d+\.0")
"""A whole number as table programs write it in a column with gaps."""


def names_an_option(answer: str) -> bool:
    """Whether an answer is nothing but the letters or sign of options: ``B``, ``AC``, ``②``."""
    return bool(_LETTER.fullmatch(tidy(answer)) or _LETTERS.fullmatch(tidy(answer)) or is_sign(answer))


def only_letters(answers: Sequence[str]) -> bool:
    """Whether every answer names an option."""
    return all(map(names_an_option, answers))


def require_generated(golds: Sequence[tuple[int, str]], columns: Columns) -> None:
    """Raises ConfigError where answers show that options were meant, or were made by a table program.

    Both would score 0. Where the task says "generated", letters and 5.0 are meant as they stand.
    ``golds``: row and answer.
    """
    if columns.answer_is is not None:
        return

    way_out = "where it is meant as it stands, say answer_is: generated in the task"
    if only_letters([answer for _, answer in golds]):
        raise ConfigError(
            f"column {columns.answer!r} holds option letters only, and no column holds"
            f" options: name them (choices:); {way_out}"
        )

    row, first = golds[0]
    if all(POINT_ZERO.fullmatch(tidy(answer)) for _, answer in golds):
        raise ConfigError(
            f"{where(row, columns.answer)}: {first!r}, and every answer ends in .0, as table"
            " programs write whole"
            f" numbers of a column with gaps; a model writes {first.strip()[:-2]}: write the"
            " column as whole"
            f" numbers; {way_out}"
        )


def require_shown(rows: Sequence[tuple[int, dict[str, Any], str]], columns: Columns) -> None:
    """Raises ConfigError where the answers show that columns nobody is shown are options.

    They do where the answers are the names of such columns, or stand now in one and now in another
    of them. ``rows``: row, cells and answer.
    """
    if columns.answer_is is not None:
        return

    used = {columns.question, columns.answer, *columns.extras.names}
    answers = [tidy(answer).casefold() for _, _, answer in rows]
    matches = []
    for (_, row, _), answer in zip(rows, answers, strict=True):
        cells = {name: value for name, value in row.items() if name not in used}
        named = {name for name in cells if tidy(name).casefold() == answer}
        matches.append(
            named or {name for name, value in cells.items() if tidy(str(value)).casefold() == answer}
        )

    # An answer always in the same column is a copy of it; one that wanders picks an option.
    columns_named = list(dict.fromkeys(name for names in matches for name in sorted(names)))
    by_name = all(any(tidy(name).casefold() == answer for name in columns_named) for answer in answers)
    if all(matches) and (by_name or not set.intersection(*matches)):
        column_list = ", ".join(map(repr, columns_named[:MOST]))
        raise ConfigError(
            f"the answers name or repeat columns that would not be shown ({column_list}): where"
            " these are"
            f" options, say choices: [A, B, …] "
            "with all their names; where they are none, say answer_is: generated in the task"
        )

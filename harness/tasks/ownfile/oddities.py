"""What is odd about the rows of an own file, as notes: nothing here refuses a row."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.names import tidy
from harness.tasks.ownfile.cells import RowOptions
from harness.tasks.ownfile.columns import Columns
from harness.tasks.ownfile.files import Numbered
from harness.tasks.ownfile.unshown import POINT_ZERO
from harness.wording import list_first

MOST, FEW = 8, 10
"""Columns that a note lists; rows from which on repeated questions are odd."""
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_CHANGED = re.compile(
    rf"\d{{1,2}}-(?:{_MONTHS})|(?:{_MONTHS})-\d{{2}}|\d{{1,2}}月\d{{1,2}}日|\d(?:\.\d+)?E\+\d{{2}}|#{{3,}}"
)
""""1-2" becomes 2-Jan or 1月2日, "123456789012" becomes 1.23457E+11, and a narrow column ####."""


def notes_on_texts(answers: Sequence[str]) -> list[str]:
    """What is odd about answers that are generated."""
    stripped = [answer.strip() for answer in answers]
    lines = sum("\n" in answer for answer in stripped)
    decimals = sum(bool(POINT_ZERO.fullmatch(tidy(answer))) for answer in stripped)

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


def notes_on_options(
    rows: Sequence[int], row_options: Sequence[RowOptions], positions: Sequence[int], columns: int
) -> list[str]:
    """What is odd about options, each with how many questions and the first row."""
    names = [[tidy(text) for text in one.texts] for one in row_options]
    right = [name.count(name[position]) > 1 for name, position in zip(names, positions, strict=True)]
    sizes = [len(one.texts) for one in row_options]
    usual = max(set(sizes), key=lambda size: (sizes.count(size), size))
    oddities = {
        # A letter with a point inside an option ("C. elegans") would make one option more.
        f"cut at their letters into another number of options than {usual}": [
            one.cut and size != usual for one, size in zip(row_options, sizes, strict=True)
        ],
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


def notes_on_rows(filled: Sequence[Numbered], columns: Columns) -> list[str]:
    """Columns that are not read, questions that are all alike, and cells that Excel has changed."""
    used = {columns.question, columns.answer, *columns.choices, *columns.extras.names}
    others = list(dict.fromkeys(name for _, row in filled for name in row if name not in used))
    notes = [f"columns that are not read: {list_first(others, MOST)}"] if others else []

    # Few different questions over many rows: the text that they are about may be in a column that
    # is not shown.
    shown = [
        (str(row.get(columns.question)), str(row.get(columns.extras.context or ""))) for _, row in filled
    ]
    if len(filled) >= FEW and len(set(shown)) <= len(filled) / 4:
        notes.append(
            f"{len(filled)} rows ask {len(set(shown))} different questions: is what they are"
            " about in"
            f" another column?"
        )

    changed = [
        (number, str(row[name]))
        for number, row in filled
        for name in (*columns.choices, columns.answer)
        if isinstance(row.get(name), str) and _CHANGED.fullmatch(row[name].strip())
    ]
    if changed:
        row_number, value = changed[0]
        notes.append(
            f"{len(changed)} cells look as Excel rewrites what it takes for a date or a long"
            " number (the first: row"
            f" {row_number}, {value.strip()!r}); where they were 1-2 or 3/4, type them again"
            " as text"
        )
    return notes


def notes_on_rivals(
    rows: Sequence[Numbered], row_options: Sequence[RowOptions], positions: Sequence[int], columns: Columns
) -> list[str]:
    """Columns that are not read and hold some option's text in every row, not always the right one.

    A second column of answers that disagrees shows that one of them is wrong, or counted from
    elsewhere.
    """
    used = {columns.question, columns.answer, *columns.choices, *columns.extras.names}
    others = dict.fromkeys(name for _, row in rows for name in row if name not in used)

    notes = []
    for name in others:
        texts = [tidy(str(row.get(name, ""))) for _, row in rows]
        listed = [list(map(tidy, one.texts)) for one in row_options]
        if not all(value in options for value, options in zip(texts, listed, strict=True)):
            continue
        differ = [
            number
            for (number, _), value, options, position in zip(rows, texts, listed, positions, strict=True)
            if value != options[position]
        ]
        if differ:
            notes.append(
                f"column {name!r} holds another option than {columns.answer!r} says in {len(differ)} of"
                f" {len(rows)} rows (the first: row {differ[0]}): is one of them wrong?"
            )
    return notes

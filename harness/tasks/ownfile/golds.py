"""The right answers of a row: one text, or several texts of which any one is right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import ConfigError
from harness.names import blank
from harness.tasks.ownfile.cells import text, where
from harness.tasks.ownfile.columns import Columns
from harness.tasks.ownfile.sheets import Odd
from harness.textfiles import Number


@dataclass(frozen=True)
class Gold:
    """A row's right answers, the one that examples show first."""

    row: int
    texts: tuple[str, ...]
    listed: bool = False
    """The answer's own cell is a list."""

    @property
    def first(self) -> str:
        """The answer that examples show."""
        return self.texts[0]


def read_gold(row: dict[str, Any], number: int, columns: Columns) -> Gold:
    """The answers of a row, with those of its column of aliases. Raises ConfigError."""
    if columns.answer not in row:
        raise ConfigError(
            f"row {number} has no column {columns.answer!r}; it has: {', '.join(map(str, row))}"
        )
    location = where(number, columns.answer)
    listed = _inside(row[columns.answer])
    cells = [row[columns.answer]] if listed is None else listed
    if not cells:
        raise ConfigError(f"{location} is an empty list: a value is missing")

    more = _aliases(row.get(columns.extras.aliases), number, columns) if columns.extras.aliases else []
    texts = [text(cell, location, keep_words=columns.keep_words) for cell in (*cells, *more)]
    return Gold(number, tuple(dict.fromkeys(texts)), listed is not None)


def _inside(value: Any) -> list[Any] | None:
    """The texts of a list, of SQuAD's ``{"text": […]}`` or of TriviaQA's value with its aliases.

    None for what is no list of answers.
    """
    if isinstance(value, dict) and isinstance(value.get("text"), list):
        return _texts_only(value["text"])
    if isinstance(value, dict) and isinstance(value.get("value"), str):
        aliases = value.get("aliases")
        return [value["value"], *(aliases if isinstance(aliases, list) else [])]
    return _texts_only(value) if isinstance(value, list) else None


def _texts_only(values: list[Any]) -> list[Any] | None:
    """The list, if it holds texts only.

    [1, 2] is a value, ["NYC", "New York"] are two names of one.
    """
    texts = all(isinstance(value, str) and not isinstance(value, Number) for value in values)
    return values if texts else None


def _aliases(value: Any, number: int, columns: Columns) -> list[str]:
    """Other right answers: a list, a JSON list as text, or texts split by bars; empty is none."""
    location = where(number, columns.extras.aliases or "")
    if value is None or (isinstance(value, str) and blank(value)):
        return []
    if isinstance(value, str) and not isinstance(value, Number | Odd):
        value = _split(value, location)
    if not isinstance(value, list):
        value = [value]
    return [text(one, location, keep_words=columns.keep_words) for one in value]


def _split(value: str, location: str) -> list[Any]:
    if value.lstrip().startswith("["):
        try:
            listed = json.loads(value)
        except json.JSONDecodeError as error:
            raise ConfigError(
                f"{location} begins like a list and is no JSON list; or split texts by |"
            ) from error
        return list(listed)
    return [part.strip() for part in value.split("|") if part.strip()]


def several(golds: Sequence[Gold]) -> str:
    """The note about rows of which any of several answers is right; empty where there is none."""
    rows = [gold for gold in golds if len(gold.texts) > 1]
    if not rows:
        return ""
    return (
        f"any one of several answers is right in {len(rows)} of {len(golds)} questions, first"
        f" in row {rows[0].row}"
    )

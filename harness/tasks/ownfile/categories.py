"""Whether a file is parted into categories, each of which becomes a task of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from harness.errors import ConfigError
from harness.names import blank, clash_key, tidy
from harness.tasks.ownfile.cells import text, where
from harness.tasks.ownfile.columns import Columns
from harness.tasks.ownfile.files import Numbered

MOST, DETECTED, LONGEST = 200, 60, 60
"""Most categories of a file; most that are taken without being asked for; characters of a name."""


def categorised(filled: Sequence[Numbered], columns: Columns) -> tuple[Columns, list[str]]:
    """The columns, without the category's where it does not part the file, and what to say of it.

    Raises ConfigError where a category that the task asks for is missing in a row.
    """
    name = columns.extras.category
    if name is None:
        return columns, []
    if not columns.extras.detected:
        return _named(filled, columns, name)

    # A column that was only found by its name may hold anything: it counts where it parts the rows.
    values = [row.get(name) for _, row in filled]
    names = [tidy(value) for value in values if isinstance(value, str) and not blank(value)]
    counts = Counter(names)
    enough = 2 <= len(counts) <= min(DETECTED, len(filled) // 2)
    if len(names) < len(filled) or not enough or _twins(counts) or max(map(len, counts)) > LONGEST:
        reason = (
            f"empty in {len(filled) - len(names)} rows"
            if len(names) < len(filled)
            else f"{len(counts)} of them in {len(filled)} rows"
        )
        note = (
            f"column {name!r} is not taken for categories ({reason}); say category: {name} to"
            " have a score for each"
        )
        return _without(columns), [note] if len(counts) > 1 else []
    return columns, [f'{_listed(counts, name)}; category: "" asks the file as one task']


def _named(filled: Sequence[Numbered], columns: Columns, name: str) -> tuple[Columns, list[str]]:
    cells = [
        (number, text(row.get(name, ""), where(number, name), keep_words=True)) for number, row in filled
    ]
    counts = Counter(tidy(cell) for _, cell in cells)
    longest = next((number for number, cell in cells if len(tidy(cell)) > LONGEST), None)
    if longest is not None:
        raise ConfigError(
            f"{where(longest, name)} is longer than {LONGEST} characters: no name of a category"
        )
    if twins := _twins(counts):
        raise ConfigError(
            f"column {name!r}: the categories {twins[0]!r} and {twins[1]!r} differ only in case or signs:"
            " write them one way"
        )
    if len(counts) > MOST:
        raise ConfigError(
            f"column {name!r} holds {len(counts)} categories; at most {MOST} get a score of their own"
        )
    return columns, [_listed(counts, name)]


def _twins(counts: Counter[str]) -> tuple[str, str] | None:
    """Two categories whose tasks could not be told apart in names of files."""
    first: dict[str, str] = {}
    pairs = ((one, first.setdefault(clash_key(one), one)) for one in counts)
    return next(((before, one) for one, before in pairs if one != before), None)


def _without(columns: Columns) -> Columns:
    return replace(columns, extras=replace(columns.extras, category=None))


def _listed(counts: Counter[str], name: str) -> str:
    first = ", ".join(f"{category} {count}" for category, count in counts.most_common(6))
    more = f" and {len(counts) - 6} more" if len(counts) > 6 else ""
    return f"categories are read from column {name!r}: {first}{more}"

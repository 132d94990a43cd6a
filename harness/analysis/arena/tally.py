"""Counting the votes of a file, frame by frame.

Names that look alike are one, and what is no vote is refused with its row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.analysis.arena.outcomes import (
    HOT,
    SEVERAL,
    TIED,
    as_count,
    as_texts,
    one_each,
    one_hot,
    outcomes,
    tidied,
    tied,
    wrong_row,
)
from harness.analysis.arena.votes import Votes
from harness.errors import DataError
from harness.names import alike, missing, retold, tidy
from harness.wording import list_some

if TYPE_CHECKING:
    from pandas import DataFrame

    from harness.analysis.arena.votes import Array, Codes

COUNTS = {"wins_a": 1.0, "wins_b": 0.0} | dict.fromkeys(("ties", "tie", "draws", "draw"), 0.5)
EXPECTED = (
    "expected model_a, model_b and winner; or model_a, model_b, winner_model_a, winner_model_b and"
    " winner_tie; or model_a, model_b, "
    "wins_a, wins_b and ties; or winner and loser"
)
MOST = 6
"""Changed names that a note lists."""


def read_votes(path: Path, *, style: bool = False, where: Sequence[str] = ()) -> Votes:
    """The votes of a file, the columns as docs/arena.md says.

    Battles or win counts in CSV, JSON, JSONL or Parquet. ``where`` keeps rows by ``column=value``.
    Only counts by pair are held, with ``style`` eight numbers per battle. Raises DataError for a
    file that cannot be read, a column that is missing, a vote that is no vote (with its row), or a
    model against itself.
    """
    from harness.analysis.arena.files import frames

    tally = VoteTally(path, style)
    for frame in frames(path, tally.columns(where)):
        tally.add(_chosen(path, frame, where))
    return tally.votes(where)


def _chosen(path: Path, frame: DataFrame, where: Sequence[str]) -> DataFrame:
    for condition in where:
        column, mark, value = condition.partition("=")
        if not mark or column not in frame.columns:
            raise DataError(
                f"--where {condition}: expected COLUMN=VALUE with a column of {path.name}:"
                f" {', '.join(map(str, frame.columns))}"
            )
        frame = frame[tidied(frame[column]) == tidy(value)]
    return frame


class VoteTally:
    """Counts votes frame by frame."""

    def __init__(self, path: Path, style: bool) -> None:
        self._path, self._style = path, style
        self._names: dict[str, str] = {}
        """Names as they are written, to what they are read as."""
        self._places: dict[str, int] = {}
        self._counts: Counter[tuple[int, int, float]] = Counter()
        self._battles: list[tuple[Codes, Codes, Array, Array]] = []

    def columns(self, where: Sequence[str]) -> set[str] | None:
        """The columns to read; None for all (a condition may name any)."""
        from harness.analysis.arena.files import STYLE_COLUMNS

        if where:
            return None
        plain = {"model_a", "model_b", "winner", "loser", *COUNTS, *HOT, *TIED, *SEVERAL}
        return plain | set(STYLE_COLUMNS) | {"conv_metadata"} if self._style else plain

    def add(self, frame: DataFrame) -> None:
        """Counts the rows of one frame, whose index holds their numbers."""
        # A file of winners and losers is one of battles that model_a won.
        named = {"winner", "loser"} <= set(frame.columns) and "model_a" not in frame.columns
        if named:
            frame = frame.rename(columns={"winner": "model_a", "loser": "model_b"}).assign(winner="model_a")
        lacking = [name for name in ("model_a", "model_b") if name not in frame.columns]
        counted = {"wins_a", "wins_b"} <= set(frame.columns)
        hot = {"winner_model_a", "winner_model_b"} <= set(frame.columns)

        if lacking or not (counted or hot or "winner" in frame.columns):
            from harness.analysis.arena.files import header

            raise DataError(
                f"{self._path}: no column {', '.join(lacking) or 'winner'}: {EXPECTED}; got"
                f" {', '.join(header(self._path)) or 'none'}"
            )

        if frame.empty:
            return

        first, second = self._codes(frame, "model_a"), self._codes(frame, "model_b")
        same = np.flatnonzero(first == second)
        if len(same):
            raise wrong_row(
                self._path,
                frame,
                int(same[0]),
                f"{frame['model_a'].iloc[same[0]]!r} against itself; a battle has two models",
            )

        # A table of win counts has several battles per row, every other file one.
        if counted:
            self._add_counts(frame, first, second)
            return
        one_each(self._path, frame)
        outcome = one_hot(self._path, frame) if hot else outcomes(self._path, frame)
        self._add_battles(frame, first, second, tied(self._path, frame, outcome, named=named))

    def _codes(self, frame: DataFrame, column: str) -> Codes:
        names = frame[column]
        texts = as_texts(names)

        empty = np.flatnonzero(texts.map({text: missing(text) for text in texts.unique()}))
        if len(empty):
            name_in_row = names.iloc[int(empty[0])]
            raise wrong_row(
                self._path,
                frame,
                int(empty[0]),
                f"no name in {column} (it is {name_in_row!r}); every battle names both models",
            )

        # Numbers are names, too ("7"), but no list or flag is.
        not_text = next(
            (
                index
                for index, name in enumerate(names)
                if isinstance(name, bool | list | dict | tuple | np.ndarray)
            ),
            None,
        )
        if not_text is not None:
            raise wrong_row(
                self._path,
                frame,
                not_text,
                f"{column} is {names.iloc[not_text]!r}; expected a model's name as text",
            )

        for name in texts.unique():
            self._names.setdefault(name, tidy(name))
            self._places.setdefault(self._names[name], len(self._places))
        return np.asarray(texts.map(self._names).map(self._places), dtype=np.int64)

    def _add_counts(self, frame: DataFrame, first: Codes, second: Codes) -> None:
        if self._style:
            raise DataError(
                f"{self._path}: a table of win counts holds no answers: --style-control needs"
                f" battles with conv_metadata"
            )

        # Two kinds of columns at once would count every battle twice.
        columns = [column for column in COUNTS if column in frame.columns]
        if len(columns) > len({"wins_a", "wins_b", "ties"}) or {"winner", "winner_model_a"} & set(
            frame.columns
        ):
            others = [*columns[2:], *(name for name in ("winner", "winner_model_a") if name in frame.columns)]
            raise DataError(
                f"{self._path}: columns wins_a and wins_b beside {', '.join(others)}: which of"
                f" them counts? Leave the others out"
            )

        for column in columns:
            outcome = COUNTS[column]
            for number, (one, other, text) in enumerate(zip(first, second, frame[column], strict=True)):
                count = as_count(text, empty=outcome == 0.5)
                if count is None:
                    raise wrong_row(
                        self._path, frame, number, f"{column} {text!r}; expected a count, zero or more"
                    )
                self._count(int(one), int(other), outcome, count)

    def _add_battles(self, frame: DataFrame, first: Codes, second: Codes, outcome: Array) -> None:
        if self._style:
            from harness.analysis.arena.files import style_differences

            self._battles.append((first, second, outcome, style_differences(self._path, frame)))
            return

        # Equal battles are counted together: memory grows with pairs, not with battles.
        keys, counts = np.unique(
            np.stack([first, second, 2 * outcome]).astype(np.int64), axis=1, return_counts=True
        )
        for (one, other, twice), count in zip(keys.T.tolist(), counts.tolist(), strict=True):
            self._count(one, other, twice / 2, count)

    def _count(self, one: int, other: int, outcome: float, count: float) -> None:
        if count:
            self._counts[(one, other, outcome) if one < other else (other, one, 1 - outcome)] += count  # type: ignore[assignment]

    def votes(self, where: Sequence[str] = ()) -> Votes:
        """All that was counted. Raises DataError where that is nothing."""
        if not self._counts and not self._battles:
            conditions = f" with {' and '.join(where)}" if where else ""
            raise DataError(
                f"{self._path}: no votes{conditions}; expected one battle per row, or win counts above zero"
            )

        models = tuple(self._places)
        if self._battles:
            first, second, outcome, style = (
                np.concatenate(parts) for parts in zip(*self._battles, strict=True)
            )
            return Votes(models, first, second, outcome, np.ones(len(first)), style, self._notes())

        # Sorted, since sums of floats depend on their order in the last digits.
        rows: list[Any] = sorted(self._counts)
        first, second = (np.array([row[position] for row in rows], dtype=np.int64) for position in (0, 1))
        weight = np.array([self._counts[row] for row in rows], dtype=np.float64)
        return Votes(
            models,
            first,
            second,
            np.array([row[2] for row in rows]),
            weight,
            np.zeros((len(rows), 0)),
            self._notes(),
        )

    def _notes(self) -> tuple[str, ...]:
        """Names that were changed, and names that look alike."""
        changed, cases = retold(self._names), alike(self._places)
        notes = []
        if changed:
            notes.append(
                "Names that differ by spaces, dashes, width or invisible characters are one: "
                f"{list_some(changed, MOST)}."
            )
        if cases:
            groups = "; ".join(" and ".join(map(repr, group)) for group in cases[:MOST])
            notes.append(
                f"Names that differ by case, separators or look-alike letters are rated apart:"
                f" {groups}. Are they one model? Rename them."
            )
        return tuple(notes)

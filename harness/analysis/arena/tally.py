"""Counting the votes of a file, frame by frame; names that look alike are one, and what is no vote
is refused with its row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.analysis.arena.votes import Votes
from harness.errors import DataError
from harness.names import alike, missing, retold, tidy
from harness.wording import list_some

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from harness.analysis.arena.votes import Array, Codes

TIES = {"tie", "tie (bothbad)", "tie(bothbad)", "bothbad", "both_bad", "both bad", "draw"}
SIDES = {"model_a": 1.0, "a": 1.0, "model_b": 0.0, "b": 0.0} | dict.fromkeys(TIES, 0.5)
HOT = {"winner_model_a": 1.0, "winner_model_b": 0.0} | dict.fromkeys(
    (f"winner_{tie}" for tie in (*sorted(TIES), "tie_bothbad")), 0.5
)
"""Columns of which one says 1 (LMSYS's Kaggle competition of 2024), and what it says."""
COUNTS = {"wins_a": 1.0, "wins_b": 0.0} | dict.fromkeys(("ties", "tie", "draws", "draw"), 0.5)
TIED = ("tie", "is_tie", "tied", "draw", "is_draw")
"""Columns that say of a battle that nobody won it."""
SEVERAL = ("count", "counts", "weight", "weights", "n", "battles", "votes", "num_votes", "n_votes")
"""Columns that may say how many battles a row is."""
TRUTH = {"1": 1.0, "1.0": 1.0, "true": 1.0, "0": 0.0, "0.0": 0.0, "false": 0.0}
EXPECTED = (
    "expected model_a, model_b and winner; or model_a, model_b, winner_model_a, winner_model_b and winner_tie; or model_a, model_b, "
    "wins_a, wins_b and ties; or winner and loser"
)
MOST = 6
"""Changed names that a note lists."""


def read_votes(path: Path, *, style: bool = False, where: Sequence[str] = ()) -> Votes:
    """The votes of a file: battles or win counts in CSV, JSON, JSONL or Parquet, the columns as
    docs/arena.md says.

    ``where`` keeps rows by ``column=value``. Only counts by pair are held, with ``style`` eight
    numbers a battle. Raises DataError for a file that cannot be read, a column that is missing, a
    vote that is no vote (with its row), or a model against itself.
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
                f"--where {condition}: expected COLUMN=VALUE with a column of {path.name}: {', '.join(map(str, frame.columns))}"
            )
        frame = frame[_tidied(frame[column]) == tidy(value)]
    return frame


def _tidied(column: Series[Any]) -> Series[Any]:
    """The column's texts as names are compared; each distinct one is looked at once."""
    texts = _texts(column)
    return texts.map({text: tidy(text) for text in texts.unique()})


def _texts(column: Series[Any]) -> Series[Any]:
    """The column's values as texts; ``astype(str)`` would leave some missing values as they are."""
    import pandas as pd

    return pd.Series([str(value) for value in column], index=column.index, dtype=object)


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
        """Counts the rows of one frame, whose index says their numbers."""
        named = {"winner", "loser"} <= set(frame.columns) and "model_a" not in frame.columns
        if named:
            frame = frame.rename(columns={"winner": "model_a", "loser": "model_b"}).assign(winner="model_a")
        lacking = [name for name in ("model_a", "model_b") if name not in frame.columns]
        counted, hot = (
            {"wins_a", "wins_b"} <= set(frame.columns),
            {"winner_model_a", "winner_model_b"} <= set(frame.columns),
        )
        if lacking or not (counted or hot or "winner" in frame.columns):
            from harness.analysis.arena.files import header

            raise DataError(
                f"{self._path}: no column {', '.join(lacking) or 'winner'}: {EXPECTED}; got {', '.join(header(self._path)) or 'none'}"
            )
        if frame.empty:
            return
        first, second = self._codes(frame, "model_a"), self._codes(frame, "model_b")
        same = np.flatnonzero(first == second)
        if len(same):
            raise self._wrong(
                frame,
                int(same[0]),
                f"{frame['model_a'].iloc[same[0]]!r} against itself; a battle has two models",
            )
        if counted:
            self._add_counts(frame, first, second)
            return
        self._one_each(frame)
        outcome = self._hot(frame) if hot else self._outcomes(frame)
        self._add_battles(frame, first, second, self._tied(frame, outcome, named=named))

    def _codes(self, frame: DataFrame, column: str) -> Codes:
        names = frame[column]
        texts = _texts(names)
        empty = np.flatnonzero(texts.map({text: missing(text) for text in texts.unique()}))
        if len(empty):
            said = names.iloc[int(empty[0])]
            raise self._wrong(
                frame, int(empty[0]), f"no name in {column} (it is {said!r}); every battle names both models"
            )
        odd = next(
            (
                place
                for place, name in enumerate(names)
                if isinstance(name, bool | list | dict | tuple | np.ndarray)
            ),
            None,
        )
        if odd is not None:
            raise self._wrong(frame, odd, f"{column} is {names.iloc[odd]!r}; expected a model's name as text")
        for name in texts.unique():
            self._names.setdefault(name, tidy(name))
            self._places.setdefault(self._names[name], len(self._places))
        return np.asarray(texts.map(self._names).map(self._places), dtype=np.int64)

    def _add_counts(self, frame: DataFrame, first: Codes, second: Codes) -> None:
        if self._style:
            raise DataError(
                f"{self._path}: a table of win counts holds no answers: --style-control needs battles with conv_metadata"
            )
        there = [column for column in COUNTS if column in frame.columns]
        if len(there) > len({"wins_a", "wins_b", "ties"}) or {"winner", "winner_model_a"} & set(
            frame.columns
        ):
            others = [*there[2:], *(name for name in ("winner", "winner_model_a") if name in frame.columns)]
            raise DataError(
                f"{self._path}: columns wins_a and wins_b beside {', '.join(others)}: which of them counts? Leave the others out"
            )
        for column in there:
            outcome = COUNTS[column]
            for number, (one, other, text) in enumerate(zip(first, second, frame[column], strict=True)):
                count = _number(text, empty=outcome == 0.5)
                if count is None:
                    raise self._wrong(frame, number, f"{column} {text!r}; expected a count, zero or more")
                self._count(int(one), int(other), outcome, count)

    def _add_battles(self, frame: DataFrame, first: Codes, second: Codes, outcome: Array) -> None:
        if self._style:
            from harness.analysis.arena.files import style_differences

            self._battles.append((first, second, outcome, style_differences(self._path, frame)))
            return
        keys, counts = np.unique(
            np.stack([first, second, 2 * outcome]).astype(np.int64), axis=1, return_counts=True
        )
        for (one, other, twice), count in zip(keys.T.tolist(), counts.tolist(), strict=True):
            self._count(one, other, twice / 2, count)

    def _count(self, one: int, other: int, outcome: float, count: float) -> None:
        if count:
            self._counts[(one, other, outcome) if one < other else (other, one, 1 - outcome)] += count  # type: ignore[assignment]

    def _outcomes(self, frame: DataFrame) -> Array:
        words = _tidied(frame["winner"])
        sides = np.array(words.str.lower().map(SIDES), dtype=np.float64)
        outcome: Array = sides.copy()
        for column, value in (
            ("model_a", 1.0),
            ("model_b", 0.0),
        ):  # a winner may be named, and may even be called "tie"
            outcome[np.asarray(words == _tidied(frame[column]))] = value
        unknown = np.flatnonzero(np.isnan(outcome))
        if len(unknown):
            said = frame["winner"].iloc[int(unknown[0])]
            raise self._wrong(
                frame,
                int(unknown[0]),
                f"winner {said!r}; expected model_a, model_b, tie, tie (bothbad) or a model's name",
            )
        torn = np.flatnonzero(np.abs(outcome - sides) == 1)
        if len(torn):
            said = frame["winner"].iloc[int(torn[0])]
            raise self._wrong(
                frame,
                int(torn[0]),
                f"winner {said!r} is one side and the other model's name; write model_a or model_b",
            )
        return outcome

    def _one_each(self, frame: DataFrame) -> None:
        """Raises DataError where a column may say that a row stands for several battles."""
        for column in SEVERAL:
            if column not in frame.columns:
                continue
            counts = [_number(value, empty=False) for value in frame[column]]
            odd = next((place for place, count in enumerate(counts) if count not in (None, 1.0)), None)
            if odd is not None and None not in counts:
                said = f"{column} {frame[column].iloc[odd]!r}: does a row stand for so many battles? Then write model_a, model_b, wins_a"
                raise self._wrong(frame, odd, f"{said}, wins_b and ties; else call the column otherwise")

    def _tied(self, frame: DataFrame, outcome: Array, *, named: bool) -> Array:
        """Outcomes with the ties that a column of their own tells; ``named``: winner and loser are
        names, which a tie has, too.
        """
        for column in TIED:
            if column not in frame.columns:
                continue
            marks = np.array(_tidied(frame[column]).str.lower().map(TRUTH), dtype=np.float64)
            wrong = np.flatnonzero(
                np.isnan(marks) if named else np.isnan(marks) | ((marks == 1) != (outcome == 0.5))
            )
            if len(wrong):
                said = f"{column} {frame[column].iloc[int(wrong[0])]!r}"
                raise self._wrong(
                    frame,
                    int(wrong[0]),
                    f"{said}; expected true or false{'' if named else ', as the winner says'}",
                )
            outcome = np.where(marks == 1, 0.5, outcome)
        return outcome

    def _hot(self, frame: DataFrame) -> Array:
        """Outcomes of columns of which one says 1.

        Raises DataError where none or two do, or where a column winner says otherwise.
        """
        there = [name for name in HOT if name in frame.columns]
        marks = np.stack(
            [np.array(_tidied(frame[name]).str.lower().map(TRUTH), dtype=np.float64) for name in there]
        )
        wrong = np.flatnonzero(np.isnan(marks).any(axis=0) | (marks.sum(axis=0) != 1))
        if len(wrong):
            said = ", ".join(f"{name} {frame[name].iloc[int(wrong[0])]!r}" for name in there)
            raise self._wrong(frame, int(wrong[0]), f"{said}; expected 1 in one of them and 0 in the others")
        outcome: Array = np.array([HOT[name] for name in there]) @ marks
        if "winner" in frame.columns:
            other = np.flatnonzero(self._outcomes(frame) != outcome)
            if len(other):
                said = frame["winner"].iloc[int(other[0])]
                raise self._wrong(
                    frame, int(other[0]), f"winner {said!r}, but {', '.join(there)} say otherwise"
                )
        return outcome

    def _wrong(self, frame: DataFrame, number: int, what: str) -> DataError:
        return DataError(f"{self._path}: row {int(frame.index[number])}: {what}")

    def votes(self, where: Sequence[str] = ()) -> Votes:
        """All that was counted. Raises DataError where that is nothing."""
        if not self._counts and not self._battles:
            chosen = f" with {' and '.join(where)}" if where else ""
            raise DataError(
                f"{self._path}: no votes{chosen}; expected one battle a row, or win counts above zero"
            )
        models = tuple(self._places)
        if self._battles:
            first, second, outcome, style = (
                np.concatenate(parts) for parts in zip(*self._battles, strict=True)
            )
            return Votes(models, first, second, outcome, np.ones(len(first)), style, self._notes())
        rows: list[Any] = sorted(self._counts)
        first, second = (np.array([row[place] for row in rows], dtype=np.int64) for place in (0, 1))
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
                f"Names that differ by spaces, dashes, width or invisible characters are one: {list_some(changed, MOST)}."
            )
        if cases:
            told = "; ".join(" and ".join(map(repr, group)) for group in cases[:MOST])
            notes.append(
                f"Names that differ by case, separators or look-alike letters are rated apart: {told}. Are they one model? Rename them."
            )
        return tuple(notes)


def _number(text: Any, *, empty: bool) -> float | None:
    """A count; an empty cell, or one that a row lacks, is none where ``empty`` says so."""
    if empty and (text == "" or (isinstance(text, float) and np.isnan(text))):
        return 0.0
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if np.isfinite(value) and value >= 0 else None

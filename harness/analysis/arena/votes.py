"""Votes as they are counted: for each pair of models how often either was preferred and how often neither; with style, battle by battle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt
    from pandas import DataFrame

    Array = npt.NDArray[np.float64]
    Codes = npt.NDArray[np.int64]

STYLE = ("length", "headers", "bold", "lists")
"""What style control holds constant, in LMArena's order of idea: tokens of the answer, headings, bold spans, list entries."""
TIES = {"tie", "tie (bothbad)", "tie(bothbad)", "bothbad", "both_bad", "both bad", "draw"}
SIDES = {"model_a": 1.0, "a": 1.0, "model_b": 0.0, "b": 0.0} | dict.fromkeys(TIES, 0.5)


@dataclass(frozen=True)
class Votes:
    """Rows (R): ``first`` and ``second`` are places in ``models``; ``outcome`` 1, 0 or 0.5 is the first one's; ``weight`` counts battles.

    Without style a row is a pair with an outcome; with it a row is a battle, and ``style`` (R, 4) holds (x_a − x_b)/(x_a + x_b + 1) of each
    feature of `STYLE`, so that exchanging the two sides only changes its sign.
    """

    models: tuple[str, ...]
    first: Codes
    second: Codes
    outcome: Array
    weight: Array
    style: Array

    @property
    def battles(self) -> float:
        """How many votes there are."""
        return float(self.weight.sum())

    def counts(self) -> Array:
        """Battles of each model, in the order of ``models``."""
        size = len(self.models)
        return np.asarray(np.bincount(self.first, self.weight, size) + np.bincount(self.second, self.weight, size), dtype=np.float64)

    def wins(self) -> Array:
        """(K, K): how often the row's model was preferred to the column's, a tie being half a win of each."""
        size = len(self.models)
        won = np.bincount(self.first * size + self.second, self.weight * self.outcome, size * size)
        lost = np.bincount(self.second * size + self.first, self.weight * (1 - self.outcome), size * size)
        return np.asarray(won + lost, dtype=np.float64).reshape(size, size)

    def keep(self, dropped: Collection[str]) -> Votes:
        """Without some models and their battles. Raises DataError for a name that is not there, or where fewer than two models are left."""
        unknown = sorted(set(dropped) - set(self.models))
        if unknown:
            raise DataError(f"no votes on {', '.join(map(repr, unknown))}: nothing to leave out; models are named as in the file")
        names = tuple(name for name in self.models if name not in set(dropped))
        if len(names) < 2:
            raise DataError(f"{len(names)} model left of {len(self.models)}: ratings need two; leave fewer out")
        place = {name: number for number, name in enumerate(names)}
        codes = np.array([place.get(name, -1) for name in self.models])
        first, second = codes[self.first], codes[self.second]
        kept = (first >= 0) & (second >= 0)
        return Votes(names, first[kept], second[kept], self.outcome[kept], self.weight[kept], self.style[kept])

    def sparse(self, least: int) -> list[str]:
        """Models with fewer than ``least`` battles."""
        return [name for name, count in zip(self.models, self.counts(), strict=True) if count < least]


def read_votes(path: Path, *, style: bool = False, where: Sequence[str] = ()) -> Votes:
    """The votes of a file: battles or win counts in CSV, JSON, JSONL or Parquet, the columns as docs/arena.md says.

    ``where`` keeps rows by ``column=value``. Only counts by pair are held, with ``style`` eight numbers a battle. Raises DataError for a
    file that cannot be read, a column that is missing, a vote that is no vote (with its row), or a model against itself.
    """
    from harness.analysis.arena.files import frames

    tally = Tally(path, style)
    for begin, frame in frames(path, tally.columns(where)):
        tally.add(begin, _chosen(path, frame, where))
    return tally.votes()


def _chosen(path: Path, frame: DataFrame, where: Sequence[str]) -> DataFrame:
    for condition in where:
        column, mark, value = condition.partition("=")
        if not mark or column not in frame.columns:
            raise DataError(
                f"--where {condition}: expected COLUMN=VALUE with a column of {path.name}: {', '.join(map(str, frame.columns))}"
            )
        frame = frame[frame[column].astype(str) == value]
    return frame


class Tally:
    """Counts votes frame by frame."""

    def __init__(self, path: Path, style: bool) -> None:
        self._path, self._style = path, style
        self._places: dict[str, int] = {}
        self._counts: Counter[tuple[int, int, float]] = Counter()
        self._battles: list[tuple[Codes, Codes, Array, Array]] = []

    def columns(self, where: Sequence[str]) -> set[str] | None:
        """The columns to read; None for all (a condition may name any)."""
        from harness.analysis.arena.files import STYLE_COLUMNS

        if where:
            return None
        plain = {"model_a", "model_b", "winner", "loser", "wins_a", "wins_b", "ties"}
        return plain | set(STYLE_COLUMNS) | {"conv_metadata"} if self._style else plain

    def add(self, begin: int, frame: DataFrame) -> None:
        """Counts the rows of one frame, the first of which is the file's row ``begin`` (from 1, the header not counted)."""
        frame = frame.assign(_row=np.asarray(frame.index) + begin)
        if {"winner", "loser"} <= set(frame.columns) and "model_a" not in frame.columns:
            frame = frame.rename(columns={"winner": "model_a", "loser": "model_b"}).assign(winner="model_a")
        lacking = [name for name in ("model_a", "model_b") if name not in frame.columns]
        counted = {"wins_a", "wins_b"} <= set(frame.columns)
        if lacking or not (counted or "winner" in frame.columns):
            from harness.analysis.arena.files import header

            raise DataError(
                f"{self._path}: no column {', '.join(lacking) or 'winner'}: expected model_a, model_b and winner; or "
                f"model_a, model_b, wins_a, wins_b and ties; or winner and loser; got {', '.join(header(self._path)) or 'none'}"
            )
        if frame.empty:
            return
        first, second = self._codes(frame, "model_a"), self._codes(frame, "model_b")
        same = np.flatnonzero(first == second)
        if len(same):
            raise self._wrong(frame, int(same[0]), f"{frame['model_a'].iloc[same[0]]!r} against itself; a battle has two models")
        if counted:
            self._add_counts(frame, first, second)
        else:
            self._add_battles(frame, first, second)

    def _codes(self, frame: DataFrame, column: str) -> Codes:
        names = frame[column]
        empty = np.flatnonzero(names.isna() | (names.astype(str).str.strip() == ""))
        if len(empty):
            raise self._wrong(frame, int(empty[0]), f"no name in {column}; every battle names both models")
        for name in names.unique():
            self._places.setdefault(str(name), len(self._places))
        return np.asarray(names.astype(str).map(self._places), dtype=np.int64)

    def _add_counts(self, frame: DataFrame, first: Codes, second: Codes) -> None:
        if self._style:
            raise DataError(f"{self._path}: a table of win counts holds no answers: --style-control needs battles with conv_metadata")
        for column, outcome in (("wins_a", 1.0), ("wins_b", 0.0), ("ties", 0.5)):
            if column not in frame.columns:
                continue
            for number, (one, other, text) in enumerate(zip(first, second, frame[column], strict=True)):
                count = _number(text)
                if count is None:
                    raise self._wrong(frame, number, f"{column} {text!r}; expected a count, zero or more")
                self._count(int(one), int(other), outcome, count)

    def _add_battles(self, frame: DataFrame, first: Codes, second: Codes) -> None:
        outcome = self._outcomes(frame)
        if self._style:
            from harness.analysis.arena.files import style_differences

            self._battles.append((first, second, outcome, style_differences(self._path, frame)))
            return
        keys, counts = np.unique(np.stack([first, second, 2 * outcome]).astype(np.int64), axis=1, return_counts=True)
        for (one, other, twice), count in zip(keys.T.tolist(), counts.tolist(), strict=True):
            self._count(one, other, twice / 2, count)

    def _count(self, one: int, other: int, outcome: float, count: float) -> None:
        if count:
            self._counts[(one, other, outcome) if one < other else (other, one, 1 - outcome)] += count  # type: ignore[assignment]

    def _outcomes(self, frame: DataFrame) -> Array:
        words = frame["winner"].astype(str)
        outcome: Array = np.array(words.str.strip().str.lower().map(SIDES), dtype=np.float64)
        for column, value in (("model_a", 1.0), ("model_b", 0.0)):  # a winner may be named, and may even be called "tie"
            outcome[np.asarray(words == frame[column].astype(str))] = value
        unknown = np.flatnonzero(np.isnan(outcome))
        if len(unknown):
            said = words.iloc[int(unknown[0])]
            raise self._wrong(frame, int(unknown[0]), f"winner {said!r}; expected model_a, model_b, tie, tie (bothbad) or a model's name")
        return outcome

    def _wrong(self, frame: DataFrame, number: int, what: str) -> DataError:
        return DataError(f"{self._path}: row {int(frame['_row'].iloc[number])}: {what}")

    def votes(self) -> Votes:
        """All that was counted. Raises DataError where that is nothing."""
        if not self._counts and not self._battles:
            raise DataError(f"{self._path}: no votes; expected one battle a row, or win counts above zero")
        models = tuple(self._places)
        if self._battles:
            first, second, outcome, style = (np.concatenate(parts) for parts in zip(*self._battles, strict=True))
            return Votes(models, first, second, outcome, np.ones(len(first)), style)
        rows: list[Any] = sorted(self._counts)
        first, second = (np.array([row[place] for row in rows], dtype=np.int64) for place in (0, 1))
        weight = np.array([self._counts[row] for row in rows], dtype=np.float64)
        return Votes(models, first, second, np.array([row[2] for row in rows]), weight, np.zeros((len(rows), 0)))


def _number(text: Any) -> float | None:
    if text == "":
        return 0.0
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if np.isfinite(value) and value >= 0 else None

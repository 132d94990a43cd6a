"""What each battle of a frame says: who won, in each of the layouts that vote files have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import DataError
from harness.names import tidy

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from harness.analysis.arena.votes import Array

TIES = {"tie", "tie (bothbad)", "tie(bothbad)", "bothbad", "both_bad", "both bad", "draw"}
SIDES = {"model_a": 1.0, "a": 1.0, "model_b": 0.0, "b": 0.0} | dict.fromkeys(TIES, 0.5)
HOT = {"winner_model_a": 1.0, "winner_model_b": 0.0} | dict.fromkeys(
    (f"winner_{tie}" for tie in (*sorted(TIES), "tie_bothbad")), 0.5
)
"""Columns of which one says 1 (LMSYS's Kaggle competition of 2024), and what it says."""
TIED = ("tie", "is_tie", "tied", "draw", "is_draw")
"""Columns that say of a battle that nobody won it."""
SEVERAL = ("count", "counts", "weight", "weights", "n", "battles", "votes", "num_votes", "n_votes")
"""Columns that may say how many battles a row is."""
TRUTH = {"1": 1.0, "1.0": 1.0, "true": 1.0, "0": 0.0, "0.0": 0.0, "false": 0.0}


def tidied(column: Series[Any]) -> Series[Any]:
    """The column's texts as names are compared; each distinct one is looked at once."""
    texts = as_texts(column)
    return texts.map({text: tidy(text) for text in texts.unique()})


def as_texts(column: Series[Any]) -> Series[Any]:
    """The column's values as texts; ``astype(str)`` would leave some missing values as they are."""
    import pandas as pd

    return pd.Series([str(value) for value in column], index=column.index, dtype=object)


def outcomes(path: Path, frame: DataFrame) -> Array:
    """Outcomes of a column winner: 1 for model_a, 0 for model_b, 0.5 for a tie.

    Raises DataError for a winner that is none of them.
    """
    words = tidied(frame["winner"])
    sides = np.array(words.str.lower().map(SIDES), dtype=np.float64)

    outcome: Array = sides.copy()
    # A winner may be named, and a model may even be called "tie".
    for column, value in (("model_a", 1.0), ("model_b", 0.0)):
        outcome[np.asarray(words == tidied(frame[column]))] = value

    unknown = np.flatnonzero(np.isnan(outcome))
    if len(unknown):
        winner = frame["winner"].iloc[int(unknown[0])]
        raise wrong_row(
            path,
            frame,
            int(unknown[0]),
            f"winner {winner!r}; expected model_a, model_b, tie, tie (bothbad) or a model's name",
        )

    # "model_a" may also be the name of the model on the other side.
    torn = np.flatnonzero(np.abs(outcome - sides) == 1)
    if len(torn):
        winner = frame["winner"].iloc[int(torn[0])]
        raise wrong_row(
            path,
            frame,
            int(torn[0]),
            f"winner {winner!r} is one side and the other model's name; write model_a or model_b",
        )

    return outcome


def one_each(path: Path, frame: DataFrame) -> None:
    """Raises DataError where a column may say that a row stands for several battles."""
    for column in SEVERAL:
        if column not in frame.columns:
            continue
        counts = [as_count(value, empty=False) for value in frame[column]]
        odd = next((index for index, count in enumerate(counts) if count not in (None, 1.0)), None)
        if odd is not None and None not in counts:
            question = (
                f"{column} {frame[column].iloc[odd]!r}: does a row stand for so many battles? Then"
                f" write model_a, model_b, wins_a"
            )
            raise wrong_row(path, frame, odd, f"{question}, wins_b and ties; else call the column otherwise")


def tied(path: Path, frame: DataFrame, outcome: Array, *, named: bool) -> Array:
    """Outcomes with the ties that a column of their own holds.

    ``named``: winner and loser are names, which a tie has, too.
    """
    for column in TIED:
        if column not in frame.columns:
            continue

        # Where a winner column exists, too, the two must agree.
        marks = np.array(tidied(frame[column]).str.lower().map(TRUTH), dtype=np.float64)
        wrong = np.flatnonzero(
            np.isnan(marks) if named else np.isnan(marks) | ((marks == 1) != (outcome == 0.5))
        )

        if len(wrong):
            mark = f"{column} {frame[column].iloc[int(wrong[0])]!r}"
            raise wrong_row(
                path,
                frame,
                int(wrong[0]),
                f"{mark}; expected true or false{'' if named else ', as the winner says'}",
            )

        outcome = np.where(marks == 1, 0.5, outcome)
    return outcome


def one_hot(path: Path, frame: DataFrame) -> Array:
    """Outcomes of one-hot columns.

    Raises DataError where none or two of them say 1, or where a column winner says otherwise.
    """
    columns = [name for name in HOT if name in frame.columns]
    marks = np.stack(
        [np.array(tidied(frame[name]).str.lower().map(TRUTH), dtype=np.float64) for name in columns]
    )

    # Exactly one of the columns must say 1 for a battle to have an outcome.
    wrong = np.flatnonzero(np.isnan(marks).any(axis=0) | (marks.sum(axis=0) != 1))
    if len(wrong):
        values = ", ".join(f"{name} {frame[name].iloc[int(wrong[0])]!r}" for name in columns)
        raise wrong_row(
            path, frame, int(wrong[0]), f"{values}; expected 1 in one of them and 0 in the others"
        )

    outcome: Array = np.array([HOT[name] for name in columns]) @ marks
    if "winner" in frame.columns:
        other = np.flatnonzero(outcomes(path, frame) != outcome)
        if len(other):
            values = frame["winner"].iloc[int(other[0])]
            raise wrong_row(
                path, frame, int(other[0]), f"winner {values!r}, but {', '.join(columns)} say otherwise"
            )
    return outcome


def wrong_row(path: Path, frame: DataFrame, number: int, what: str) -> DataError:
    """The error that names a row of the frame."""
    return DataError(f"{path}: row {int(frame.index[number])}: {what}")


def as_count(text: Any, *, empty: bool) -> float | None:
    """A count; an empty cell, or one that a row lacks, is none where ``empty`` says so."""
    if empty and (text == "" or (isinstance(text, float) and np.isnan(text))):
        return 0.0
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if np.isfinite(value) and value >= 0 else None

"""An independent recount: the boards' files beside this repository, read with pandas and nothing of
harness.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path

import pandas as pd
import pytest

BOARDS = Path(__file__).resolve().parents[2].parent / "shared" / "published" / "boards"
LICENSED_LATER = {"deepseek-v2-api-0628"}
"""Listed as proprietary until 2024-08-01 although its weights had been out since July: counted as
open from its release.
"""


def needs_boards() -> None:
    """Skips where the files are not there."""
    if not (BOARDS / "lmarena-boards.csv").is_file():
        pytest.skip(f"no boards at {BOARDS}")


@functools.cache
def votes() -> pd.DataFrame:
    """Every row of LMArena's boards with maker's country, openness and arena key."""
    rows = pd.read_csv(BOARDS / "lmarena-boards.csv", keep_default_na=False)
    names = (
        pd.read_csv(BOARDS / "lmarena-names.csv", keep_default_na=False)
        .drop_duplicates("variant")
        .set_index("variant")
    )
    for column in ("rating", "lower", "upper", "votes"):
        rows[column] = pd.to_numeric(rows[column], errors="coerce")
    rows["country"] = rows["model"].map(names["country"])
    rows["maker"] = rows["model"].map(names["organization"])
    rows["key"] = rows["model"].map(names["canonical"])
    rows["open"] = (rows["model"].map(names["open_weights"]) == "yes") | rows["key"].isin(LICENSED_LATER)
    return rows


def window(
    begin: str, end: str, *, style: str = "default", method: str = "MLE", category: str = "full"
) -> list[pd.DataFrame]:
    """One frame per board of a span, by date."""
    rows = votes()
    chosen = rows[
        (rows["style"] == style)
        & (rows["method"] == method)
        & (rows["category"] == category)
        & (rows["date"] >= begin)
        & (rows["date"] <= end)
    ]
    return [frame for _, frame in chosen.groupby(["date", "source"])]


def best(frame: pd.DataFrame, mask: pd.Series) -> pd.Series:
    """The row with the highest rating; of equal ones the first by name."""
    return frame[mask].sort_values(["rating", "key"], ascending=[False, True]).iloc[0]


def gap(frame: pd.DataFrame, one: pd.Series, other: pd.Series, spare: float) -> tuple[float, float, float]:
    """Difference of the best of two masks, low, high; ± ``spare`` where an interval is missing."""
    a, b = best(frame, one), best(frame, other)
    value = a["rating"] - b["rating"]
    if math.isnan(a["lower"]) or math.isnan(b["lower"]):
        return value, value - spare, value + spare
    down = math.sqrt((a["rating"] - a["lower"]) ** 2 + (b["upper"] - b["rating"]) ** 2)
    up = math.sqrt((a["upper"] - a["rating"]) ** 2 + (b["rating"] - b["lower"]) ** 2)
    return value, value - down, value + up


def gaps(
    frames: list[pd.DataFrame], one: dict[str, object], other: dict[str, object], spare: float = 8.0
) -> list[tuple[float, float, float]]:
    """The gap in each frame; a side is columns and values (a set: any of them)."""
    return [gap(frame, mask(frame, one), mask(frame, other), spare) for frame in frames]


def mask(frame: pd.DataFrame, side: dict[str, object]) -> pd.Series:
    """The rows of a side."""
    found = pd.Series(True, index=frame.index)
    for column, wanted in side.items():
        found &= frame[column].isin(wanted) if isinstance(wanted, set) else frame[column] == wanted
    return found


def middle(rows: list[tuple[float, float, float]]) -> list[float]:
    """Column by column the median."""
    return [float(value) for value in pd.DataFrame(rows).median()]

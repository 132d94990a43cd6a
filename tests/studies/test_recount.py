"""C8's and C2's brackets and verdicts, counted again slowly, with nothing of harness but its data files."""

from __future__ import annotations

import csv
import gzip
import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from support.mirror import ROOT

from harness.studies.answer import answer
from harness.studies.board import Side
from harness.studies.claims import find_claim
from harness.studies.data import Data
from harness.studies.gap import brackets, leads

FOLDER = ROOT / "harness" / "data" / "published"
Row = dict[str, Any]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with gzip.open(FOLDER / "ratings.csv.gz", "rt", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["board"] == "lmarena-text"]


@pytest.fixture(scope="module")
def models() -> dict[str, Row]:
    raw = yaml.safe_load((FOLDER / "arena_models.yaml").read_text(encoding="utf-8"))
    return {
        one["name"]: {"open": one.get("open") is True, "country": raw["makers"][one["maker"]]["country"] if one["maker"] else None}
        for one in raw["models"]
    }


def by_day(rows: list[Row], style: str, category: str = "full") -> dict[str, list[Row]]:
    found = defaultdict(list)
    for row in rows:
        if row["style"] == style and row["category"] == category:
            found[row["date"]].append(row)
    return dict(sorted(found.items()))


def best(day: list[Row], wanted: Callable[[str], bool]) -> Row | None:
    chosen = None
    for row in day:
        if wanted(row["model"]) and (chosen is None or float(row["rating"]) > float(chosen["rating"])):
            chosen = row
    return chosen


def gaps(days: dict[str, list[Row]], models: dict[str, Row], *, only_open: bool) -> list[tuple[str, float, float, float]]:
    """(day, Chinese − American, low, high)."""
    found = []
    for day, there in days.items():
        one, other = (
            best(there, lambda name, c=country: models[name]["country"] == c and (models[name]["open"] or not only_open))
            for country in ("CN", "US")
        )
        if one is None or other is None:
            continue
        a, b = float(one["rating"]), float(other["rating"])
        if one["lower"] and other["lower"]:
            low = math.sqrt((a - float(one["lower"])) ** 2 + (float(other["upper"]) - b) ** 2)
            high = math.sqrt((float(one["upper"]) - a) ** 2 + (b - float(other["lower"])) ** 2)
        else:
            low = high = 8.0
        found.append((day, a - b, a - b - low, a - b + high))
    return found


def changes(told: list[tuple[str, int]]) -> list[tuple[str, str, int]]:
    found = []
    last: tuple[str, int] | None = None
    for day, who in told:
        if who == 0:
            continue
        if last is not None and last[1] != who:
            found.append((last[0], day, who))
        last = (day, who)
    return found


def middle(values: list[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


@pytest.mark.parametrize("only_open", [True, False])
@pytest.mark.parametrize("style", ["default", "style_control"])
def test_the_brackets(rows: list[Row], models: dict[str, Row], only_open: bool, style: str) -> None:
    slow = gaps(by_day(rows, style), models, only_open=only_open)
    sides = [Side(country=country, open=only_open or None) for country in ("CN", "US")]
    found = leads(Data(folder=None).board.series(style), *sides)
    assert [(str(one.snapshot.date), round(one.difference.value, 6)) for one in found] == [
        (day, round(value, 6)) for day, value, *_ in slow
    ]
    for sure, told in (
        (False, [(day, (value > 0) - (value < 0)) for day, value, _, _ in slow]),
        (True, [(day, (low > 0) - (high < 0)) for day, _, low, high in slow]),
    ):
        fast = [(str(one.after), str(one.by), one.to) for one in brackets(found, sure=sure)]
        assert fast == changes(told)


def test_when_the_lead_among_open_models_changed_hands(rows: list[Row], models: dict[str, Row]) -> None:
    """The last change, which C8 is about: to a Chinese model, in the second half of December 2024; over all models there is none."""
    slow = gaps(by_day(rows, "default"), models, only_open=True)
    told = changes([(day, (value > 0) - (value < 0)) for day, value, *_ in slow])
    assert told[-1] == ("2024-12-18", "2024-12-22", 1)
    assert len(told) == 9
    assert changes([(day, (value > 0) - (value < 0)) for day, value, *_ in gaps(by_day(rows, "default"), models, only_open=False)]) == []


def test_the_verdict_of_c8(rows: list[Row], models: dict[str, Row]) -> None:
    plain, styled = (gaps(by_day(rows, style), models, only_open=True) for style in ("default", "style_control"))
    then = [one for one in plain if "2024-10-01" <= one[0] <= "2024-10-31"]
    parts = [middle([high for *_, high in then]) < 0 and all(value < 0 for _, value, _, _ in then)]
    for found in (plain, styled):
        now = [one for one in found if "2025-08-01" <= one[0] <= "2025-11-30"]
        parts.append(middle([low for _, _, low, _ in now]) > 0 and all(value > 0 for _, value, _, _ in now))
    for day, there in by_day(rows, "default").items():
        if "2025-08-01" <= day <= "2025-11-30":
            top = sorted((row for row in there if models[row["model"]]["open"]), key=lambda row: -float(row["rating"]))[:5]
            parts.append([models[row["model"]]["country"] for row in top] == ["CN"] * 5)
    found = answer(find_claim("C8"), Data(folder=None))
    assert parts == [True] * 6
    assert (found.verdict, [one.outcome for one in found.findings]) == ("supported", ["holds"] * 4)


def test_the_verdict_of_c2(rows: list[Row], models: dict[str, Row]) -> None:
    everyone, plain = (gaps(by_day(rows, "default"), models, only_open=only) for only in (False, True))
    styled = gaps(by_day(rows, "style_control"), models, only_open=True)
    parts = []
    for found in (everyone, plain):
        early = [high for day, _, _, high in found if "2023-05-01" <= day <= "2023-08-31"]
        late = [low for day, _, low, _ in found if "2024-05-01" <= day <= "2024-08-31"]
        parts.append(middle(late) > middle(early))
    for found in (plain, styled):
        year = [one for one in found if "2025-03-01" <= one[0] <= "2025-12-31"]
        parts.append(middle([low for _, _, low, _ in year]) > 0 and all(value > 0 for _, value, *_ in year))
    answered = answer(find_claim("C2"), Data(folder=None))
    assert [one.outcome == "holds" for one in answered.findings] == parts == [True] * 4
    assert answered.verdict == "supported"

"""The letter that a free answer states: a table of phrasings, real answers of a weak model marked by hand, and servers that are right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.tasks.reading import Options, read_letter

HERE = Path(__file__).parent
OPTIONS = {"zh": ["上海", "北京", "广州", "深圳"], "en": ["London", "Paris", "Rome", "Berlin"]}


def _phrasings() -> list[Any]:
    table = yaml.safe_load((HERE / "letters.yaml").read_text(encoding="utf-8"))
    rows = []
    for language, entries in table.items():
        for entry in entries:
            row = entry if isinstance(entry, dict) else {"say": entry[0], "read": entry[1]}
            rows.append(pytest.param({"options": OPTIONS[language]} | row, id=f"{language}: {row['say']}"[:60]))
    return rows


PHRASINGS = _phrasings()


def test_the_table_is_large() -> None:
    assert len(PHRASINGS) >= 120


@pytest.mark.parametrize("row", PHRASINGS)
def test_the_stated_letter(row: dict[str, Any]) -> None:
    options = Options.of(row["options"], row.get("question", ""))
    reading = read_letter(row["say"], options, several=row.get("several", False))
    assert reading.value == row["read"], str(reading)

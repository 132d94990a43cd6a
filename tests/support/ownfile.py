"""Own files for tests: written to a folder, read, and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.config.schema import TaskEntry
from harness.errors import ConfigError
from harness.tasks.ownfile import OwnRows, read_file

FOUR = ["甲", "乙", "丙", "丁"]


def jsonl(folder: Path, rows: list[Any], name: str = "own.jsonl") -> Path:
    path = folder / name
    path.write_text(
        "".join(
            (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)) + "\n" for row in rows
        ),
        encoding="utf-8",
    )
    return path


def table(folder: Path, text: str, name: str = "own.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def read(path: Path, **settings: Any) -> OwnRows:
    return read_file(path, TaskEntry(file=str(path), **settings))


def golds(path: Path, **settings: Any) -> list[Any]:
    return [row["answer"] for row in read(path, **settings).rows]


def refused(path: Path, *parts: str, **settings: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        read(path, **settings)
    message = str(caught.value)
    assert "\n" not in message
    for part in (str(path), *parts):
        assert part in message


def row(**changes: Any) -> dict[str, Any]:
    return {"question": "选哪个？", "choices": FOUR, "answer": "B"} | changes

"""Names that a file or a reader cannot tell apart are refused: their samples would be one file,
their rows one model.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support.runs import write_config, write_task

from harness.config import load_config
from harness.config.schema import TaskEntry
from harness.errors import ConfigError
from harness.names import clash_key
from harness.tasks import expand

PAIRS = [
    ("qwen", "qwen "),
    ("a/b", "a_b"),
    ("Qwen", "qwen"),
    ("qwen 2", "qwen  2"),
    ("Ｑwen", "Qwen"),
    ("千问：7B", "千问:7B"),
    ("a b", "a_b"),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_models_that_cannot_be_told_apart(tmp_path: Path, one: str, other: str) -> None:
    models = [{"id": "mock/a", "engine": "mock", "name": name} for name in (one, other)]
    path = write_config(tmp_path, [{"task": "zh_letters"}], models)
    with pytest.raises(ConfigError, match=r"two models are called .*give one of them another name"):
        load_config(path)


@pytest.mark.parametrize(("one", "other"), [("qwen2.5", "qwen2-5"), ("千问", "通义"), ("a.b", "a-b")])
def test_names_that_differ_in_what_files_keep(one: str, other: str) -> None:
    assert clash_key(one) != clash_key(other)


def test_two_tasks_that_cannot_be_told_apart(tmp_path: Path) -> None:
    for name in ("my task", "my_task"):
        write_task(tmp_path, name, 3)
    entries = [TaskEntry(file="my task.jsonl"), TaskEntry(file="my_task.jsonl")]
    with pytest.raises(ConfigError, match="two tasks are called 'my task' and 'my_task'"):
        expand(entries, limit=None, base_dir=tmp_path)

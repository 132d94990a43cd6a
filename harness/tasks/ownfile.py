"""Own tasks from a JSONL or CSV file: rows are read and checked here, and become an lm-eval config.

A row holds a question and an answer, and for multiple choice its choices. The answer may be a choice's index (from 0), its letter or
its text. Every error names file, row and column.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.config.schema import TaskEntry
from harness.errors import ConfigError

FILE_PATH = "own-file"
"""``dataset_path`` of an own task; the file and its columns travel in ``dataset_kwargs``."""
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_HAN = re.compile(r"[\u4e00-\u9fff]")


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line or row number from 1, row). Raises ConfigError where the file cannot be read as what its suffix says."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() in (".csv", ".tsv"):
                reader = csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
                yield from enumerate(reader, start=1)
                return
            for number, line in enumerate(file, start=1):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise ConfigError(f"{path}: row {number} must be a JSON object, got {type(row).__name__}")
                    yield number, row
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); the path is relative to the YAML file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start}); save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}: row {number}: no valid JSON ({error.msg}); one JSON object a line is expected") from error
    except csv.Error as error:
        raise ConfigError(f"{path}: no valid CSV ({error})") from error


def _cell(row: dict[str, Any], column: str, path: Path, number: int) -> Any:
    if column not in row:
        raise ConfigError(f"{path}: row {number} has no column {column!r}; it has: {', '.join(map(str, row))}")
    if row[column] is None or row[column] == "":
        raise ConfigError(f"{path}: row {number}, column {column!r} is empty")
    return row[column]


def _choices(row: dict[str, Any], columns: str | list[str], path: Path, number: int) -> list[str] | None:
    """The row's choices, or None where the file has no such column (then the answer is generated)."""
    if isinstance(columns, list):
        return [str(_cell(row, column, path, number)) for column in columns]
    value = row.get(columns)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            value = value.split("|")
    if not isinstance(value, list) or not 2 <= len(value) <= len(_LETTERS):
        raise ConfigError(f"{path}: row {number}, column {columns!r} must list 2 to 26 choices (a JSON list, or texts split by |)")
    return [str(choice) for choice in value]


def _gold(answer: Any, choices: list[str], path: Path, number: int, column: str) -> int:
    """The right choice's index: by text, then by letter, then by index from 0."""
    text = str(answer).strip()
    if isinstance(answer, str) and text in choices:
        return choices.index(text)
    letters = _LETTERS[: len(choices)]
    if len(text) == 1 and text.upper() in letters:
        return letters.index(text.upper())
    if text.isdigit() and int(text) < len(choices):
        return int(text)
    raise ConfigError(
        f"{path}: row {number}, column {column!r}: {text!r} is no choice's text, letter (A-{letters[-1]}) or index (0-{len(choices) - 1})"
    )


def read_rows(path: Path, question: str, choices: str | list[str], answer: str) -> list[dict[str, Any]]:
    """Rows as {question, choices, answer}: ``answer`` is an index where there are choices, else a text (and ``choices`` is absent)."""
    rows: list[dict[str, Any]] = []
    with_choices: bool | None = None
    for number, row in _rows(path):
        options = _choices(row, choices, path, number)
        if with_choices is None:
            with_choices = options is not None
        elif with_choices != (options is not None):
            raise ConfigError(f"{path}: row {number}: either every row has choices or none has")
        asked, right = str(_cell(row, question, path, number)), _cell(row, answer, path, number)
        if options is None:
            rows.append({"question": asked, "answer": str(right)})
        else:
            rows.append({"question": asked, "choices": options, "answer": _gold(right, options, path, number, answer)})
    if not rows:
        raise ConfigError(f"{path}: no rows; a question and an answer a row are expected")
    return rows


def own_config(entry: TaskEntry, base_dir: Path) -> tuple[dict[str, Any], str | None, int]:
    """(lm-eval config, language, number of rows) of an own data file. Raises ConfigError for an unreadable file or a wrong row."""
    path = (base_dir / Path(entry.file or "").expanduser()).resolve()
    if path.suffix.lower() not in (".jsonl", ".csv", ".tsv", ".json"):
        raise ConfigError(f"{path}: a data file must be JSONL, CSV or TSV, got {path.suffix or 'no suffix'}")
    rows = read_rows(path, entry.question, entry.choices, entry.answer)
    language = entry.language or ("zh" if _HAN.search(rows[0]["question"]) else "en")
    config: dict[str, Any] = {
        "task": entry.name or path.stem,
        "dataset_path": FILE_PATH,
        "dataset_kwargs": {"file": str(path), "question": entry.question, "choices": entry.choices, "answer": entry.answer},
        "test_split": "test",
        "fewshot_split": "test",
        "metadata": {"version": 1, "language": language},
    }
    return config | (_multiple_choice(language) if "choices" in rows[0] else _generated(language)), language, len(rows)


def _multiple_choice(language: str) -> dict[str, Any]:
    listed = "{% for choice in choices %}{{'" + _LETTERS + "'[loop.index0]}}. {{choice}}\n{% endfor %}"
    return {
        "output_type": "multiple_choice",
        "doc_to_text": "{{question}}\n" + listed + ("答案：" if language == "zh" else "Answer:"),
        "doc_to_choice": "{{'" + _LETTERS + "'[:choices|length]|list}}",
        "doc_to_target": "answer",
        "target_delimiter": "" if language == "zh" else " ",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    }


def _generated(language: str) -> dict[str, Any]:
    return {
        "output_type": "generate_until",
        "doc_to_text": "问题：{{question}}\n答案：" if language == "zh" else "Question: {{question}}\nAnswer:",
        "doc_to_target": "answer",
        "target_delimiter": "" if language == "zh" else " ",
        "generation_kwargs": {"until": ["\n"], "do_sample": False, "temperature": 0.0, "max_gen_toks": 256},
        "filter_list": [{"name": "none", "filter": [{"function": "remove_whitespace"}, {"function": "take_first"}]}],
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True, "ignore_case": True}],
    }

"""The lm-eval config of an own file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from harness.config.schema import TaskEntry
from harness.errors import ConfigError
from harness.tasks.letters import LETTERS
from harness.tasks.ownfile.reading import SUFFIXES, OwnRows, read_file

FILE_PATH = "own-file"
"""``dataset_path`` of an own task; the file and its columns travel in ``dataset_kwargs``."""
_HAN = re.compile(r"[\u4e00-\u9fff]")


def own_config(entry: TaskEntry, base_dir: Path) -> tuple[dict[str, Any], str | None, OwnRows]:
    """(lm-eval config, language, rows) of an own data file.

    Raises ConfigError for an unreadable file or a wrong row.
    """
    path = (base_dir / Path(entry.file or "").expanduser()).resolve()
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f"{path}: a data file must be JSONL, JSON, CSV or TSV, got {path.suffix or 'no suffix'}"
        )

    own_rows = read_file(path, entry)
    language = entry.language or ("zh" if _HAN.search(own_rows.rows[0]["question"]) else "en")

    # Few-shot examples come from the file itself: lm-eval leaves out the document that is asked.
    config: dict[str, Any] = {
        "task": entry.name or path.stem,
        "dataset_path": FILE_PATH,
        "dataset_kwargs": {"file": str(path), **own_rows.columns.as_kwargs()},
        "test_split": "test",
        "fewshot_split": "test",
        "metadata": {"version": 1, "language": language},
    }

    return (
        config | (_multiple_choice(language) if "choices" in own_rows.rows[0] else _generated(language)),
        language,
        own_rows,
    )


def _multiple_choice(language: str) -> dict[str, Any]:
    listed = "{% for choice in choices %}{{'" + LETTERS + "'[loop.index0]}}. {{choice}}\n{% endfor %}"
    return {
        "output_type": "multiple_choice",
        "doc_to_text": "{{question}}\n" + listed + ("答案：" if language == "zh" else "Answer:"),
        "doc_to_choice": "{{'" + LETTERS + "'[:choices|length]|list}}",
        "doc_to_target": "answer",
        "target_delimiter": "" if language == "zh" else " ",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    }


def _generated(language: str) -> dict[str, Any]:
    return {
        "output_type": "generate_until",
        "doc_to_text": "问题：{{question}}\n答案："
        if language == "zh"
        else "Question: {{question}}\nAnswer:",
        "doc_to_target": "answer",
        "target_delimiter": "" if language == "zh" else " ",
        "generation_kwargs": {"until": ["\n"], "do_sample": False, "temperature": 0.0, "max_gen_toks": 256},
        "filter_list": [
            {"name": "none", "filter": [{"function": "remove_whitespace"}, {"function": "take_first"}]}
        ],
        "metric_list": [
            {"metric": "exact_match", "aggregation": "mean", "higher_is_better": True, "ignore_case": True}
        ],
    }

"""The lm-eval configs of an own file: one task, or one per form and category."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config.schema import TaskEntry
from harness.errors import ConfigError
from harness.tasks.letters import LETTERS
from harness.tasks.ownfile.files import require_suffix
from harness.tasks.ownfile.normal import filter_name, mark, steps_of
from harness.tasks.ownfile.reading import OwnRows, read_file

FILE_PATH = "own-file"
"""``dataset_path`` of an own task; the file and its columns travel in ``dataset_kwargs``."""
_HAN = re.compile(r"[\u4e00-\u9fff]")
_FORMS = ("choice", "short")


@dataclass(frozen=True)
class OwnPart:
    """One task of an own file.

    ``group``: the name of the categories' common score, None where the part stands by itself;
    ``category`` ends the name of a subject; ``chance`` is the score of guessing, None without
    options.
    """

    config: dict[str, Any]
    language: str
    count: int
    group: str | None = None
    category: str | None = None
    chance: float | None = None

    @property
    def name(self) -> str:
        """The task's name."""
        return str(self.config["task"])


def own_parts(entry: TaskEntry, base_dir: Path) -> tuple[list[OwnPart], tuple[str, ...]]:
    """(the tasks of an own data file, notes on how it was read).

    Raises ConfigError for an unreadable file, a wrong row, or a key that nothing in the file needs.
    """
    path = (base_dir / Path(entry.file or "").expanduser()).resolve()
    require_suffix(path)
    own_rows = read_file(path, entry)
    try:
        return _parts(entry, path, own_rows), own_rows.notes
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _parts(entry: TaskEntry, path: Path, own_rows: OwnRows) -> list[OwnPart]:
    language = entry.language or ("zh" if _HAN.search(own_rows.rows[0]["question"]) else "en")
    forms = [form for form in _FORMS if own_rows.part(form, None)]
    _require_use(entry, forms)

    # Two forms have two metrics: they are two tasks, so that nothing averages them unseen.
    stem, parts = entry.name or path.stem, []
    for form in forms:
        name = stem if len(forms) == 1 else f"{stem}-{form}"
        kwargs = {"file": str(path), **own_rows.columns.as_kwargs()}
        kwargs |= {"form": form} if len(forms) > 1 else {}
        categories = list(dict.fromkeys(row.get("category") for row in own_rows.part(form, None)))

        for category in categories:
            parted = category is not None and len(categories) > 1
            rows = own_rows.part(form, category if parted else None)
            _require_examples(entry, len(rows), category if parted else None)
            config = {
                "task": f"{name}_{category}" if parted else name,
                "dataset_path": FILE_PATH,
                "dataset_kwargs": kwargs | ({"category": category} if parted else {}),
                # Examples come from the file itself: lm-eval leaves out the document that is asked.
                "test_split": "test",
                "fewshot_split": "test",
                "metadata": {"version": 1, "language": language},
            }
            config |= _multiple_choice(language) if form == "choice" else _generated(language, entry)
            group, own_category = (name, category) if parted else (None, None)
            parts.append(OwnPart(config, language, len(rows), group, own_category, _chance(rows)))
    return parts


def _require_use(entry: TaskEntry, forms: list[str]) -> None:
    """Raises ConfigError for settings of a form that no row has, and examples of one that"
    " shows none."""
    if entry.normalize is not None and "short" not in forms:
        raise ConfigError("normalize: is for short answers, and every row has options: leave it out")
    if entry.aliases and "short" not in forms:
        raise ConfigError("aliases: is for short answers, and every row has options: leave it out")
    if entry.form == "logprobs" and "choice" not in forms:
        raise ConfigError("form: logprobs needs options to compare, and no row has any: leave it out")
    if entry.form == "generated" and entry.fewshot and "choice" in forms:
        raise ConfigError(
            "form: generated asks without examples (the model may reason first): leave out"
            f" fewshot: {entry.fewshot}"
        )


def _require_examples(entry: TaskEntry, rows: int, category: str | None) -> None:
    """Raises ConfigError where there are fewer other rows than examples are asked for."""
    if entry.fewshot and entry.fewshot >= rows:
        what = f"the category {category!r} has" if category is not None else "there are"
        way_out = ', or category: "" to take them from the whole file' if category is not None else ""
        raise ConfigError(
            f"fewshot: {entry.fewshot} needs {entry.fewshot + 1} rows, {what} {rows}: say at most"
            f" {rows - 1}{way_out}"
        )


def _chance(rows: list[dict[str, Any]]) -> float | None:
    """The mean of 1 / options over the rows; None where answers are written in words."""
    if "choices" not in rows[0]:
        return None
    return sum(1 / len(row["choices"]) for row in rows) / len(rows)


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


def _generated(language: str, entry: TaskEntry) -> dict[str, Any]:
    steps = steps_of(entry.normalize)
    return {
        "output_type": "generate_until",
        "doc_to_text": "问题：{{question}}\n答案："
        if language == "zh"
        else "Question: {{question}}\nAnswer:",
        "doc_to_target": "answer",
        "target_delimiter": "" if language == "zh" else " ",
        "generation_kwargs": {"until": ["\n"], "do_sample": False, "temperature": 0.0, "max_gen_toks": 256},
        "filter_list": [
            {
                "name": filter_name(steps),
                "filter": [{"function": "remove_whitespace"}, {"function": "take_first"}],
            }
        ],
        "process_results": functools.partial(mark, steps=steps),
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
    }

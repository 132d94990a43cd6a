"""lm-eval's samples in each layout that 0.4 has written.

| version | file | content |
|---|---|---|
| 0.4.0–0.4.2 | ``<model args>_<task>.jsonl`` beside ``results.json`` | one JSON list |
| 0.4.3 | ``samples_<task>_<stamp>.json`` beside ``results_<stamp>.json`` | one JSON list |
| since | ``samples_<task>_<stamp>.jsonl`` | one object per line |
| `simple_evaluate` as JSON | ``samples`` in the results themselves | lists by task |

The first two name neither a sample's filter nor its metrics.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import ConfigError

STAMP = re.compile(r"^results_(?P<stamp>.+)\.json$")
Metrics = Mapping[str, Sequence[tuple[str, str]]]
"""(metric, filter) of each task's results, in their order."""
Sample = dict[str, Any]


def read_samples(results: Path, inline: Any, tasks: Metrics) -> dict[str, list[Sample]]:
    """Samples by task, each with ``filter`` and ``metrics``; tasks without samples are not there.

    ``inline`` is what the results file itself holds. Raises ConfigError, with file and line or
    number, where samples are cut short or none.
    """
    by_task: dict[str, list[Sample]] = {}
    if isinstance(inline, dict):
        for task, samples in inline.items():
            if task in tasks and isinstance(samples, list) and samples:
                by_task[task] = _checked(f"{results}: samples of {task}", samples)

    # What the results hold belongs to them; a file beside them may be of another evaluation.
    for task, file in _files(results, tasks):
        if task not in by_task:
            by_task[task] = _read(file)
    return {task: _completed(samples, tasks[task]) for task, samples in by_task.items() if samples}


def _files(results: Path, tasks: Metrics) -> Iterator[tuple[str, Path]]:
    """Samples of the same stamp beside the results; without a stamp, files that end in a task's name."""
    stamped = STAMP.match(results.name)
    if stamped is not None:
        for task in tasks:
            names = [
                f"samples_{name}_{stamped['stamp']}{suffix}"
                for name in (task, re.sub(r"\W", "_", task))
                for suffix in (".jsonl", ".json")
            ]
            file = next((file for name in names if (file := results.with_name(name)).exists()), None)
            if file is not None:
                yield task, file
        return

    # One task's name may end in another's: the longest that fits is meant.
    beside = sorted(file for file in results.parent.glob("*.json*") if file != results)
    for file in beside:
        ending = [task for task in tasks if file.stem == task or file.stem.endswith(f"_{task}")]
        if ending:
            yield max(ending, key=len), file


def _read(path: Path) -> list[Sample]:
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if text.lstrip().startswith("["):
        try:
            return _checked(str(path), json.loads(text))
        except ValueError as error:
            raise ConfigError(f"{path}: not JSON: the file was cut short? ({error})") from error

    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            rows += _checked(f"{path}:{number}", [json.loads(line)])
        except ValueError as error:
            raise ConfigError(f"{path}:{number}: not JSON: the file was cut short? ({error})") from error
    return rows


def _checked(where: str, rows: list[Any]) -> list[Sample]:
    """Raises ConfigError for what is no sample."""
    for number, row in enumerate(rows, start=1):
        at = where if len(rows) == 1 else f"{where}, sample {number}"
        if not isinstance(row, dict) or "doc_id" not in row:
            raise ConfigError(f"{at}: no sample of lm-eval: doc_id is missing")
        doc = row["doc_id"]
        if isinstance(doc, bool) or not isinstance(doc, int | str) or not str(doc).isdigit():
            raise ConfigError(f"{at}: doc_id must be a whole number, got {doc!r}")
    return rows


def _completed(samples: Sequence[Sample], metrics: Sequence[tuple[str, str]]) -> list[Sample]:
    """Samples with their filter and metrics.

    Older ones name neither: a document that is there several times went through the filters in the
    order of the results, and its metrics are those of the results that it has.
    """
    filters = list(dict.fromkeys(name for _, name in metrics)) or ["none"]
    times: dict[int, int] = {}

    completed = []
    for sample in samples:
        doc = int(sample["doc_id"])
        time = times[doc] = times.get(doc, -1) + 1
        name = sample.get("filter") or filters[min(time, len(filters) - 1)]
        own = sample.get("metrics")
        if not isinstance(own, list):
            own = [metric for metric, one in metrics if one == name and metric in sample]
        completed.append(sample | {"filter": name, "metrics": own})
    return completed

"""lm-eval's samples in each layout that 0.4 has written.

| version | file | content |
|---|---|---|
| 0.4.0–0.4.2 | ``<model args>_<task>.jsonl`` beside ``results.json`` | one JSON list; no filter, no
  list of
  metrics |
| 0.4.3 | ``samples_<task>_<stamp>.json`` beside ``results_<stamp>.json`` | one JSON list; no
  filter, no list
  of metrics |
| since | ``samples_<task>_<stamp>.jsonl`` | an object a line |
| `simple_evaluate` as JSON | ``samples`` in the results themselves | lists by task |
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
    place, where samples are cut short or none.
    """
    found: dict[str, list[Sample]] = {}
    if isinstance(inline, dict):
        for task, samples in inline.items():
            if task in tasks and isinstance(samples, list) and samples:
                found[task] = _checked(f"{results}: samples of {task}", samples)
    for task, file in _files(results, tasks):
        if task not in found:
            found[task] = _read(file)
    return {task: _completed(samples, tasks[task]) for task, samples in found.items() if samples}


def _files(results: Path, tasks: Metrics) -> Iterator[tuple[str, Path]]:
    """Samples of the same stamp beside the results; where results have no stamp, files that end in
    a task's name.
    """
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
    for place, row in enumerate(rows, start=1):
        at = where if len(rows) == 1 else f"{where}, sample {place}"
        if not isinstance(row, dict) or "doc_id" not in row:
            raise ConfigError(f"{at}: no sample of lm-eval: doc_id is missing")
        doc = row["doc_id"]
        if isinstance(doc, bool) or not isinstance(doc, int | str) or not str(doc).isdigit():
            raise ConfigError(f"{at}: doc_id must be a whole number, got {doc!r}")
    return rows


def _completed(samples: Sequence[Sample], metrics: Sequence[tuple[str, str]]) -> list[Sample]:
    """Samples with their filter and metrics. Older ones say neither: a document that stands there
    several times went through the filters in the order of the results, and its metrics are those of
    the results that it has.
    """
    filters = list(dict.fromkeys(name for _, name in metrics)) or ["none"]
    times: dict[int, int] = {}
    found = []
    for sample in samples:
        doc = int(sample["doc_id"])
        time = times[doc] = times.get(doc, -1) + 1
        name = sample.get("filter") or filters[min(time, len(filters) - 1)]
        named = sample.get("metrics")
        if not isinstance(named, list):
            named = [metric for metric, one in metrics if one == name and metric in sample]
        found.append(sample | {"filter": name, "metrics": named})
    return found

"""Results and samples as data frames, with the same columns and rules as the tables."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.analysis.primary import primary
from harness.analysis.selection import Selection
from harness.config.problems import suggest
from harness.errors import ConfigError
from harness.reporting.records import fields
from harness.reporting.table import ScoreTable, make_table
from harness.results.query import Run, read_results, read_run
from harness.results.samples import read_columns
from harness.results.schema import Row

if TYPE_CHECKING:
    import pandas

KEPT = (
    "doc_id",
    "filter",
    "item",
    "metrics",
    "answer",
    "target",
    "logprobs",
    "rules",
    "finish",
    "truncated",
    "empty",
    "unparsable",
    "tied",
    "tokens_prompt",
    "tokens_output",
    "seconds",
)
"""Columns of a samples file that are always read; whole texts are read only when asked for."""
TEXTS = ("prompt", "responses")
SAMPLES = (
    *("run", "model", "task", "language", "key", "doc_id", "metric", "filter", "score", "correct", "answer"),
    *("gold", "pick", "finish", "truncated", "empty", "unparsable", "tied", "tokens_prompt"),
    *("tokens_output", "seconds"),
)
"""Columns of the samples' frame, before the whole texts."""


def results_frame(paths: Sequence[str | Path], *, averages: bool = False) -> pandas.DataFrame:
    """One row per (cell, metric, filter); with ``averages`` those of groups and languages, too.

    ``kind`` tells them apart, ``primary`` marks the metric and filter that a table shows. Raises
    ConfigError, RunFolderError.
    """
    import pandas

    results = [read_results(path) for path in paths]
    table = make_table(results)
    inside = {task for one in results for group in one.groups for task in (*group.tasks, *group.missing)}
    rows = []
    for row in table.records:
        # A subject counts into its group already: a mean over both would count it twice.
        if row["kind"] == "task" and row["task"] in inside:
            row = {**row, "kind": "subject"}
        if averages or row["kind"] != "group":
            rows.append(row)

    if averages:
        rows += _averages(table)
    return pandas.DataFrame(rows, columns=list(fields()))


def _averages(table: ScoreTable) -> Iterator[dict[str, Any]]:
    """Each language's average of each model, as the table shows it; none where a part is missing."""
    for line in (line for line in table.lines if line.kind == "average"):
        for column, figure in zip(table.columns, line.figures, strict=True):
            low, high = figure.ci95 if figure.ci95 is not None else (None, None)
            facts = {
                "run": column.run,
                "model": column.row.model,
                "task": f"average_{line.language}",
                "language": line.language,
                "metric": "average",
                "value": figure.value,
                "ci95_lo": low,
                "ci95_hi": high,
                "higher_is_better": True,
                "n": figure.n,
                "status": figure.status,
                "reason": f"{figure.missing} of its tasks gave no value" if figure.missing else figure.apart,
                "kind": "average",
                "weights": column.row.weights,
                "primary": True,
            }
            yield {name: facts.get(name) for name in fields()}


def samples_frame(
    paths: Sequence[str | Path],
    *,
    models: Collection[str] | None = None,
    tasks: Collection[str] | None = None,
    texts: bool = False,
) -> pandas.DataFrame:
    """One row per item of each cell, scored by the metric and filter that its task's table shows.

    ``models`` and ``tasks`` keep those of these names; ``texts`` adds prompts and whole responses.
    Raises ConfigError for a name that no run holds, RunFolderError for runs without samples.
    """
    import pandas

    runs = [read_run(path) for path in paths]
    rows = [row for run in runs for row in run.results.rows]
    _require("model", models, [row.model for row in rows])
    _require("task", tasks, [row.task for row in rows])

    # Over all runs, so that one task has one metric in the whole frame.
    selection = Selection([run.results for run in runs])
    samples: list[dict[str, Any]] = []
    for run in runs:
        for row in _cells(run, models, tasks):
            key = primary(row.task, selection.of(row.task))
            path = run.folder.samples(row.model, row.task)
            facts = {"run": run.results.name, "model": row.model, "task": row.task, "language": row.language}
            samples += [facts | sample for sample in _items(path, key, texts=texts)]
    frame = pandas.DataFrame(samples, columns=[*SAMPLES, *(TEXTS if texts else ())])

    # Types that know a missing value: a graded score is neither right nor wrong.
    return frame.astype({"correct": "boolean", "pick": "Int64", "score": "float64"})


def _require(kind: str, names: Collection[str] | None, present: Sequence[str]) -> None:
    """Raises ConfigError for the first name that is not there: an empty frame would be no answer."""
    for name in names or ():
        if name not in present:
            raise ConfigError(f"no {kind} {name!r} in these runs{suggest(name, present)}")


def _cells(run: Run, models: Collection[str] | None, tasks: Collection[str] | None) -> list[Row]:
    """One row per chosen cell that gave a value, in the results' order."""
    cells: dict[tuple[str, str], Row] = {}
    for row in run.results.rows:
        chosen = (models is None or row.model in models) and (tasks is None or row.task in tasks)
        if chosen and row.value is not None:
            cells.setdefault((row.model, row.task), row)
    return list(cells.values())


def _items(path: Path, key: tuple[str, str] | None, *, texts: bool) -> Iterator[dict[str, Any]]:
    """A cell's rows under one filter."""
    metric, filter_name = key if key is not None else (None, None)
    columns = read_columns(path, (*KEPT, *(TEXTS if texts else ())), filter_name)
    for values in zip(*columns.values(), strict=True):
        sample = dict(zip(columns, values, strict=True))
        score = _score(sample["metrics"], metric)
        flat = {
            "key": sample["item"] if sample["item"] is not None else str(sample["doc_id"]),
            "metric": metric,
            "score": score,
            "correct": bool(score) if score in (0.0, 1.0) else None,
            "gold": sample["target"],
            "pick": _pick(sample["logprobs"], sample["rules"]),
            "finish": ", ".join(sample["finish"] or ()) or None,
        }
        yield sample | flat


def _score(metrics: str | None, metric: str | None) -> float | None:
    value = json.loads(metrics or "{}").get(metric)
    return float(value) if isinstance(value, int | float) and not math.isnan(value) else None


def _pick(logprobs: Sequence[float] | None, rules: Sequence[str] | None) -> int | None:
    """The option (from 0) of the highest log-probability; None where there is one option or none,
    or where options are scored by rules of their own.
    """
    if not logprobs or len(logprobs) < 2 or rules:
        return None
    return max(range(len(logprobs)), key=logprobs.__getitem__)

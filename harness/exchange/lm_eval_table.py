"""The table that lm-eval prints, as people keep it in logs and posts."""

from __future__ import annotations

import re
from pathlib import Path

from harness.errors import ConfigError
from harness.exchange.lm_eval_records import Evaluation, TaskMetrics

MODEL_KEYS = ("pretrained", "model", "path")
CALL = re.compile(
    r"^\s*(?P<source>[\w-]+) \((?P<args>.*?)\), gen_kwargs: \((?P<gen>.*)\), "
    r"limit: (?P<limit>\S+), num_fewshot: (?P<shots>\S+),"
)


def read_table(path: Path, text: str) -> Evaluation:
    """The table that lm-eval prints: |Tasks|Version|Filter|n-shot|Metric| |Value| |Stderr|."""
    evaluation = Evaluation(None, {}, {})
    name, scores = "", TaskMetrics()
    columns: list[str] = []
    for line in text.splitlines():
        _read_call(evaluation, line)
        cells = _table_cells(line)

        # Its second table is of groups, which repeat what the tasks say.
        if cells and cells[0] in ("Tasks", "Groups"):
            columns = cells if cells[0] == "Tasks" else []
        elif columns and len(cells) == len(columns) and not set(line) <= set("|-: "):
            row = dict(zip(columns, cells, strict=True))
            # Only the first line of a task has its name.
            if cells[0]:
                name = cells[0].lstrip("- ")
                scores = TaskMetrics(version=row.get("Version"), fewshot=_digits(row.get("n-shot")))
            _add_line(evaluation, name, scores, row, cells)

    if not evaluation.tasks:
        raise ConfigError(
            f"{path}: neither a results file nor a table that lm-eval printed "
            "(|Tasks|Version|Filter|n-shot|Metric|…)"
        )
    return evaluation


def _read_call(evaluation: Evaluation, line: str) -> None:
    """Takes model and settings from the line above the table, in which lm-eval repeats its call."""
    call = CALL.match(line)
    if call is not None:
        evaluation.model = argument(call["args"], MODEL_KEYS)
        evaluation.facts = {
            "source": call["source"],
            "model_args": call["args"],
            "gen_kwargs": call["gen"],
            "limit": None if call["limit"] == "None" else float(call["limit"]),
        }


def _table_cells(line: str) -> list[str]:
    if not line.lstrip().startswith("|"):
        return []
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _add_line(
    evaluation: Evaluation, name: str, scores: TaskMetrics, row: dict[str, str], cells: list[str]
) -> None:
    try:
        value = float(row.get("Value", ""))
    except ValueError:
        return  # a group's line without a value of its own

    error = cells[-1]
    metric, filter_name = row["Metric"], row.get("Filter") or "none"
    scores.metrics[metric, filter_name] = (
        value,
        float(error) if re.fullmatch(r"[\d.eE+-]+", error) else None,
    )
    scores.better[metric] = "↓" not in cells
    evaluation.tasks[name] = scores


def _digits(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def argument(args: str, names: tuple[str, ...]) -> str | None:
    """The first of these arguments in lm-eval's --model_args, as text or as a printed dict."""
    for name in names:
        match = re.search(rf"(?:^|[,{{'\"\s]){name}['\"]?\s*[=:]\s*['\"]?([^,'\"}}]+)", args)
        if match is not None:
            return match[1].strip()
    return None

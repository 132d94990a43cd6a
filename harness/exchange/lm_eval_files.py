"""What lm-eval 0.4 leaves behind, read as plain data: ``results_*.json`` with its samples
(`lm_eval_samples`), or only a printed table.

Nothing of lm-eval is imported. Keys and their meaning: its ``loggers/evaluation_tracker.py`` and
``evaluator.py``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.exchange.lm_eval_samples import read_samples
from harness.names import tidy
from harness.textfiles import Unreadable, check_encoding
from harness.wording import reason_of

MODEL_KEYS = ("pretrained", "model", "path")
CALL = re.compile(
    r"^\s*(?P<source>[\w-]+) \((?P<args>.*?)\), gen_kwargs: \((?P<gen>.*)\), "
    r"limit: (?P<limit>\S+), num_fewshot: (?P<shots>\S+),"
)


@dataclass
class TaskMetrics:
    """One task's metrics: (metric, filter) to (value, standard error); examples; documents where
    they are known.
    """

    metrics: dict[tuple[str, str], tuple[float, float | None]] = field(default_factory=dict)
    fewshot: int | None = None
    version: str | None = None
    n: int = 0
    better: dict[str, bool] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)


@dataclass
class Evaluation:
    """One evaluation of one model.

    ``samples`` by task where they were logged; ``groups`` name their leaf tasks.
    """

    model: str | None
    facts: dict[str, Any]
    tasks: dict[str, TaskMetrics]
    groups: dict[str, TaskMetrics] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    created: str | None = None
    notes: list[str] = field(default_factory=list)


def read_evaluation(path: Path) -> Evaluation:
    """An evaluation out of a results file, a folder with one, or a text with a printed table.

    Samples are looked for beside a results file. Raises ConfigError.
    """
    notes: list[str] = []
    if path.is_dir():
        path, notes = _newest(path)

    try:
        check_encoding(path)
        text = path.read_text(encoding="utf-8-sig")
    except Unreadable as error:
        raise ConfigError(f"{path}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {reason_of(error)}") from error

    # What was copied from a terminal has no extension to go by; what lm-eval writes ends in .json.
    if path.suffix != ".json":
        return _table(path, text)
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("results"), dict) or "configs" not in data:
        raise ConfigError(f"{path}: no results of lm-eval 0.4: expected the keys results and configs")
    evaluation = _from_json(_tidied(path, data))
    evaluation.notes = notes
    evaluation.samples = read_samples(
        path, data.get("samples"), {name: list(scores.metrics) for name, scores in evaluation.tasks.items()}
    )
    return evaluation


def _tidied(path: Path, data: dict[str, Any]) -> dict[str, Any]:
    """Task names as they are compared (`names.tidy`) in every part that goes by them.

    Raises ConfigError where two become one.
    """
    parts = ("results", "configs", "versions", "n-shot", "n-samples", "higher_is_better", "samples")
    changed = {}
    for part in parts:
        by_name = data.get(part)
        if not isinstance(by_name, dict):
            continue

        changed[part] = {tidy(name): value for name, value in by_name.items()}
        if len(changed[part]) < len(by_name):
            raise ConfigError(
                f"{path}: two tasks under {part} have names that differ by spaces or width alone; rename one"
            )
    return data | changed


def _newest(folder: Path) -> tuple[Path, list[str]]:
    """(the newest results, a note where there are older ones).

    Raises ConfigError where there are none, or some in several folders (which are several models).
    """
    files = sorted(folder.rglob("results_*.json")) or sorted(folder.rglob("results.json"))
    if not files:
        raise ConfigError(
            f"{folder}: holds no results_*.json of lm-eval; name the file itself if it is called otherwise"
        )

    folders = sorted({file.parent for file in files})
    if len(folders) > 1:
        names = ", ".join(str(one.relative_to(folder)) for one in folders[:6])
        raise ConfigError(
            f"{folder}: holds results in {len(folders)} folders ({names}); import one of them at a time"
        )

    # Their names end in a date and time, so the last by name is the newest.
    newest = files[-1]
    note = (
        f"{newest.name} is taken, the newest of {len(files)} results in {folders[0]}; "
        "name another file to import it"
    )
    return newest, [note] if len(files) > 1 else []


def _from_json(data: dict[str, Any]) -> Evaluation:
    config = data.get("config") or {}

    # lm-eval writes groups among the tasks; only tasks have a config.
    tasks = {name: _scores(data, name) for name in data["results"] if name in data["configs"]}
    groups = {name: _scores(data, name) for name in data["results"] if name not in data["configs"]}
    facts = {
        "lm_eval": data.get("lm_eval_version"),
        "model_args": config.get("model_args"),
        "dtype": config.get("model_dtype"),
        "sha": config.get("model_sha") or None,
        "revision": config.get("model_revision"),
        "parameters": config.get("model_num_parameters"),
        "source": data.get("model_source") or config.get("model"),
        "device": config.get("device"),
        "limit": config.get("limit"),
        "gen_kwargs": config.get("gen_kwargs"),
        "seeds": {
            name: config.get(name) for name in ("random_seed", "numpy_seed", "torch_seed", "fewshot_seed")
        },
        "chat": bool(data.get("chat_template")),
        "system_prompt": data.get("system_instruction"),
        "multiturn": data.get("fewshot_as_multiturn"),
        "git_hash": data.get("git_hash"),
        "seconds": data.get("total_evaluation_time_seconds"),
    }

    return Evaluation(
        model=data.get("model_name") or _named(config.get("model_args")),
        facts=facts,
        tasks=tasks,
        groups={name: scores for name, scores in groups.items() if scores.metrics},
        members={name: _leaves(name, data.get("group_subtasks") or {}) for name in groups},
        created=_when(data.get("date")),
    )


def _named(args: Any) -> str | None:
    """The model in lm-eval's --model_args, which older results say alone."""
    if isinstance(args, dict):
        return next((str(args[name]) for name in MODEL_KEYS if args.get(name)), None)
    return _argument(args, MODEL_KEYS) if isinstance(args, str) else None


def _leaves(group: str, subtasks: dict[str, list[str]]) -> list[str]:
    leaves: list[str] = []
    for name in subtasks.get(group, []):
        leaves += _leaves(name, subtasks) if subtasks.get(name) else [name]
    return leaves


def _when(date: Any) -> str | None:
    import datetime

    if not isinstance(date, int | float):
        return None
    return datetime.datetime.fromtimestamp(date, datetime.UTC).isoformat(timespec="seconds")


def _scores(data: dict[str, Any], name: str) -> TaskMetrics:
    row = data["results"][name]
    scores = TaskMetrics(
        fewshot=_whole((data.get("n-shot") or {}).get(name)),
        version=str((data.get("versions") or {}).get(name)),
        n=_count((data.get("n-samples") or {}).get(name)),
        better={
            metric: better is not False
            for metric, better in ((data.get("higher_is_better") or {}).get(name) or {}).items()
        },
        config=(data.get("configs") or {}).get(name) or {},
    )

    # A score's key is "metric,filter"; what has no comma describes the row (alias, sample length).
    for key, value in row.items():
        metric, comma, filter_name = key.partition(",")
        if (
            comma
            and not metric.endswith("_stderr")
            and isinstance(value, int | float)
            and not isinstance(value, bool)
        ):
            error = row.get(f"{metric}_stderr,{filter_name}")
            scores.metrics[metric, filter_name] = (
                float(value),
                float(error) if isinstance(error, int | float) else None,
            )
    return scores


def _count(value: Any) -> int:
    """Documents: ``{"original": …, "effective": …}``, or a number; 0 where it is not known."""
    return _whole(value.get("effective") if isinstance(value, dict) else value) or 0


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _table(path: Path, text: str) -> Evaluation:
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
        evaluation.model = _argument(call["args"], MODEL_KEYS)
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


def _argument(args: str, names: tuple[str, ...]) -> str | None:
    for name in names:
        match = re.search(rf"(?:^|[,{{'\"\s]){name}['\"]?\s*[=:]\s*['\"]?([^,'\"}}]+)", args)
        if match is not None:
            return match[1].strip()
    return None

"""What lm-eval 0.4 leaves behind, read as plain data.

``results_*.json`` with its samples (`lm_eval_samples`), or only a printed table.

Nothing of lm-eval is imported. Keys and their meaning: its ``loggers/evaluation_tracker.py`` and
``evaluator.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.exchange.lm_eval_records import Evaluation, TaskMetrics
from harness.exchange.lm_eval_samples import read_samples
from harness.exchange.lm_eval_table import MODEL_KEYS, argument, read_table
from harness.names import tidy
from harness.textfiles import Unreadable, check_encoding
from harness.wording import reason_of


def read_evaluation(path: Path) -> Evaluation:
    """An evaluation out of a results file, a folder with one, or a text with a printed table.

    Samples are looked for beside a results file. Raises ConfigError.
    """
    files = results_files(path)
    if len(files) > 1:
        names = ", ".join(str(file.relative_to(path)) for file in list(files)[:6])
        raise ConfigError(f"{path}: holds {len(files)} evaluations ({names}); name one of them")
    path, notes = next(iter(files.items()))

    try:
        check_encoding(path)
        text = path.read_text(encoding="utf-8-sig")
    except Unreadable as error:
        raise ConfigError(f"{path}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {reason_of(error)}") from error

    # What was copied from a terminal has no extension to go by; what lm-eval writes ends in .json.
    if path.suffix != ".json":
        return read_table(path, text)
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


def results_files(path: Path, *, every: bool = False) -> dict[Path, list[str]]:
    """The results to read at a path, each with notes: the file itself, or those of a folder.

    lm-eval keeps one folder per model and one dated file per evaluation. Of several files of one
    model the newest counts, and an older one only for tasks that no newer one has; ``every`` takes
    them all. Raises ConfigError where there are none.
    """
    if not path.is_dir():
        return {path: []}
    files = sorted(path.rglob("results_*.json")) or sorted(path.rglob("results.json"))
    if not files:
        raise ConfigError(
            f"{path}: holds no results_*.json of lm-eval; name the file itself if it is called otherwise"
        )
    if every or len(files) == 1:
        return {file: [] for file in files}

    by_model: dict[tuple[Path, str | None], list[tuple[Path, set[str]]]] = {}
    for file in files:
        model, tasks = _contents(file)
        by_model.setdefault((file.parent, model), []).append((file, tasks))
    return {
        file: notes for (folder, _), mine in by_model.items() for file, notes in _newest(folder, mine).items()
    }


def _newest(folder: Path, files: list[tuple[Path, set[str]]]) -> dict[Path, list[str]]:
    """The newest of one model's files, and older ones with tasks of their own; a note on the rest."""
    chosen: dict[Path, list[str]] = {}
    covered: set[str] = set()
    # Their names end in a date and time, so the last by name is the newest.
    for file, tasks in reversed(files):
        if not chosen or not tasks <= covered:
            chosen[file] = []
            covered |= tasks

    if len(chosen) < len(files):
        newest = next(iter(chosen))
        chosen[newest].append(
            f"{newest.name} is taken, the newest of {len(files)} results in {folder}; --all takes the "
            "others, too"
        )
    return chosen


def _contents(file: Path) -> tuple[str | None, set[str]]:
    """The model and the tasks of a results file; nothing of one that cannot be read, which reading
    it says.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8-sig"))
        config = data.get("config") or {}
        return data.get("model_name") or _named(config.get("model_args")), set(data["results"])
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return None, {file.name}


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
    return argument(args, MODEL_KEYS) if isinstance(args, str) else None


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

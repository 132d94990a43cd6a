"""Groups of lm-eval's result files: the interval and the score above chance of their tasks, also
where a group holds groups.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.comparison import compare
from harness.exchange.imported import import_lm_eval
from harness.results.query import read_run


def write(path: Path) -> Path:
    """lm-eval's results of a group of two groups, all tasks all right."""
    tasks = {"bbh_a": (20, "acc_norm"), "bbh_b": (20, "acc_norm"), "math_a": (50, "exact_match")}
    results: dict[str, Any] = {
        task: {"alias": task, f"{metric},none": 1.0, f"{metric}_stderr,none": 0.0}
        for task, (_, metric) in tasks.items()
    }
    groups = {
        "board_bbh": {"acc_norm,none": 1.0, "acc_norm_stderr,none": 0.0},
        "board": {"acc_norm,none": 1.0, "exact_match,none": 1.0},
    }

    # "board" holds a group and a task of another metric, as the leaderboard's does.
    data = {
        "results": results | groups,
        "groups": groups,
        "group_subtasks": {"board": ["board_bbh", "math_a"], "board_bbh": ["bbh_a", "bbh_b"]},
        "configs": {task: {"task": task, "output_type": "multiple_choice"} for task in tasks},
        "versions": dict.fromkeys(tasks, 1.0),
        "n-shot": dict.fromkeys(tasks, 0),
        "higher_is_better": {task: {metric: True} for task, (_, metric) in tasks.items()},
        "n-samples": {task: {"original": n, "effective": n} for task, (n, _) in tasks.items()},
        "config": {"model": "hf", "model_args": "pretrained=org/one"},
        "model_name": "org/one",
        "date": 1750000000.0,
    }
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_an_imported_group_all_right_has_a_width(tmp_path: Path) -> None:
    imported = import_lm_eval(write(tmp_path / "results_2025.json"), model="one", out=tmp_path / "run")
    rows = {(row.group, row.metric): row for row in imported.results.groups}
    assert set(rows) == {("board_bbh", "acc_norm"), ("board", "acc_norm"), ("board", "exact_match")}
    low, high = rows["board_bbh", "acc_norm"].ci95 or (1.0, 1.0)
    assert low < 0.95
    assert high == 1.0
    assert rows["board", "exact_match"].tasks == ["math_a"]

    comparison = compare([read_run(imported.folder)])
    assert [scope.name for scope in comparison.scopes if scope.kind in ("group", "task")] == [
        "board_bbh",
        "math_a",
    ]
    scope = comparison.scope("board_bbh")
    assert scope is not None
    assert scope.scores[0].ci95 == pytest.approx(rows["board_bbh", "acc_norm"].ci95)

"""The index on lm-eval's real group ``leaderboard``, all its sub-groups and tasks with made-up
scores; and MuSR's published check figure.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.analysis.comparison import compare
from harness.analysis.index import indices, load_weights
from harness.cli.main import app
from harness.config.schema import TaskEntry
from harness.tasks.api import Expansion, GroupSpec
from harness.tasks.expansion import expand

OPTIONS = {
    "leaderboard_bbh": {
        2: (
            "boolean_expressions causal_judgement formal_fallacies hyperbaton navigate snarks"
            " sports_understanding web_of_lies"
        ),
        3: "disambiguation_qa logical_deduction_three_objects tracking_shuffled_objects_three_objects",
        4: "temporal_sequences",
        5: "logical_deduction_five_objects penguins_in_a_table tracking_shuffled_objects_five_objects",
        6: "date_understanding movie_recommendation ruin_names salient_translation_error_detection",
        7: "logical_deduction_seven_objects tracking_shuffled_objects_seven_objects",
        11: "geometric_shapes",
        18: "reasoning_about_colored_objects",
        19: "object_counting",
    },
    "leaderboard_musr": {2: "murder_mysteries", 3: "team_allocation", 5: "object_placements"},
    "leaderboard_gpqa": {4: "diamond extended main"},
}
"""How many options the tasks have, as the leaderboard's documentation counts them (MMLU-Pro 10;
IFEval and MATH are generated).
"""
METRICS = {
    "leaderboard_mmlu_pro": "acc",
    "leaderboard_ifeval": "prompt_level_strict_acc",
    "leaderboard_math": "exact_match",
}


@pytest.fixture(scope="module")
def expansion() -> Expansion:
    return expand([TaskEntry(suite="leaderboard-v2")], limit=None, base_dir=Path())


def chance_of(task: str) -> float | None:
    for group, by_count in OPTIONS.items():
        for count, names in by_count.items():
            if task.removeprefix(f"{group}_") in names.split():
                return 1 / count
    return 0.1 if task == "leaderboard_mmlu_pro" else None


def made_up(
    expansion: Expansion, models: str
) -> tuple[dict[tuple[str, str], list[float]], dict[tuple[str, str], dict[str, Any]]]:
    source = random.Random(14)
    scores, options = {}, {}
    for task in expansion.tasks:
        n, p = source.randint(20, 60), source.uniform(0.3, 0.95)
        for model in models:
            metric = next(
                (metric for start, metric in METRICS.items() if task.name.startswith(start)), "acc_norm"
            )
            scores[model, task.name] = [float(source.random() < p) for _ in range(n)]
            options[model, task.name] = {"chance": chance_of(task.name), "metric": metric, "language": "en"}
    return scores, options


def normalised(values: Mapping[str, float], names: list[str], weights: Mapping[str, int] | None) -> float:
    """By hand, as the leaderboard's page has it: each sub-task brought to 0–100, then their mean; a
    group of one chance level as a whole.
    """
    if weights is not None:
        whole = sum(values[name] * weights[name] for name in names) / sum(weights[name] for name in names)
        chance = chance_of(names[0]) or 0.0
        return max(0.0, whole - chance) / (1 - chance) * 100
    parts = [
        max(0.0, values[name] - (chance_of(name) or 0.0)) / (1 - (chance_of(name) or 0.0)) * 100
        for name in names
    ]
    return sum(parts) / len(parts)


def test_lm_evals_group_is_whole(expansion: Expansion) -> None:
    sizes = {group.name: len(group.members) for group in expansion.groups}
    assert sizes == {
        "leaderboard": 39,
        "leaderboard_bbh": 24,
        "leaderboard_gpqa": 3,
        "leaderboard_math_hard": 7,
        "leaderboard_musr": 3,
    }
    assert sum(chance_of(task.name) is not None for task in expansion.tasks) == 24 + 3 + 3 + 1


def test_the_index_has_every_part(make: Any, expansion: Expansion, tmp_path: Path) -> None:
    scores, options = made_up(expansion, "ab")
    run = make("claim", scores, options, groups=expansion.groups)
    values = {task: sum(mine) / len(mine) for (model, task), mine in scores.items() if model == "a"}
    sizes = {task: len(mine) for (model, task), mine in scores.items() if model == "a"}
    members = {group.name: list(group.members) for group in expansion.groups}
    expected = {
        "instructions": 100 * values["leaderboard_ifeval"],
        "reasoning": normalised(values, members["leaderboard_bbh"], None),
        "maths": normalised(values, members["leaderboard_math_hard"], sizes),
        "science": normalised(values, members["leaderboard_gpqa"], sizes),
        "soft reasoning": normalised(values, members["leaderboard_musr"], None),
        "knowledge": normalised(values, ["leaderboard_mmlu_pro"], None),
    }
    found = compare([run])
    (index,) = indices(found, load_weights("open-llm-v2"))[0]
    assert index.parts == pytest.approx(expected)
    assert index.value == pytest.approx(sum(expected.values()) / 6)
    assert index.ci95 is not None
    assert index.ci95[0] < index.value < index.ci95[1]  # type: ignore[operator]

    done = CliRunner().invoke(app, ["compare", str(run.folder.path), "--index", "open-llm-v2", "--json"])
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)["index"]["models"]
    assert {label: (one[0]["value"] is not None, one[0]["missing"]) for label, one in printed.items()} == {
        "a": (True, []),
        "b": (True, []),
    }


def test_sub_groups_stand_for_a_group_of_several_metrics(make: Any, expansion: Expansion) -> None:
    """The whole of ``leaderboard`` mixes four metrics: no score of its own, and its parts are not
    hidden by it.
    """
    scores, options = made_up(expansion, "ab")
    run = make("claim", scores, options, groups=expansion.groups)
    found = compare([run])
    tops = [scope.name for scope in found.scopes if scope.kind in ("task", "group")]
    assert sorted(tops) == sorted(
        f"leaderboard_{part}" for part in ("mmlu_pro", "bbh", "gpqa", "math_hard", "ifeval", "musr")
    )
    assert any(note.startswith("leaderboard has no score of its own") for note in found.notes)
    average = found.scope("English average")
    assert average is not None
    assert average.parts == 6
    bbh = found.scope("leaderboard_bbh")
    assert bbh is not None
    assert (bbh.parts, 0 in bbh.scores) == (24, True)
    whole = [row for row in run.results.groups if row.group == "leaderboard"]
    assert {row.metric for row in whole} == {"acc", "acc_norm", "exact_match", "prompt_level_strict_acc"}
    assert all(not row.missing for row in whole)
    table = CliRunner().invoke(app, ["report", str(run.folder.path)])
    assert table.exit_code == 0, table.output
    lines = [line for line in table.stdout.splitlines() if "leaderboard" in line]
    assert not any("missing" in line for line in lines)


@pytest.mark.parametrize("sizes", [(10, 10, 15), (250, 255, 240), (40, 10, 300)])
def test_musrs_check_is_35_in_all_three_places(
    make: Any, tmp_path: Path, sizes: tuple[int, int, int]
) -> None:
    """Open LLM Leaderboard 2, scores normalization: .7, .4 and .6 of 2, 5 and 3 options are 40, 25
    and 40, so MuSR is 35.
    """
    names = (
        "leaderboard_musr_murder_mysteries",
        "leaderboard_musr_object_placements",
        "leaderboard_musr_team_allocation",
    )
    scores, options = {}, {}
    for name, n, value, chance in zip(names, sizes, (0.7, 0.4, 0.6), (0.5, 0.2, 1 / 3), strict=True):
        right = round(value * n)
        assert right == pytest.approx(value * n)
        scores["a", name] = [1.0] * right + [0.0] * (n - right)
        options["a", name] = {"chance": chance, "metric": "acc_norm"}
    run = make("run", scores, options, groups=[GroupSpec("leaderboard_musr", names, True, ("acc_norm",))])
    (row,) = run.results.groups
    found = compare([run])
    scope = found.scope("leaderboard_musr")
    weights = tmp_path / "mine.yaml"
    weights.write_text(
        "name: m\nversion: 1\nlanguages: {en: {soft: {weight: 1, tasks: [leaderboard_musr]}}}",
        encoding="utf-8",
    )
    (index,) = indices(found, load_weights(str(weights)))[0]
    assert scope is not None
    assert row.corrected == pytest.approx(0.35)
    assert scope.scores[0].corrected == pytest.approx(0.35)
    assert index.value == pytest.approx(35.0)
    assert scope.scores[0].ci95 == row.ci95

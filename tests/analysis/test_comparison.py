"""Comparing runs: who is paired with whom, what is said of the others, groups, averages, several
runs of one model.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from harness.analysis.comparison import compare
from harness.cli.main import app
from harness.errors import ConfigError
from harness.results.query import Run
from harness.tasks.api import GroupSpec

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ROOT / "results" / "recorded" / "smoke"


def coins(seed: int, n: int, p: float) -> list[float]:
    source = random.Random(seed)
    return [float(source.random() < p) for _ in range(n)]


def test_a_task_is_compared_item_by_item(make: Any) -> None:
    a, b = coins(1, 80, 0.8), coins(2, 80, 0.5)
    found = compare([make("run", {("a", "zh_x"): a, ("b", "zh_x"): b})])
    (scope,) = found.scopes
    pair = scope.pairs[0, 1]
    assert pair.value == pytest.approx(np.mean(a) - np.mean(b))
    assert pair.n == 80
    assert pair.adjusted == pair.p
    assert scope.scores[0].corrected == pytest.approx((np.mean(a) - 0.25) / 0.75)


def test_runs_of_several_days_are_joined(make: Any) -> None:
    """One model's tasks from two runs, and of a task that both hold the longer answer."""
    first = make("monday", {("a", "zh_x"): coins(1, 20, 0.8), ("a", "zh_y"): coins(3, 50, 0.8)})
    second = make(
        "tuesday",
        {
            ("a", "zh_x"): coins(1, 60, 0.8),
            ("b", "zh_x"): coins(2, 60, 0.5),
            ("b", "zh_y"): coins(4, 40, 0.5),
        },
    )
    found = compare([first, second])
    assert [(model.label, model.runs) for model in found.models] == [
        ("a", ["monday", "tuesday"]),
        ("b", ["tuesday"]),
    ]
    assert {scope.name: scope.pairs[0, 1].n for scope in found.scopes if scope.kind == "task"} == {
        "zh_x": 60,
        "zh_y": 40,
    }
    average = found.scope("Chinese average")
    assert average is not None
    assert set(average.scores) == {0, 1}


def test_equal_names_of_other_weights_are_two_models(make: Any) -> None:
    one = make("one", {("a", "zh_x"): coins(1, 30, 0.8)})
    other = make("two", {("a", "zh_x"): coins(2, 30, 0.5)}, ids={"a": "other weights"})
    found = compare([one, other])
    assert [model.label for model in found.models] == ["a (one)", "a (two)"]
    assert found.place("a (two)") == 1
    with pytest.raises(ConfigError, match="no model is called 'a'"):
        found.place("a")


def test_only_equal_prompts_are_paired_and_others_are_told(make: Any) -> None:
    prompts = [
        {
            "prompt_id": "five",
            "task": "zh_x",
            "fewshot": 5,
            "chat": False,
            "generation": {"max_tokens": 16, "until": ["\n"]},
        },
        {
            "prompt_id": "none",
            "task": "zh_x",
            "fewshot": 0,
            "chat": True,
            "generation": {"max_tokens": 256, "until": ["\n"]},
        },
    ]
    scores = {(model, "zh_x"): coins(place, 40, 0.6) for place, model in enumerate("abc")}
    options = {
        ("a", "zh_x"): {"prompt": "five"},
        ("b", "zh_x"): {"prompt": "five"},
        ("c", "zh_x"): {"prompt": "none"},
    }
    found = compare([make("run", scores, options, {"tasks": {"zh_x": prompts}})])
    (scope,) = found.scopes
    assert list(scope.pairs) == [(0, 1)]
    assert scope.scores[2].value == pytest.approx(np.mean(scores["c", "zh_x"]))
    assert set(scope.ranks) == {0, 1}
    assert (
        scope.apart[2]
        == "examples 0 instead of 5; chat template on instead of off; max_tokens 256 instead of 16"
    )
    assert found.notes[0].startswith("c was not asked the same on zh_x: examples 0 instead of 5")


def test_without_a_manifest_it_is_said_that_nobody_knows(make: Any) -> None:
    scores = {("a", "zh_x"): coins(1, 20, 0.6), ("b", "zh_x"): coins(2, 20, 0.6)}
    found = compare([make("run", scores, {("b", "zh_x"): {"prompt": "other"}})])
    assert "a run's manifest does not say in what" in found.notes[0]


def test_shared_sources_widen_a_difference(make: Any) -> None:
    """Four questions a passage, answered alike: the paired error is twice that of single items."""
    passages = [str(doc // 4) for doc in range(80)]
    a = [float(value) for value in coins(1, 20, 0.8) for _ in range(4)]
    b = [float(value) for value in coins(2, 20, 0.5) for _ in range(4)]
    scores = {("a", "zh_x"): a, ("b", "zh_x"): b}
    clustered = (
        compare([make("run", scores, {key: {"clusters": passages} for key in scores})]).scopes[0].pairs[0, 1]
    )
    alone = compare([make("alone", scores)]).scopes[0].pairs[0, 1]
    assert clustered.clusters == 20
    assert clustered.stderr == pytest.approx(2 * (alone.stderr or 0), rel=0.05)
    assert clustered.mcnemar == alone.mcnemar
    assert clustered.p > alone.p  # type: ignore[operator]


def test_clusters_of_partly_shared_items_are_those_of_the_shared_ones(make: Any) -> None:
    passages = [str(doc // 2) for doc in range(40)]
    scores = {("a", "zh_x"): coins(1, 40, 0.8), ("b", "zh_x"): coins(2, 25, 0.5)}
    options = {("a", "zh_x"): {"clusters": passages}, ("b", "zh_x"): {"clusters": passages[:25]}}
    pair = compare([make("run", scores, options)]).scopes[0].pairs[0, 1]
    assert (pair.n, pair.clusters) == (25, 13)


def test_a_group_pools_its_subjects(make: Any) -> None:
    sizes = {"zh_s1": 20, "zh_s2": 60}
    scores = {
        (m, task): coins(len(m) + n + ord(m), n, p)
        for task, n in sizes.items()
        for m, p in (("a", 0.8), ("b", 0.4), ("c", 0.5))
    }
    del scores["c", "zh_s2"]
    found = compare([make("run", scores, groups=[GroupSpec("zh_group", ("zh_s1", "zh_s2"), True, ("acc",))])])
    group = found.scope("zh_group")
    assert group is not None
    assert [scope.kind for scope in found.scopes] == ["group", "subject", "subject"]
    everything = {m: scores[m, "zh_s1"] + scores[m, "zh_s2"] for m in "ab"}
    assert group.pairs[0, 1].value == pytest.approx(np.mean(everything["a"]) - np.mean(everything["b"]))
    only_a = sum(x > y for x, y in zip(everything["a"], everything["b"], strict=True))
    assert group.pairs[0, 1].only_a == only_a
    assert group.apart == {2: "without 1 of 2 subjects: not asked"}
    assert group.scores[2].value == pytest.approx(np.mean(scores["c", "zh_s1"]))
    assert group.order[-1] == 2
    assert set(group.ranks) == {0, 1}


def test_groups_within_a_group_have_all_their_tasks(make: Any) -> None:
    """lm-eval's mmlu holds mmlu_stem and others; two groups that share a task are both whole,
    too.
    """
    scores = {
        (m, f"zh_{task}"): coins(ord(m) + n, n, 0.7)
        for m in "ab"
        for task, n in (("s1", 20), ("s2", 30), ("s3", 40), ("s4", 50))
    }
    groups = [
        GroupSpec("stem", ("zh_s1", "zh_s2"), True, ("acc",)),
        GroupSpec("all", ("zh_s1", "zh_s2", "zh_s3"), True, ("acc",)),
        GroupSpec("other", ("zh_s3", "zh_s4"), False, ("acc",)),
    ]
    run = make("run", scores, groups=groups)
    found = compare([run])
    assert [(scope.name, scope.kind, scope.parts) for scope in found.scopes if scope.kind != "average"] == [
        ("all", "group", 3),
        ("stem", "subject", 2),
        ("zh_s1", "subject", 1),
        ("zh_s2", "subject", 1),
        ("zh_s3", "subject", 1),
        ("other", "group", 2),
        ("zh_s4", "subject", 1),
    ]
    for row in run.results.groups:
        scope = found.scope(row.group)
        assert scope is not None
        score = scope.scores[found.place(row.model)]
        assert (score.value, score.stderr) == pytest.approx((row.value, row.stderr))
        assert score.ci95 == pytest.approx(row.ci95)
        assert score.corrected == pytest.approx(row.corrected)


def test_all_right_and_all_wrong_groups_and_averages_have_a_width(make: Any) -> None:
    """Five tasks of 20: neither ±0 in the table, nor [1, 1], nor below 0."""
    names = [f"zh_s{number}" for number in range(5)]
    scores = {(m, name): [float(m == "a")] * 20 for m in "ab" for name in [*names, "zh_alone"]}
    run = make("run", scores, groups=[GroupSpec("zh_group", tuple(names), True, ("acc",))])
    found = compare([run])
    for name in ("zh_group", "Chinese average"):
        scope = found.scope(name)
        assert scope is not None
        (right_low, right_high), (wrong_low, wrong_high) = (
            scope.scores[place].ci95 or (0.0, 0.0) for place in (0, 1)
        )
        assert right_low < 0.98
        assert right_high == 1.0
        assert wrong_low == 0.0
        assert wrong_high > 0.02
    table = CliRunner().invoke(app, ["report", str(run.folder.path), "--all"]).stdout
    assert "±0.000" not in table
    assert "±0.02" in table


def test_missing_samples_leave_scores_and_a_note(make: Any) -> None:
    run: Run = make("run", {("a", "zh_x"): coins(1, 20, 0.6), ("b", "zh_x"): coins(2, 20, 0.6)})
    run.folder.samples("b", "zh_x").unlink()
    found = compare([run])
    assert not found.scopes[0].pairs
    assert set(found.scopes[0].scores) == {0, 1}
    assert not found.scopes[0].ranks
    assert found.notes[0].startswith("Not paired: ")
    assert "no samples" in found.notes[0]


def test_a_broken_samples_file_is_told(make: Any) -> None:
    run: Run = make("run", {("a", "zh_x"): coins(1, 20, 0.6), ("b", "zh_x"): coins(2, 20, 0.6)})
    run.folder.samples("b", "zh_x").write_bytes(b"PAR1 no")
    assert "cannot be read as samples" in compare([run]).notes[0]


def test_nothing_to_compare_is_an_error(make: Any) -> None:
    run: Run = make("run", {("a", "zh_x"): coins(1, 20, 0.6)})
    random_weights = run.results.model_copy(
        update={"models": [run.results.models[0].model_copy(update={"weights": "random"})]}
    )
    with pytest.raises(ConfigError, match="no model has a score here"):
        compare([Run(run.folder, random_weights)])


def test_every_format_of_the_recorded_run() -> None:
    texts = {
        form: CliRunner().invoke(app, ["compare", str(SMOKE), f"--{form}"]).stdout
        for form in ("markdown", "latex", "csv", "json")
    }
    assert texts["markdown"].count("|:---") > 4
    assert texts["latex"].count("\\begin{tabular}") == texts["latex"].count("\\bottomrule") >= 5
    assert "zh\\_arithmetic" in texts["latex"]
    data = json.loads(texts["json"])
    pairs = sum(len(scope["pairs"]) for scope in data["scopes"])
    assert len(texts["csv"].splitlines()) == pairs + 1 == 31
    assert {scope["kind"] for scope in data["scopes"]} == {"task", "average"}
    assert len(data["language_gap"]) == 4


def test_a_baseline_and_a_task() -> None:
    done = CliRunner().invoke(
        app, ["compare", str(SMOKE), "--baseline", "tiny-llama", "--task", "zh_reading"]
    )
    assert done.exit_code == 0, done.output
    assert "vs tiny-llama" in done.stdout
    assert "en_reading" not in done.stdout
    for arguments, text in (
        (["--task", "nothing"], "no such task"),
        (["--baseline", "x"], "no model is called 'x'"),
    ):
        wrong = CliRunner().invoke(app, ["compare", str(SMOKE), *arguments])
        assert wrong.exit_code == 2
        assert text in wrong.stderr
    assert CliRunner().invoke(app, ["compare", str(SMOKE), "--json", "--csv"]).exit_code == 2


def test_names_are_data_in_every_format(make: Any, tmp_path: Path) -> None:
    name = "[red]x_1[/red] & \\input{y} 100% \x1b[2J|<b>"
    make("run", {(name, "zh_x"): coins(1, 20, 0.9), ("b", "zh_x"): coins(2, 20, 0.2)})
    for form in ([], ["--markdown"], ["--latex"]):
        text = CliRunner().invoke(app, ["compare", str(tmp_path / "run"), *form]).stdout
        assert "\x1b" not in text
        assert form != ["--latex"] or "\\input{y}" not in text
        assert ("<b>" in text) == (form == [])
    assert "[red]" in CliRunner().invoke(
        app, ["compare", str(tmp_path / "run")], env={"COLUMNS": "200"}
    ).stdout.replace("\n", "")


@pytest.mark.parametrize("command", ["compare", "report", "results"])
def test_reading_runs_imports_nothing_heavy(command: str) -> None:
    heavy = "{'torch', 'transformers', 'lm_eval', 'vllm', 'datasets', 'scipy.stats', 'pandas'}"
    path = SMOKE.parent if command == "results" else SMOKE
    code = (
        f"import sys\nfrom harness.cli.main import main\nsys.argv[1:] = [{command!r}, {str(path)!r}]\n"
        f"try:\n    main()\nexcept SystemExit:\n    pass\nprint('heavy:', sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "heavy: []", done.stderr
    assert "tiny-qwen" in done.stdout

"""No model, task or item vanishes: whatever keeps it from a comparison, it is there with the reason."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from harness.analysis.comparison import Comparison, compare
from harness.analysis.gap import gaps
from harness.cli.main import app
from harness.reporting.comparison_data import as_data
from harness.reporting.comparison_document import comparison_document
from harness.reporting.html.finding import finding
from harness.reporting.plots.scores import ranking
from harness.reporting.scopes import main_scopes
from harness.results.query import Run
from harness.results.schema import ModelRow, Row
from harness.tasks.api import GroupSpec
from harness.texts import Words


def coins(seed: int, n: int, p: float = 0.6) -> list[float]:
    return [float(value) for value in np.random.default_rng(seed).random(n) < p]


def said(comparison: Comparison) -> str:
    """Everything that the terminal's tables and notes say."""
    document = comparison_document(comparison)
    parts = [document.title, *document.notes]
    for table in document.tables:
        parts += [table.title, *table.notes, *(" ".join(row) for row in table.texts)]
    return "\n".join(map(str, parts))


def chat_run(make: Any) -> Run:
    """Three base models and an instruct one, which is asked through its chat template."""
    scores = {(m, task): coins(ord(m), 40) for m in "abcd" for task in ("zh_x", "zh_y")}
    options = {("d", task): {"prompt": f"chat-{task}"} for task in ("zh_x", "zh_y")}
    prompts = {
        task: [
            {"prompt_id": f"prompt-{task}", "task": task, "chat": False, "multiturn": None},
            {"prompt_id": f"chat-{task}", "task": task, "chat": True, "multiturn": True},
        ]
        for task in ("zh_x", "zh_y")
    }
    run: Run = make("run", scores, options, {"tasks": prompts})
    return run


def test_an_instruct_model_stays_in_ranking_average_and_finding(make: Any) -> None:
    run = chat_run(make)
    comparison = compare([run])
    average = comparison.scope("Chinese average")
    assert average is not None
    assert set(average.scores) == {0, 1, 2, 3}
    assert average.apart == {3: "chat template on instead of off"}
    assert set(average.ranks) == {0, 1, 2}
    assert average.scores[3].ci95 is not None
    assert all(3 not in pair for pair in average.pairs)

    text = said(comparison)
    assert "ranking (3 of 4 models compared)" in text
    assert "† d: chat template on instead of off" in text
    for language, words in (("en", "3 of 4 models are compared: d (†) has"), ("zh", "4 个模型中有 3 个")):
        assert words in " ".join(finding(comparison, gaps(comparison.contests), Words(language)))
    assert "d †" in json.dumps(
        ranking(average, ["a", "b", "c", "d"], Words("en")).to_dict(), ensure_ascii=False
    )


def test_two_instruct_models_are_paired_with_each_other(make: Any) -> None:
    scores = {(m, "zh_x"): coins(ord(m), 40) for m in "abcde"}
    options = {(m, "zh_x"): {"prompt": "chat"} for m in "de"}
    (scope,) = compare([make("run", scores, options)]).scopes
    assert set(scope.pairs) == {(0, 1), (0, 2), (1, 2), (3, 4)}
    assert set(scope.ranks) == {0, 1, 2}


def test_fewer_documents_are_marked_and_paired_on_the_shared_ones(make: Any) -> None:
    run = make("run", {("a", "zh_x"): coins(1, 40), ("b", "zh_x"): coins(2, 10)})
    comparison = compare([run])
    (scope,) = comparison.scopes
    assert scope.fewer == {1: "10 of 40 documents"}
    assert (scope.pairs[0, 1].n, scope.mark(1)) == (10, "‡")
    assert "b: ‡ on zh_x: 10 of 40 documents" in said(comparison)


def with_rows(run: Run, models: list[ModelRow], rows: list[Row]) -> Run:
    results = run.results.model_copy(
        update={"models": [*run.results.models, *models], "rows": [*run.results.rows, *rows]}
    )
    return Run(run.folder, results)


def test_failed_and_random_models_are_named_with_the_reason(make: Any) -> None:
    run = make("run", {(m, t): coins(ord(m), 30) for m in "ab" for t in ("zh_x", "zh_y")})
    models = [
        ModelRow(model="broken", id="org/broken", status="failed"),
        ModelRow(model="noise", id="org/noise", weights="random", status="ok"),
    ]
    rows = [
        Row(cell_id=f"broken-{task}", model="broken", task=task, status="oom", reason="24 GiB are too few")
        for task in ("zh_x", "zh_y")
    ]
    comparison = compare([with_rows(run, models, rows)])
    assert [one.label for one in comparison.models] == ["a", "b", "broken", "noise"]
    average = comparison.scope("Chinese average")
    assert average is not None
    assert average.missing == {2: "out of memory: 24 GiB are too few", 3: "random weights, so no accuracy"}
    text = said(comparison)
    assert "ranking (2 of 4 models compared)" in text
    assert "broken: no score: out of memory: 24 GiB are too few" in text


def test_a_task_that_nobody_could_do_is_named(make: Any) -> None:
    run = make("run", {("a", "zh_x"): coins(1, 30)})
    row = Row(cell_id="a-zh_z", model="a", task="zh_z", status="failed", reason="no data")
    assert "zh_z: no model has a score: failed: no data" in said(compare([with_rows(run, [], [row])]))


def test_a_group_without_a_subject_has_a_score_but_no_rank_and_no_index(make: Any) -> None:
    scores = {(m, t): coins(ord(m), 20) for m in "abc" for t in ("zh_s1", "zh_s2")}
    del scores["c", "zh_s2"]
    comparison = compare(
        [make("run", scores, groups=[GroupSpec("zh_group", ("zh_s1", "zh_s2"), True, ("acc",))])]
    )
    group = comparison.scope("zh_group")
    assert group is not None
    assert group.order[-1] == 2
    assert group.mark(2) == "†"
    assert 2 not in group.ranks
    assert "† c: without 1 of 2 subjects: not asked" in said(comparison)


def test_a_language_of_one_task_is_ranked_beside_the_others_average(make: Any) -> None:
    tasks = ("zh_x", "zh_y", "en_x")
    comparison = compare([make("run", {(m, t): coins(ord(m), 30) for m in "ab" for t in tasks})])
    assert [scope.name for scope in main_scopes(comparison)] == ["Chinese average", "en_x"]


def test_one_model_alone_keeps_its_table_of_tasks(make: Any) -> None:
    comparison = compare([make("run", {("a", t): coins(1, 30) for t in ("zh_x", "zh_y")})])
    assert "zh_x acc" in said(comparison)


@pytest.mark.parametrize("form", ["markdown", "latex", "csv", "json", "html"])
def test_the_score_table_marks_who_was_asked_otherwise(make: Any, form: str) -> None:
    run = chat_run(make)
    path = str(run.folder.results)
    data = json.loads(run.folder.results.read_text())
    for model in data["models"]:
        model["chat_template"] = model["model"] == "d"
    run.folder.results.write_text(json.dumps(data))
    text = CliRunner().invoke(app, ["report", path, "-f", form]).stdout
    if form == "csv":
        return  # every row has its prompt_id
    assert "asked through the chat template, unlike the others" in text
    assert form == "json" or "†" in text
    chinese = CliRunner().invoke(app, ["report", path, "-f", "markdown", "--language", "zh"]).stdout
    assert "使用对话模板提问" in chinese


def test_the_data_name_who_stands_apart_and_keep_a_reason_whole(make: Any) -> None:
    reason = "/data/models/broken/model.safetensors: not a safetensors file, or cut short; fetch it again"
    failed = Row(cell_id="x", model="broken", task="zh_x", status="failed", reason=reason)
    run = with_rows(chat_run(make), [ModelRow(model="broken", id="org/broken", status="failed")], [failed])
    scope = next(one for one in as_data(compare([run]))["scopes"] if one["name"] == "zh_x")
    assert scope["missing"]["broken"].endswith(reason)
    assert set(scope["apart"]) == {"d"}

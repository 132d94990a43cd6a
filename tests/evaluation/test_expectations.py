"""What expectations meet, and whether their names are right before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.tables import group, row

from harness.config import load_config
from harness.config.schema import Expectation
from harness.errors import ConfigError
from harness.evaluation.expectations import check
from harness.evaluation.expected_figures import figure_names
from harness.evaluation.names import check_names
from harness.results.cost import (
    AnswerLatency,
    CostRow,
    EnergyUsed,
    Limit,
    Memory,
    Money,
    Quality,
    Rate,
    TokenFigures,
)
from harness.results.schema import ExpectationRow, ModelRow, Results
from harness.tasks.api import Expansion, GroupSpec, TaskSpec

CONFIG = """name: c
models:
  - {preset: tiny-qwen, name: mine}
  - {id: mock/two, engine: mock}
tasks:
  - {task: zh_arithmetic, limit: 5}
  - {task: en_arithmetic, limit: 5}
  - {task: en_word_problems, limit: 5}
device: cpu
expect:
  - """


def results(**parts: Any) -> Results:
    models = [ModelRow(model=name, id=name, status="ok") for name in ("one", "two")]
    facts = {"name": "r", "harness_version": "", "created": "", "config_hash": ""}
    return Results(**facts, models=models, **{"rows": [], **parts})


def cost(task: str | None) -> CostRow:
    """A row of a model that was only scored: it has no latencies, and says so."""
    return CostRow(
        model="one",
        scope="language" if task is None else "task",
        task=task,
        language="zh",
        items=10,
        sessions=1,
        seconds=0.5,
        tokens=TokenFigures(prompt=10, computed=10, shared=0, output=0),
        rate=Rate(items=20.0),
        latency_ms=AnswerLatency(reason="scoring has no answers"),
        memory=Memory(),
        limit=Limit(),
        energy=EnergyUsed(),
        money=Money(usd=0.25),
        quality=Quality(),
    )


def met(results: Results, expansion: Expansion | None = None, **expected: Any) -> list[ExpectationRow]:
    return check(Expectation(**expected), results, expansion)


def test_the_value_decides_and_sure_asks_for_the_interval() -> None:
    run = results(rows=[row("one", "zh_a", 0.5, ci95=(0.4, 0.6))])
    named: dict[str, Any] = {"task": "zh_a", "model": "one"}
    cases: tuple[tuple[dict[str, Any], bool, bool], ...] = (
        ({"min": 0.5}, True, False),
        ({"min": 0.4}, True, True),
        ({"min": 0.51}, False, False),
        ({"max": 0.5}, True, False),
        ({"max": 0.6}, True, True),
        ({"min": 0.45, "max": 0.7}, True, False),
    )
    for bounds, held, surely in cases:
        assert [one.held for one in met(run, **named, **bounds)] == [held], bounds
        assert [one.held for one in met(run, **named, **bounds, sure=True)] == [surely], bounds

    bare = results(rows=[row("one", "zh_a", 0.5)])
    (one,) = met(bare, **named, min=0.1, sure=True)
    assert not one.held
    assert "no 95 % interval" in str(one.reason)


def test_left_out_names_and_globs_match_several() -> None:
    rows = [row(model, task, 0.5) for model in ("one", "two") for task in ("zh_a", "zh_b", "en_a")]
    run = results(rows=rows)
    assert [(one.model, one.task) for one in met(run, task="zh_*", min=0.1)] == [
        ("one", "zh_a"),
        ("one", "zh_b"),
        ("two", "zh_a"),
        ("two", "zh_b"),
    ]
    assert [one.model for one in met(run, task="en_a", model="t*", min=0.1)] == ["two"]

    # A name with brackets is itself before it is a pattern.
    odd = results(rows=[row("one", "a[1]", 0.5), row("one", "a1", 0.1)])
    assert [one.value for one in met(odd, task="a[1]", model="one", min=0.1)] == [0.5]


def test_the_metric_of_the_table_is_the_default() -> None:
    rows = [
        row("one", "arc_easy", 0.3, metric="acc"),
        row("one", "arc_easy", 0.6, metric="acc_norm"),
        row("one", "gsm8k", 0.2, metric="exact_match", filter="strict"),
        row("one", "gsm8k", 0.4, metric="exact_match", filter="flexible"),
    ]
    run = results(rows=rows)
    cases: tuple[tuple[dict[str, Any], float], ...] = (
        ({"task": "arc_easy"}, 0.6),
        ({"task": "arc_easy", "metric": "acc"}, 0.3),
        ({"task": "gsm8k"}, 0.2),
        ({"task": "gsm8k", "filter": "flexible"}, 0.4),
        ({"task": "gsm8k", "metric": "exact_match", "filter": "flexible"}, 0.4),
    )
    for expected, value in cases:
        assert [one.value for one in met(run, model="one", min=0, **expected)] == [value], expected


def test_what_has_no_value_says_why() -> None:
    failed = row("one", "zh_a", None, status="failed", reason="no such\nmodel")
    partial = row("one", "zh_b", 0.5, status="partial", reason="stopped")
    run = results(rows=[failed, partial, row("one", "zh_c", 0.5)])
    reasons = [
        met(run, task=task, model="one", metric="f1" if task == "zh_c" else None, min=0)[0].reason
        for task in ("zh_a", "zh_b", "zh_c", "zh_d")
    ]
    assert reasons == [
        "failed: no such model",
        "partial: stopped",
        "zh_c was marked by acc alone",
        "not in this run",
    ]


def test_a_model_that_thinks_is_held_to_the_generative_form() -> None:
    rows = [
        row("one", "zh_a", None, status="skipped", asked_as="zh_a-gen"),
        row("one", "zh_a-gen", 0.7, metric="exact_match"),
    ]
    twin = TaskSpec("zh_a-gen", None)
    expansion = Expansion((TaskSpec("zh_a", None, twin=twin),), (GroupSpec("zh_g", ("zh_a",)),))
    groups = [group("one", 0.7, ["zh_a-gen"], name="zh_g-gen")]
    run = results(rows=rows, groups=groups)
    assert [one.value for one in met(run, expansion, task="zh_a", model="one", min=0)] == [0.7]
    assert [one.value for one in met(run, expansion, task="zh_g", model="one", min=0)] == [0.7]
    # The glob means the config's own tasks: the twin is no further one.
    assert [one.task for one in met(run, expansion, task="zh_a*", model="one", min=0)] == ["zh_a"]


def test_shares_of_bad_answers_have_an_interval() -> None:
    rows = [
        row("one", "zh_a", 0.5, metric="exact_match", filter="a", n_truncated=3, n_unparsable=20),
        row("one", "zh_a", 0.5, metric="exact_match", filter="b", n_truncated=3, n_unparsable=1),
        row("one", "zh_b", 0.5, n_truncated=0, n_unparsable=0),
    ]
    run = results(rows=rows)
    values = {
        (figure, one.task): one.value
        for figure in ("truncated", "unread")
        for one in met(run, figure=figure, model="one", max=0.02)
    }
    assert values == {
        ("truncated", "zh_a"): 0.03,
        ("truncated", "zh_b"): 0.0,
        ("unread", "zh_a"): 0.01,
        ("unread", "zh_b"): 0.0,
    }
    (both,) = met(run, figure="truncated", model="one", language="zh", max=0.02)
    assert (both.value, both.held) == (0.015, True)
    grouped = results(rows=rows, groups=[group("one", 0.5, ["zh_a", "zh_b"])])
    (both,) = met(grouped, figure="truncated", model="one", task="zh_group", max=0.02)
    assert both.value == 0.015
    (sure,) = met(run, figure="truncated", model="one", language="zh", max=0.02, sure=True)
    assert not sure.held


def test_figures_of_cost_are_read_by_their_path() -> None:
    costs = [cost("zh_a"), cost(None)]
    run = results(rows=[row("one", "zh_a", 0.5)], costs=costs)
    (one,) = met(run, figure="seconds", model="one", task="zh_a", max=1)
    assert (one.value, one.held, one.figure) == (0.5, True, "seconds")
    (one,) = met(run, figure="money.usd", model="one", language="zh", max=0.2)
    assert (one.value, one.held) == (0.25, False)

    # What was not measured does not hold, and its own reason is handed on.
    (one,) = met(run, figure="latency_ms.e2e.p95", model="one", task="zh_a", max=1)
    assert (one.value, one.held, one.reason) == (None, False, "scoring has no answers")
    (one,) = met(run, figure="seconds", model="two", task="zh_a", max=1)
    assert one.reason == "nothing was metered here"


def test_every_number_of_a_cost_row_can_be_expected() -> None:
    names = figure_names()
    expected = {"truncated", "seconds", "latency_ms.e2e.p95", "money.usd_per_correct", "rate.output_tokens"}
    assert expected <= set(names)
    assert "model" not in names
    assert "latency_ms.e2e" not in names


def test_an_average_is_the_tables() -> None:
    run = results(rows=[row("one", "zh_a", 0.4), row("one", "zh_b", 0.8)])
    (one,) = met(run, language="zh", model="one", min=0.6)
    assert one.value == pytest.approx(0.6)
    (one,) = met(run, language="en", model="one", min=0.6)
    assert "two tasks" in str(one.reason)


@pytest.mark.parametrize(
    ("expectation", "line"),
    [
        (
            "{task: zh_arithmetik, min: 0.1}",
            "c.yaml:11:12: expect[0].task: no task or group is called 'zh_arithmetik' in this run; "
            "did you mean 'zh_arithmetic'?",
        ),
        (
            "{task: 'math*', min: 0.1}",
            "c.yaml:11:12: expect[0].task: no task or group of this run matches 'math*': there are "
            "zh_arithmetic, en_arithmetic, en_word_problems",
        ),
        (
            "{task: zh_arithmetic, model: tiny-qwen, min: 0.1}",
            "c.yaml:11:34: expect[0].model: 'tiny-qwen' is called 'mine' in this run's tables; write that",
        ),
        (
            "{task: zh_arithmetic, model: MINE, min: 0.1}",
            "c.yaml:11:34: expect[0].model: 'MINE' is called 'mine' in this run's tables; write that",
        ),
        (
            "{task: zh_arithmetic, model: 'x*', min: 0.1}",
            "c.yaml:11:34: expect[0].model: no model of this run matches 'x*': there are mine, two",
        ),
        (
            "{task: zh_arithmetic, metric: accuracy, min: 0.1}",
            "c.yaml:11:35: expect[0].metric: no metric of zh_arithmetic is called 'accuracy' in this run; "
            "there are acc, acc_norm",
        ),
        (
            "{task: en_word_problems, filter: strict, min: 0.1}",
            "c.yaml:11:38: expect[0].filter: no filter of en_word_problems is called 'strict' in this run; "
            "there are last-number",
        ),
        (
            "{figure: latency.e2e.p95, max: 1}",
            "c.yaml:11:14: expect[0].figure: no figure is called 'latency.e2e.p95'; "
            "did you mean 'latency_ms.e2e.p95'?",
        ),
        (
            "{figure: joules_per_item, max: 1}",
            "c.yaml:11:14: expect[0].figure: no figure is called 'joules_per_item'; "
            "did you mean 'energy.joules_per_item'?",
        ),
        (
            "{figure: seconds, max: 1, sure: true}",
            "c.yaml:11:37: expect[0].sure: seconds is kept without an interval: leave sure out",
        ),
        (
            "{language: zh, min: 0.1}",
            "c.yaml:11:16: expect[0].language: an average needs two tasks; in zh there is zh_arithmetic "
            "alone: name that",
        ),
    ],
)
def test_wrong_names_are_said_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expectation: str, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text(CONFIG + expectation + "\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        check_names(load_config("c.yaml"))
    assert str(caught.value) == line


@pytest.mark.parametrize(
    ("task", "metric", "right"),
    [
        ("humaneval", "pass@1", True),
        ("ifeval", "prompt_level_strict_acc", True),
        ("ifeval", "prompt_level_strict", False),
        ("gsm8k", "acc", False),
        ("wikitext", "bits_per_byte", True),
        ("squadv2", "HasAns_exact", True),
    ],
)
def test_metrics_of_the_library(tmp_path: Path, task: str, metric: str, right: bool) -> None:
    text = CONFIG.replace("{task: zh_arithmetic, limit: 5}", task)
    file = tmp_path / "c.yaml"
    file.write_text(f"{text}{{task: {task}, metric: '{metric}', min: 0}}\n", encoding="utf-8")
    if right:
        check_names(load_config(file))
        return
    with pytest.raises(ConfigError, match=f"no metric of {task} is called '{metric}'"):
        check_names(load_config(file))


def test_all_mistakes_of_names_are_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = CONFIG.replace("mock/two, engine: mock", "./gone").replace("en_word_problems", "en_word_problem")
    Path("c.yaml").write_text(f"{text}{{figure: nothing, max: 1}}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        check_names(load_config("c.yaml"))
    places = [line.split(": ")[0] for line in str(caught.value).splitlines()]
    assert places == ["c.yaml:4:10", "c.yaml:8:5", "c.yaml:11:14"]


def test_load_config_of_the_package_checks_them_too(tmp_path: Path) -> None:
    import harness

    file = tmp_path / "c.yaml"
    file.write_text(CONFIG + "{task: nothing, min: 0.1}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="no task or group is called 'nothing'"):
        harness.load_config(file)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ({"min": 1}, "task or language"),
        ({"task": "a", "figure": "seconds", "metric": "acc", "max": 1}, "two things"),
        ({"task": "a", "language": "zh", "min": 1}, "not both"),
        ({"language": "zh", "metric": "acc", "min": 1}, "leave out metric"),
        ({"task": "a"}, "say min, max or both"),
        ({"task": "a", "min": 2, "max": 1}, "no value could hold"),
        ({"sanity": "clean", "figure": "seconds"}, "two expectations"),
    ],
)
def test_an_expectation_says_one_thing(expected: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Expectation(**expected)

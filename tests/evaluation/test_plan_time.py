"""How long a run may take and what it may cost: by what earlier runs took, else by size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.runs import write_config, write_task

from harness.config import load_config
from harness.config.schema import ModelSpec
from harness.evaluation import make_plan, run_config
from harness.evaluation.plan_forms import FormPlan
from harness.evaluation.plan_tasks import TaskPlan
from harness.evaluation.plan_time import asked_tasks, plan_time
from harness.evaluation.speeds import ModelSpeed, TaskSpeed, model_key, read_speeds
from harness.evaluation.stopwatch import ModelStopwatch, plan_and_truth
from harness.progress.reporters import SilentReporter
from harness.reporting.plan import money_range, plan_document
from harness.workers.devices import Machine
from harness.workers.events import CellEnded, ModelLoaded, ModelPhase, WorkerExited

MACHINE = Machine("cpu", (), 8 << 30, "a CPU", 2)
SPEC = ModelSpec(id="org/one", engine="transformers")
CHOICE = TaskPlan("a", None, "zh", "choice", 0, 1000, 100_000, False, None, "", None, 400_000)
TEXT = TaskPlan("b", None, "zh", "completion", 0, 100, 10_000, False, None, "", 256, 10_000)


def speeds(**tasks: TaskSpeed) -> dict[str, ModelSpeed]:
    return {model_key(SPEC, MACHINE): ModelSpeed("transformers", tasks, 10**6, 20.0, len(tasks))}


def test_the_same_tasks_are_the_best_basis() -> None:
    earlier = speeds(a=TaskSpeed(100, 10.0, 10_000, 0, False), b=TaskSpeed(50, 40.0, 5_000, 1_000, True))
    time = plan_time(SPEC, MACHINE, [CHOICE, TEXT], earlier, (10**6, 10**7))
    # 100 s and 80 s of answering, 20 s besides.
    assert time.basis == "same_tasks"
    assert time.seconds == pytest.approx((180 * 0.75 + 14, 180 * 1.5 + 30))


def test_other_tasks_of_the_same_kind_count_by_their_tokens() -> None:
    earlier = speeds(c=TaskSpeed(100, 10.0, 10_000, 0, False))
    time = plan_time(SPEC, MACHINE, [CHOICE], earlier, (10**6, 10**7))
    assert time.basis == "same_model"
    assert time.seconds == pytest.approx((100 * 0.5 + 14, 100 * 2 + 30))
    # No generated task was run: scoring says nothing of it.
    assert plan_time(SPEC, MACHINE, [CHOICE, TEXT], earlier, (10**6, 10**7)).basis == "peak"


def test_other_models_count_by_size_and_are_less_certain() -> None:
    earlier = speeds(a=TaskSpeed(100, 10.0, 10_000, 0, False))
    larger = SPEC.model_copy(update={"id": "org/ten"})
    time = plan_time(larger, MACHINE, [CHOICE], earlier, (10**7, 10**7))
    assert time.basis == "other_models"
    assert time.seconds is not None
    assert time.seconds[0] < 1000 < time.seconds[1]


def test_without_any_run_the_peak_is_a_rough_guess_and_an_unknown_size_none() -> None:
    rough = plan_time(SPEC, MACHINE, [CHOICE, TEXT], {}, (10**9, 2 * 10**9))
    assert rough.basis == "peak"
    assert rough.seconds is not None
    assert rough.seconds[1] > 3 * rough.seconds[0]
    assert plan_time(SPEC, MACHINE, [CHOICE], {}, (None, None)).seconds is None
    unknown = replace(CHOICE, prompt_tokens=None)
    assert plan_time(SPEC, MACHINE, [unknown], {}, (10**6, 10**6)).basis == "unknown"


def test_endpoints_cost_by_the_tokens_that_are_sent() -> None:
    endpoint = ModelSpec.model_validate(
        {"id": "m", "engine": "openai", "base_url": "http://h/v1", "price": {"input": 1, "output": 10}}
    )
    time = plan_time(endpoint, MACHINE, [CHOICE, TEXT], speeds(), (None, None))
    # Options are requests of their own: 400,000 tokens, not 100,000; answers up to their budget.
    assert time.money == pytest.approx((0.75 * 0.41 + 0.5 * 0.0768, 1.3 * 0.41 + 0.256))
    assert (time.seconds, time.basis, time.currency) == (None, "unknown", "USD")


def test_a_price_per_hour_makes_seconds_money() -> None:
    earlier = speeds(a=TaskSpeed(100, 10.0, 10_000, 0, False))
    time = plan_time(SPEC, MACHINE, [CHOICE], earlier, (10**6, 10**7), own_price=3600.0)
    assert time.money == pytest.approx(time.seconds)
    assert plan_time(SPEC, MACHINE, [CHOICE], earlier, (10**6, 10**7)).money is None


def test_a_task_is_counted_as_the_model_is_asked_it() -> None:
    forms = [FormPlan("one", "a", None, "twin", "a-gen"), FormPlan("one", "b", None, "refused")]
    (asked,) = asked_tasks(SPEC, [CHOICE, TEXT], forms)
    assert (asked.name, asked.kind, asked.budget) == ("a-gen", "completion", 2048)


class Listener(SilentReporter):
    """Keeps messages."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


def test_a_run_leaves_its_speed_and_says_how_wrong_the_plan_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    write_task(tmp_path, "own", 5)
    loaded = load_config(write_config(tmp_path, [{"file": str(tmp_path / "own.jsonl"), "name": "own"}]))
    assert make_plan(loaded).times[0].seconds is None

    reporter = Listener()
    run_config(loaded, out=tmp_path / "run", reporter=reporter)
    assert not any(line.startswith("planned ") for line in reporter.lines)
    plan = make_plan(loaded)
    assert plan.times[0].basis == "same_tasks"
    assert len(plan_document(plan).tables[1].rows) == 1

    run_config(loaded, out=tmp_path / "again", reporter=reporter)
    assert any(line.startswith("planned ") and ", took " in line for line in reporter.lines)
    assert read_speeds(MACHINE) == {}


def test_only_models_that_ran_whole_are_compared() -> None:
    now = [0.0]
    watch = ModelStopwatch(lambda: now[0])
    for event in (ModelPhase("m", "files"), ModelLoaded("m", 1.0), CellEnded("m", "a", "ok")):
        watch.take(event)
    watch.take(CellEnded("k", "a", "ok", before=True))
    now[0] = 7.0
    watch.take(WorkerExited("m", 0))
    watch.take(WorkerExited("k", 0))
    assert watch.whole == {"m"}


def test_words_of_plans() -> None:
    assert plan_and_truth((180, 360), 250) == "planned 3.0 min to 6.0 min, took 4.2 min"
    assert plan_and_truth((180, 360), 90).endswith("took 90 s (planned too high, by 2.0 times)")
    assert plan_and_truth((180, 360), 3600).endswith("took 60 min (planned too low, by 10.0 times)")
    assert money_range(0.004, 0.5, "CNY") == "¥0.004 to ¥0.50"

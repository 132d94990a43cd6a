"""In which form a task is asked: the decision by itself, the plan's table over engines, and the
generative twins on real documents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import load_config
from harness.config.schema import TaskEntry
from harness.errors import ConfigError
from harness.evaluation import make_plan
from harness.items import Completion, Generation
from harness.tasks import PromptStyle, Task, TaskSpec, expand
from harness.tasks.catalogue import Catalogue
from harness.tasks.forms import form_of
from harness.tasks.twins import lettered

KINDS = ("base", "instruct", "closed", "thinks")
TASKS = {
    "zh_letters": ("logprobs", "twin"),
    "ceval-valid_law": ("logprobs", "twin"),
    "hellaswag": ("logprobs", "refused"),
    "lambada_openai": ("logprobs", "refused"),
    "gsm8k": ("generated", "generated"),
    "zh_passages": ("perplexity", "perplexity"),
}
"""Task to the form that a model is asked that answers at once, and one that thinks."""


@dataclass(frozen=True)
class Model:
    """What is known of a model."""

    kind: Any
    why: str = "its template opens a thought"
    switch: bool | None = True


def spec(name: str) -> TaskSpec:
    return expand([TaskEntry(task=name)], limit=None, base_dir=Path()).tasks[0]


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_table_of_forms(kind: str, name: str) -> None:
    asked = form_of(Model(kind), spec(name))
    assert asked.form == TASKS[name][kind == "thinks"]
    assert (asked.task is None) == (asked.form == "refused")
    if asked.form == "twin":
        assert asked.task is not None
        assert asked.task.output == "generate_until"


def test_a_refusal_is_one_line_that_names_the_ways_out() -> None:
    reason = form_of(Model("thinks"), spec("hellaswag")).reason or ""
    assert "\n" not in reason
    assert "thinking: false" in reason
    assert "-gen" in reason
    assert "opens a thought" in reason
    assert "say thinking: false" not in (
        form_of(Model("thinks", switch=False), spec("hellaswag")).reason or ""
    )


def test_a_task_whose_code_alone_says_what_it_asks_is_decided_once_it_is_loaded() -> None:
    made_of_code = TaskSpec("custom", None, output=None)
    assert form_of(Model("thinks"), made_of_code, "loglikelihood").form == "refused"
    assert form_of(Model("thinks"), made_of_code).form == "generated"


ENGINES = ("transformers", "vllm", "openai")
SPECS: dict[str, dict[str, Any]] = {
    "base": {"id": "bundled/tiny-qwen", "chat_template": False},
    "instruct": {"id": "bundled/tiny-qwen", "chat_template": True},
    "closed": {"preset": "qwen3-8b", "thinking": False},
    "thinks": {"preset": "qwen3-8b"},
}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_plan_says_the_form_of_every_task_for_every_engine(engine: str, tmp_path: Path) -> None:
    """The same table for all three: what answers is the model, not the engine."""
    models = []
    for kind, model in SPECS.items():
        entry = {**model, "name": kind, "engine": engine}
        if engine == "openai":
            entry |= {"base_url": "http://localhost:9/v1"}
        models.append(entry)
    path = tmp_path / "c.yaml"
    path.write_text(
        yaml.safe_dump({"name": "forms", "models": models, "tasks": list(TASKS)}), encoding="utf-8"
    )
    plan = make_plan(load_config(path))
    told = {(form.model, form.task): form.form for form in plan.forms}
    assert told == {(kind, task): forms[kind == "thinks"] for kind in KINDS for task, forms in TASKS.items()}
    assert plan.cells == len(KINDS) * len(TASKS) - 2
    refused = [line.partition(": compares")[0] for line in plan.warnings if "refused" in line]
    assert refused == ["thinks: refused: hellaswag", "thinks: refused: lambada_openai"]
    twins = {form.task: form.asked_as for form in plan.forms if form.asked_as}
    assert twins == {"zh_letters": "zh_letters-gen", "ceval-valid_law": "ceval-valid-gen_law"}


@pytest.mark.parametrize(
    "path",
    sorted((Path(__file__).resolve().parents[2] / "configs").rglob("*.yaml")),
    ids=lambda path: path.stem,
)
def test_no_shipped_config_plans_a_refusal(path: Path) -> None:
    if path.parent.name == "base":
        pytest.skip("a part that others extend")
    from harness.config.presets import preset_or_none
    from harness.engines.thinking import thinking_of

    config = load_config(path).config
    specs = expand(config.tasks, limit=config.limit, base_dir=path.parent).tasks
    for model in config.models:
        found = thinking_of(model, None)
        assert found.refusal is None
        assert [task.name for task in specs if form_of(found, task).form == "refused"] == [], (
            model.label,
            preset_or_none(model.id),
        )


def test_twins_of_groups_subjects_and_suites_stand_behind_their_tasks_and_form_groups() -> None:
    expansion = expand(
        [TaskEntry(task="ceval-valid", fewshot=5, limit=7), TaskEntry(task="mmlu_stem")],
        limit=None,
        base_dir=Path(),
    )
    twins = expansion.twins
    names = [task.name for task in twins.tasks]
    assert names[:2] == ["ceval-valid_computer_network", "ceval-valid-gen_computer_network"]
    made = next(task for task in twins.tasks if task.name == "ceval-valid-gen_law")
    assert (made.fewshot, made.limit, made.groups) == (None, 7, ("ceval-valid-gen",))
    groups = {group.name: len(group.members) for group in twins.groups}
    assert groups == {"ceval-valid": 52, "ceval-valid-gen": 52, "mmlu_stem": 19, "mmlu_stem-gen": 19}


def test_a_twin_that_the_config_asks_for_by_itself_is_there_once() -> None:
    expansion = expand(
        [TaskEntry(task="ceval-valid_law"), TaskEntry(task="ceval-valid-gen_law", limit=3)],
        limit=None,
        base_dir=Path(),
    )
    assert [(task.name, task.limit) for task in expansion.twins.tasks] == [
        ("ceval-valid_law", None),
        ("ceval-valid-gen_law", 3),
    ]


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("aclue_poetry_appreciate", "aclue_poetry_appreciate-gen"),
        ("belebele_zho_Hans", "belebele_zho_Hans-gen"),
        ("global_mmlu_zh_business", "global_mmlu_zh_business-gen"),
        ("gpqa_diamond_zeroshot", "gpqa_diamond_zeroshot-gen"),
        ("mmlu_anatomy", "mmlu-gen_anatomy"),
        ("cmmlu_agronomy", "cmmlu-gen_agronomy"),
        ("arc_challenge", None),
        ("ocnli", None),
        ("truthfulqa_mc2", None),
        ("mmlu_pro_math", None),
    ],
)
def test_which_tasks_have_a_twin(name: str, twin: str | None) -> None:
    made = spec(name).twin
    assert (made.name if made else None) == twin
    if twin is not None:
        assert Catalogue().find(twin) is not None
        assert spec(twin).output == "generate_until"


def test_a_twin_can_be_asked_of_every_model_by_its_name_and_a_group_of_them_too() -> None:
    expansion = expand([TaskEntry(task="aclue-gen")], limit=None, base_dir=Path())
    assert len(expansion.tasks) == 15
    assert [group.name for group in expansion.groups] == ["aclue-gen"]
    with pytest.raises(ConfigError, match="unknown task"):
        expand([TaskEntry(task="hellaswag-gen")], limit=None, base_dir=Path())


@pytest.mark.parametrize(
    "config",
    [
        {"doc_to_choice": ["yes", "no"]},
        {"doc_to_choice": ["B", "A"]},
        {"doc_to_choice": "choices"},
        {"doc_to_choice": ["A", "B"], "doc_to_text": "{{question}}\nAnswer:"},
        {"doc_to_choice": ["A", "B"], "process_results": "!function x"},
        {"doc_to_choice": ["A", "B"], "output_type": "generate_until"},
    ],
)
def test_options_that_no_letters_list_make_no_twin(config: dict[str, Any]) -> None:
    whole = {"output_type": "multiple_choice", "doc_to_text": "{{q}}\nA. {{a}}\nB. {{b}}\nAnswer:"} | config
    assert lettered(whole) is None
    assert (
        lettered(
            whole
            | {
                "output_type": "multiple_choice",
                "doc_to_choice": "{{['A', 'B']}}",
                "doc_to_text": "A) x",
                "process_results": None,
            }
        )
        == 2
    )


def answered(task: Task, letters: list[str], count: int) -> list[float | None]:
    items = list(task.items(PromptStyle(), count))
    answers = {
        item.key: Generation(item.key, f"Because …\nAnswer: {letter}", "eos")
        for item, letter in zip(items, letters, strict=True)
    }
    marks = task.mark(answers, PromptStyle(), count)
    return [sample.metrics["exact_match"] for sample in marks.samples]


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("belebele_eng_Latn-gen", "belebele_eng_Latn"),
        ("zh_letters-gen", "zh_letters"),
        ("cmmlu-gen_anatomy", "cmmlu_anatomy"),
    ],
)
def test_a_twin_asks_the_same_documents_and_the_letter_of_the_right_option_is_right(
    name: str, base: str, loaded: Callable[..., Task]
) -> None:
    task, first = loaded(name), loaded(base)
    right = [sample.target for sample in _targets(first)]
    assert set(right) <= set("ABCD")
    assert len(set(right)) > 1
    assert answered(task, right, len(right)) == [1.0] * len(right)
    assert answered(task, ["ABCD"["ABCD".index(letter) - 1] for letter in right], len(right)) == [0.0] * len(
        right
    )
    item = next(iter(task.items(PromptStyle(), 1)))
    assert isinstance(item, Completion)
    assert item.stop == ()
    assert item.max_tokens == 2048
    assert not item.prompt.rstrip().endswith((":", "："))
    assert task.chance == 0.25


def _targets(task: Task) -> tuple[Any, ...]:
    from harness.items import Choice, Score

    answers = {}
    for item in task.items(PromptStyle(), 12):
        assert isinstance(item, Choice)
        answers[item.key] = Score(
            item.key, (0.0,) * len(item.pairs), (False,) * len(item.pairs), (1,) * len(item.pairs)
        )
    return task.mark(answers, PromptStyle(), 12).samples


def test_an_own_file_with_choices_has_a_twin(tmp_path: Path) -> None:
    from harness.tasks import DataSources, load

    (tmp_path / "q.jsonl").write_text(
        '{"question": "中国的首都是？", "choices": ["上海", "北京"], "answer": "B"}\n', encoding="utf-8"
    )
    (made,) = expand([TaskEntry(file="q.jsonl", fewshot=0)], limit=None, base_dir=tmp_path).tasks
    assert made.twin is not None
    assert made.twin.name == "q-gen"
    task = load(made.twin, DataSources())
    item = next(iter(task.items(PromptStyle())))
    assert isinstance(item, Completion)
    assert item.prompt.endswith("A. 上海\nB. 北京")
    assert "单项选择题" in item.prompt
    assert answered(task, ["B"], 1) == [1.0]
    assert answered(task, ["A"], 1) == [0.0]

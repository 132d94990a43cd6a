"""Names, globs, groups, tags, suites and own files to leaf tasks; mistakes in one line each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.config.schema import GenerationSettings, TaskEntry
from harness.errors import ConfigError
from harness.tasks import Catalogue, DataSources, PromptStyle, expand, load, suites
from harness.tasks.catalogue import known_items


def expanded(*entries: TaskEntry, base_dir: Path = Path(), limit: int | None = None):  # type: ignore[no-untyped-def]
    return expand(entries, limit=limit, base_dir=base_dir)


def test_a_group_becomes_its_leaves_and_a_weighted_group() -> None:
    made = expanded(TaskEntry(task="mmlu", fewshot=5), limit=7)
    assert len(made.tasks) == 57
    assert {(spec.fewshot, spec.limit, spec.language) for spec in made.tasks} == {(5, 7, "en")}
    assert made.tasks[0].groups[0] == "mmlu"
    groups = {group.name: group for group in made.groups}
    assert set(groups) == {"mmlu", "mmlu_stem", "mmlu_other", "mmlu_social_sciences", "mmlu_humanities"}
    assert len(groups["mmlu"].members) == 57
    assert groups["mmlu"].metrics == ("acc",)
    assert groups["mmlu"].weighted


def test_a_glob_that_covers_a_group_keeps_its_group() -> None:
    made = expanded(TaskEntry(task="ceval-valid_*", limit=200))
    assert len(made.tasks) == 52
    assert [group.name for group in made.groups] == ["ceval-valid"]
    assert expanded(TaskEntry(task="ceval-valid_*_science")).groups == ()


def test_a_tag_and_inline_overrides() -> None:
    assert {spec.name for spec in expanded(TaskEntry(task="ai2_arc")).tasks} == {"arc_easy", "arc_challenge"}
    openllm = {spec.name: spec for spec in expanded(TaskEntry(task="openllm")).tasks}
    assert openllm["arc_challenge"].config == {"fewshot_split": "train", "num_fewshot": 25}
    assert openllm["hellaswag"].config["num_fewshot"] == 10
    assert openllm["mmlu_anatomy"].config["num_fewshot"] == 5


def test_generative_subjects_are_derived() -> None:
    made = expanded(TaskEntry(task="ceval-valid-gen"))
    assert len(made.tasks) == 52
    spec = next(spec for spec in made.tasks if spec.name == "ceval-valid-gen_art_studies")
    assert spec.config == {"task": "ceval-valid-gen_art_studies", "dataset_name": "art_studies"}
    assert made.groups[0].metrics == ("exact_match",)


def test_asked_twice() -> None:
    one, same = TaskEntry(task="xcopa_zh", fewshot=1), TaskEntry(task="xcopa_zh", fewshot=1)
    assert len(expanded(one, same).tasks) == 1
    with pytest.raises(
        ConfigError, match=r"'xcopa_zh' is asked twice with different settings \(fewshot 1 and 2\)"
    ):
        expanded(one, TaskEntry(task="xcopa_zh", fewshot=2))


def test_every_mistake_is_told_at_once() -> None:
    names = ("mmlu_anatomi", "nothing_like_it_*", "none.yaml")
    with pytest.raises(ConfigError) as caught:
        expanded(*(TaskEntry(task=name) for name in names), TaskEntry(suite="bilingal"))
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert "unknown task 'mmlu_anatomi'; nearest: mmlu_anatomy" in lines[0]
    assert "no task matches" in lines[1]
    assert "no such task YAML" in lines[2]
    assert "bilingual-core" in lines[3]


@pytest.mark.parametrize("name", sorted(suites()))
def test_every_suite_expands(name: str) -> None:
    made = expanded(TaskEntry(suite=name))
    assert made.tasks
    assert all(spec.yaml_path and spec.yaml_path.is_file() for spec in made.tasks)
    if name != "leaderboard-v2":
        assert {spec.language for spec in made.tasks} <= {"zh", "en"}


def test_settings_of_an_entry_come_before_the_suites() -> None:
    entry = TaskEntry(suite="reasoning", limit=3, generation=GenerationSettings(max_tokens=99))
    aime = next(spec for spec in expanded(entry, limit=50).tasks if spec.name == "aime24")
    assert (aime.limit, aime.repeats) == (3, 8)
    assert (aime.generation.temperature, aime.generation.max_tokens) == (0.6, 99)


def test_the_smoke_suite_needs_no_network() -> None:
    for spec in expanded(TaskEntry(suite="smoke")).tasks:
        task = load(spec, DataSources())
        assert task.provenance.origin == "bundled"
        assert task.language == spec.language
        assert task.available == spec.known_items
        assert list(task.items(PromptStyle(), 2))


def test_known_items_are_counts_of_known_tasks() -> None:
    catalogue, counts = Catalogue(), known_items()
    assert all(isinstance(count, int) and count > 0 for count in counts.values())
    assert [name for name in counts if catalogue.find(name) is None] == []
    assert expanded(TaskEntry(task="gsm8k")).tasks[0].known_items == 1319


def test_languages_of_the_catalogue() -> None:
    catalogue = Catalogue()
    chinese = {entry.name for entry in catalogue.names("zh")}
    assert {
        "ceval-valid",
        "cmmlu_anatomy",
        "xcopa_zh",
        "belebele_zho_Hans",
        "c3",
        "mmlu_prox_zh",
        "zh_reading",
        "tmmluplus",
    } <= chinese
    english = {entry.name for entry in catalogue.names("en")}
    assert {
        "mmlu",
        "mmlu_anatomy",
        "arc_easy",
        "hellaswag",
        "gsm8k",
        "mgsm_direct_en",
        "belebele_eng_Latn",
        "en_reading",
    } <= english
    assert not chinese & english
    assert not {"mmlu_prox_af_biology", "flores_en-de", "mmlu_redux_spanish", "gsm8k_fr"} & english
    entry = catalogue.find("c3")
    assert entry is not None
    assert "reading" in entry.description


@pytest.mark.slow
def test_names_are_those_of_lm_eval() -> None:
    from lm_eval.tasks import TaskManager

    theirs, ours = TaskManager(), {entry.name: entry for entry in Catalogue()._library}
    kinds = {
        name: (entry.kind.name.replace("PY_", "").lower(), entry.yaml_path)
        for name, entry in theirs.task_index.items()
    }
    assert {name: (entry.kind, entry.path) for name, entry in ours.items()} == kinds
    tags = {
        name: tuple(sorted(entry.tags))
        for name, entry in theirs.task_index.items()
        if entry.kind.name == "TAG"
    }
    assert {name: entry.members for name, entry in ours.items() if entry.kind == "tag"} == tags


def test_an_own_group_next_to_its_tasks(tmp_path: Path) -> None:
    base = {"dataset_path": "json", "test_split": "test", "doc_to_text": "q", "doc_to_target": "a"}
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(json.dumps(base | {"task": f"my_{name}"}), encoding="utf-8")
    group = {
        "group": "mine",
        "task": ["my_a", {"task": "my_b", "num_fewshot": 3}],
        "aggregate_metric_list": [{"metric": "acc"}],
    }
    (tmp_path / "group.yaml").write_text(json.dumps(group), encoding="utf-8")
    made = expanded(TaskEntry(task="group.yaml", limit=4), base_dir=tmp_path)
    assert [(spec.name, spec.config, spec.groups) for spec in made.tasks] == [
        ("my_a", {}, ("mine",)),
        ("my_b", {"num_fewshot": 3}, ("mine",)),
    ]
    assert made.groups[0].members == ("my_a", "my_b")


JSONL = (
    '{"question": "一加一等于几？", "choices": ["一", "二", "三"], "answer": "二"}\n'
    '{"question": "太阳是什么颜色？", "choices": ["红", "绿"], "answer": "A"}\n'
    '{"question": "水的化学式？", "choices": ["H2O", "CO2"], "answer": "Ａ"}\n'
)


def test_an_own_jsonl_with_choices(tmp_path: Path) -> None:
    (tmp_path / "quiz.jsonl").write_text(JSONL, encoding="utf-8")
    spec = expanded(TaskEntry(file="quiz.jsonl", fewshot=1), base_dir=tmp_path).tasks[0]
    assert (spec.name, spec.language, spec.known_items) == ("quiz", "zh", 3)
    task = load(spec, DataSources())
    choices = list(task.items(PromptStyle()))
    assert choices[0].pairs[0][0].endswith("一加一等于几？\nA. 一\nB. 二\nC. 三\n答案：")  # type: ignore[union-attr]
    assert [pair[1] for pair in choices[0].pairs] == ["A", "B", "C"]  # type: ignore[union-attr]
    assert task.chance == pytest.approx((1 / 3 + 1 / 2 + 1 / 2) / 3)
    assert task.provenance.origin == "file"
    assert [document["answer"] for document in task._task.eval_docs] == [1, 0, 0]


def test_an_own_csv_with_columns_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(
        "ask,one,two,right\nSky?,blue,red,blue\nGrass?,red,green,B\n", encoding="utf-8"
    )
    entry = TaskEntry(file="own.csv", name="colours", question="ask", choices=["one", "two"], answer="right")
    task = load(expanded(entry, base_dir=tmp_path).tasks[0], DataSources())
    assert (task.name, task.language, task.kind, task.available) == ("colours", "en", "choice", 2)


def test_an_own_file_without_choices_is_generated(tmp_path: Path) -> None:
    (tmp_path / "open.jsonl").write_text(
        '{"question": "Capital of France?", "answer": "Paris"}\n', encoding="utf-8"
    )
    task = load(expanded(TaskEntry(file="open.jsonl"), base_dir=tmp_path).tasks[0], DataSources())
    assert task.kind == "completion"
    assert next(iter(task.items(PromptStyle()))).prompt == "Question: Capital of France?\nAnswer:"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.jsonl", '{"question": "x", "answer": "y"}\n{"question": "x"}\n', "row 2 has no column 'answer'"),
        (
            "a.jsonl",
            '{"question": "x", "choices": ["1", "2"], "answer": "7"}\n',
            "row 1, column 'answer': '7' is no option's text",
        ),
        (
            "a.jsonl",
            '{"question": "x", "choices": ["1"], "answer": "1"}\n',
            "column 'choices': 2 to 26 options are expected, got 1",
        ),
        ("a.jsonl", '{"question": "x"\n', "row 1: no valid JSON"),
        ("a.jsonl", "", "no rows"),
        ("a.csv", "question,answer\nx,\n", "row 1, column 'answer' is empty"),
        ("a.txt", "x", "must be JSONL, JSON, CSV, TSV or XLSX"),
        ("a.jsonl", None, "cannot be read"),
    ],
)
def test_wrong_own_files(tmp_path: Path, name: str, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        expanded(TaskEntry(file=name), base_dir=tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)

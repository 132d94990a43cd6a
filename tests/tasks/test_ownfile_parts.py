"""Own files as tasks: categories, two forms in one file, the generated form, and how answers are"
" compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.ownfile import jsonl, row, table

from harness.config.schema import TaskEntry
from harness.errors import ConfigError
from harness.items import Generation
from harness.tasks import DataSources, Expansion, PromptStyle, expand, load
from harness.tasks.ownfile.normal import normal, steps_of

SHORT = {"question": "作者？", "answer": "鲁迅"}


def expanded(path: Path, **settings: Any) -> Expansion:
    return expand([TaskEntry(file=str(path), **settings)], limit=None, base_dir=path.parent)


def test_categories_are_subjects_of_a_group(tmp_path: Path) -> None:
    rows = [row(类别=name, answer="ABCD"[n]) for n, name in enumerate(["数学", "语文", "数学", "语文"])]
    expansion = expanded(jsonl(tmp_path, rows, "exam.jsonl"))
    assert [(spec.name, spec.groups, spec.known_items) for spec in expansion.tasks] == [
        ("exam_数学", ("exam",), 2),
        ("exam_语文", ("exam",), 2),
    ]
    groups = {group.name: group.members for group in expansion.twins.groups}
    assert groups == {"exam": ("exam_数学", "exam_语文"), "exam-gen": ("exam-gen_数学", "exam-gen_语文")}
    tasks = [load(spec, DataSources()) for spec in expansion.tasks]
    assert [task.available for task in tasks] == [2, 2]
    assert [task.example(PromptStyle())[1].split("right answer: ")[1][0] for task in tasks] == ["A", "B"]
    prints = {task.provenance.fingerprint for task in tasks}
    assert len(prints) == 2
    whole = expanded(tmp_path / "exam.jsonl", category="").tasks
    assert [(spec.name, spec.known_items, spec.groups) for spec in whole] == [("exam", 4, ())]


def test_a_mixed_file_is_two_tasks(tmp_path: Path) -> None:
    path = jsonl(tmp_path, [row(), SHORT, row(choices=["x", "y", "z"], answer="C")], "exam.jsonl")
    expansion = expanded(path)
    assert [(spec.name, spec.output, spec.known_items) for spec in expansion.tasks] == [
        ("exam-choice", "multiple_choice", 2),
        ("exam-short", "generate_until", 1),
    ]
    choice, short = (load(spec, DataSources()) for spec in expansion.tasks)
    assert choice.chance == pytest.approx((1 / 4 + 1 / 3) / 2)
    assert short.chance is None
    assert short.available == 1
    assert any("2 rows have options and 1 have none" in note for note in expansion.tasks[0].notes)


def test_the_generated_form_by_its_key(tmp_path: Path) -> None:
    path = jsonl(tmp_path, [row(), row(choices=["x", "y", "z"], answer="C")], "exam.jsonl")
    (spec,) = expanded(path, form="generated").tasks
    assert (spec.name, spec.output, spec.twin) == ("exam-gen", "generate_until", None)
    task = load(spec, DataSources())
    assert task.chance == pytest.approx((1 / 4 + 1 / 3) / 2)
    items = list(task.items(PromptStyle()))
    marks = task.mark(
        {
            items[0].key: Generation(items[0].key, "答案：B", "eos"),
            items[1].key: Generation(items[1].key, "答案：A", "eos"),
        },
        PromptStyle(),
    )
    assert [sample.metrics["exact_match"] for sample in marks.samples] == [1.0, 0.0]
    (plain,) = expanded(path, form="logprobs").tasks
    assert (plain.name, plain.twin) == ("exam", None)
    with pytest.raises(ConfigError, match="leave out fewshot: 1"):
        expanded(path, form="generated", fewshot=1)
    with pytest.raises(ConfigError, match="no row has any"):
        expanded(jsonl(tmp_path, [SHORT], "s.jsonl"), form="logprobs")


def test_examples_need_rows(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="fewshot: 2 needs 3 rows, there are 2: say at most 1"):
        expanded(jsonl(tmp_path, [row(), row()]), fewshot=2)
    with pytest.raises(ConfigError, match="category 'a' has 1"):
        expanded(jsonl(tmp_path, [row(kind="a"), row(kind="b")]), category="kind", fewshot=1)


def test_keys_that_nothing_needs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="every row has options"):
        expanded(jsonl(tmp_path, [row()]), normalize=["width"])
    with pytest.raises(ValueError, match="is for a file of your own"):
        TaskEntry(task="mmlu", category="subject")


def test_mistakes_say_where_the_entry_was_written(tmp_path: Path) -> None:
    entry = TaskEntry(file=str(table(tmp_path, "question,answer\nq,A\n")))
    with pytest.raises(
        ConfigError,
        match=r"^tasks 0: .*own\.csv: column 'answer' holds option"
        " letters only",
    ):
        expand([entry], limit=None, base_dir=tmp_path, where=lambda *steps: " ".join(map(str, steps)))


COMPARED = [
    ("北京。", "北京", ["punctuation"], True),
    ("《红楼梦》", "红楼梦", ["punctuation"], True),
    ("甲、乙", "甲，乙", ["punctuation"], True),
    ("-5", "5", ["punctuation"], False),
    ("3.5", "35", ["punctuation"], False),
    ("1,200", "1200", ["punctuation"], False),
    (".5", "5", ["punctuation"], False),
    ("5!", "5", ["punctuation"], False),
    ("C#", "C", ["punctuation"], False),
    ("C++", "C", ["punctuation"], False),
    ("ＡＢＣ１", "abc1", ["width"], False),
    ("ＡＢＣ１", "abc1", ["width", "case"], True),
    ("New York", "NewYork", ["space"], True),
    ("Paris", "paris", [], False),
    (" Paris\n", "Paris", [], True),
    ("paris", "Paris", None, True),
    ("北京。", "北京", None, False),
]


@pytest.mark.parametrize(("answer", "gold", "names", "same"), COMPARED)
def test_what_does_not_count(answer: str, gold: str, names: list[str] | None, same: bool) -> None:
    steps = steps_of(names)
    assert (normal(answer, steps) == normal(gold, steps)) == same


def test_traditional_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("opencc")
    steps = steps_of(["traditional"])
    assert normal("臺灣的頭髮", steps) == normal("台湾的头发", steps)
    monkeypatch.setattr("harness.tasks.ownfile.normal.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"open-weight-harness\[chinese\]"):
        steps_of(["traditional"])


def test_any_right_answer_counts_and_the_rule_stands_beside_the_score(tmp_path: Path) -> None:
    path = jsonl(tmp_path, [SHORT | {"aliases": ["周树人"]}, {"question": "城市？", "answer": "北京"}])
    (spec,) = expanded(path, normalize=["width", "punctuation"]).tasks
    task = load(spec, DataSources())
    answers = {"0:0": Generation("0:0", "周树人。", "eos"), "1:0": Generation("1:0", "上海", "eos")}
    marks = task.mark(answers, PromptStyle())
    assert [sample.metrics["exact_match"] for sample in marks.samples] == [1.0, 0.0]
    assert {metric.filter for metric in marks.metrics} == {"width+punctuation"}
    (other,) = expanded(path).tasks
    assert load(other, DataSources()).marking_id != task.marking_id

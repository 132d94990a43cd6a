"""Thoughts, truncation, unparsable answers, repeats, failures; the letter extractor; CMRC's F1."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from harness.config.schema import GenerationSettings as Settings
from harness.items import Completion, Generation, Score, ThinkTags
from harness.tasks import Marks, PromptStyle, Task
from harness.tasks.catalogue import DATA
from harness.tasks.reading import read_letter

THINK = PromptStyle(think=ThinkTags("<think>", "</think>"))
PLAIN = PromptStyle()


def marked(task: Task, texts: list[str], style: PromptStyle = PLAIN, finish: str = "eos") -> Marks:
    items = list(task.items(style))
    answers = {item.key: Generation(item.key, text, finish) for item, text in zip(items, texts, strict=False)}  # type: ignore[arg-type]
    return task.mark(answers, style)


def test_thoughts_never_count(sums: Callable[..., Task]) -> None:
    texts = ["<think>\n\n7</think> 1", "<think>it is 2", "<think>3</think>", "<think>9</think>none\n\n4"]
    marks = marked(sums(), texts, THINK)
    assert [sample.metrics["exact_match"] for sample in marks.samples] == [1, 0, 0, 0]
    assert [sample.truncated for sample in marks.samples] == [False, True, False, False]
    assert [sample.empty for sample in marks.samples] == [False, False, True, False]
    assert [sample.unparsable for sample in marks.samples] == [False, False, False, True]
    assert marks.samples[1].answer == "[invalid]"
    assert marks.metrics[0].value == 0.25
    assert marks.metrics[0].counted


def test_a_prompt_that_opens_the_thought(sums: Callable[..., Task]) -> None:
    style = PromptStyle(
        chat=lambda messages, _: f"{messages[-1]['content']}<think>\n", think=ThinkTags("<think>", "</think>")
    )
    task = sums()
    item = next(iter(task.items(style)))
    assert isinstance(item, Completion)
    assert item.think == ThinkTags("<think>", "</think>", opened=True)
    marks = marked(task, ["5</think>1", "2"], style)
    assert [(sample.metrics["exact_match"], sample.truncated) for sample in marks.samples] == [
        (1, False),
        (0, True),
    ]


def test_without_tags_a_thought_is_still_no_answer(sums: Callable[..., Task]) -> None:
    marks = marked(sums(), ["<think>1</think> 8", "<think>7</think> 2"])
    assert [sample.metrics["exact_match"] for sample in marks.samples] == [0, 1]


def test_the_budget_used_up_is_truncated_but_marked(sums: Callable[..., Task]) -> None:
    marks = marked(sums(), ["1"], finish="length")
    assert marks.samples[0].truncated
    assert marks.samples[0].metrics["exact_match"] == 1


def test_only_complete_documents_count(sums: Callable[..., Task]) -> None:
    task = sums()
    assert task.mark({}, PLAIN) == Marks((), (), 0)
    marks = task.mark(
        {"2:0": Generation("2:0", "3", "eos"), "3:0": Generation("3:0", "3", "eos")}, PLAIN, limit=3
    )
    assert (marks.n, marks.samples[0].doc_id, marks.metrics[0].value, marks.metrics[0].stderr) == (
        1,
        2,
        1.0,
        None,
    )


def test_settings_reach_the_items(sums: Callable[..., Task]) -> None:
    settings = Settings(
        temperature=0.7, top_p=0.9, top_k=20, max_tokens=11, until=["。"], repetition_penalty=1.1
    )
    items = [item for item in sums(generation=settings).items(PLAIN) if isinstance(item, Completion)]
    assert (items[0].max_tokens, items[0].stop) == (11, ("。",))
    sampling = items[0].sampling
    assert (sampling.temperature, sampling.top_p, sampling.top_k, sampling.repetition_penalty) == (
        0.7,
        0.9,
        20,
        1.1,
    )
    assert len({item.sampling.seed for item in items}) == len(items)
    assert next(iter(sums().items(replace(PLAIN, max_new_tokens=3)))).max_tokens == 3  # type: ignore[union-attr]
    assert next(iter(sums().items(PLAIN))).max_tokens == 40  # type: ignore[union-attr]


def test_repeats_are_scored_one_by_one_and_voted(sums: Callable[..., Task]) -> None:
    task = sums(repeats=3, generation=Settings(temperature=0.6))
    items = list(task.items(PLAIN, 2))
    assert [item.key for item in items] == ["0:0", "0:1", "0:2", "1:0", "1:1", "1:2"]
    texts = dict(zip([item.key for item in items], ["1", "1", "5", "x", "2", "y"], strict=True))
    marks = task.mark({key: Generation(key, text, "eos") for key, text in texts.items()}, PLAIN, 2)
    values = {metric.metric: metric for metric in marks.metrics}
    assert values["exact_match"].value == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert values["maj@3_exact_match"].value == 1.0
    assert values["exact_match"].n == 2
    assert not values["exact_match"].counted
    assert values["maj@3_exact_match"].counted
    assert marks.samples[0].keys == ("0:0", "0:1", "0:2")
    assert task.identity(PLAIN)["repeats"] == 3


def test_filters_that_vote_go_lm_evals_way(sums: Callable[..., Task]) -> None:
    steps = [
        {"function": "regex", "regex_pattern": "(\\d+)"},
        {"function": "majority_vote"},
        {"function": "take_first"},
    ]
    task = sums({"filter_list": [{"name": "vote", "filter": steps}], "repeats": 3})
    keys = ["0:0", "0:1", "0:2"]
    assert [item.key for item in task.items(PLAIN, 1)] == keys
    marks = task.mark(
        {key: Generation(key, text, "eos") for key, text in zip(keys, ["4", "1", "1"], strict=True)}, PLAIN, 1
    )
    assert [(metric.metric, metric.value) for metric in marks.metrics] == [("exact_match", 1.0)]


def test_a_document_that_cannot_be_marked_is_left_out(
    sums: Callable[..., Task], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "marking.py").write_text(
        "def process(doc, results):\n    return {'exact_match': 1 / (doc['q'] != '1 + 1 =')}\n"
    )
    task = sums()
    task._task.config.process_results = _module(tmp_path / "marking.py").process
    marks = marked(task, ["1", "2", "3", "4"])
    assert marks.n == 3
    assert marks.failed == ((1, "process_results: ZeroDivisionError: division by zero"),)
    assert "document 1" in caplog.text
    assert marks.metrics[0].n == 3


def test_ties_are_told(loaded: Callable[..., Task]) -> None:
    task = loaded("xcopa_zh")
    items = list(task.items(PLAIN, 2))
    answers = {
        item.key: Score(item.key, (-1.0, value), (False, False), (1, 1))
        for item, value in zip(items, (-1.0, -2.0), strict=True)
    }
    assert [sample.tied for sample in task.mark(answers, PLAIN, 2).samples] == [True, False]


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("推理……\n答案：B", "B"),
        ("所以**答案是 C**。", "C"),
        ("答案：**D**", "D"),
        ("因此答案为（Ａ）", "A"),
        ("答案：Ｂ", "B"),
        ("综上，故选C。", "C"),
        ("所以选D", "D"),
        ("选B", "B"),
        ("正确选项是：A", "A"),
        ("正确答案应该是选项B", "B"),
        (r"The result is $\boxed{B}$.", "B"),
        (r"\boxed{\text{C}}", "C"),
        ("A is wrong. B is wrong.\nAnswer: C", "C"),
        ("**Answer: D**", "D"),
        ("The correct answer is (B).", "B"),
        ("The best option is A", "A"),
        ("At first: Answer: A. No, wait. Answer: B", "B"),
        ("B", "B"),
        ("B. the heart", "B"),
        ("**B**", "B"),
        ("some reasoning\n\n**C**", "C"),
        ("The answer is a matter of taste.", "[invalid]"),
        ("Answer: Because", "[invalid]"),
        ("A lesion of the nerve", "[invalid]"),
        ("我不知道", "[invalid]"),
        ("", "[invalid]"),
        ("不选A，应选B", "B"),
        ("“答案：C”", "C"),
    ],
)
def test_the_letter_that_an_answer_settles_on(text: str, letter: str) -> None:
    assert (read_letter(text).value or "[invalid]") == letter


def test_cmrc_marks_by_characters() -> None:
    module = _module(DATA / "lm_eval_tasks/cmrc2018/utils.py")
    document = {"answers": {"text": ["光荣和ω-force", "光荣"]}}
    assert module.process_results(document, ["光荣 和 ω-force。"]) == {"exact_match": 1.0, "f1": 1.0}
    assert module.process_results(document, ["是光荣"]) == {"exact_match": 0.0, "f1": pytest.approx(0.8)}
    assert module.process_results(document, [""]) == {"exact_match": 0.0, "f1": 0.0}


def test_generative_ceval_through_a_thought(loaded: Callable[..., Task]) -> None:
    task = loaded("ceval-valid-gen_art_studies")
    items = list(task.items(THINK, 2))
    marks = task.mark(
        {item.key: Generation(item.key, "<think>答案：B</think>\n\n答案：A", "eos") for item in items},
        THINK,
        2,
    )
    assert {sample.answer for sample in marks.samples} == {"A"}
    assert [metric.metric for metric in marks.metrics] == ["exact_match"]
    assert task.chance == 0.25


def test_an_example_for_people(loaded: Callable[..., Task]) -> None:
    prompt, how = loaded("ceval-valid_art_studies", fewshot=5).example(PLAIN)
    assert prompt.count("答案：") == 6
    assert "log-probabilities of 4 continuations" in how

"""In fp32 on the CPU harness and lm-eval's own HF engine give the same numbers: every counted
metric to the digit, every log-probability to 1e-4, perplexities to 1e-5, greedy text identical.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.parity import Subject, ours, theirs

from harness.items import Generation, Likelihood, Score

REAL: dict[str, dict[str, Any]] = {
    "ceval 5-shot": {"task": "ceval-valid_art_studies", "fewshot": 5, "limit": 6},
    "cmmlu 5-shot": {"task": "cmmlu_ancient_chinese", "fewshot": 5, "limit": 6},
    "mmlu 5-shot": {"task": "mmlu_anatomy", "fewshot": 5, "limit": 6},
    "arc_easy": {"task": "arc_easy", "limit": 8},
    "arc_easy 3-shot": {"task": "arc_easy", "fewshot": 3, "limit": 6},
    "hellaswag 4-shot": {"task": "hellaswag", "fewshot": 4, "limit": 5},
    "piqa": {"task": "piqa", "limit": 8},
    "xwinograd": {"task": "xwinograd_en", "limit": 10},
    "xcopa_zh": {"task": "xcopa_zh", "limit": 10},
    "lambada": {"task": "lambada_openai", "limit": 6},
    "gsm8k 5-shot": {"task": "gsm8k", "fewshot": 5, "limit": 3},
    "zh passages": {"task": "zh_passages", "limit": 4},
}
BUNDLED = {
    "zh_arithmetic": {"task": "zh_arithmetic", "limit": 20},
    "en_reading": {"task": "en_reading", "limit": 20},
    "zh_letters": {"task": "zh_letters", "limit": 20},
    "en_word_problems": {"task": "en_word_problems", "limit": 8},
    "en_passages": {"task": "en_passages", "limit": 6},
}
CHAT = ["ceval 5-shot", "arc_easy", "xcopa_zh", "gsm8k 5-shot"]


def compare(one: Subject, task: dict[str, Any], mirror: Path | None, chat: bool = False) -> None:
    answers, marks = ours(one, task, mirror, chat)
    expected = theirs(one, task, mirror, chat)
    name = task["task"]
    samples: dict[int, Any] = {sample["doc_id"]: sample for sample in expected["samples"][name]}
    assert len(samples) == marks.n
    for key, answer in answers.items():
        reference = samples[int(key.split(":")[0])]["resps"]
        if isinstance(answer, Score):
            # 1e-4 a log-probability; the sums of hundreds of tokens are in fp32, whose own step
            # near 1,000 is 6e-5
            assert [pair[0][0] for pair in reference] == pytest.approx(
                list(answer.logprobs), abs=1e-4, rel=5e-7
            )
            assert [pair[0][1] for pair in reference] == list(answer.greedy)
        elif isinstance(answer, Likelihood):
            assert reference[0][0] == pytest.approx(answer.logprob, rel=1e-5)
        elif isinstance(answer, Generation):
            assert reference[0][0] == answer.text
    scores = expected["results"][name]
    for metric in marks.metrics:
        reference = scores[f"{metric.metric},{metric.filter}"]
        assert metric.value == pytest.approx(
            reference, abs=1e-9 if metric.counted else 0, rel=None if metric.counted else 1e-5
        )
    assert {f"{metric.metric},{metric.filter}" for metric in marks.metrics} == {
        key for key in scores if "," in key and "_stderr" not in key
    }


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("model", ["stories", "tiny-qwen"])
def test_real_tasks(subject: Callable[[str], Subject], mirror: Path, model: str, name: str) -> None:
    compare(subject(model), REAL[name], mirror)


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
@pytest.mark.timeout(900)
def test_real_tasks_on_a_real_vocabulary(subject: Callable[[str], Subject], mirror: Path, name: str) -> None:
    most = (
        1 if name.startswith("gsm8k") else 3
    )  # lm-eval alone takes over a minute for each answer of 256 tokens
    compare(subject("qwen-4-layers"), {**REAL[name], "limit": min(most, REAL[name]["limit"])}, mirror)


@pytest.mark.parametrize("name", CHAT)
@pytest.mark.parametrize("model", ["tiny-llama", "tiny-distill"])
def test_with_the_chat_template(
    subject: Callable[[str], Subject], mirror: Path, model: str, name: str
) -> None:
    compare(subject(model), REAL[name], mirror, chat=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHAT[:3])
def test_with_the_chat_template_of_a_real_tokenizer(
    subject: Callable[[str], Subject], mirror: Path, name: str
) -> None:
    compare(subject("qwen-4-layers"), {**REAL[name], "limit": 2}, mirror, chat=True)


@pytest.mark.parametrize("name", BUNDLED)
@pytest.mark.parametrize("model", ["tiny-qwen", "tiny-llama", "tiny-distill"])
def test_bundled_tasks(subject: Callable[[str], Subject], model: str, name: str) -> None:
    compare(subject(model), BUNDLED[name], None)

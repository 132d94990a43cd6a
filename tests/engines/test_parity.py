"""The transformers engine against lm-eval 0.4.13's own HF engine, on the same weights in fp32."""

from __future__ import annotations

import random
from typing import Any

import pytest
from lm_eval.api.instance import Instance

from harness.items import Choice, Completion, Passage

from .conftest import Opened

CEVAL = "以下是中国关于科目的单项选择题，请选出其中的正确答案。\n\n"
STORY = "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. "
TOLERANCE = 1e-4


def _instances(kind: str, arguments: list[tuple[Any, ...]]) -> list[Instance]:
    return [
        Instance(request_type=kind, doc={}, arguments=args, idx=0, metadata=("t", 0, 1)) for args in arguments
    ]


def _questions() -> list[Choice]:
    """One question for each thing at which tokenizers and windows differ.

    Shared contexts, several-token choices, Chinese, empty contexts, varying contexts, spaces at the
    end, too long contexts.
    """
    shots = CEVAL + "1+1等于几？\nA. 1\nB. 2\nC. 3\nD. 4\n答案： B\n\n"
    questions = [
        tuple((f"{shots}{number}加一等于几？\n答案：", f" {letter}") for letter in "ABCD")
        for number in range(3)
    ]

    questions += [
        tuple((STORY, choice) for choice in (" One day, she saw a cat.", "The end", " x", "\n\n")),
        (
            ("The trophy is big so", " it does not fit."),
            ("The suitcase is big so it may", " it does not fit."),
        ),
        (
            ("", "Once upon"),
            ("", "北京是首都"),
            ("A question  ", "  with spaces"),
            ("end with newline\n", "then more"),
        ),
        tuple((STORY * 40 + "And then", choice) for choice in (" she", " the dog was happy.", " 你好")),
        (("今天天气", "很好，我们去公园。"), ("今天天气", "不"), ("今天天气很", "不好")),
        ((STORY, "a"), (STORY + "a ", "b"), (STORY + "a", " bc")),
    ]
    return [Choice(f"q{index}", pairs) for index, pairs in enumerate(questions)]


def _check_scores(opened: Opened) -> float:
    items = _questions()
    pairs = [pair for item in items for pair in item.pairs]
    want = opened.hflm.loglikelihood(_instances("loglikelihood", pairs), disable_tqdm=True)
    scores = {score.key: score for score in opened.engine.score(items)}

    worst = 0.0
    position = 0
    for item in items:
        score = scores[item.key]
        for option, pair in enumerate(item.pairs):
            logprob, greedy = want[position]
            position += 1
            error = abs(score.logprobs[option] - logprob) / max(1, score.lengths[option])
            worst = max(worst, error)
            assert error < 0.01, (pair, score.logprobs[option], logprob)
            assert score.greedy[option] == greedy, pair

    # One context is longer than the window.
    assert scores["q6"].truncated > 0
    return worst


@pytest.mark.parametrize("model", ["stories", "qwen"])
def test_log_probabilities_equal_lm_evals(model: str, request: pytest.FixtureRequest) -> None:
    assert _check_scores(request.getfixturevalue(model)) <= TOLERANCE


@pytest.mark.parametrize("model", ["stories", "qwen"])
def test_rolling_log_probabilities_equal_lm_evals(model: str, request: pytest.FixtureRequest) -> None:
    opened: Opened = request.getfixturevalue(model)
    texts = [STORY * 36, "Short.", "北京是中国的首都。" * 24, "<s>Once upon a time", " leading space"]
    want = opened.hflm.loglikelihood_rolling(
        _instances("loglikelihood_rolling", [(text,) for text in texts]), disable_tqdm=True
    )
    passages = [Passage(str(number), text) for number, text in enumerate(texts)]
    answers = {answer.key: answer for answer in opened.engine.perplexity(passages)}
    for number, logprob in enumerate(want):
        answer = answers[str(number)]
        assert answer.logprob == pytest.approx(logprob, abs=TOLERANCE * answer.predicted, rel=1e-5)

    # The first text takes several windows.
    assert answers["0"].predicted > 2 * opened.engine.window


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("model", ["stories", "qwen"])
def test_greedy_text_equals_lm_evals(model: str, batch_size: int, request: pytest.FixtureRequest) -> None:
    opened: Opened = request.getfixturevalue(model)
    cases = [
        ("Once upon a time", ["\n\n"], 48),
        ("Lily and Tom were", ["."], 40),
        ("One day, a big dog", ["was", "the", "and"], 40),
        (STORY * 40 + "Then", ["\n"], 30),
        ("The cat sat on the mat.  ", [], 24),
        ("小明去公园", ["。", "Lily"], 24),
        ("A", ["</s>"], 100),
    ]

    opened.hflm.batch_size_per_gpu = batch_size
    requests = _instances(
        "generate_until", [(prompt, {"until": list(stop), "max_gen_toks": n}) for prompt, stop, n in cases]
    )
    want = opened.hflm.generate_until(requests, disable_tqdm=True)
    items = [
        Completion(str(number), prompt, tuple(stop), n) for number, (prompt, stop, n) in enumerate(cases)
    ]
    answers = {answer.key: answer for answer in opened.engine.generate(items)}
    assert [answers[str(number)].text for number in range(len(cases))] == want
    assert answers["3"].truncated > 0


def test_stories_tell_a_story(stories: Opened) -> None:
    (answer,) = stories.engine.generate([Completion("k", "Once upon a time", max_tokens=60)])
    assert answer.text.startswith(
        ", there was a little girl named Lily. She loved to play outside in the park."
    )
    assert answer.finish == "length"
    assert answer.tokens.output == 60
    assert 0 < answer.first_token < answer.last_token


def test_order_and_duplicates_change_nothing(stories: Opened) -> None:
    items = _questions()
    alone = {item.key: next(iter(stories.engine.score([item]))) for item in items}
    mixed = [Choice(f"{item.key}/{copy}", item.pairs) for item in items for copy in range(3)]
    random.Random(5).shuffle(mixed)

    answers = list(stories.engine.score(mixed))
    assert sorted(answer.key for answer in answers) == sorted(item.key for item in mixed)
    for answer in answers:
        same = alone[answer.key.split("/")[0]]
        assert answer.logprobs == pytest.approx(same.logprobs, abs=1e-4)
        assert answer.greedy == same.greedy
        assert answer.tokens.prompt == answer.tokens.computed + answer.tokens.shared
    together = sum(answer.tokens.computed for answer in stories.engine.score(items))
    assert sum(answer.tokens.computed for answer in answers) == together  # duplicates cost nothing
    assert together < sum(answer.tokens.computed for answer in alone.values())


def test_one_context_is_computed_once_for_its_single_token_choices(stories: Opened) -> None:
    (answer,) = stories.engine.score([Choice("k", tuple((STORY, letter) for letter in "abcd"))])
    assert answer.lengths == (1, 1, 1, 1)
    assert answer.tokens.computed * 4 == answer.tokens.prompt

"""Request bodies and answers, without a server: what is sent for which item, and what is made of
odd answers.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.config.schema import ModelSpec
from harness.engines.openai.chat import Messages, messages_of
from harness.engines.openai.scoring import ScoredRow, make_row, read
from harness.engines.openai.settings import Settings
from harness.engines.openai.wire import Dialect, Prompt, read_choice
from harness.items import Completion, Sampling, ThinkTags

TAGS = ThinkTags("<think>", "</think>")
ITEM = Completion("k", "p", ("a", "b", "", "c", "d", "e"), 9)


def dialect(chat: bool = False, thinking: bool | None = None, **args: Any) -> Dialect:
    spec = ModelSpec(
        id="m", engine="openai", base_url="http://127.0.0.1:9/v1", thinking=thinking, engine_args=args
    )
    return Dialect(spec, Settings.of(spec), chat)


def answer(text: str | None, finish: str = "stop", **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": text, **more}, "finish_reason": finish}]}


def test_messages_travel_as_text() -> None:
    messages = [{"role": "system", "content": '你好 "x"'}, {"role": "user", "content": "{}\n"}]
    assert messages_of(Messages()(messages, True)) == messages
    for text in ("plain", '{"messages": [broken', "{}"):
        assert messages_of(text) == [{"role": "user", "content": text}]


def test_what_is_sent() -> None:
    body = dialect().body(ITEM, Prompt("p", (1, 2), 7))
    off = {
        "top_p": 1.0,
        "top_k": -1,
        "min_p": 0.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "repetition_penalty": 1.0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert body == {
        "model": "m",
        "max_tokens": 7,
        "prompt": [1, 2],
        "temperature": 0.0,
        **off,
        "stop": ["a", "b", "c", "d"],
    }
    drawn = Completion("k", "p", (), 9, Sampling(0.7, 0.9, 40, 1.1, 5))
    whole = {"extra_body": {"effort": "low"}, "omit": ["seed"], "stream": False}
    body = dialect(chat=True, thinking=False, **whole).body(drawn, Prompt("p", None, 9))
    assert body == {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "p"}],
        "chat_template_kwargs": {"enable_thinking": False},
        "temperature": 0.7,
        "top_p": 0.9,
        "top_k": 40,
        "min_p": 0.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "repetition_penalty": 1.1,
        "effort": "low",
    }
    assert "stop" not in dialect().body(Completion("k", "p", ("a",), 9, think=TAGS), Prompt("p", None, 9))


@pytest.mark.parametrize(
    ("given", "text", "finish"),
    [
        (answer("4\n\nNext"), "4", "stop"),
        (answer("4"), "4", "eos"),
        (answer("4", "length"), "4", "length"),
        (answer("4", reasoning="2+2"), "<think>2+2</think>4", "eos"),
        (answer("4", reasoning_content="2+2\n\n"), "<think>2+2\n\n</think>4", "eos"),
        (answer(None, "length", reasoning="2+"), "<think>2+", "length"),
        (answer("", "stop", reasoning="2+2"), "<think>2+2</think>", "eos"),
        (answer("2+2</think>4"), "<think>2+2</think>4", "eos"),
        (answer("4", reasoning=None), "4", "eos"),
    ],
)
def test_thoughts_and_ends(given: dict[str, Any], text: str, finish: str) -> None:
    item = Completion("k", "p", ("\n\n",), 9, think=TAGS)
    found, _ = read_choice(given, item, Prompt("p", None, 9), item.stop)
    assert (found.text, found.finish) == (text, finish)
    assert found.tokens.output == 0, "no usage was told"


def test_a_thought_without_tags_to_name_it_is_left_away() -> None:
    found, _ = read_choice(answer("4", reasoning="2+2"), ITEM, Prompt("p", None, 9), ())
    assert found.text == "4"


def test_usage_and_stop_reason() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 8}}
    given = {"choices": [{"text": "x", "finish_reason": "stop", "stop_reason": "\n"}], "usage": usage}
    found, _ = read_choice(given, ITEM, Prompt("p", None, 9, truncated=2), ())
    assert (found.finish, found.truncated) == ("stop", 2)
    assert (found.tokens.prompt, found.tokens.computed, found.tokens.shared, found.tokens.output) == (
        10,
        4,
        8,
        3,
    )


@pytest.mark.parametrize(
    "given",
    [{}, {"choices": []}, {"choices": [{}]}, {"choices": "x"}, {"choices": [{"message": {"content": [1]}}]}],
)
def test_answers_of_another_shape(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="an answer"):
        read_choice(given, ITEM, Prompt("p", None, 9), ())


def test_rows_keep_what_the_window_holds() -> None:
    assert make_row(([1, 2, 3], [4, 5]), None) == ScoredRow((1, 2, 3, 4, 5), 2, 0)
    assert make_row(([1, 2, 3], [4, 5]), 3) == ScoredRow((2, 3, 4, 5), 2, 1)
    assert make_row(([1], [2, 3, 4, 5]), 3) == ScoredRow((2, 3, 4, 5), 3, 1), (
        "the first token of a cut row has nothing before it"
    )


def test_greedy_is_told_by_rank_or_by_the_best() -> None:
    row = ScoredRow((7, 8, 9), 2, 0)
    first = {"8": {"logprob": -0.5, "rank": 1}}
    second = {"9": {"logprob": -2.0, "rank": 2}, "4": {"logprob": -0.1, "rank": 1}}
    found = read("prompt_logprobs", {"choices": [{"prompt_logprobs": [None, first, second]}]}, row)
    assert (found.logprob, found.greedy) == (-2.5, False)
    told = {
        "token_logprobs": [None, -0.5, -0.25, -3],
        "top_logprobs": [None, {"x": -0.5}, {"y": -0.25}, {"z": -3}],
    }
    found = read("echo", {"choices": [{"logprobs": told}]}, row)
    assert (found.logprob, found.greedy) == (-0.75, True)
    for broken in (
        {"prompt_logprobs": [None, first]},
        {"prompt_logprobs": [None, first, {"5": {"logprob": -1.0}}]},
    ):
        with pytest.raises(ValueError, match="prompt_logprobs"):
            read("prompt_logprobs", {"choices": [broken]}, row)
    with pytest.raises(ValueError, match="log-probability of a token"):
        read("echo", {"choices": [{"logprobs": {"token_logprobs": [None, None, -1]}}]}, row)

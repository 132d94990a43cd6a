"""Answers in every server's form: contents in parts, ends in all words, counts that are none,
another model's name.
"""

from __future__ import annotations

import math
from typing import Any

import pytest
from support.endpoint import Behaviour, Server

from harness.engines import chat_renderer, find_model, open_engine
from harness.engines.openai.notes import same_model
from harness.engines.openai.reading import count
from harness.engines.openai.wire import Prompt, read_choice
from harness.engines.transformers.engine import TransformersEngine
from harness.errors import ModelError
from harness.evaluation.answer_checks import answer_findings
from harness.items import Completion, Finish, Generation, ThinkTags

TAGS = ThinkTags("<think>", "</think>")
ITEM = Completion("k", "p", ("\n\n",), 9, think=TAGS)
PROMPT = Prompt("p", None, 9)
THOUGHT = {
    "type": "thinking",
    "thinking": [{"type": "text", "text": "2+"}, {"type": "text", "text": "2"}],
    "closed": True,
}
FOUR = {"type": "text", "text": "4"}


def answer(content: Any, finish: Any = "stop", **more: Any) -> dict[str, Any]:
    return {
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, **more},
                "finish_reason": finish,
            }
        ]
    }


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (answer([FOUR]), "4"),
        (answer([FOUR, {"type": "text", "text": "2"}]), "42"),
        (answer([THOUGHT, FOUR]), "<think>2+2</think>4"),
        (answer([{"type": "thinking", "thinking": "2+2"}, FOUR]), "<think>2+2</think>4"),
        (
            answer([{"type": "reasoning", "text": "2+2"}, {"type": "output_text", "text": "4"}]),
            "<think>2+2</think>4",
        ),
        (answer([THOUGHT], "length"), "<think>2+2"),
        (answer(["4", FOUR]), "44"),
        (answer([FOUR, {"type": "reference", "reference_ids": [1]}]), "4"),
        (answer(FOUR), "4"),
        (answer([]), ""),
        (answer(None), ""),
        (answer(None, refusal="I cannot"), "I cannot"),
        (answer([{"type": "refusal", "refusal": "I cannot"}]), "I cannot"),
        (answer("4", reasoning_details=[{"type": "reasoning.text", "text": "2+2"}]), "<think>2+2</think>4"),
        (
            answer("4", reasoning_details=[{"type": "reasoning.summary", "summary": "sum"}]),
            "<think>sum</think>4",
        ),
        (answer("4", reasoning_details=[{"type": "reasoning.encrypted", "data": "zz"}]), "4"),
        (
            answer("4", reasoning="2+2", reasoning_details=[{"type": "reasoning.text", "text": "2+2"}]),
            "<think>2+2</think>4",
        ),
        (answer("4", reasoning_content=[{"type": "text", "text": "2+2"}]), "<think>2+2</think>4"),
        (answer("4", thinking="2+2"), "<think>2+2</think>4"),
        (answer("4", tool_calls=[]), "4"),
        (answer("4", refusal=None, tool_calls=None), "4"),
    ],
)
def test_contents_in_every_form(given: dict[str, Any], text: str) -> None:
    assert read_choice(given, ITEM, PROMPT, ITEM.stop)[0].text == text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (answer([{"type": "image_url", "image_url": {"url": "data:"}}]), "type 'image_url'"),
        (answer([FOUR, {"type": "audio", "data": ""}]), "type 'audio'"),
        (answer([1]), "no text but int"),
        (answer(4), "no text but int"),
        (answer([{"type": "text", "text": None}]), "without text"),
        (answer(None, "tool_calls", tool_calls=[{"id": "x"}]), "calls a tool"),
        (answer("", "function_call", function_call={"name": "f"}), "calls a tool"),
        ({"choices": [{"message": {"role": "assistant"}, "finish_reason": "stop"}]}, "without text"),
        ({"choices": [{"text": None, "finish_reason": "stop"}]}, "without text"),
        ({"choices": [{"index": 0, "text": "a"}, {"index": 1, "text": "b"}]}, "2 choices, where one"),
        ({"choices": [{"index": 3, "text": "a"}]}, "index 3"),
        ({"choices": [None]}, "without choices"),
        ({"choices": {"0": {}}}, "without choices"),
    ],
)
def test_contents_that_are_no_text_fail_with_their_kind(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_choice(given, ITEM, PROMPT, ITEM.stop)


@pytest.mark.parametrize(
    ("word", "finish"),
    [
        *[(word, "eos") for word in ("stop", "STOP", "eos", "eos_token", "end_turn", "COMPLETE")],
        ("stop_sequence", "stop"),
        *[
            (word, "length")
            for word in ("length", "max_tokens", "MAX_TOKENS", "model_length", "max_output_tokens")
        ],
        *[
            (word, "filter")
            for word in (
                "content_filter",
                "SAFETY",
                "sensitive",
                "RECITATION",
                "refusal",
                "guardrail_intervened",
            )
        ],
        *[(word, "unknown") for word in (None, "", "other", "unknown", 7, "FINISH_REASON_UNSPECIFIED")],
    ],
)
def test_ends_in_every_servers_words(word: Any, finish: str) -> None:
    found, _ = read_choice(answer("4", word), ITEM, PROMPT, ITEM.stop)
    assert (found.text, found.finish) == ("4", finish)
    if finish == "unknown":
        told = answer("4", word) | {"usage": {"prompt_tokens": 1, "completion_tokens": 9}}
        assert read_choice(told, ITEM, PROMPT, ITEM.stop)[0].finish == "length", "the budget is used up"


def test_a_filtered_answer_and_an_unexplained_end_are_told() -> None:
    finishes: tuple[Finish, ...] = ("eos", "filter", "unknown", "length", "filter")
    answers = [Generation(str(n), "x", finish) for n, finish in enumerate(finishes)]
    assert [(one.kind, one.count, one.of) for one in answer_findings(answers)] == [
        ("answers_filtered", 2, 5),
        ("endings_unknown", 1, 5),
    ]
    assert answer_findings(answers[:1]) == []


@pytest.mark.parametrize(
    ("usage", "counts", "whole"),
    [
        (
            {"prompt_tokens": 10, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 8}},
            (10, 4, 8, 3),
            True,
        ),
        (
            {"prompt_tokens": 10, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 80}},
            (10, 2, 10, 3),
            True,
        ),
        ({"prompt_tokens": 10, "completion_tokens": 3, "prompt_tokens_details": None}, (10, 12, 0, 3), True),
        (None, (0, 0, 0, 0), False),
        ("12 tokens", (0, 0, 0, 0), False),
        ([1, 2], (0, 0, 0, 0), False),
        ({"prompt_tokens": "ten", "completion_tokens": -3}, (0, 0, 0, 0), False),
        ({"prompt_tokens": math.nan, "completion_tokens": math.inf}, (0, 0, 0, 0), False),
        ({"prompt_tokens": 10, "prompt_tokens_details": "none"}, (10, 10, 0, 0), False),
        ({"prompt_tokens": True, "completion_tokens": 1}, (0, 0, 0, 1), False),
    ],
)
def test_counts_that_are_none(usage: Any, counts: tuple[int, ...], whole: bool) -> None:
    tokens, told = count({"usage": usage})
    assert ((tokens.prompt, tokens.computed, tokens.shared, tokens.output), told) == (counts, whole)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        "many",
        {"prompt_tokens": "ten", "total_tokens": "x"},
        {"prompt_tokens": math.nan, "total_tokens": math.nan},
    ],
)
def test_an_answer_without_counts_is_an_answer_and_it_is_told(qwen: TransformersEngine, usage: Any) -> None:
    with Server(
        qwen, "tiny", Behaviour(edit=lambda told: told | {"usage": usage}, owned_by="vllm")
    ) as server:
        engine = open_engine(server.spec(engine_args={"tokens_per_minute": 1e9}))
        assert len(list(engine.generate([Completion(str(n), "Anna", (), 4) for n in range(3)]))) == 3
        (found,) = [one for one in engine.info.findings if not one.kind.endswith("_unchecked")]
        assert (found.kind, found.count, found.of) == ("tokens_untold", 3, 3)
        engine.close()


def test_a_prompt_that_the_server_changes_is_told(qwen: TransformersEngine) -> None:
    def cut(told: dict[str, Any]) -> dict[str, Any]:
        told["usage"]["prompt_tokens"] = min(told["usage"]["prompt_tokens"], 5)
        return told

    with Server(qwen, "tiny", Behaviour(edit=cut, owned_by="vllm")) as server:
        engine = open_engine(server.spec(tokenizer="bundled/tiny-qwen"))
        list(
            engine.generate(
                [
                    Completion("long", "Anna has 3 apples and gives 2 to Tom.", (), 4),
                    Completion("short", "Anna", (), 4),
                ]
            )
        )
        (found,) = [one for one in engine.info.findings if not one.kind.endswith("_unchecked")]
        assert (found.kind, found.count, found.of, found.values["read"]) == ("prompt_changed", 1, 2, 5)
        engine.close()


@pytest.mark.parametrize(
    ("asked", "answered", "same"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("gpt-4o-2024-08-06", "gpt-4o", True),
        ("gpt-4-0613", "gpt-4-1106", False),
        ("gpt-4o", "gpt-4o-mini", False),
        ("Qwen/Qwen3-8B", "qwen3-8b", True),
        ("Qwen/Qwen3-8B", "/data/models/Qwen3-8B", True),
        ("mistral-large-latest", "mistral-large-2411", True),
        ("llama3", "llama3:latest", True),
        ("deepseek-chat", "deepseek-reasoner", False),
        ("qwen2.5-7b-instruct", "qwen2.5-7b-instruct-q4_k_m.gguf", False),
        ("qwen2.5-7b-instruct-q4_k_m", "qwen2.5-7b-instruct-q4_k_m.gguf", True),
        ("claude-3-5-sonnet@20241022", "claude-3-5-sonnet", True),
    ],
)
def test_another_models_name(asked: str, answered: str, same: bool) -> None:
    assert same_model(asked, answered) is same


def test_another_models_answers_are_told(qwen: TransformersEngine) -> None:
    with Server(
        qwen, "tiny", Behaviour(edit=lambda told: told | {"model": "small-7b"}, owned_by="vllm")
    ) as server:
        engine = open_engine(server.spec())
        list(engine.generate([Completion(str(n), "Anna", (), 4) for n in range(3)]))
        (found,) = [one for one in engine.info.findings if not one.kind.endswith("_unchecked")]
        assert (found.kind, found.count, found.of, found.values["name"]) == (
            "other_model_answered",
            3,
            3,
            "small-7b",
        )
        engine.close()


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"content": "4", "reasoning": "hm"}, True),
        ({"content": "<think>hm</think>4"}, True),
        ({"content": "<think>\n\n</think>4", "reasoning": "\n"}, False),
        ({"content": "4"}, False),
    ],
)
def test_a_thought_that_was_switched_off_is_told(
    distill: TransformersEngine, message: dict[str, Any], told: bool
) -> None:
    with Server(distill, "tiny", Behaviour(owned_by="vllm")) as server:
        spec = server.spec(chat_template=True, thinking=False)
        server.behaviour.edit = lambda answer: (
            answer | {"choices": [{**answer["choices"][0], "message": message}]}
        )
        engine = open_engine(spec)
        prompt = chat_renderer(spec, find_model(spec))([{"role": "user", "content": "3 + 4?"}], True)
        list(engine.generate([Completion("k", prompt, (), 4)]))
        assert [one.kind for one in engine.info.findings if not one.kind.endswith("_unchecked")] == (
            ["thinking_not_switched_off"] if told else []
        )
        engine.close()


def test_several_choices_fail_their_item_alone(qwen: TransformersEngine) -> None:
    seen: list[int] = []

    def twice(told: dict[str, Any]) -> dict[str, Any]:
        seen.append(1)
        return told | {"choices": told["choices"] * 2} if len(seen) == 2 else told

    with Server(qwen, "tiny", Behaviour(edit=twice)) as server:
        engine = open_engine(server.spec(engine_args={"concurrency": 1}))
        answered: list[str] = []
        with pytest.raises(ModelError, match=r"1 of 4 items were not answered.*an answer with 2 choices"):
            answered.extend(
                one.key for one in engine.generate([Completion(str(n), "Anna", (), 4) for n in range(4)])
            )
        engine.close()

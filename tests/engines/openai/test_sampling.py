"""Greedy means greedy, and what a config says is sent: whatever a server would fill in of its own;
what could not be said is told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.endpoint import Behaviour, Server

from harness.config.schema import ModelSpec
from harness.engines import chat_renderer, engine_identity, find_model, open_engine
from harness.engines.folding import fold_system
from harness.engines.openai.complaints import words_of
from harness.engines.openai.endpoint import EndpointError
from harness.engines.openai.folding import REFUSED
from harness.engines.openai.lessons import lesson
from harness.engines.prompting import with_penalty
from harness.engines.transformers.engine import TransformersEngine
from harness.errors import ModelError
from harness.items import Completion, Sampling
from harness.tasks.api import PromptStyle
from harness.tasks.generation import budget

FILLED = {"temperature": 0.7, "top_p": 0.5, "top_k": 2, "repetition_penalty": 1.7}
"""What a vLLM server takes from generation_config.json where a request does not say it, here strong
enough to be seen.
"""
PROMPTS = ["Anna has", "3 + 4 =", "小明有", "Tom"]
GREEDY = [Completion(f"greedy {p}", p, (), 24) for p in PROMPTS]
DRAWN = [Completion(f"drawn {n}", "Anna has", (), 24, Sampling(temperature=1.3, seed=n)) for n in range(4)]
EXPLICIT = [Completion(f"said {n}", "Anna has", (), 24, Sampling(1.3, 1.0, 0, 1.0, n)) for n in range(3)]


def texts(engine: Any, items: list[Completion]) -> dict[str, str]:
    return {answer.key: answer.text for answer in engine.generate(items)}


def kinds(engine: Any) -> dict[str, Any]:
    # of every endpoint without a tokenizer at hand
    always = {"tokenizer_unchecked", "finite_unchecked"}
    return {one.kind: dict(one.values) for one in engine.info.findings if one.kind not in always}


@pytest.mark.parametrize("more", [{}, {"tokenizer": "bundled/tiny-qwen"}])
def test_a_servers_defaults_change_no_answer(qwen: TransformersEngine, more: dict[str, Any]) -> None:
    items = [*GREEDY, *DRAWN, *EXPLICIT]
    right = texts(qwen, items)
    with Server(qwen, "tiny", Behaviour(defaults=FILLED, owned_by="vllm")) as server:
        engine = open_engine(server.spec(**more))
        assert texts(engine, items) == right
        assert not set(kinds(engine)) & {
            "server_defaults",
            "server_defaults_harmless",
            "sampling_unconfirmed",
        }
        asked = [request.body for request in server.posts() if request.body["max_tokens"] > 1]
        whole = {
            "temperature",
            "top_p",
            "top_k",
            "min_p",
            "presence_penalty",
            "frequency_penalty",
            "repetition_penalty",
        }
        assert all(whole <= set(body) for body in asked)
        assert all(("seed" in body) == (body["temperature"] > 0) for body in asked)
        engine.close()


def test_the_emulated_defaults_would_have_been_seen(qwen: TransformersEngine) -> None:
    omitted = ["top_p", "top_k", "repetition_penalty"]
    with Server(qwen, "tiny", Behaviour(defaults=FILLED, owned_by="vllm")) as server:
        engine = open_engine(server.spec(engine_args={"omit": omitted}))
        assert texts(engine, GREEDY) != texts(qwen, GREEDY)
        assert kinds(engine)["server_defaults"]["fields"] == "repetition_penalty"
        assert kinds(engine)["server_defaults_harmless"]["fields"] == "top_k, top_p"
        texts(engine, DRAWN)
        assert kinds(engine)["server_defaults"]["fields"] == "repetition_penalty, top_k, top_p"
        engine.close()


@pytest.mark.parametrize("strict", [False, True])
def test_fields_that_an_endpoint_does_not_know_are_left_out_and_told(
    qwen: TransformersEngine, strict: bool
) -> None:
    refuses = (
        ("top_k", "repetition_penalty", "min_p", "max_tokens")
        if not strict
        else ("top_k", "repetition_penalty", "min_p", "seed")
    )
    with Server(qwen, "tiny", Behaviour(refuses=refuses, strict=strict)) as server:
        engine = open_engine(server.spec(engine_args={"concurrency": 1}))
        assert texts(engine, GREEDY) == texts(qwen, GREEDY)
        assert len(server.posts()) == len(GREEDY) + (1 if strict else 4), "a refusal is learned once"
        assert kinds(engine) == {"server_defaults_harmless": {"fields": "min_p, repetition_penalty, top_k"}}
        list(engine.generate([replace(DRAWN[0], sampling=Sampling(0.9, 0.9, 20, 1.2, 5))]))
        assert kinds(engine)["server_defaults"] == {"fields": "repetition_penalty, top_k"}
        engine.close()


def test_many_at_once_learn_it_too(qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny", Behaviour(refuses=("top_k", "repetition_penalty", "min_p"))) as server:
        engine = open_engine(server.spec(engine_args={"concurrency": 8}))
        items = [Completion(str(n), f"{n} + 4 =", (), 4) for n in range(40)]
        assert texts(engine, items) == texts(qwen, items)
        assert len(server.posts()) <= 40 + 3 * 8
        engine.close()


def test_zero_is_tried_where_minus_one_is_no_top_k(qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny", Behaviour(top_k_from=0, owned_by="vllm")) as server:
        engine = open_engine(server.spec(engine_args={"concurrency": 1}))
        assert texts(engine, GREEDY) == texts(qwen, GREEDY)
        assert [request.body["top_k"] for request in server.posts()] == [-1, 0, 0, 0, 0]
        assert kinds(engine) == {}
        engine.close()


def test_a_refused_value_of_the_configs_is_the_users_to_change(qwen: TransformersEngine) -> None:
    def refuse(body: dict[str, Any], words: str) -> Any:
        return lesson({}, False, body, EndpointError("x", status=400, said=words))

    greedy = {"temperature": 0.0, "top_p": 1.0, "top_k": -1, "repetition_penalty": 1.3}
    assert refuse(greedy, "temperature must be strictly positive") is None
    assert refuse(greedy, "repetition_penalty must be between 1 and 1.2") is None
    assert refuse(greedy, "`temperature` and `top_p` cannot both be specified for this model").refused == {
        "top_p"
    }
    only = (
        "Unsupported value: 'temperature' does not support 0 with this model. "
        "Only the default (1) value is supported."
    )
    assert refuse(greedy, only).refused == {"temperature"}
    assert refuse(
        {"presence_penalty": 0.0}, "Argument not supported on this model: presencePenalty"
    ).refused == {"presence_penalty"}
    assert refuse(greedy, "This model's maximum context length is 4096 tokens") is None
    assert (
        lesson(
            {"top_p": 0.9}, False, {"top_p": 0.9}, EndpointError("x", status=400, said="unknown field top_p")
        )
        is None
    )
    assert lesson({}, False, greedy, EndpointError("x", status=429, said="unsupported top_p")) is None
    assert refuse(
        {"stop": ["a"]}, "Unsupported parameter: 'stop' is not supported with this model."
    ).refused == {"stop"}
    assert refuse({"top_k": -1}, "top_k_tokens is unknown") is None
    penalties = {"presence_penalty": 0.0, "frequency_penalty": 0.0}
    assert refuse(penalties, "You cannot set both presence_penalty and frequency_penalty").refused == set(
        penalties
    )
    assert refuse({"top_p": 1.0}, "1214: top_p参数非法。请检查文档").refused == {"top_p"}
    assert refuse({"top_p": 1.0}, "`top_p` must be > 0.0 and < 1.0").refused == {"top_p"}
    assert refuse(
        {"top_k": -1}, words_of({"error": {"message": "Extra inputs are not permitted", "param": "top_k"}})
    ).refused == {"top_k"}


def test_a_refused_value_says_what_to_do(qwen: TransformersEngine) -> None:
    def fussy(answer: dict[str, Any]) -> dict[str, Any]:
        return {"error": {"message": "`temperature` must be strictly positive", "code": 400}}

    with Server(qwen, "tiny", Behaviour(edit=fussy)) as server:
        engine = open_engine(server.spec())
        with pytest.raises(ModelError, match=r"must be strictly positive; change it .*omit: \[temperature\]"):
            list(engine.generate(GREEDY[:1]))
        engine.close()


@pytest.mark.parametrize(
    ("owner", "kind", "fields"),
    [
        ("library", "server_defaults", "repetition_penalty"),
        ("somebody", "sampling_unconfirmed", "repetition_penalty"),
        ("vllm", None, ""),
        ("sglang", None, ""),
        ("llamacpp", None, ""),
    ],
)
def test_what_the_software_heeds_is_known_from_its_own_words(
    qwen: TransformersEngine, owner: str, kind: str | None, fields: str
) -> None:
    with Server(qwen, "tiny", Behaviour(owned_by=owner)) as server:
        engine = open_engine(server.spec())
        assert kinds(engine) == {}, "nothing was generated"
        texts(engine, GREEDY)
        assert kinds(engine) == ({kind: {"fields": fields}} if kind else {})
        assert ("repeat_penalty" in server.posts()[-1].body) is (owner == "llamacpp")
        engine.close()


def test_what_extra_body_sets_is_told(qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny", Behaviour(owned_by="vllm")) as server:
        engine = open_engine(
            server.spec(
                engine_args={"extra_body": {"repetition_penalty": 1.3, "top_p": 1.0, "effort": "low"}}
            )
        )
        texts(engine, GREEDY)
        assert server.posts()[-1].body["repetition_penalty"] == 1.3
        assert kinds(engine) == {"sampling_overridden": {"fields": "repetition_penalty"}}
        engine.close()
        for name in ("stream", "n", "messages", "model", "prompt", "best_of"):
            with pytest.raises(ModelError, match=f"{name} is decided here"):
                open_engine(server.spec(engine_args={"extra_body": {name: 2}}))


def test_what_is_sent_is_a_part_of_the_cells_identity() -> None:
    def identity(**args: Any) -> dict[str, Any]:
        return engine_identity(
            ModelSpec(id="m", engine="openai", base_url="http://127.0.0.1:9/v1", engine_args=args)
        )

    first = identity()
    assert first["wire"] == 2
    for args in ({"omit": ["seed"]}, {"extra_body": {"top_p": 0.9}}, {"api": "chat"}, {"max_stops": 2}):
        assert identity(**args) != first
    assert identity(concurrency=3, retries=1, timeout=5) == first


def test_a_system_message_that_is_refused_goes_into_the_first_user_message(
    distill: TransformersEngine,
) -> None:
    messages = [{"role": "system", "content": "Answer in one word."}, {"role": "user", "content": "3 + 4?"}]
    with Server(distill, "tiny", Behaviour(roles=("user", "assistant"), owned_by="vllm")) as server:
        spec = server.spec(chat_template=True, engine_args={"concurrency": 1})
        engine = open_engine(spec)
        render = chat_renderer(spec, find_model(spec))
        items = [Completion(str(n), render(messages, True), (), 4) for n in range(3)]
        assert len(list(engine.generate(items))) == 3
        bodies = [request.body["messages"] for request in server.posts()]
        assert bodies == [messages, *[[{"role": "user", "content": "Answer in one word.\n\n3 + 4?"}]] * 3]
        assert "instructions_folded" in kinds(engine)
        engine.close()


@pytest.mark.parametrize(
    "words",
    [
        "System role not supported",
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "After the optional system message, conversation roles must alternate user/assistant",
        "Only user and assistant roles are supported!",
        "Developer instruction is not enabled for models/gemma-3-27b-it",
        "System messages are not supported by this model",
        "This model does not support system messages",
        "该模型不支持 system 角色",
    ],
)
def test_templates_words_about_a_system_message(words: str) -> None:
    assert REFUSED.search(words)
    assert not REFUSED.search("the system is overloaded, try again")
    assert not REFUSED.search("System error: no worker is available")


def test_folding_keeps_every_text_and_the_order() -> None:
    user, bot, system = ({"role": role, "content": role[0]} for role in ("user", "assistant", "system"))
    assert fold_system([user, bot]) == [user, bot]
    assert fold_system([system, user, bot, user]) == [{"role": "user", "content": "s\n\nu"}, bot, user]
    assert fold_system([system, bot]) == [{"role": "user", "content": "s"}, bot]
    assert fold_system([{"role": "system", "content": ""}, user]) == [user]


def test_a_penalty_of_one_is_said_and_nothing_is_left_to_the_checkpoint() -> None:
    """Of every engine: 1 in a config is not the same as nothing in a config."""
    style = PromptStyle()
    assert budget({}, style).sampling.repetition_penalty is None
    assert budget({"repetition_penalty": 1}, style).sampling.repetition_penalty == 1.0
    assert with_penalty(Sampling(), 1.05).repetition_penalty == 1.05
    assert with_penalty(Sampling(repetition_penalty=1.0), 1.05).repetition_penalty == 1.0
    assert with_penalty(Sampling(repetition_penalty=1.2), 1.05).repetition_penalty == 1.2


def test_fields_for_the_servers_template_are_asked_for_or_doubted(distill: TransformersEngine) -> None:
    messages = [{"role": "user", "content": "3 + 4?"}, {"role": "assistant", "content": "Answer:"}]
    for owner, told in (
        ("vllm", {}),
        ("somebody", {"fields": "chat_template_kwargs, continue_final_message, repetition_penalty"}),
    ):
        with Server(distill, "tiny", Behaviour(owned_by=owner)) as server:
            spec = server.spec(chat_template=True, thinking=True)
            engine = open_engine(spec)
            list(
                engine.generate(
                    [Completion("k", chat_renderer(spec, find_model(spec))(messages, False), (), 4)]
                )
            )
            assert kinds(engine).get("sampling_unconfirmed", {}) == told
            engine.close()
    with Server(distill, "tiny", Behaviour(refuses=("chat_template_kwargs",))) as server:
        spec = server.spec(chat_template=True, thinking=False)
        engine = open_engine(spec)
        prompt = chat_renderer(spec, find_model(spec))(messages[:1], True)
        with pytest.raises(
            ModelError,
            match=r"supplied: chat_template_kwargs; leave it to the server: .*omit: \[chat_template_kwargs\]",
        ):
            list(engine.generate([Completion("k", prompt, (), 4)]))
        engine.close()
        spec = server.spec(chat_template=True, thinking=False, engine_args={"omit": ["chat_template_kwargs"]})
        engine = open_engine(spec)
        list(engine.generate([Completion("k", prompt, (), 4)]))
        assert kinds(engine)["server_defaults"] == {"fields": "chat_template_kwargs"}
        engine.close()

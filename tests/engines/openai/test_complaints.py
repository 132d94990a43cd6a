"""Errors under HTTP 200, and a base_url that leads beside the API: the server's words, or the right
address, in one line.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any

import pytest
from support.endpoint import Behaviour, Server

from harness.engines import find_model, open_engine
from harness.engines.openai.complaints import complaint_of, words_of
from harness.engines.transformers.engine import TransformersEngine
from harness.errors import ModelError
from harness.items import Choice, Completion

ITEMS = [Completion(str(n), f"{n} + 4 =", (), 4) for n in range(6)]
PASSING: list[Any] = [
    {
        "error": {
            "message": "Rate limit reached for requests",
            "type": "requests",
            "code": "rate_limit_exceeded",
        }
    },
    {"error": {"message": "slow down", "code": 429}},
    {"error": {"message": "Provider returned error", "code": 502}},
    {"error": "model is overloaded, please try again later"},
    {"object": "error", "message": "worker timed out", "code": 50002},
    {"detail": "Service temporarily unavailable"},
    {"code": 1305, "message": "当前API请求过多，请稍后重试"},
    {"error_code": 336501, "error_msg": "Rate limit reached for RPM"},
    {"base_resp": {"status_code": 1002, "status_msg": "rate limit"}, "choices": None},
    {"errors": [{"message": "Internal error, retry"}]},
    [{"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}],
    {
        "choices": [
            {
                "index": 0,
                "finish_reason": "error",
                "error": {"code": 502, "message": "upstream"},
                "text": "hal",
            }
        ]
    },
    {"choices": [{"index": 0, "finish_reason": "insufficient_system_resource", "text": "hal"}]},
    {"choices": [{"index": 0, "finish_reason": "abort", "text": "hal"}]},
    {"error": {"message": "x", "type": "server_error"}},
    {"Response": {"Error": {"Code": "LimitExceeded", "Message": "too many requests"}}},
    {"errcode": 42901, "errmsg": "rate limit"},
]
LASTING: list[tuple[Any, str]] = [
    (
        {"error": {"message": "The prompt is not allowed here", "type": "invalid_request_error"}},
        "The prompt is not allowed here",
    ),
    ({"detail": [{"loc": ["body", "prompt"], "msg": "field required"}]}, "body.prompt: field required"),
    (
        {"object": "error", "message": "maximum context length is 64", "code": 40303},
        "40303: maximum context length is 64",
    ),
    (
        {"code": "DataInspectionFailed", "message": "Input data may contain inappropriate content."},
        "DataInspectionFailed: Input",
    ),
    ({"error": "bad prompt"}, "bad prompt"),
    ({"success": False, "msg": "参数错误", "code": 1214}, "1214: 参数错误"),
    ({"message": "no"}, "no"),
    ({"Response": {"Error": {"Code": "InvalidParameter", "Message": "wrong"}}}, "InvalidParameter: wrong"),
    ({"status": "error", "reason": "not for you"}, "error: not for you"),
    ({"choices": [{"text": "4"}], "error": {"message": "half of it"}}, "half of it"),
]


@pytest.mark.parametrize("body", PASSING, ids=lambda body: json.dumps(body, ensure_ascii=False)[:40])
def test_an_error_that_says_it_passes_is_asked_again(qwen: TransformersEngine, body: Any) -> None:
    with Server(qwen, "tiny", Behaviour(faults=deque([None, body, body]))) as server:
        engine = open_engine(server.spec(engine_args={"concurrency": 1}))
        assert {one.key for one in engine.generate(ITEMS)} == {item.key for item in ITEMS}
        assert engine.info.extra["counts"]["failed: HTTP 200 with an error"] == 2
        engine.close()


@pytest.mark.parametrize(("body", "words"), LASTING, ids=lambda body: str(body)[:40])
def test_an_error_that_lasts_fails_its_item_in_the_servers_words(
    qwen: TransformersEngine, body: Any, words: str
) -> None:
    with Server(qwen, "tiny", Behaviour(faults=deque([None, body]))) as server:
        engine = open_engine(server.spec(engine_args={"concurrency": 1}))
        seen: list[str] = []
        with pytest.raises(ModelError, match="1 of 6 items were not answered") as caught:
            seen.extend(one.key for one in engine.generate(ITEMS))
        assert words in str(caught.value)
        assert "HTTP 200 with an error" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert len(server.posts()) == len(ITEMS)
        engine.close()


def test_what_is_tried_in_vain_is_told_in_the_servers_words(qwen: TransformersEngine) -> None:
    for always in ({"error": {"message": "no room, try again", "code": 529}}, "500"):
        with Server(qwen, "tiny", Behaviour(always=always)) as server:
            engine = open_engine(server.spec(engine_args={"retries": 1}))
            with pytest.raises(ModelError, match=r"2 times: .*(no room, try again|as asked: 500)"):
                list(engine.generate(ITEMS))
            engine.close()


def test_a_wait_inside_the_error_is_kept(qwen: TransformersEngine) -> None:
    body = {"error": {"message": "rate limit", "code": 429, "retry_after": 3600}}
    with Server(qwen, "tiny", Behaviour(faults=deque([body]))) as server:
        engine = open_engine(server.spec(engine_args={"concurrency": 1}))
        with pytest.raises(ModelError, match="asks to wait 3600 s"):
            list(engine.generate(ITEMS))
        engine.close()


def test_a_refused_key_under_http_200_ends_it(qwen: TransformersEngine) -> None:
    body = {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}
    with Server(qwen, "tiny", Behaviour(always=body)) as server:
        engine = open_engine(server.spec(engine_args={"concurrency": 1}))
        with pytest.raises(ModelError, match="invalid_api_key: Incorrect API key"):
            list(engine.generate(ITEMS))
        assert len(server.posts()) == 1
        engine.close()


def test_scoring_tells_the_servers_words_too(qwen: TransformersEngine) -> None:
    items = [Choice(str(n), ((f"{n} + 4 =", " 7"), (f"{n} + 4 =", " 8"))) for n in range(3)]
    with Server(qwen, "tiny") as server:
        engine = open_engine(server.spec(tokenizer="bundled/tiny-qwen", engine_args={"concurrency": 1}))
        server.behaviour.faults.extend([PASSING[0], {"error": {"message": "this prompt is refused"}}])
        with pytest.raises(ModelError, match="this prompt is refused"):
            list(engine.score(items))
        engine.close()


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [{"text": "4"}], "error": None},
        {"choices": [{"text": "4"}], "error": {}, "code": 200, "message": "success"},
        {"choices": [{"text": "4"}], "base_resp": {"status_code": 0, "status_msg": ""}},
        {"choices": [{"text": "4", "finish_reason": "stop"}], "detail": "fine"},
        {"object": "list", "data": []},
    ],
)
def test_an_answer_is_no_complaint(body: dict[str, Any]) -> None:
    assert complaint_of(body, "choices" if "choices" in body else None) is None


def test_an_empty_answer_is_no_error_of_the_servers() -> None:
    assert complaint_of({"object": "text_completion", "choices": []}, "choices") is None
    assert words_of({"error": {"message": "a", "code": None}}) == "a"
    assert words_of(None) == ""


@pytest.mark.parametrize("home", [None, "<!doctype html><title>gateway</title>"])
def test_a_base_url_without_v1_is_told_the_right_one(qwen: TransformersEngine, home: str | None) -> None:
    with Server(qwen, "tiny", Behaviour(home=home)) as server:
        for tail in ("", "/"):
            spec = server.spec(engine_args={"retries": 1}).model_copy(
                update={"base_url": server.url.removesuffix("/v1") + tail}
            )
            with pytest.raises(ModelError, match=f"did you mean base_url: {server.url}$") as caught:
                open_engine(spec)
            assert "\n" not in str(caught.value)
        assert server.posts() == []


def test_an_endpoint_that_lists_no_models_is_asked_all_the_same(qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny", Behaviour(lists=False)) as server:
        engine = open_engine(server.spec().model_copy(update={"base_url": server.url + "/"}))
        assert len(list(engine.generate(ITEMS))) == len(ITEMS)
        engine.close()


@pytest.mark.parametrize("tail", ["/chat/completions", "/completions", "/models", "/chat/completions/"])
def test_a_base_url_that_names_a_resource_is_told_before_anything_is_asked(
    qwen: TransformersEngine, tail: str
) -> None:
    with Server(qwen, "tiny") as server:
        spec = server.spec().model_copy(update={"base_url": server.url + tail})
        with pytest.raises(ModelError, match=f"say base_url: {server.url}$"):
            find_model(spec)
        assert server.requests == []


def test_lm_studio_answers_an_unknown_path_with_200(qwen: TransformersEngine) -> None:
    home = json.dumps({"error": "Unexpected endpoint or method. (GET /models). Returning 200 anyway"})
    with Server(qwen, "tiny", Behaviour(home=home)) as server:
        spec = server.spec().model_copy(update={"base_url": server.url.removesuffix("/v1")})
        with pytest.raises(ModelError, match=f"Unexpected endpoint.*did you mean base_url: {server.url}$"):
            open_engine(spec)


@pytest.mark.parametrize("body", ["upstream says no", ["a", "b"], None])
def test_an_answer_that_is_no_object_fails_its_item_alone(qwen: TransformersEngine, body: Any) -> None:
    seen: list[int] = []

    def second(told: dict[str, Any]) -> Any:
        seen.append(1)
        return body if len(seen) == 2 else told

    with Server(qwen, "tiny", Behaviour(edit=second)) as server:
        engine = open_engine(server.spec(engine_args={"concurrency": 1}))
        with pytest.raises(
            ModelError, match=r"1 of 6 items were not answered.*(upstream says no|expected a JSON object)"
        ):
            list(engine.generate(ITEMS))
        engine.close()

"""What an endpoint answers equals what the same model answers in process: log-probabilities, texts,
thoughts, tokens.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.endpoint import Behaviour, Server

import harness
from harness.engines import chat_renderer, engine_identity, find_model, open_engine
from harness.engines.tokenizer import ChatTemplate
from harness.engines.transformers.engine import TransformersEngine
from harness.errors import ModelError
from harness.items import Choice, Completion, Passage, Sampling, ThinkTags
from harness.thoughts import read, thought_words

TOKENIZER = "bundled/tiny-qwen"
CHOICES = [
    Choice("letters", tuple(("问题: 3 + 4 = ?\n答案:", f" {n}") for n in ("7", "8", "12", ""))),
    Choice(
        "words",
        (
            ("Anna has 3 apples. She has", " three apples"),
            ("Anna has 3 apples. She has ", "a red car"),
            ("", "Anna"),
        ),
    ),
    Choice("空", (("中国的首都是", "北京"), ("中国的首都是", "上海市"))),
]
PASSAGES = [
    Passage("en", "Anna has 3 apples and gives 2 to Tom. " * 9),
    Passage("zh", "小明有三个苹果。"),
    Passage("none", ""),
]
QUESTION = "Simon has 29 peaches. Simon gives 14 to a friend. How many peaches does Simon have now?"
PROMPTS = ["3 + 4 =", "小明有", "Question: 12 + 5 = ?\nAnswer:", "Anna has", "Tom"]


def by_key(answers: Any) -> dict[str, Any]:
    return {answer.key: answer for answer in answers}


@pytest.mark.parametrize("mode", ["prompt_logprobs", "echo"])
def test_scores_are_the_models_own(qwen: TransformersEngine, mode: str) -> None:
    with Server(qwen, "tiny", Behaviour(scoring=(mode,), max_model_len=64)) as server:
        engine = open_engine(server.spec(tokenizer=TOKENIZER))
        assert engine.info.extra["scoring"] == mode
        found, right = by_key(engine.score(CHOICES)), by_key(qwen.score(CHOICES))
        for key, answer in found.items():
            assert answer.logprobs == pytest.approx(right[key].logprobs, abs=1e-4)
            assert (answer.greedy, answer.lengths) == (right[key].greedy, right[key].lengths)
        assert len(found) == len(CHOICES)
        assert found["letters"].tokens.prompt > 0
        engine.close()


def test_long_texts_go_through_the_same_windows(qwen: TransformersEngine) -> None:
    from harness.config.schema import ModelSpec

    local = open_engine(ModelSpec(id=TOKENIZER, dtype="float32", max_length=62), device="cpu")
    long = [Choice("long", (("Anna has 3 apples. " * 30, "Tom"), ("x", "Anna has 3 apples. " * 30)))]
    with Server(qwen, "tiny", Behaviour(max_model_len=64)) as server:
        engine = open_engine(server.spec(tokenizer=TOKENIZER))
        found, right = by_key(engine.perplexity(PASSAGES)), by_key(local.perplexity(PASSAGES))
        for key, answer in found.items():
            assert answer.logprob == pytest.approx(right[key].logprob, abs=2e-3)
            assert answer.predicted == right[key].predicted
        (one,), (other,) = engine.score(long), local.score(long)
        assert one.logprobs == pytest.approx(other.logprobs, abs=2e-3)
        assert one.truncated == other.truncated > 0
        (cut,) = engine.generate([Completion("k", "Anna has 3 apples. " * 30, (), 10)])
        assert cut.truncated > 0
        assert cut.tokens.prompt == 54
        engine.close()
    local.close()


def test_texts_are_the_models_own(qwen: TransformersEngine) -> None:
    items = [Completion(f"greedy {p}", p, ("\n", ".", "。", "!", "?", " a"), 24) for p in PROMPTS]
    drawn = Sampling(temperature=0.8, top_p=0.9, top_k=20, seed=3)
    items += [Completion(f"drawn {seed}", "Anna has", (), 16, replace(drawn, seed=seed)) for seed in (1, 2)]
    right = by_key(qwen.generate(items))
    with Server(qwen, "tiny") as server:
        for more in ({}, {"tokenizer": TOKENIZER}):
            engine = open_engine(server.spec(**more))
            found = by_key(engine.generate(items))
            assert {key: answer.text for key, answer in found.items()} == {
                key: answer.text for key, answer in right.items()
            }
            assert {key: answer.finish == "length" for key, answer in found.items()} == {
                key: answer.finish == "length" for key, answer in right.items()
            }
            assert all(found[key].tokens.output <= right[key].tokens.output + 1 for key in found)
            engine.close()
        assert {len(request.body.get("stop", ())) for request in server.posts()} <= {0, 4}
        assert {"text", "ids"} == {
            "text" if isinstance(r.body["prompt"], str) else "ids"
            for r in server.posts()
            if r.body["max_tokens"] > 1
        }
    assert found["drawn 1"].text != found["drawn 2"].text


def test_given_ids_and_lengths(qwen: TransformersEngine) -> None:
    item = Completion("k", "", max_tokens=9, prompt_ids=tuple(range(20, 40)), ignore_eos=True, arrival=0.2)
    (right,) = qwen.generate([item])
    with Server(qwen, "tiny") as server:
        engine = open_engine(server.spec())
        (found,) = engine.generate([item])
        assert found.output_ids == right.output_ids
        assert (found.tokens.output, found.finish) == (9, "length")
        assert found.last_token is not None
        assert found.last_token >= 0.2
        engine.close()


def test_tags_that_are_special_tokens_are_asked_for(distill: TransformersEngine, tmp_path: Path) -> None:
    folder = tmp_path / "tokenizer"
    shutil.copytree(Path(harness.__file__).parent / "data/models/tiny-deepseek-distill", folder)
    known = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    for one in known["added_tokens"]:
        one["special"] = True
    (folder / "tokenizer.json").write_text(json.dumps(known, ensure_ascii=False), encoding="utf-8")
    for name in ("tokenizer_config.json",):
        told = json.loads((folder / name).read_text(encoding="utf-8"))
        told["additional_special_tokens"] = ["<think>", "</think>"]
        (folder / name).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    tags = ThinkTags("<think>", "</think>")
    prompt = ChatTemplate(distill.encoder)([{"role": "user", "content": QUESTION}])
    item = Completion("k", prompt, ("\n\n",), 80, think=tags)
    (right,) = distill.generate([item])
    with Server(distill, "tiny", Behaviour(specials=("<think>", "</think>"))) as server:
        for tokenizer, skip in ((str(folder), False), ("bundled/tiny-deepseek-distill", True)):
            engine = open_engine(
                server.spec(chat_template=True, think_tags=("<think>", "</think>"), tokenizer=tokenizer)
            )
            (found,) = engine.generate([item])
            assert (found.text == right.text) is not skip
            assert server.posts()[-1].body.get("skip_special_tokens", True) is skip
            engine.close()


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content", None])
def test_thoughts_come_back_between_their_tags(distill: TransformersEngine, field: str | None) -> None:
    tags = ThinkTags("<think>", "</think>")
    messages = [{"role": "user", "content": QUESTION}]
    local = ChatTemplate(distill.encoder)(messages)
    (right,) = distill.generate([Completion("k", local, ("\n\n",), 80, think=tags)])
    with Server(distill, "tiny", Behaviour(reasoning=field)) as server:
        spec = server.spec(chat_template=True, think_tags=("<think>", "</think>"), thinking=True)
        engine = open_engine(spec)
        prompt = chat_renderer(spec, find_model(spec))(messages, True)
        (found,) = engine.generate([Completion("k", prompt, ("\n\n",), 80, think=tags)])
        assert "<think>" in right.text
        assert thought_words(found.text, tags).split() == thought_words(right.text, tags).split()
        assert (read(found.text, tags).answer or "").strip() == (read(right.text, tags).answer or "").strip()
        (request,) = server.posts()
        assert request.path == "/v1/chat/completions"
        assert request.body["messages"] == messages
        assert request.body["chat_template_kwargs"] == {"enable_thinking": True}
        assert "stop" not in request.body, "a stop text inside a thought would cut it"
        (short,) = engine.generate([Completion("k", prompt, (), 3, think=tags)])
        assert (short.finish, read(short.text, tags).answer) == ("length", None)
        engine.close()


def test_a_named_tokenizer_renders_the_chat_here(distill: TransformersEngine) -> None:
    with Server(distill, "tiny") as server:
        spec = server.spec(chat_template=True, tokenizer="bundled/tiny-deepseek-distill")
        render = chat_renderer(spec, find_model(spec))
        assert isinstance(render, ChatTemplate)
        assert engine_identity(spec)["api"] == "completions"
        engine = open_engine(spec)
        prompt = render([{"role": "user", "content": QUESTION}], True)
        (found,), (right,) = (
            engine.generate([Completion("k", prompt, (), 30)]),
            distill.generate([Completion("k", prompt, (), 30)]),
        )
        assert found.text == right.text
        engine.close()


def test_a_server_without_ids_gets_text_without_a_second_bos(distill: TransformersEngine) -> None:
    with Server(distill, "tiny", Behaviour(ids=False)) as server:
        spec = server.spec(chat_template=True, tokenizer="bundled/tiny-deepseek-distill")
        engine = open_engine(spec)
        prompt = chat_renderer(spec, find_model(spec))([{"role": "user", "content": QUESTION}], True)
        (found,), (right,) = (
            engine.generate([Completion("k", prompt, (), 30)]),
            distill.generate([Completion("k", prompt, (), 30)]),
        )
        assert found.text == right.text
        assert found.tokens.prompt == right.tokens.prompt
        sent = server.posts()[-1].body["prompt"]
        assert isinstance(sent, str)
        assert prompt.endswith(sent)
        assert prompt != sent, "the template writes BOS, which the server adds, too"
        engine.close()


def test_an_unfinished_message_is_continued(distill: TransformersEngine) -> None:
    with Server(distill, "tiny") as server:
        spec = server.spec(chat_template=True)
        engine = open_engine(spec)
        messages = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "Answer:"}]
        list(
            engine.generate([Completion("k", chat_renderer(spec, find_model(spec))(messages, False), (), 4)])
        )
        body = server.posts()[-1].body
        assert (body["messages"], body["continue_final_message"]) == (messages, True)
        engine.close()


def test_scoring_is_refused_in_one_line_without_asking(qwen: TransformersEngine) -> None:
    cases: list[tuple[Behaviour, dict[str, Any], str]] = [
        (Behaviour(), {"chat_template": True}, "chats give no log-probabilities"),
        (Behaviour(), {}, "tokenizer"),
        (Behaviour(scoring=()), {"tokenizer": TOKENIZER}, "vLLM or SGLang"),
        (Behaviour(ids=False), {"tokenizer": TOKENIZER}, "HTTP 400"),
    ]
    for behaviour, more, word in cases:
        with Server(qwen, "tiny", behaviour) as server:
            engine = open_engine(server.spec(**more))
            before = len(server.posts())
            for ask in (lambda: engine.score(CHOICES), lambda: engine.perplexity(PASSAGES)):  # noqa: B023
                with pytest.raises(ModelError, match=word) as caught:
                    list(ask())
                assert "\n" not in str(caught.value)
            assert len(server.posts()) == before <= 2
            assert next(engine.generate([Completion("k", "Anna", (), 4)])).text
            engine.close()


def test_requests_in_flight_are_bounded(qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny") as server:
        engine = open_engine(server.spec(engine_args={"concurrency": 3}))
        items = [Completion(str(n), f"{n} + 4 =", (), 4) for n in range(24)]
        assert len(by_key(engine.generate(items))) == 24
        assert 1 < server.most_flying <= 3
        engine.close()


def test_newer_hosted_models_and_left_out_fields(qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny", Behaviour(refuses=("max_tokens",))) as server:
        engine = open_engine(
            server.spec(engine_args={"omit": ["temperature"], "extra_body": {"reasoning_effort": "low"}})
        )
        assert len(list(engine.generate([Completion(str(n), "Anna", (), 4) for n in range(30)]))) == 30
        last = server.posts()[-1].body
        assert last["max_completion_tokens"] == 4
        assert last["reasoning_effort"] == "low"
        assert "temperature" not in last
        engine.close()


def test_who_answers_is_told_without_asking(qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny", Behaviour(max_model_len=128)) as server:
        spec, host = server.spec(tokenizer=TOKENIZER), f"127.0.0.1:{server.port}/v1"
        files = find_model(spec)
        assert engine_identity(spec)["endpoint"] == host
        assert server.requests == []
        assert find_model(spec.model_copy(update={"revision": "2"})).model_id != files.model_id
        assert (
            find_model(spec.model_copy(update={"base_url": "http://127.0.0.1:1/v1"})).model_id
            != files.model_id
        )
        engine = open_engine(spec, files)
        info = engine.info.to_dict()
        assert info["extra"]["reported"] == {"owned_by": "tests", "max_model_len": 128}
        assert info["context_length"] == 128
        json.dumps(info)
        engine.close()
        with pytest.raises(RuntimeError, match="closed"):
            engine.score([])


@pytest.mark.parametrize("template", [False, True])
def test_streamed_answers_are_those_in_one_piece(distill: TransformersEngine, template: bool) -> None:
    tags = ThinkTags("<think>", "</think>")
    prompt = json.dumps({"messages": [{"role": "user", "content": QUESTION}]}) if template else QUESTION
    items = [Completion(str(size), prompt, ("\n\n",), size, think=tags) for size in (1, 8, 60)]
    items += [Completion("ids", "", (), 12, prompt_ids=(20, 21, 22), ignore_eos=True)]

    answers = []
    for streams in (False, True):
        behaviour = Behaviour(reasoning="reasoning_content" if template else None, streams=streams)
        with Server(distill, "tiny", behaviour) as server:
            engine = open_engine(server.spec(chat_template=template))
            answers.append(by_key(engine.generate(items)))
            engine.close()
    for key, whole in answers[0].items():
        streamed = answers[1][key]
        assert (whole.first_token, streamed.first_token is None) == (None, False)
        times = {"sent": 0.0, "first_token": 0.0, "last_token": 0.0, "seconds": 0.0}
        assert replace(streamed, **times) == replace(whole, **times)

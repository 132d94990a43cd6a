"""Stops, thoughts, sampling, budgets, out of memory: generation and scoring at the edges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from support.mirror import models_or_skip

from harness.config.schema import ModelSpec
from harness.engines.stopping import StopWatch, cut, final_answer
from harness.engines.tokenizer import read_tokenizer
from harness.errors import ModelError, OutOfMemoryError
from harness.items import Choice, Completion, Passage, Sampling, ThinkTags
from harness.thought_markers import HARMONY
from harness.thoughts import answer_start, read

from .conftest import Opened

THINK = ThinkTags("<think>", "</think>")
PROMPTS = ["Once upon a time", "Lily", "The big dog ran to", "One day Tom", "Mom said"]


def _texts(opened: Opened, items: list[Completion]) -> dict[str, Any]:
    return {answer.key: answer for answer in opened.engine.generate(items)}


def test_sampling_does_not_depend_on_the_batch(stories: Opened) -> None:
    sampling = Sampling(temperature=0.9, top_p=0.95, top_k=50)
    items = [
        Completion(f"{p}/{seed}", p, (), 40, replace(sampling, seed=seed)) for p in PROMPTS for seed in (1, 2)
    ]
    together = _texts(stories, items)
    alone = {item.key: _texts(stories, [item])[item.key] for item in reversed(items)}
    assert {key: answer.text for key, answer in together.items()} == {
        key: answer.text for key, answer in alone.items()
    }
    assert together["Lily/1"].text != together["Lily/2"].text


def test_sampling_draws_from_the_distribution() -> None:
    from support.sampled import choose

    chances = torch.tensor([0.5, 0.3, 0.15, 0.05])
    generators = [torch.Generator().manual_seed(seed) for seed in range(4000)]
    logits = chances.log().expand(4000, -1).contiguous()
    shares = choose(logits, [Sampling(temperature=1.0)] * 4000, generators).bincount(minlength=4) / 4000
    assert torch.allclose(shares, chances, atol=0.03)

    # Filters leave exactly the likeliest tokens.
    assert set(choose(logits, [Sampling(temperature=1.0, top_k=2)] * 4000, generators).tolist()) == {0, 1}
    assert set(choose(logits, [Sampling(temperature=1.0, top_p=0.7)] * 4000, generators).tolist()) == {0, 1}
    assert set(choose(logits, [Sampling()] * 4000, generators).tolist()) == {0}

    # 30 / 1e-40 is no fp32 number.
    cold = choose(logits * 30, [Sampling(temperature=1e-40)] * 4000, generators)
    assert set(cold.tolist()) == {0}


def test_repetition_penalty_equals_transformers(stories: Opened) -> None:
    (answer,) = stories.engine.generate(
        [Completion("k", "Lily and Lily", (), 30, Sampling(repetition_penalty=1.3))]
    )
    ids = stories.engine.encoder.raw("Lily and Lily", return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        out = stories.engine._model.generate(
            ids, max_new_tokens=30, do_sample=False, repetition_penalty=1.3, pad_token_id=0
        )
    assert answer.text == stories.engine.encoder.decode(out[0, ids.shape[1] :].tolist())


def test_prompt_ids_fixed_length_and_times(stories: Opened) -> None:
    ids = tuple(stories.engine.encoder.encode(["Once upon a time"])["Once upon a time"])
    items = [Completion(str(n), "", (), n, prompt_ids=ids, ignore_eos=True) for n in (1, 5, 20)]
    answers = _texts(stories, items)

    for n in (1, 5, 20):
        answer = answers[str(n)]
        assert len(answer.output_ids) == n == answer.tokens.output
        assert answer.finish == "length"
        # The prompt is computed once for all three, and counted for the first.
        assert answer.tokens.computed == (len(ids) if n == 1 else 0) + n - 1
        assert answer.tokens.shared == (0 if n == 1 else len(ids))
        assert answer.first_token <= answer.last_token
    assert answers["20"].output_ids[:5] == answers["5"].output_ids


def test_arrival_is_waited_for(stories: Opened) -> None:
    items = [Completion("late", "Lily", (), 4, arrival=0.4), Completion("soon", "Lily", (), 4, arrival=0.0)]
    answers = _texts(stories, items)
    assert answers["late"].first_token >= 0.4
    assert answers["soon"].last_token < 0.4


def test_budget_as_large_as_the_window(stories: Opened) -> None:
    (answer,) = stories.engine.generate(
        [Completion("k", "Once upon a time " * 100, (), 4096, ignore_eos=True)]
    )
    assert answer.truncated > 0
    assert answer.tokens.prompt + answer.tokens.output == stories.engine.window
    (short,) = stories.engine.generate([Completion("k", "Once", (), 4096, ignore_eos=True)])
    assert short.truncated == 0
    assert short.tokens.prompt + short.tokens.output == stories.engine.window


def test_empty_prompt_and_empty_text(stories: Opened) -> None:
    (answer,) = stories.engine.generate([Completion("k", "", (), 5)])
    assert answer.tokens.output == 5
    (likelihood,) = stories.engine.perplexity([Passage("p", "")])
    assert likelihood.predicted <= 1  # a BOS that the tokenizer itself adds


def test_continuations_of_no_token_and_beyond_the_window(stories: Opened) -> None:
    long = "Lily went to the park. " * 200
    (answer,) = stories.engine.score([Choice("k", (("Once", ""), ("Once", " " + long), ("", long)))])
    assert answer.logprobs[0] < -1
    assert answer.lengths[0] == 1
    assert answer.rules == ("end", "cut", "cut")
    assert answer.truncated > 2 * 500
    assert all(-4000 < value < -100 for value in answer.logprobs[1:])


def test_ids_without_an_embedding_are_an_error_not_a_crash(stories: Opened) -> None:
    with pytest.raises(ModelError, match="no embedding"):
        list(stories.engine.generate([Completion("k", "", prompt_ids=(1, 512))]))


@pytest.fixture
def cramped(stories: Opened, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """The engine on a device where a forward pass of more than 300 tokens does not fit."""
    model = stories.engine._model
    forward = model.model.forward

    def small(*args: Any, **kwargs: Any) -> Any:
        if kwargs["input_ids"].numel() > 300:
            raise RuntimeError(
                "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"
            )
        return forward(*args, **kwargs)

    engine = stories.engine
    monkeypatch.setattr(model.model, "forward", small)
    monkeypatch.setattr(engine._budget, "tokens", 4096)
    monkeypatch.setattr(engine._decoder.continuous, "max_rows", 64)
    return stories


def test_out_of_memory_halves_the_batch(stories: Opened, request: pytest.FixtureRequest) -> None:
    choices = [
        Choice(str(n), tuple((f"Lily saw {n} birds. " * 3, end) for end in (" a", " b c", "!")))
        for n in range(20)
    ]
    prompts = [Completion(str(n), f"Lily saw {n} birds. " * 3, (), 12) for n in range(20)]
    want = {answer.key: answer.logprobs for answer in stories.engine.score(choices)}
    texts = {key: answer.text for key, answer in _texts(stories, prompts).items()}

    # Only now is the device too small: what was expected comes from one that is not.
    cramped: Opened = request.getfixturevalue("cramped")
    halvings = cramped.engine.info.extra["out_of_memory"]
    for answer in cramped.engine.score(choices):
        assert answer.logprobs == pytest.approx(want.pop(answer.key), abs=1e-4)
    assert not want
    assert cramped.engine.info.extra["out_of_memory"] > halvings
    cramped.engine._budget.tokens = 4096
    assert {key: answer.text for key, answer in _texts(cramped, prompts).items()} == texts


def test_one_text_that_does_not_fit_is_an_error(cramped: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    # In the tree its row is cut into passes that do fit; padded, it cannot be.
    (cut_up,) = cramped.engine.score([Choice("k", (("Lily " * 400, "x"),))])
    assert cut_up.logprobs[0] < 0
    cramped.engine._scorer.share_limit, limit = 0, cramped.engine._scorer.share_limit
    with pytest.raises(OutOfMemoryError, match="alone does not fit"):
        list(cramped.engine.score([Choice("k", (("Lily " * 400, "x"),))]))
    cramped.engine._scorer.share_limit = limit

    # The same of prefill, and of a padded batch's first step.
    (answer,) = cramped.engine.generate([Completion("k", "Lily " * 400, (), 5)])
    assert answer.tokens.output == 5
    monkeypatch.setattr(cramped.engine._decoder, "share_limit", 0)
    with pytest.raises(OutOfMemoryError, match="alone does not fit"):
        list(cramped.engine.generate([Completion("k", "Lily " * 400, (), 5)]))


def test_stop_texts_count_only_after_the_thought() -> None:
    assert cut("a\n\nb", ["\n\n"], None) == ("a", True)
    assert cut("<think>a\n\nb</think>\n\nfour\n\nmore", ["\n\n"], THINK) == (
        "<think>a\n\nb</think>\n\nfour",
        True,
    )
    assert cut("<think>a\n\nb", ["\n\n"], THINK) == ("<think>a\n\nb", False)
    assert cut("plain\n\nmore", ["\n\n"], THINK) == ("plain", True)

    # Some templates open the thought themselves, so the text begins inside it.
    opened = replace(THINK, opened=True)
    assert cut("a\n\nb</think>x.y", ["."], opened) == ("a\n\nb</think>x", True)
    assert answer_start("<thi", THINK) is None
    assert answer_start("\n<think>a</think>  ", THINK) is None
    assert answer_start("Hello", THINK) == 0


def test_the_watch_sees_stops_across_tokens_and_characters(stories: Opened, qwen: Opened) -> None:
    for opened in (stories, qwen):
        encoder = opened.engine.encoder
        for text, stop in (
            ("Lily ran to the park.\n\nThen", "k.\n"),
            ("今天天气很好。我们去𠮷野家🙂吃饭", "家🙂"),
            ("a</s>b", "</s>"),
        ):
            ids = encoder.encode_plain([text])[text]
            watch = StopWatch(encoder, [stop], None)
            met = next((index for index, token in enumerate(ids) if watch.add(token)), None)

            # At the first token that completes it: neither before nor after.
            assert met is not None, (text, stop)
            assert stop in encoder.decode(ids[: met + 1], skip_special=False)
            assert stop not in encoder.decode(ids[:met], skip_special=False)


def test_the_watch_leaves_thoughts_alone(qwen: Opened) -> None:
    encoder = qwen.engine.encoder
    text = "<think>one.\n\ntwo.\n\n</think>\n\nThe answer is 4.\n\nNext"
    ids = encoder.encode_plain([text])[text]
    watch = StopWatch(encoder, ["\n\n"], THINK)
    met = next(index for index, token in enumerate(ids) if watch.add(token))
    assert encoder.decode(ids[: met + 1]).endswith("The answer is 4.\n\n")


@pytest.mark.parametrize("think", [HARMONY, None], ids=["announced", "unannounced"])
def test_channels_written_by_special_tokens_reach_the_reader(think: ThinkTags | None) -> None:
    """gpt-oss's markers are several tokens each, some special.

    Without them, its thought would be taken for the answer.
    """
    encoder = read_tokenizer(
        ModelSpec(id="openai/gpt-oss-20b"), models_or_skip() / "models" / "openai" / "gpt-oss-20b"
    )
    output = (
        "<|channel|>analysis<|message|>B? No.<|end|>"
        "<|start|>assistant<|channel|>final<|message|>The answer is A."
    )
    ids = encoder.encode_plain([output])[output]
    text, finish = final_answer(encoder, [*ids, encoder.eos_id or 0], "eos", [], think)
    assert finish == "eos"
    assert read(text, think).answer == "The answer is A."

    # A thought that was cut off has no answer behind it.
    cut_short, _ = final_answer(encoder, ids[:6], "length", [], think)
    assert read(cut_short, think).answer is None

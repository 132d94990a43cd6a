"""Continuous batching gives each prompt the answer it would get alone, whatever is around it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.config.schema import ModelSpec
from harness.engines import open_engine
from harness.engines.transformers.slots import SlotCache
from harness.errors import OutOfMemoryError
from harness.items import Completion, Sampling

from .conftest import Opened

STARTS = [
    "",
    "Once upon a time",
    "Once upon a time, there was a little girl named Lily. " * 6,
    "Tom had a red ball. He",
]
ENDS = ["", " She", " She saw a big dog", " One day, she went to the park. " * 4]
SAMPLINGS = [
    Sampling(),
    Sampling(temperature=0.8, seed=3),
    Sampling(temperature=1.2, top_k=20, seed=9),
    Sampling(repetition_penalty=1.3),
]
ITEMS = st.builds(
    lambda start, end, sampling, most, stop: Completion("", start + end, stop, most, sampling),
    st.sampled_from(STARTS),
    st.sampled_from(ENDS),
    st.sampled_from(SAMPLINGS),
    st.integers(1, 24),
    st.sampled_from([(), (".",), (" the", "\n")]),
)


def _run(
    engine: Any, items: list[Completion], monkeypatch: pytest.MonkeyPatch, **settings: Any
) -> dict[str, tuple[str, str, int]]:
    # A fixed number of rows and tokens: earlier tests may have made the session's engine smaller.
    with monkeypatch.context() as patch:
        patch.setattr(
            engine._decoder, "share_limit", settings.get("share_limit", engine._decoder.share_limit)
        )
        patch.setattr(engine._decoder.continuous, "max_rows", settings.get("most", 64))
        patch.setattr(engine._decoder.static, "_max_rows", 1)
        patch.setattr(engine._budget, "tokens", settings.get("tokens", 2048))
        answers = list(engine.generate(items))

    assert len(answers) == len(items)
    return {answer.key: (answer.text, answer.finish, answer.tokens.output) for answer in answers}


def _watch_steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Fills with the number of rows of each step."""
    steps: list[int] = []
    real = SlotCache.step

    def watch(cache: SlotCache) -> Any:
        steps.append(len(cache.rows))
        return real(cache)

    monkeypatch.setattr(SlotCache, "step", watch)
    return steps


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    items=st.lists(ITEMS, min_size=1, max_size=10),
    most=st.integers(1, 6),
    tokens=st.sampled_from([16, 40, 2048]),
)
def test_the_same_answers_as_one_by_one(
    stories: Opened, monkeypatch: pytest.MonkeyPatch, items: list[Completion], most: int, tokens: int
) -> None:
    items = [replace(item, key=str(number)) for number, item in enumerate(items)]
    alone = _run(stories.engine, items, monkeypatch, share_limit=0)
    assert _run(stories.engine, items, monkeypatch, most=most, tokens=tokens) == alone


def test_a_shared_beginning_is_read_once(stories: Opened) -> None:
    items = [Completion(str(n), STARTS[2] + f"She saw {n} birds", (), 8) for n in range(12)]
    answers = list(stories.engine.generate(items))
    shared = len(stories.engine.encoder.encode([STARTS[2]])[STARTS[2]])
    prefilled = sum(answer.tokens.computed - answer.tokens.output + 1 for answer in answers)
    assert prefilled < shared + 12 * 10
    assert all(
        answer.tokens.prompt == answer.tokens.computed - answer.tokens.output + 1 + answer.tokens.shared
        for answer in answers
    )


def test_rows_enter_as_others_leave(stories: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty short answers beside one of 60 tokens take hardly more steps than the long one."""
    steps = _watch_steps(monkeypatch)
    items = [
        Completion(str(n), f"Lily saw {n} birds" if n else "", (), 5 if n else 60, ignore_eos=True)
        for n in range(21)
    ]
    monkeypatch.setattr(stories.engine._decoder.continuous, "max_rows", 4)
    assert len(list(stories.engine.generate(items))) == 21
    assert len(steps) <= 62
    assert max(steps) == 4


def test_prefixes_are_not_shared_when_that_is_turned_off(stories: Opened) -> None:
    spec = stories.spec.model_copy(update={"engine_args": {"shared_prefixes": False}})
    engine = open_engine(spec, stories.files, "cpu")
    items = [Completion(str(n), "Once upon a time", (), 6) for n in range(3)]
    assert all(answer.tokens.shared == 0 for answer in engine.generate(items))
    assert engine.info.extra["shared_prefixes"]["longest_row"] == 0
    assert {answer.text for answer in engine.generate(items)} == {
        answer.text for answer in stories.engine.generate(items)
    }


def test_out_of_memory_begins_half_of_the_rows_again(
    stories: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [
        Completion(str(n), f"Lily saw {n} birds", (), 12, Sampling(temperature=0.9, seed=n))
        for n in range(20)
    ]
    want = _run(stories.engine, items, monkeypatch)
    real = SlotCache.step

    def cramped(cache: SlotCache) -> Any:
        if len(cache.rows) > 3:
            raise MemoryError
        return real(cache)

    monkeypatch.setattr(SlotCache, "step", cramped)
    assert _run(stories.engine, items, monkeypatch) == want

    # Where even one row does not fit, half of the rows is none: an error, not an endless loop.
    monkeypatch.setattr(SlotCache, "enter", lambda *_: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises(OutOfMemoryError, match="alone does not fit"):
        list(stories.engine.generate(items[:1]))


def test_rows_that_could_outgrow_the_cache_wait(stories: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    # Each row may grow to some 25 tokens, so two of them fit and three do not.
    rules = replace(stories.engine._decoder.rules, cache_tokens=64)
    monkeypatch.setattr(stories.engine._decoder.continuous, "rules", rules)
    steps = _watch_steps(monkeypatch)
    items = [Completion(str(n), f"Lily saw {n}", (), 20, ignore_eos=True) for n in range(6)]
    assert len(list(stories.engine.generate(items))) == 6
    assert max(steps) == 2


def test_a_model_that_cannot_share_is_answered_in_batches(stories: Opened) -> None:
    spec = ModelSpec(id=stories.spec.id, dtype="float32", engine_args={"attention": "eager"})
    engine = open_engine(spec, stories.files, "cpu")
    items = [Completion(str(n), f"Lily saw {n} birds", (), 10) for n in range(4)]
    assert {a.key: a.text for a in engine.generate(items)} == {
        a.key: a.text for a in stories.engine.generate(items)
    }
    assert engine.info.extra["continuous_batching"]["longest_row"] == 0

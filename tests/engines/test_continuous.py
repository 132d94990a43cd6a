"""Continuous batching gives each prompt the answer it would get alone, whatever stands around
it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.config.schema import ModelSpec
from harness.engines import open_engine
from harness.engines.transformers.slots import Slots
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
    with monkeypatch.context() as patch:
        patch.setattr(
            engine._decoder, "share_limit", settings.get("share_limit", engine._decoder.share_limit)
        )
        patch.setattr(engine._decoder.stream, "most", settings.get("most", 64))
        patch.setattr(engine._decoder.batches, "_max_rows", 1)
        patch.setattr(engine._budget, "tokens", settings.get("tokens", 2048))
        answers = list(engine.generate(items))
    assert len(answers) == len(items)
    return {answer.key: (answer.text, answer.finish, answer.tokens.output) for answer in answers}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    items=st.lists(ITEMS, min_size=1, max_size=10),
    most=st.integers(1, 6),
    tokens=st.sampled_from([16, 40, 2048]),
)
def test_the_same_answers_as_one_by_one(
    stories: Opened, monkeypatch: pytest.MonkeyPatch, items: list[Completion], most: int, tokens: int
) -> None:
    items = [replace(item, key=str(place)) for place, item in enumerate(items)]
    alone = _run(stories.engine, items, monkeypatch, share_limit=0)
    assert _run(stories.engine, items, monkeypatch, most=most, tokens=tokens) == alone


def test_a_shared_beginning_is_read_once(stories: Opened) -> None:
    items = [Completion(str(n), STARTS[2] + f"She saw {n} birds", (), 8) for n in range(12)]
    answers = list(stories.engine.generate(items))
    shared = len(stories.engine.encoder.encode([STARTS[2]])[STARTS[2]])
    read = sum(answer.tokens.computed - answer.tokens.output + 1 for answer in answers)
    assert read < shared + 12 * 10
    assert all(
        answer.tokens.prompt == answer.tokens.computed - answer.tokens.output + 1 + answer.tokens.shared
        for answer in answers
    )


def _rows_of_steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that every step of the slots adds its number of rows to."""
    rows: list[int] = []
    real = Slots.step

    def step(slots: Slots) -> Any:
        rows.append(len(slots.rows))
        return real(slots)

    monkeypatch.setattr(Slots, "step", step)
    return rows


def test_rows_enter_as_others_leave(stories: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty short answers beside one of 60 tokens take hardly more steps than the long one."""
    steps = _rows_of_steps(monkeypatch)
    items = [
        Completion(str(n), f"Lily saw {n} birds" if n else "", (), 5 if n else 60, ignore_eos=True)
        for n in range(21)
    ]
    monkeypatch.setattr(stories.engine._decoder.stream, "most", 4)
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
    real = Slots.step

    def cramped(slots: Slots) -> Any:
        if len(slots.rows) > 3:
            raise MemoryError
        return real(slots)

    monkeypatch.setattr(Slots, "step", cramped)
    assert _run(stories.engine, items, monkeypatch) == want
    monkeypatch.setattr(Slots, "enter", lambda *_: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises(OutOfMemoryError, match="alone does not fit"):
        list(stories.engine.generate(items[:1]))


def test_rows_that_could_outgrow_the_cache_wait(stories: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = replace(stories.engine._decoder.rules, cache_tokens=64)
    monkeypatch.setattr(stories.engine._decoder.stream, "rules", rules)
    steps = _rows_of_steps(monkeypatch)
    assert (
        len(
            list(
                stories.engine.generate(
                    [Completion(str(n), f"Lily saw {n}", (), 20, ignore_eos=True) for n in range(6)]
                )
            )
        )
        == 6
    )
    assert max(steps) == 2


def test_a_model_that_cannot_share_is_answered_in_batches(stories: Opened) -> None:
    spec = ModelSpec(id=stories.spec.id, dtype="float32", engine_args={"attention": "eager"})
    engine = open_engine(spec, stories.files, "cpu")
    items = [Completion(str(n), f"Lily saw {n} birds", (), 10) for n in range(4)]
    assert {a.key: a.text for a in engine.generate(items)} == {
        a.key: a.text for a in stories.engine.generate(items)
    }
    assert engine.info.extra["continuous_batching"]["longest_row"] == 0

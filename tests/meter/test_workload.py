"""Prompts of a shape: exact lengths, valid ids, no common beginning, the same for the same seed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigError
from harness.meter.workload import prompts, requests


@given(st.integers(1, 60), st.integers(2, 40), st.integers(8, 300), st.integers(0, 9))
def test_lengths_ids_and_beginnings(count: int, length: int, vocabulary: int, seed: int) -> None:
    ids = range(7, 7 + vocabulary)
    found = prompts(count, length, ids, seed)
    assert [len(ids_) for ids_ in found] == [length] * count
    assert all(token in ids for prompt in found for token in prompt)
    head = 1 if vocabulary >= count else 2
    assert len({prompt[:head] for prompt in found}) == count
    assert found == prompts(count, length, ids, seed)
    assert count * length < 8 or found != prompts(count, length, ids, seed + 1)


def test_the_second_token_differs_where_the_first_cannot() -> None:
    found = prompts(20, 3, range(5), 0)
    assert len({prompt[:2] for prompt in found}) == 20
    with pytest.raises(ConfigError, match="cannot all differ"):
        prompts(6, 1, range(5), 0)


def test_requests_say_their_length_and_ignore_the_end() -> None:
    found = requests([(1, 2), (3, 4)], 16, [0.5, 1.5])
    assert [(item.prompt_ids, item.max_tokens, item.ignore_eos, item.arrival) for item in found] == [
        ((1, 2), 16, True, 0.5),
        ((3, 4), 16, True, 1.5),
    ]
    assert found[0].sampling.temperature == 0

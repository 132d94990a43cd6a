"""How many kernels a pass launches and how often the host waits: a regression in either fails here.

The bounds are what is launched today, and a little more. On a GPU a launch costs the host some 5 to
10 µs and a synchronisation drains the queue, so that small models are bound by both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.pretended_cuda import Cuda, pretended_cuda
from support.pretended_engine import choices, completions, engine_on, logprobs, texts


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[Any, Cuda]]:
    with pretended_cuda() as cuda, engine_on(cuda) as engine:
        logprobs(engine, choices(2))
        texts(engine, completions(2, [2]))
        yield engine, cuda


def _layers(engine: Any) -> int:
    return int(engine._model.config.num_hidden_layers)


@pytest.mark.parametrize(("questions", "per_layer", "waits"), [(24, 70, 9), (96, 75, 9)])
def test_scoring_one_pass(opened: tuple[Any, Cuda], questions: int, per_layer: int, waits: int) -> None:
    """Questions with few-shot examples in common."""
    engine, cuda = opened
    cuda.counters.reset()
    logprobs(engine, choices(questions))
    assert cuda.counters.launches / _layers(engine) <= per_layer
    assert cuda.counters.syncs <= waits, cuda.counters.sync_sites


@pytest.mark.parametrize(
    ("rows", "sampled", "per_step", "waits"),
    [(32, False, 206, 1), (32, True, 230, 1)],
    ids=["greedy", "sampled"],
)
def test_a_step_of_generation(
    opened: tuple[Any, Cuda], rows: int, sampled: bool, per_step: float, waits: float
) -> None:
    """The difference of two runs that differ by ten steps only."""
    engine, cuda = opened
    sums = []
    for budget in (5, 15):
        cuda.counters.reset()
        items = [_whole(one) for one in completions(rows, [budget], sampled)]
        texts(engine, items)
        sums.append((cuda.counters.launches, cuda.counters.syncs))
    (short, few), (long, many) = sums
    assert (long - short) / 10 <= per_step
    assert (many - few) / 10 <= waits


def _whole(one: Any) -> Any:
    """The item, to be written to the end of its budget."""
    return type(one)(one.key, one.prompt, one.stop, one.max_tokens, one.sampling, ignore_eos=True)

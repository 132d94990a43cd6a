"""Property tests: random trees of requests, shared, equal the plain model on one row at a time."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from harness.engines.rows import ScorePlan, sort_key
from harness.engines.tokenizer import Pair
from harness.engines.transformers.forward import Forward
from harness.engines.transformers.memory import Budget
from harness.engines.transformers.scoring import TreeScorer
from harness.engines.transformers.sharing import find_sharing
from harness.engines.transformers.tree import Node, build_tree, common_length

WINDOW = 48
PREFIX = 1  # what an empty context is conditioned on
VOCABULARY = 97
SHAPE: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "initializer_range": 0.3,
}


@pytest.fixture(scope="module", params=["llama", "qwen2"])
def forward(request: pytest.FixtureRequest) -> Forward:
    """A tiny random model in fp32 whose log-probabilities depend strongly on the context."""
    torch.manual_seed(7)
    if request.param == "llama":
        model: Any = LlamaForCausalLM(LlamaConfig(**SHAPE))
    else:
        model = Qwen2ForCausalLM(Qwen2Config(**SHAPE, tie_word_embeddings=True))
    return Forward(model.eval().requires_grad_(False))


tokens = st.integers(0, 5)  # few letters: rows share much, by chance too


@st.composite
def requests(draw: st.DrawFn) -> list[list[Pair]]:
    """Items on a few common stems.

    With empty and one-token contexts, continuations longer than the window, prefixes of one another,
    and copies.
    """
    stems = draw(st.lists(st.lists(tokens, max_size=40), min_size=1, max_size=3))
    items: list[list[Pair]] = []
    for _ in range(draw(st.integers(1, 6))):
        context = draw(st.sampled_from(stems)) + draw(st.lists(tokens, max_size=8))
        longest = draw(st.sampled_from([1, 3, 70]))
        rests = draw(st.lists(st.lists(tokens, min_size=1, max_size=longest), min_size=1, max_size=4))
        items.append([(context or [PREFIX], rest) for rest in rests])

    copies = draw(st.lists(st.sampled_from(items), max_size=2))
    return draw(st.permutations(items + copies))


def one_by_one(forward: Forward, pair: Pair) -> tuple[float, bool]:
    """The plain model on one row, lm-eval's window."""
    context, rest = pair
    whole = (list(context) + list(rest))[-(WINDOW + 1) :]
    scored = min(len(rest), len(whole) - 1)
    with torch.inference_mode():
        logits = forward.model(torch.tensor([whole[:-1]])).logits[0, -scored:].double()
    targets = torch.tensor(whole[-scored:])
    logprobs = logits.log_softmax(-1)[torch.arange(scored), targets]
    return float(logprobs.sum()), bool((logits.argmax(-1) == targets).all())


def run(forward: Forward, items: list[list[Pair]], budget: int, limit: int) -> ScorePlan:
    plan = ScorePlan(items, WINDOW)
    done = list(TreeScorer(forward, Budget(budget), limit).run(plan))
    assert sorted(done) == list(range(len(items)))
    return plan


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=requests(), budget=st.sampled_from([8, 24, 100, 1000]), limit=st.sampled_from([0, 20, WINDOW]))
def test_shared_rows_equal_plain_rows(
    forward: Forward, items: list[list[Pair]], budget: int, limit: int
) -> None:
    plan = run(forward, items, budget, limit)
    for item, score in zip(items, plan.scores, strict=True):
        for option, pair in enumerate(item):
            expected, greedy = one_by_one(forward, pair)
            assert score.logprobs[option] == pytest.approx(expected, abs=1e-4 * min(len(pair[1]), WINDOW))
            assert score.greedy[option] == greedy
        assert 0 <= score.computed <= score.prompt
        assert score.prompt == sum(min(len(context) + len(rest) - 1, WINDOW) for context, rest in item)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=requests(), seed=st.integers(0, 99))
def test_the_order_of_items_changes_nothing(forward: Forward, items: list[list[Pair]], seed: int) -> None:
    order = list(range(len(items)))
    random.Random(seed).shuffle(order)
    straight, mixed = (
        run(forward, items, 64, WINDOW),
        run(forward, [items[index] for index in order], 64, WINDOW),
    )

    # The same tree and the same passes: equal to the bit.
    for position, index in enumerate(order):
        assert mixed.scores[position].logprobs == straight.scores[index].logprobs
    assert sum(score.computed for score in mixed.scores) == sum(score.computed for score in straight.scores)


@given(
    rows=st.lists(st.lists(tokens, min_size=1, max_size=20), min_size=1, max_size=20), least=st.integers(1, 6)
)
def test_every_row_is_a_path_of_the_tree(rows: list[list[int]], least: int) -> None:
    arrays = sorted({tuple(row) for row in rows})
    ids = sorted((np.array(row, np.int32) for row in arrays), key=sort_key)
    roots, ends = build_tree(ids, list(range(len(ids))), least)
    for row, end in zip(ids, ends, strict=True):
        assert np.concatenate([node.tokens for node in end.path()]).tolist() == row.tolist()
    nodes = list(_depth_first(roots))
    assert sum(map(len, nodes)) <= sum(map(len, ids))
    if least == 1:  # then no two rows have a token computed twice
        shared = sum(common_length(left, right) for left, right in itertools.pairwise(ids))
        assert sum(map(len, nodes)) == sum(map(len, ids)) - shared


def _depth_first(tops: Sequence[Node]) -> Iterator[Node]:
    for node in tops:
        yield node
        yield from _depth_first(node.children)


def test_models_that_qualify_do_share(forward: Forward) -> None:
    sharing = find_sharing(forward, WINDOW, VOCABULARY, "auto")
    assert sharing.limit == WINDOW
    assert sharing.reason is None


def test_an_attention_that_leaks_is_found_out(forward: Forward, monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer that mixes neighbours outside of attention must turn sharing off.

    Convolutions and state spaces do so.
    """
    layer = forward.model.base_model.layers[0].mlp.down_proj
    handle = layer.register_forward_hook(lambda _, __, out: out + 0.1 * out.roll(1, dims=-2))
    try:
        sharing = find_sharing(forward, WINDOW, VOCABULARY, "auto")
    finally:
        handle.remove()

    assert sharing.limit == 0
    assert sharing.reason is not None
    assert "differ" in sharing.reason

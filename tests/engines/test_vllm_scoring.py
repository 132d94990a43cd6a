"""Every method of vLLM's gives the model's own log-probabilities, whatever the cache swallows.

A toy stands in for vLLM.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from support.fake_vllm import GARBAGE, FakeEngine, best, logprobs, params

from harness.engines.rows import ScorePlan
from harness.engines.vllm.abilities import Abilities
from harness.engines.vllm.client import Request, Session, VllmClient
from harness.engines.vllm.logprobs import LogprobRequests
from harness.engines.vllm.scoring import VllmScorer
from harness.errors import ModelError, OutOfMemoryError

ABLE = Abilities(rows=True, tail=True, flat=False, shared_params=False, labels=3)
WINDOW = 14
Pairs = list[list[tuple[list[int], list[int]]]]


def make_pairs(seed: int) -> Pairs:
    """Questions with shared contexts.

    Continuations are of one token and of several, some greedy, some cut by the window.
    """
    rng = random.Random(seed)
    few_shot = [rng.randrange(12) for _ in range(5)]
    pairs: Pairs = []
    for _ in range(12):
        context = few_shot + [rng.randrange(12) for _ in range(rng.randrange(1, 6))]
        labels = [(context, [token]) for token in rng.sample(range(12), 4)]
        longer = [(context, [rng.randrange(12) for _ in range(rng.randrange(1, 7))]) for _ in range(3)]

        greedy = list(context)
        for _ in range(3):
            greedy.append(best(greedy))
        pairs += [labels, [*longer, (context, greedy[len(context) :])], [longer[0]]]
    # Longer than the window by itself.
    pairs.append([([3], [rng.randrange(12) for _ in range(20)])])
    return pairs


def run(method: str, pairs: Pairs, v2: bool = False) -> tuple[ScorePlan, VllmScorer, FakeEngine]:
    engine = FakeEngine(v2=v2)
    scorer = VllmScorer(VllmClient(engine, "toy"), LogprobRequests(params, ABLE), method, 4, ABLE.labels)
    plan = ScorePlan(pairs, WINDOW)
    assert sorted(scorer.run(plan)) == list(range(len(pairs)))
    return plan, scorer, engine


def check(plan: ScorePlan, pairs: Pairs) -> None:
    for score, options in zip(plan.scores, pairs, strict=True):
        for value, greedy, (context, continuation) in zip(score.logprobs, score.greedy, options, strict=True):
            whole = (context + continuation)[-(WINDOW + 1) :]
            start = len(whole) - min(len(continuation), len(whole) - 1)
            targets = range(start, len(whole))
            expected = sum(logprobs(whole[:index])[whole[index]] for index in targets)
            assert value == pytest.approx(expected, abs=1e-9)
            assert greedy == all(best(whole[:index]) == whole[index] for index in targets)


@pytest.mark.parametrize("method", ["rows", "forced", "tail", "whole"])
@pytest.mark.parametrize("seed", range(4))
def test_every_method_gives_the_models_own(method: str, seed: int) -> None:
    pairs = make_pairs(seed)
    for v2 in (False, True):
        plan, scorer, engine = run(method, pairs, v2)
        check(plan, pairs)
        assert all(value > GARBAGE for score in plan.scores for value in score.logprobs)
        assert not engine.waiting
        assert scorer.reissued == 0 or method in ("rows", "tail")


def test_rows_that_the_cache_swallowed_are_requested_again() -> None:
    longer: Pairs = [[([0, 1], [2, 3, 4, 5, 6, 7, 8, 9, 1])], [([0, 1], [2, 3, 4, 5, 6, 7, 8, 9, 1, 5, 5])]]
    for method in ("rows", "tail"):
        plan, scorer, _ = run(method, longer)
        check(plan, longer)
        assert scorer.reissued >= 1


def test_one_request_per_question_of_single_tokens() -> None:
    pairs: Pairs = [[([1, 2, number], [token]) for token in (4, 5, 6)] for number in range(10)]
    plan, _, engine = run("rows", pairs)
    check(plan, pairs)
    assert len(engine.requests) == 10


def test_more_labels_than_a_request_may_report() -> None:
    pairs: Pairs = [[([1, 2], [token]) for token in range(8)]]
    plan, _, engine = run("rows", pairs)
    check(plan, pairs)
    assert [len(params.logprob_token_ids) for _, params in engine.requests] == [3, 3, 2]


def test_equal_beginnings_are_requested_together() -> None:
    pairs: Pairs = [[([number % 3, 1, 1, 1, number], [2])] for number in range(9)]
    _, _, engine = run("rows", pairs)
    assert [ids[0] for ids, _ in engine.requests] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_a_tail_is_primed_once_per_context() -> None:
    context = [1, 2, 3, 4, 5, 6]
    pairs: Pairs = [[(context, [token, 7, 8]) for token in range(3)]]
    plan, scorer, engine = run("tail", pairs)
    check(plan, pairs)
    assert scorer.primed == 1
    assert engine.requests[0][0] == context


def test_short_contexts_are_not_forced() -> None:
    pairs: Pairs = [[([1], [2, 3, 4])], [([1, 2, 3, 4, 5], [2, 3])]]
    plan, _, engine = run("forced", pairs)
    check(plan, pairs)
    assert [params.extra_args is not None for _, params in engine.requests] == [False, True]


def test_a_dead_engine_is_one_line_and_stays_dead() -> None:
    engine = FakeEngine(fail_at=2)
    client = VllmClient(engine, "toy")
    scorer = VllmScorer(client, LogprobRequests(params, ABLE), "rows", 4, 3)
    plan = ScorePlan(make_pairs(1), WINDOW)

    with pytest.raises(ModelError) as caught:
        list(scorer.run(plan))
    assert "died" in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="died"):
        list(scorer.run(ScorePlan(make_pairs(2), WINDOW)))
    assert engine.steps == 2


def test_memory_that_ran_out_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine()
    monkeypatch.setattr(
        engine, "step", lambda: (_ for _ in ()).throw(RuntimeError("CUDA out of memory. Tried 2 GiB"))
    )
    with pytest.raises(OutOfMemoryError, match="max_num_seqs"):
        list(Session(VllmClient(engine, "toy"), [Request("one", [1], params(max_tokens=1))]))


def test_what_vllm_refuses_is_an_error() -> None:
    with pytest.raises(ModelError, match="refuses a request of 0 tokens"):
        list(Session(VllmClient(FakeEngine(), "toy"), [Request("one", [], params(max_tokens=1))]))


def test_ending_early_leaves_nothing_running() -> None:
    engine = FakeEngine(slots=1)
    session = iter(
        Session(VllmClient(engine, "toy"), [Request(n, [n, 1], params(max_tokens=1)) for n in range(5)])
    )
    next(session)
    session.close()  # type: ignore[attr-defined]
    assert not engine.waiting
    assert len(engine.aborted) == 4


def test_arrivals_hold_requests_back() -> None:
    engine = FakeEngine()
    requests = [Request("late", [1], params(max_tokens=1), 0.2), Request("now", [2], params(max_tokens=1))]
    session = Session(VllmClient(engine, "toy"), requests)
    order: list[Any] = [request.payload for request, _ in session]
    assert order == ["now", "late"]

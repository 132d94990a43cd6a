"""Natural figures of answers whose sums are known by hand; FLOPs against the shape formulas, which
are held to hand-worked models.
"""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from harness.config.architecture import Architecture
from harness.config.presets import preset_or_none
from harness.evaluation.cell_sums import read_sizes
from harness.items import Choice, Completion, Generation, Likelihood, Passage, Score, Tokens
from harness.meter.checks import NotFiniteError
from harness.meter.computed import computed_flops
from harness.meter.natural import SCORING, cost_row, latencies, spread
from harness.meter.tally import CostTally, Joules, Setting, add
from harness.meter.work import generation, prefill

SETTING = Setting(2, 3.6, "test", "2026-01-01", None, "datasheet: 2 × X bf16", 2e12, None)


def tally(**changes: object) -> CostTally:
    plain = CostTally(
        items=10,
        sessions=1,
        seconds=5.0,
        tokens=(1000, 490, 600, 100),
        read=(4000, 6000),
        written=(150, 450),
        prefill=(1000, 400, 2.0),
        decode=(90, 3.0),
        flops=5e12,
        flops_reason=None,
        joules=Joules(2000.0, 500.0, 1500.0, 8, 4.0, "nvml-power"),
        correct=4.0,
        marked=10,
        metric="acc",
        correct_reason=None,
        setting=SETTING,
        generated=True,
        samples={"output": [10.0] * 10, "ttft": [1.0, 3.0], "tpot": [2.0], "e2e": [10.0, 20.0]},
    )
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def test_every_figure_by_hand() -> None:
    row = cost_row([tally()], "m", task="t", language="zh")
    assert (row.rate.items, row.rate.prompt_tokens, row.rate.computed_tokens, row.rate.output_tokens) == (
        2,
        200,
        98,
        20,
    )
    assert (row.rate.prefill_tokens, row.rate.prefill_computed_tokens, row.rate.decode_tokens) == (
        500,
        200,
        30,
    )
    assert (row.rate.characters, row.rate.bytes, row.rate.written_characters) == (830, 1290, 30)
    assert (row.tokens.read_characters_per_token, row.tokens.written_characters_per_token) == (4.0, 1.5)
    assert row.limit.mfu == pytest.approx(5e12 / 5.0 / 2e12)
    assert (row.limit.flops_per_item, row.limit.flops_per_correct) == (5e11, 1.25e12)
    assert (row.energy.joules_per_item, row.energy.joules_per_correct) == (
        250.0,
        250.0 * 10 / 4,
    )  # of the 8 items metered, for all 10
    assert row.money.usd == pytest.approx(2 * 3.6 * 5 / 3600)
    assert row.money.usd_per_correct == pytest.approx(2 * 3.6 * 5 / 3600 / 4)
    assert row.money.usd_per_million_output_tokens == pytest.approx(2 * 3.6 / 3600 / 20 * 1e6)
    assert row.latency_ms.ttft is not None
    assert (row.latency_ms.ttft.mean, row.latency_ms.ttft.p50) == (2.0, 2.0)
    assert row.answer_tokens is not None
    assert row.answer_tokens.mean == 10
    assert row.quality.accuracy == 0.4


def test_tallies_survive_the_journal_and_add_up() -> None:
    first, second = (
        tally(),
        tally(items=30, seconds=15.0, correct=2.0, marked=30, samples={"output": [20.0] * 30}),
    )
    restored = [CostTally.from_dict(json.loads(json.dumps(one.to_dict()))) for one in (first, second)]

    assert restored[0].setting == SETTING
    whole = add(restored)
    assert (whole.items, whole.seconds, whole.correct, whole.tokens) == (
        40,
        20.0,
        6.0,
        (2000, 980, 1200, 200),
    )
    row = cost_row(restored, "m", task=None, language="zh")
    assert row.rate.items == 2.0
    assert row.answer_tokens is not None
    assert row.answer_tokens.mean == pytest.approx((10 * 10 + 30 * 20) / 40)
    assert row.energy.items == 16


def test_right_answers_cost_what_their_own_tasks_cost() -> None:
    perplexity = tally(
        correct=None,
        metric="bits_per_byte",
        correct_reason="bits_per_byte does not count right answers",
        seconds=1000.0,
    )
    row = cost_row([tally(), perplexity], "m", task=None, language="en")

    assert row.money.usd_per_correct == pytest.approx(2 * 3.6 * 5 / 3600 / 4)
    assert row.quality.correct == 4.0
    alone = cost_row([perplexity], "m", task="p", language="en")
    assert (alone.quality.correct, alone.money.usd_per_correct, alone.energy.joules_per_correct) == (
        None,
        None,
        None,
    )
    assert "does not count" in str(alone.quality.reason)


def test_what_is_unknown_is_null_and_says_why() -> None:
    setting = Setting(1, price_reason="no price", ceiling_reason="no ceiling")
    bare = tally(
        joules=Joules(reason="no meter"),
        setting=setting,
        generated=False,
        samples={},
        prefill=(1000, 490, 5.0),
        decode=None,
        correct=0.0,
    )
    row = cost_row([bare], "m", task="t", language=None)

    assert (row.energy.joules_gross, row.energy.reason) == (None, "no meter")
    assert (row.money.usd, row.money.reason) == (None, "no price")
    assert (row.limit.mfu, row.limit.reason, row.limit.flops) == (None, "no ceiling", 5e12)
    assert (row.latency_ms.ttft, row.latency_ms.reason) == (None, SCORING)
    assert row.rate.prefill_computed_tokens == 98
    assert cost_row([tally(prefill=None, decode=None)], "m", task="t", language=None).rate.reason is not None


def test_a_missing_clock_gives_no_latency_and_a_nan_no_figure() -> None:
    good = Generation("a", "x", "eos", Tokens(5, 7, 0, 3), first_token=0.5, last_token=0.9)
    samples, reason = latencies([good])
    assert reason is None
    assert samples == {"ttft": [500.0], "tpot": [200.0], "e2e": [900.0]}
    samples, reason = latencies([good, dataclasses.replace(good, key="b", first_token=None)])
    assert samples == {"e2e": [900.0, 900.0]}, "end to end needs no first token"
    assert "b: the engine gave no time of the first token" in str(reason)
    samples, reason = latencies([good, dataclasses.replace(good, key="b", last_token=None)])
    assert samples == {}
    assert "b: the engine gave no time of the last token" in str(reason)
    with pytest.raises(NotFiniteError):
        spread([1.0, math.nan])


def test_quantiles_are_numpys() -> None:
    values = list(np.random.default_rng(0).exponential(size=1000))
    result = spread(values)
    assert result is not None
    assert (result.p50, result.p90, result.p99) == tuple(np.quantile(values, [0.5, 0.9, 0.99]))


def arch(name: str = "qwen2.5-7b") -> Architecture:
    preset = preset_or_none(name)
    assert preset is not None
    assert preset.arch is not None
    return preset.arch


def test_flops_of_answers_are_those_of_their_shapes() -> None:
    qwen = arch()
    whole = Generation("a", "", "length", Tokens(prompt=512, computed=512 + 127, shared=0, output=128))

    # the head: one row before the first token and one a step, as in the shape
    assert computed_flops(qwen, [whole]) == pytest.approx(generation(qwen, 512, 128).flops, rel=1e-12)
    shared = Generation("a", "", "length", Tokens(prompt=512, computed=12 + 127, shared=500, output=128))
    rest = generation(qwen, 512, 128).flops - prefill(qwen, 512).flops + prefill(qwen, 12, past=500).flops
    assert computed_flops(qwen, [shared]) == pytest.approx(rest, rel=1e-12)
    letters = Score("a", (0.0,) * 4, (True,) * 4, (1, 1, 1, 1), Tokens(prompt=400, computed=100, shared=300))
    assert computed_flops(qwen, [letters]) == pytest.approx(
        prefill(qwen, 100, rows=1).flops, rel=1e-12
    )  # four letters after one context
    alone = Score("a", (0.0,), (True,), (3,), Tokens(prompt=100, computed=100))
    assert computed_flops(qwen, [alone]) == pytest.approx(prefill(qwen, 100, rows=3).flops, rel=1e-12)
    text = Likelihood("a", -1.0, Tokens(prompt=300, computed=300), predicted=300)
    assert computed_flops(qwen, [text]) == pytest.approx(prefill(qwen, 300, rows=300).flops, rel=1e-12)
    assert computed_flops(qwen, [Score("a", (0.0,), (True,), (3,), Tokens(prompt=100, shared=100))]) == 0


def test_sliding_windows_count_what_they_see() -> None:
    gemma = arch("gemma-2-9b")
    long = Generation("a", "", "length", Tokens(prompt=6000, computed=6000 + 63, output=64))
    assert computed_flops(gemma, [long, long]) == pytest.approx(
        2 * generation(gemma, 6000, 64).flops, rel=1e-12
    )


def test_long_options_are_near_their_tree() -> None:
    """Four options of 20 tokens after a context of 100, computed as a tree: the context once, each
    option's 19 read tokens after it.
    """
    qwen = arch()
    tree = prefill(qwen, 100, rows=1).flops + 4 * prefill(qwen, 19, past=100, rows=19).flops
    answer = Score(
        "a",
        (0.0,) * 4,
        (True,) * 4,
        (20,) * 4,
        Tokens(prompt=4 * 119, computed=100 + 4 * 19, shared=4 * 119 - 176),
    )

    assert computed_flops(qwen, [answer]) == pytest.approx(tree, rel=0.002)


def test_characters_are_code_points_after_nfc() -> None:
    decomposed = "e\u0301te\u0301"  # été in five code points: three after NFC
    assert read_sizes([Completion("a", decomposed), Completion("b", "not asked")], {"a"}) == (3, 5)
    assert read_sizes([Passage("a", "是的")], {"a"}) == (2, 6)
    assert read_sizes([Choice("a", (("问", "一"), ("问", "two")))], {"a"}) == (
        6,
        12,
    )  # the context is read with each option
    assert read_sizes([Completion("a", "", prompt_ids=(1, 2))], {"a"}) is None

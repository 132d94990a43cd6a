"""Money of tokens, worked out by hand: cached tokens, failed tries, the price of a right answer."""

from __future__ import annotations

import dataclasses
import json

import pytest

from harness.evaluation.cell_sums import right_share
from harness.meter.money import with_rates
from harness.meter.natural import cost_row
from harness.meter.tally import CostTally, Joules, Setting, add
from harness.meter.token_prices import TokenRates

YUAN = TokenRates(2.0, 8.0, 0.5, "CNY", "own", None)


def tally(**changes: object) -> CostTally:
    plain = CostTally(
        items=100,
        sessions=1,
        seconds=50.0,
        tokens=(100_000, 70_000, 40_000, 10_000),
        read=None,
        written=(0, 0),
        prefill=None,
        decode=None,
        flops=None,
        flops_reason="none",
        joules=Joules(),
        correct=80.0,
        marked=100,
        metric="acc",
        correct_reason=None,
        setting=with_rates(Setting(price_reason="none"), YUAN),
        generated=True,
        requests={"sent": 104, "answered": 100, "failed.http_429": 3, "failed.dropped": 1, "repeated": 4},
        correct_ci95=(0.7, 0.9),
    )
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def test_tokens_are_charged_in_their_own_currency() -> None:
    row = cost_row([tally()], "m", task="t", language="zh", right_share=(0.7, 0.9))
    # 60,000 fresh at 2, 40,000 cached at 0.5, 10,000 written at 8, each per million
    assert row.money.total == pytest.approx(0.12 + 0.02 + 0.08)
    assert (row.money.currency, row.money.basis, row.money.usd) == ("CNY", "tokens", None)
    assert row.money.per_1000_items == pytest.approx(2.2)
    assert row.money.per_right == pytest.approx(0.22 / 80)
    assert row.money.per_right_low == pytest.approx(0.22 / 90)
    assert row.money.per_right_high == pytest.approx(0.22 / 70)
    assert row.money.reason is None


def test_failed_tries_that_were_counted_are_paid_and_others_are_said() -> None:
    counts = {"sent": 3, "lost_prompt": 1000, "lost_cached": 400, "lost_output": 500, "lost_uncounted": 2}
    row = cost_row([tally(requests=counts, uncounted=5)], "m", task="t", language=None)
    lost = (600 * 2 + 400 * 0.5 + 500 * 8) / 1e6
    assert row.money.lost == pytest.approx(lost)
    assert row.money.total == pytest.approx(0.22 + lost)
    assert "5 of 100 answers came without token counts" in str(row.money.reason)
    assert "2 tries broke off" in str(row.money.reason)


def test_requests_are_counted_by_kind() -> None:
    row = cost_row([tally()], "m", task="t", language=None)
    assert row.requests is not None
    assert row.requests.failed == {"http_429": 3, "dropped": 1}
    assert row.requests.error_share == pytest.approx(4 / 104)
    assert row.requests.per_second == pytest.approx(2.0)
    assert cost_row([tally(requests=None)], "m", task="t", language=None).requests is None


def test_no_right_answer_has_no_upper_price() -> None:
    none = tally(correct=0.0, correct_ci95=(0.0, 0.036))
    row = cost_row([none], "m", task="t", language=None, right_share=right_share([none]))
    assert (row.money.per_right, row.money.per_right_high) == (None, None)
    assert row.money.per_right_low == pytest.approx(0.22 / 3.6)


def test_sums_add_up_and_survive_the_journal() -> None:
    parts = [CostTally.from_dict(json.loads(json.dumps(tally().to_dict()))) for _ in range(2)]
    assert parts[0] == tally()
    whole = add(parts)
    assert whole.requests is not None
    assert whole.requests["failed.http_429"] == 6
    row = cost_row(parts, "m", task=None, language=None, scope="model", right_share=right_share(parts))
    assert row.money.total == pytest.approx(0.44)
    assert row.money.per_right == pytest.approx(0.44 / 160)
    assert row.money.per_right_low is not None
    assert row.money.per_right_high is not None
    assert row.money.per_right_low < 0.44 / 160 < row.money.per_right_high


def test_a_task_that_counts_no_answers_is_not_charged_to_right_ones() -> None:
    open_ended = tally(correct=None, marked=100, metric="f1", correct_reason="f1 does not count")
    row = cost_row([tally(), open_ended], "m", task=None, language=None, right_share=(0.7, 0.9))
    assert row.money.total == pytest.approx(0.44)
    assert row.money.per_right == pytest.approx(0.22 / 80)

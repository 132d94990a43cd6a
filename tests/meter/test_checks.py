"""What is refused, each by an error of its own name."""

from __future__ import annotations

import dataclasses
import math

import pytest

from harness.errors import HarnessError
from harness.items import Generation, Tokens
from harness.meter import checks

GOOD = Generation(
    "a", "x", "length", Tokens(prompt=8, computed=11, shared=0, output=4), first_token=0.5, last_token=1.0
)


def test_good_answers_pass() -> None:
    checks.require_lengths([GOOD], 4, prompt=8)
    checks.require_uncached([GOOD])
    checks.require_clock([GOOD])
    assert checks.require_finite("MFU", 0.4) == 0.4


def test_cached_tokens_are_refused() -> None:
    with pytest.raises(
        checks.CachedTokensError, match="a: 3 of 8 prompt tokens were read from a cache, expected 0"
    ):
        checks.require_uncached([GOOD, dataclasses.replace(GOOD, tokens=Tokens(8, 5, 3, 4))])


def test_wrong_lengths_are_refused() -> None:
    with pytest.raises(checks.LengthError, match="expected 5 output tokens, got 4"):
        checks.require_lengths([GOOD], 5)
    with pytest.raises(checks.LengthError, match="expected a prompt of 9 tokens, got 8"):
        checks.require_lengths([GOOD], 4, prompt=9)


@pytest.mark.parametrize(
    ("first", "last", "rule"),
    [
        (None, 1.0, "no time of the first token"),
        (0.5, None, "no time of the last token"),
        (1.0, 0.5, "first token <= last"),
        (-0.1, 0.5, "0 <= first"),
        (math.nan, 0.5, "got nan"),
    ],
)
def test_a_missing_or_wrong_clock_is_refused(first: float | None, last: float | None, rule: str) -> None:
    with pytest.raises(checks.ClockError, match=rule):
        checks.require_clock([dataclasses.replace(GOOD, first_token=first, last_token=last)])


def test_what_is_no_number_is_refused() -> None:
    for value in (math.nan, math.inf, -math.inf):
        with pytest.raises(checks.NotFiniteError, match="tok/s"):
            checks.require_finite("tok/s", value)
    with pytest.raises(checks.ClockError, match="above zero"):
        checks.require_positive("seconds", 0.0)


def test_all_are_errors_a_person_may_meet() -> None:
    kinds = (
        checks.CachedTokensError,
        checks.LengthError,
        checks.ClockError,
        checks.EnergyError,
        checks.NotFiniteError,
    )
    assert all(issubclass(kind, checks.MeasurementError) and issubclass(kind, HarnessError) for kind in kinds)

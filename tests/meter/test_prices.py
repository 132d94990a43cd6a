"""Prices: each has a source and a date, and the arithmetic is what one does by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.meter.checks import MeasurementError
from harness.meter.hardware import chips
from harness.meter.prices import (
    TABLE,
    HourlyPrice,
    price_table,
    read_prices,
    usd,
    usd_per_hour,
    usd_per_million_tokens,
    why_no_price,
)


def test_every_chip_of_the_catalogue_has_a_price_or_a_reason() -> None:
    prices, absent = price_table()
    assert set(prices) | set(absent) == set(chips())
    assert all(listed.date.year >= 2025 for listed in prices.values())


def test_a_device_finds_its_chips_price_with_source_and_date() -> None:
    price = usd_per_hour("NVIDIA H100 80GB HBM3")
    assert price is not None
    assert (price.chip, price.usd_per_hour, price.date) == ("H100", 3.99, "2026-11-09")
    assert "runpod.io" in price.source


def test_the_callers_own_price_goes_first_and_needs_no_chip() -> None:
    assert usd_per_hour("H100", 2.0) == HourlyPrice(usd_per_hour=2.0, chip="H100", source="--usd-per-hour")
    own = usd_per_hour("cpu", 0.05)
    assert own is not None
    assert own.date is None
    for wrong in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ConfigError, match="above zero"):
            usd_per_hour("H100", wrong)


def test_no_price_says_why() -> None:
    assert usd_per_hour("H20") is None
    assert "without a date" in why_no_price("H20")
    assert usd_per_hour("Tesla T4") is None
    assert "--usd-per-hour" in why_no_price("Tesla T4")
    assert usd_per_hour(None) is None


def test_dollars_by_hand() -> None:
    price = HourlyPrice(usd_per_hour=3.6, chip=None, source="test")
    assert usd(price, 500.0, gpus=2) == pytest.approx(1.0)  # 2 × 3.60 $ × 500/3600
    assert usd_per_million_tokens(price, 1000.0) == pytest.approx(1.0)  # 10⁶ tokens take 1000 s
    assert usd_per_million_tokens(price, 1000.0, gpus=8) == pytest.approx(8.0)
    for rate in (0.0, math.nan):
        with pytest.raises(MeasurementError):
            usd_per_million_tokens(price, rate)


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("date: 2026-11-09, seller", "seller", "date"),
        ("usd_per_hour: 1.79", "usd_per_hour: -1", "greater than 0"),
        ("  H20: rented out in China; found only in an index without a date\n", "", "H20"),
        ("absent:", "missing:", "expected prices: and absent:"),
    ],
)
def test_a_table_with_a_hole_is_refused(tmp_path: Path, old: str, new: str, rule: str) -> None:
    broken = tmp_path / "prices.yaml"
    text = TABLE.read_text(encoding="utf-8")
    assert old in text
    broken.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=rule):
        read_prices(broken)

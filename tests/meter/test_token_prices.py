"""Prices of tokens: the config's own first, else the seller's listed one, else none with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import load_config
from harness.config.schema import ModelSpec, Price
from harness.errors import ConfigError
from harness.meter.token_prices import OWN, TokenRates, token_rates, why_no_rates


def _spec(**fields: object) -> ModelSpec:
    return ModelSpec.model_validate(
        {"id": "m", "engine": "openai", "base_url": "http://a.example/v1"} | fields
    )


def test_the_configs_own_price_goes_first() -> None:
    rates = token_rates(_spec(price={"input": 0.27, "output": 1.1}))
    assert rates == TokenRates(0.27, 1.1, 0.27, "USD", OWN)


def test_cached_tokens_and_currency_are_the_configs() -> None:
    rates = token_rates(_spec(price={"input": 2, "output": 8, "cached_input": 0.5, "currency": "CNY"}))
    assert rates is not None
    assert rates.currency == "CNY"
    # 600,000 fresh at 2, 400,000 cached at 0.5, 100,000 written at 8, each per million
    assert rates.cost(1_000_000, 100_000, 400_000) == pytest.approx(1.2 + 0.2 + 0.8)


def test_a_listed_model_costs_what_its_seller_says_with_source_and_date() -> None:
    rates = token_rates(_spec(id="deepseek-v3.2", base_url="https://api.deepseek.com/v1"))
    assert rates is not None
    assert (rates.input, rates.output, rates.currency) == (0.28, 0.42, "USD")
    assert "deepseek.com" in rates.source
    assert rates.date == "2025-12-17"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("deepseek-v3.2", "http://localhost:8000/v1"),  # served at home
        ("deepseek-r1-0528", "https://api.deepseek.com/v1"),  # listed by another seller
        ("deepseek-v99", "https://api.deepseek.com/v1"),
        ("gpt-4.1", "https://api.openai.com/v1"),  # an alias, perhaps of a newer snapshot
    ],
)
def test_no_price_is_borrowed_from_another_seller_or_model(name: str, url: str) -> None:
    spec = _spec(id=name, base_url=url)
    assert token_rates(spec) is None
    assert "price: {input:" in why_no_rates(spec)


@pytest.mark.parametrize(("spoken", "code"), [("rmb", "CNY"), ("元", "CNY"), ("usd", "USD"), ("eur", "EUR")])
def test_a_currency_is_an_iso_code(spoken: str, code: str) -> None:
    assert Price(input=1, output=1, currency=spoken).currency == code


@pytest.mark.parametrize(
    ("price", "words"),
    [
        ("{input: -1, output: 1}", "input"),
        ("{input: 1}", "output"),
        ("{input: 1, output: .nan}", "output"),
        ("{input: 1, output: 2, currency: dollars}", "USD or CNY"),
        ("{in: 1, output: 2}", "in"),
        ("0.27", "price"),
    ],
)
def test_a_wrong_price_is_refused_at_its_line(tmp_path: Path, price: str, words: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(
        "name: x\nmodels:\n  - id: m\n    engine: openai\n    base_url: http://a.example/v1\n"
        f"    price: {price}\ntasks: [en_arithmetic]\n"
    )
    with pytest.raises(ConfigError, match=words) as problem:
        load_config(path)
    assert "x.yaml:6" in str(problem.value)

"""Money for reading: amounts with their currency, intervals, and where a price is from."""

from __future__ import annotations

from harness.reporting.document import NONE
from harness.reporting.texts import Phrase
from harness.results.cost import Money

OWN = "the config's price:"
"""What a record of costs calls a price of the user's own."""
SIGNS = {"USD": "$", "CNY": "¥", "EUR": "€", "GBP": "£"}
"""Signs of currencies; any other stands as its code. ¥ is the yuan here, never the yen."""


def money_text(value: float | None, currency: str | None) -> str:
    """``$0.00123`` in three digits, thousands apart; a dash for None."""
    if value is None:
        return NONE
    amount = f"{value:,.2f}" if value >= 100 else f"{value:.3g}"
    sign = SIGNS.get(currency or "USD")
    return f"{amount} {currency}" if sign is None else f"{sign}{amount}"


def interval_text(money: Money) -> str:
    """``$1.2 (1.0–1.5)``: the price of a thousand right answers with its 95 % interval."""
    shown = money_text(money.per_right and 1000 * money.per_right, money.currency)
    if money.per_right_low is None:
        return shown
    high = "∞" if money.per_right_high is None else f"{1000 * money.per_right_high:.3g}"
    return f"{shown} ({1000 * money.per_right_low:.3g}–{high})"


def price_note(money: Money) -> Phrase | None:
    """The price that amounts rest on, with source and date; None without one."""
    if money.total is None:
        return None
    source = ", ".join(part for part in (money.price_source, money.price_date) if part)
    if source == OWN:
        source = Phrase("price: in the config")
    if money.basis == "tokens":
        return Phrase(
            "Price per million tokens: {input} in, {cached} in from a cache, {output} out ({source}).",
            input=money_text(money.price_input, money.currency),
            cached=money_text(money.price_cached_input, money.currency),
            output=money_text(money.price_output, money.currency),
            source=source,
        )
    if money.usd_per_hour is None:
        return None
    return Phrase(
        "Price: ${price:g} an hour × {count} ({source}).",
        price=money.usd_per_hour,
        count=money.accelerators or 1,
        source=source,
    )

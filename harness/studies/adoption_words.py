"""Texts of likes and downloads in both languages.

The adoption room's words, and what printed figures are called.
"""

from __future__ import annotations

from typing import Any

from harness.adoption.figures import CountryShare
from harness.adoption.published import PublishedCount
from harness.studies.claims import Text
from harness.texts import catalogue, every_language


def number(one: PublishedCount, *, short: bool = False) -> Text:
    """A printed figure as it is read: 12,800 or 17.1 %.

    ``short``: large numbers in billions (in Chinese, units of 10⁸).
    """
    if one.unit == "per cent":
        return Text(en=f"{one.printed} %", zh=f"{one.printed}%")
    if short and one.value >= 1e8:
        return Text(en=f"{one.value / 1e9:.2f} billion", zh=f"{one.value / 1e8:.1f} 亿")
    return Text(en=f"{one.value:,.0f}", zh=f"{one.value:,.0f}")


def written(text: str) -> Text:
    """A text of the figures' file in both languages, where the words have it."""
    both = catalogue("adoption").get(text)
    return Text(en=both["en"], zh=both["zh"]) if both else Text(en=text, zh=text)


def begun(text: Text) -> Text:
    """A text that begins a sentence."""
    return Text(en=text.en[:1].upper() + text.en[1:], zh=text.zh)


def both(name: str, /, **values: Any) -> Text:
    """A text of the adoption words in both languages; a value may be a `Text`."""
    filled = {key: value.model_dump() if isinstance(value, Text) else value for key, value in values.items()}
    return Text(**every_language(f"adoption.{name}", **filled))


def of_models(country_shares: CountryShare) -> Text:
    """The denominator in both languages."""
    return both(f"d_{country_shares.denominator}", n=country_shares.models)


def per_cent(country_shares: CountryShare, country: str) -> str:
    """A share to a tenth of a per cent."""
    return f"{100 * country_shares.share(country):.1f}"

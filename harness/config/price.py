"""What a config may say of a model's price: an amount per million tokens in and out."""

from __future__ import annotations

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from harness.config.strict import Strict

_SPOKEN = {"RMB": "CNY", "YUAN": "CNY", "¥": "CNY", "元": "CNY", "人民币": "CNY", "$": "USD", "DOLLAR": "USD"}
"""Everyday names of currencies, by their ISO codes."""


class Price(Strict):
    """Money per million tokens, as the endpoint's seller charges it."""

    input: float = Field(ge=0, allow_inf_nan=False, description="Price of a million prompt tokens.")
    output: float = Field(
        ge=0, allow_inf_nan=False, description="Price of a million generated tokens, thoughts included."
    )
    cached_input: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="Price of a million prompt tokens read from the server's cache. Default: as input.",
    )
    currency: str = Field("USD", description="ISO code of the currency, e.g. USD or CNY; never converted.")

    @field_validator("currency")
    @classmethod
    def _iso(cls, value: str) -> str:
        code = _SPOKEN.get(value.upper(), value.upper())
        if not (len(code) == 3 and code.isascii() and code.isalpha()):
            raise PydanticCustomError("currency", "expected the ISO code of a currency, e.g. USD or CNY")
        return code

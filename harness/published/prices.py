"""Published prices of models: $ per million tokens in and out, with where they were read.

The file is harness/data/published/prices.yaml.
"""

from __future__ import annotations

import datetime
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from harness.errors import ConfigError
from harness.published.sources import FOLDER, check_source, first_problem, read_yaml

FILE = FOLDER / "prices.yaml"
RESELLERS = (
    *("openrouter.ai", "deepinfra.com", "together.ai", "fireworks.ai", "groq.com", "replicate.com"),
    *("novita.ai", "siliconflow", "hyperbolic", "lobechat.com", "llm-stats.com", "vals.ai"),
    *("omniverse.com.im", "problembo.com", "nanjiren.online", "artificialanalysis.ai"),
)
"""Hosts of pages that sell, or list, other makers' models."""
Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class TokenPrice(BaseModel):
    """$ per million tokens.

    ``source`` is the page that LMArena's list names, the maker's or a reseller's; ``date`` that of
    the list, not of the page.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    model: str = Field(min_length=1)
    input: Dollars
    output: Dollars
    source: Annotated[str, AfterValidator(check_source)]
    listed: Annotated[str, AfterValidator(check_source)]
    date: datetime.date

    @property
    def resold(self) -> bool:
        """Whether the page is a reseller's or another third party's, and not the maker's."""
        return any(host in self.source for host in RESELLERS)


@cache
def load_prices() -> dict[str, TokenPrice]:
    """Prices by the model's name as LMArena writes it.

    Raises ConfigError for a price without a source.
    """
    data = read_yaml(FILE)
    by_model = {}

    for entry in data["prices"]:
        try:
            price = TokenPrice.model_validate(
                {"listed": data.get("listed"), "date": data.get("date")} | entry
            )
        except ValidationError as error:
            raise ConfigError(f"prices.yaml: {entry.get('model')}: {first_problem(error)}") from error
        by_model[price.model] = price
    return by_model

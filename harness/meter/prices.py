"""What an hour of an accelerator costs, with source and date (harness/data/prices.yaml), and what
tokens and items cost then.
"""

from __future__ import annotations

import datetime
import math
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationError

from harness.errors import ConfigError
from harness.meter.checks import require_positive
from harness.meter.hardware import chips, find_chip
from harness.wording import first_problem, reason_of

TABLE = Path(__file__).resolve().parent.parent / "data" / "prices.yaml"
OWN = "--usd-per-hour"


class Listed(BaseModel):
    """A price of the table: ``seller`` and ``page`` whose it is, ``says`` who has transcribed it,
    ``date`` when.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    usd_per_hour: float = Field(gt=0, allow_inf_nan=False)
    date: datetime.date
    seller: str = Field(min_length=5)
    page: HttpUrl
    says: HttpUrl


class HourlyPrice(BaseModel):
    """Dollars per hour of one accelerator.

    ``source`` is where from (`--usd-per-hour`: the user's own), ``date`` when it was read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    usd_per_hour: float
    chip: str | None
    source: str
    date: str | None = None


def read_prices(path: Path = TABLE) -> tuple[dict[str, Listed], dict[str, str]]:
    """(prices by chip, reasons of the chips without one).

    Raises ConfigError for a price without source or date, or a chip in neither.
    """
    try:
        raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        prices = {find_chip(name).name: Listed(**entry) for name, entry in raw["prices"].items()}
        absent = {find_chip(name).name: str(reason) for name, reason in raw["absent"].items()}
    except ValidationError as error:
        raise ConfigError(f"{path.name}: {first_problem(error)}") from None
    except (OSError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise ConfigError(
            f"{path.name}: {reason_of(error, named=True)}; expected prices: and absent: as in the packaged "
            "file"
        ) from None

    # A chip that is in neither part was forgotten, one that is in both contradicts itself.
    for chip in chips():
        if (chip in prices) == (chip in absent):
            raise ConfigError(
                f"{path.name}: {chip}: a price with source and date, or the reason why there is none"
            )
    return prices, absent


@cache
def price_table() -> tuple[dict[str, Listed], dict[str, str]]:
    """The packaged prices and reasons."""
    return read_prices()


def usd_per_hour(chip: str | None, override: float | None = None) -> HourlyPrice | None:
    """The price of an hour of a catalogue chip (by name or device name), or the caller's own; None
    where there is neither.

    Raises ConfigError for an ``override`` that is no positive number.
    """
    name = _known(chip)

    if override is not None:
        if not (math.isfinite(override) and override > 0):
            raise ConfigError(f"{OWN}: expected a number of dollars above zero, got {override}")
        return HourlyPrice(usd_per_hour=override, chip=name or chip, source=OWN)

    # A user's own price is no matter of the catalogue, so it counts for unknown devices, too.
    listed = price_table()[0].get(name or "")
    if listed is None:
        return None
    return HourlyPrice(
        usd_per_hour=listed.usd_per_hour,
        chip=name,
        source=f"{listed.seller}: {listed.page}",
        date=listed.date.isoformat(),
    )


def why_no_price(chip: str | None) -> str:
    """Why `usd_per_hour` gives None."""
    name = _known(chip)
    reason = price_table()[1].get(name or "")
    return f"{name}: {reason}" if reason else f"no price is known for {chip or 'this device'}; say {OWN}"


def _known(chip: str | None) -> str | None:
    try:
        return find_chip(chip).name if chip else None
    except ConfigError:
        return None


def usd(price: HourlyPrice, seconds: float, gpus: int = 1) -> float:
    """Dollars for ``seconds`` of so many accelerators."""
    return price.usd_per_hour * gpus * seconds / 3600


def usd_per_million_tokens(price: HourlyPrice, tokens_per_second: float, gpus: int = 1) -> float:
    """($/GPU-hour · gpus) / (3600 · tokens/s) · 10⁶.

    Raises MeasurementError for a rate that is no positive number.
    """
    return price.usd_per_hour * gpus / (3600 * require_positive("tokens/s", tokens_per_second)) * 1e6

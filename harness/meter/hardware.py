"""Datasheet ceilings of accelerators, each with its source: harness/data/hardware.yaml.

A figure without one is absent.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationError, model_validator

from harness.config.problems import suggest
from harness.errors import ConfigError
from harness.wording import first_problem, reason_of

CATALOGUE = Path(__file__).resolve().parent.parent / "data" / "hardware.yaml"
Quantity = Literal["bf16", "fp16", "fp8", "int8", "memory", "bandwidth", "interconnect", "power"]
QUANTITIES: tuple[Quantity, ...] = (
    "bf16",
    "fp16",
    "fp8",
    "int8",
    "memory",
    "bandwidth",
    "interconnect",
    "power",
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CatalogueSource(_Strict):
    """Where a figure comes from.

    ``says`` is how far from the maker: its own document, a paper, a table, the press, or derived.
    """

    says: Literal["maker", "paper", "table", "press", "derived"]
    url: HttpUrl
    title: str = Field(min_length=10)


class SourcedFigure(_Strict):
    """A number in FLOP/s (dense), bytes, bytes/s or watts, and its source."""

    value: float = Field(gt=0, allow_inf_nan=False)
    source: CatalogueSource


class Chip(_Strict):
    """One accelerator.

    ``devices`` are drivers' names for it; every quantity is in ``figures`` or, with its reason, in
    ``absent``.
    """

    name: str
    full: str
    devices: tuple[str, ...]
    figures: dict[Quantity, SourcedFigure]
    absent: dict[Quantity, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for quantity in QUANTITIES:
            if (quantity in self.figures) == bool(self.absent.get(quantity)):
                raise ValueError(f"{quantity}: a figure with its source, or the reason why there is none")
        return self

    def figure(self, quantity: Quantity) -> float:
        """The number. Raises ConfigError, with the reason, where there is none."""
        if quantity in self.figures:
            return self.figures[quantity].value
        raise ConfigError(
            f"{self.name}: no {quantity} figure: {self.absent[quantity]}; choose another number format or "
            "chip"
        )


def read_catalogue(path: Path = CATALOGUE) -> dict[str, Chip]:
    """The chips of a catalogue file by name.

    Raises ConfigError for a figure without a source, or a chip that is there twice.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        sources = {name: _source(name, entry) for name, entry in raw["sources"].items()}
        entries = [_chip(entry, sources) for entry in raw["chips"]]
    except ValidationError as error:
        raise ConfigError(f"{path.name}: {first_problem(error)}") from None
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(
            f"{path.name}: {reason_of(error, named=True)}; expected sources: and chips: as in the packaged "
            "file"
        ) from None

    # A name that stands twice would silently be the later chip, with other figures.
    names = [chip.name for chip in entries]
    if len(set(names)) != len(names):
        raise ConfigError(
            f"{path.name}: a chip is there twice: "
            f"{', '.join(sorted({name for name in names if names.count(name) > 1}))}"
        )
    return dict(zip(names, entries, strict=True))


def _chip(entry: dict[str, Any], sources: dict[str, CatalogueSource]) -> Chip:
    figures = {}
    for quantity, figure in entry["figures"].items():
        if not isinstance(figure, list) or len(figure) != 2 or figure[1] not in sources:
            raise ValueError(
                f"{entry['name']}: {quantity}: expected [value, name of a source], got {figure!r}"
            )
        figures[quantity] = SourcedFigure(value=figure[0], source=sources[figure[1]])
    try:
        return Chip(**(entry | {"figures": figures}))
    except ValidationError as error:
        raise ConfigError(f"{CATALOGUE.name}: chip {entry['name']}: {first_problem(error)}") from None


def _source(name: str, entry: dict[str, Any]) -> CatalogueSource:
    try:
        return CatalogueSource(**entry)
    except ValidationError as error:
        raise ConfigError(f"{CATALOGUE.name}: source {name}: {first_problem(error)}") from None


@cache
def chips() -> dict[str, Chip]:
    """The packaged catalogue by name, in the order of the file."""
    return read_catalogue()


def find_chip(name: str) -> Chip:
    """The chip of this name (``H20``), its last word (``910B``) or device name (``NVIDIA H20``), in
    any case.

    Raises ConfigError with the nearest name.
    """
    wanted = name.strip().lower()
    # Drivers, shops and papers each have their own name for one chip.
    for chip in chips().values():
        if wanted in {
            alias.lower() for alias in (chip.name, chip.name.split()[-1], chip.full, *chip.devices)
        }:
            return chip

    raise ConfigError(f"unknown chip {name!r}{suggest(name, chips())}; known: {', '.join(chips())}")

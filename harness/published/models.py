"""The rated models: who made each, where, whether its weights are out, when it was released.

The file is harness/data/published/arena_models.yaml.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.errors import ConfigError
from harness.published.sources import FOLDER, USER_FOLDER, check_source, first_problem, read_yaml

FILE = FOLDER / "arena_models.yaml"
NEWER = FOLDER / "arena_models_new.yaml"
"""Models that the boards rate and the first file, which is kept by hand, lacks.

Written by scripts/published_ratings.py.
"""
Sourced = Annotated[str, AfterValidator(check_source)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class Maker(BaseModel):
    """An organisation and the country of its seat (ISO 3166 alpha-2).

    None: it has no seat, or no source says where.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    country: Country | None
    source: Sourced
    also: tuple[str, ...] = Field((), description="Other spellings of it in leaderboards.")
    note: str | None = None

    @model_validator(mode="after")
    def _reason(self) -> Self:
        if self.country is None and not self.note:
            raise ValueError("a maker without a country needs a note that says why")
        return self


class PublishedModel(BaseModel):
    """One model as the file has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(min_length=1)
    also: tuple[str, ...] = Field((), description="Other names of it in the same leaderboards.")
    maker: str | None = Field(description="A key of `makers`. None: not published in a source that was read.")
    open: bool | None = Field(None, description="Whether its weights can be downloaded. None: unknown.")
    licence: str | None = Field(None, description="As the source names it.")
    source: Sourced = Field(description="Of maker and licence.")
    released: datetime.date | None = None
    released_source: Sourced | None = None
    unread: bool = Field(
        False,
        description=(
            "The day was not read in released_source: not opened, or its stored copy does not say it."
        ),
    )
    made_from: str | None = Field(
        None, description="The published weights of another maker that it was tuned from."
    )
    base_country: Country | None = Field(None, description="Country of the maker of those weights.")
    base_source: Sourced | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _sourced(self) -> Self:
        if (self.released is None) != (self.released_source is None):
            raise ValueError("a release date and its source go together")
        if self.unread and self.released is None:
            raise ValueError("unread is about a release date, and there is none")
        if len({self.made_from is None, self.base_country is None, self.base_source is None}) > 1:
            raise ValueError("made_from, base_country and base_source go together")
        if self.maker is None and not self.note:
            raise ValueError("a model without a maker needs a note that says why")
        return self


class Models(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    makers: dict[str, Maker]
    models: tuple[PublishedModel, ...]


@dataclass(frozen=True, slots=True)
class RatedModel:
    """A rated model.

    ``country`` is its maker's; ``base_country`` that of the weights it was made from, where they
    are another maker's. ``open`` is None where the licence is unknown. Sources are keys of
    sources.yaml or URLs (`sources.source_url` resolves them).
    """

    name: str
    also: tuple[str, ...]
    maker: str | None
    country: str | None
    open: bool | None
    licence: str | None
    source: str
    released: datetime.date | None
    released_source: str | None
    made_from: str | None
    base_country: str | None
    base_source: str | None
    note: str | None
    unread: bool = False

    @property
    def unknown(self) -> tuple[str, ...]:
        """Which of maker, country, licence and release date are not known.

        "release date unread" where its source was only cited.
        """
        facts = {
            "maker": self.maker,
            "country": self.country,
            "licence": self.licence,
            "release date": self.released,
        }
        missing = tuple(name for name, value in facts.items() if value is None)
        return (*missing, "release date unread") if self.unread else missing


def rated_models(folder: Path | None = USER_FOLDER) -> dict[str, RatedModel]:
    """Rated models by name: the packaged ones, then those of ``*.models.yaml`` in ``folder``.

    The latter add models but change none. Raises ConfigError for a broken file: an entry without a
    source, a maker that `makers` lacks, a name that is there twice.
    """
    by_name = dict(_packaged())
    if folder is not None and folder.is_dir():
        for path in sorted(folder.glob("*.models.yaml")):
            by_name = read_models(path) | by_name
    return by_name


@cache
def _packaged() -> dict[str, RatedModel]:
    makers = Models.model_validate(read_yaml(FILE)).makers
    return parse_models(read_yaml(NEWER), str(NEWER), makers) | read_models(FILE)


def read_models(path: Path) -> dict[str, RatedModel]:
    """One file. Raises ConfigError with the entry."""
    data = read_yaml(path)
    return parse_models(data, str(path))


def parse_models(data: Any, where: str, makers: Mapping[str, Maker] | None = None) -> dict[str, RatedModel]:
    """A file's data, checked.

    Raises ConfigError; ``where`` names the file in it; ``makers`` are known besides the file's own.
    """
    try:
        file = Models.model_validate(data)
    except ValidationError as error:
        raise ConfigError(f"{where}: {first_problem(error)}") from error

    # An import's file may rely on makers of the packaged table, and adds its own.
    all_makers = {**(makers or {}), **file.makers}
    by_name: dict[str, RatedModel] = {}
    for entry in file.models:
        if entry.name in by_name:
            raise ConfigError(f"{where}: {entry.name!r} is there twice")
        if entry.maker is not None and entry.maker not in all_makers:
            raise ConfigError(
                f"{where}: {entry.name}: the maker {entry.maker!r} is not in `makers`; add it with"
                f" its country and source"
            )

        country = all_makers[entry.maker].country if entry.maker else None
        facts = {name: getattr(entry, name) for name in PublishedModel.model_fields}
        by_name[entry.name] = RatedModel(country=country, **facts)
    return by_name


def other_names(models: dict[str, RatedModel]) -> dict[str, str]:
    """Lower-case name, and every other name of it, to the name in ``models``."""
    names = {other.lower(): model.name for model in models.values() for other in model.also}
    return names | {name.lower(): name for name in models}


def known_makers() -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The packaged makers as data, and the lower-case spellings of each."""
    makers = {
        name: maker
        for path in (FILE, NEWER)
        for name, maker in Models.model_validate(read_yaml(path)).makers.items()
    }
    spellings = {other.lower(): name for name, maker in makers.items() for other in (name, *maker.also)}
    return {
        name: maker.model_dump(mode="json", exclude={"also"}, exclude_none=True)
        for name, maker in makers.items()
    }, spellings

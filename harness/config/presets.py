"""Presets: the models known by a short name, with what a config needs (id, chat template, think
tags) and what a plan needs (architecture).

One YAML file a family in ``harness/data/presets``: ``defaults`` for all its models, ``archs`` by
size, and ``models``.
"""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.config.architecture import REMOTE, Architecture
from harness.config.architecture_reading import architecture_of
from harness.config.problems import suggest
from harness.errors import ConfigError
from harness.wording import first_problem

DATA = Path(__file__).resolve().parent.parent / "data"
BUNDLED = "bundled/"


class Preset(BaseModel):
    """One model that people name, and where each figure of it comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="Short name, lower case.", pattern=r"^[a-z0-9][a-z0-9._-]*$")
    family: str = Field(description="Family, as in tables.")
    maker: str = Field(description="Who trained it.")
    country: str = Field(description="The maker's country, ISO 3166 alpha-2.", pattern=r"^[A-Z]{2}$")
    id: str = Field(description="Hub id, or bundled/NAME.")
    parameters: int | None = Field(
        None,
        gt=0,
        description="Total parameters as published on the hub. None: read from the bundled folder.",
    )
    instruct: bool = Field(description="Tuned to follow instructions.")
    chat_template: bool = Field(
        description="Whether to ask through the chat template unless the config says otherwise."
    )
    thinking: bool | None = Field(
        None,
        description="Whether the model thinks before it answers unless told otherwise; false: it can, when "
        "told to. None: it cannot.",
    )
    think_tags: tuple[str, str] | None = Field(None, description="Markers around a thought.")
    licence: str = Field(description="SPDX id, or the licence's name on the hub.")
    gated: bool | None = Field(
        False,
        description="The hub asks for an account and an agreement. None: it has changed; expect either.",
    )
    base_model: str | None = Field(
        None, description="Hub id of the model that it was tuned or distilled from."
    )
    base_country: str | None = Field(
        None,
        description="Country of the maker of `base_model`. None: that of its preset.",
        pattern=r"^[A-Z]{2}$",
    )
    released: date | None = Field(None, description="Day of the first public release of the weights.")
    released_source: str | None = Field(None, description="Where that day was read.", pattern="^https://")
    unread: bool = Field(
        False,
        description="The day was not read in released_source: not opened, or its stored copy does not say "
        "it.",
    )
    remote_code: bool = Field(
        False, description="Its code or tokenizer is Python in its repository: needs trust_remote_code."
    )
    source: str = Field(description="Page that the figures come from.", min_length=5)
    arch: Architecture | None = Field(
        None, description="Architecture. None: not sourced, or a bundled model whose folder is missing."
    )

    @model_validator(mode="after")
    def _dated(self) -> Self:
        if (self.released is None) != (self.released_source is None):
            raise ValueError(f"{self.name}: a release date and released_source go together")
        if self.unread and self.released is None:
            raise ValueError(f"{self.name}: unread is about a release date, and there is none")
        return self

    @property
    def active_parameters(self) -> int | None:
        """Parameters that one token uses; differs from ``parameters`` for mixtures of experts."""
        return self.arch.active_parameters if self.arch else self.parameters

    @property
    def made_from(self) -> str | None:
        """Hub id of the model that it was tuned or distilled from (``base_model``)."""
        return self.base_model

    @property
    def counted_by(self) -> str:
        """What the parameter count was held against: "transformers" builds it, or only the
        "formula" (its code is in its repository).
        """
        return (
            "nothing"
            if self.arch is None
            else "formula"
            if self.arch.model_type in REMOTE
            else "transformers"
        )

    @property
    def folder(self) -> Path | None:
        """The packaged folder of a bundled model, else None."""
        return bundled_model_dir(self.id.removeprefix(BUNDLED)) if self.id.startswith(BUNDLED) else None


def bundled_model_dir(name: str) -> Path:
    """The folder of the packaged model ``name`` (``tiny-qwen`` or ``bundled/tiny-qwen``), whether
    or not it is there.
    """
    return DATA / "models" / name.removeprefix(BUNDLED)


@cache
def presets() -> dict[str, Preset]:
    """All presets by name, in the order of the files.

    Raises ConfigError where a packaged file is broken.
    """
    by_name: dict[str, Preset] = {}
    for path in sorted((DATA / "presets").glob("*.yaml")):
        for preset in read_family(path):
            if preset.name in by_name:
                raise ConfigError(f"{path.name}: the preset {preset.name!r} is there twice")
            by_name[preset.name] = preset
    return by_name


@cache
def _by_id() -> dict[str, Preset]:
    return {preset.id.lower(): preset for preset in presets().values()}


def find_preset(name: str) -> Preset:
    """The preset of this name or of this hub id. Raises ConfigError with the nearest name."""
    preset = preset_or_none(name)
    if preset is None:
        raise ConfigError(
            f"unknown preset {name!r}{suggest(name, presets()) or '; `harness models` lists them'}"
        )
    return preset


def preset_or_none(name: str) -> Preset | None:
    """The preset of this name or of this hub id, or None. Case does not count."""
    return presets().get(name.lower()) or _by_id().get(name.lower())


def origin_country(preset: Preset) -> str | None:
    """The country where the weights began: of the maker of the model at the end of the chain of
    ``base_model``. None: not known.
    """
    names: set[str] = set()
    while preset.base_model is not None and preset.name not in names:
        names.add(preset.name)
        base = _by_id().get(preset.base_model.lower())
        if preset.base_country is not None or base is None:
            return preset.base_country
        preset = base
    return preset.country


def preset_data(preset: Preset) -> dict[str, Any]:
    """A preset as data: what the YAML says and what follows from it."""
    data = preset.model_dump(mode="json")
    derived = {
        "made_from": preset.made_from,
        "origin_country": origin_country(preset),
        "counted_by": preset.counted_by,
    }
    return data | derived | {"active_parameters": preset.active_parameters}


def missing_models() -> list[dict[str, str]]:
    """What the articles name and is not among the presets: model, what it lacks, why; last, presets
    whose release day was not read.

    Raises ConfigError for an entry without a reason.
    """
    path = DATA / "missing_models.yaml"
    gaps: list[dict[str, str]] = yaml.safe_load(path.read_text(encoding="utf-8"))

    for gap in gaps:
        if set(gap) != {"model", "lacks", "why"} or not all(gap.values()):
            raise ConfigError(f"{path.name}: an entry needs model, lacks and why; got {gap}")
    return gaps + _unread()


def _unread() -> list[dict[str, str]]:
    pages: dict[str, list[str]] = {}
    for preset in presets().values():
        if preset.unread and preset.released_source:
            pages.setdefault(preset.released_source, []).append(preset.name)
    why = "{} is cited for the day, as the maker's page, but the day was not read there."
    return [
        {"model": ", ".join(names), "lacks": "a release date that was read", "why": why.format(page)}
        for page, names in pages.items()
    ]


def read_family(path: Path) -> list[Preset]:
    """The presets of one family's file.

    Raises ConfigError, which names the file and where it can the preset.
    """
    try:
        family = yaml.load(
            path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        )
        archs = {name: dict(arch) for name, arch in (family.get("archs") or {}).items()}
        return [_checked(path, family.get("defaults") or {}, model, archs) for model in family["models"]]
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"harness/data/presets/{path.name}: {error}") from error


def _checked(
    path: Path, defaults: dict[str, Any], model: dict[str, Any], archs: dict[str, dict[str, Any]]
) -> Preset:
    """One preset. Raises ConfigError, which names it, for what the schema does not allow."""
    try:
        return _preset(defaults, model, archs)
    except ValidationError as error:
        where = f"harness/data/presets/{path.name}: preset {model.get('name')!r}"
        raise ConfigError(f"{where}: {first_problem(error)}") from error


def _preset(defaults: dict[str, Any], model: dict[str, Any], archs: dict[str, dict[str, Any]]) -> Preset:
    entry = defaults | model
    entry.setdefault("chat_template", entry["instruct"])
    entry.setdefault("source", f"https://huggingface.co/{entry['id']}")

    arch = entry.pop("arch", None)
    if isinstance(arch, str):
        arch = archs[arch]
    elif isinstance(arch, dict):
        arch = archs[arch["like"]] | {key: value for key, value in arch.items() if key != "like"}

    entry["arch"] = architecture_of(arch) if arch else None
    if entry["id"].startswith(BUNDLED):
        entry |= _bundled(entry["id"])
    return Preset(**entry)


def _bundled(model_id: str) -> dict[str, Any]:
    """Architecture and size of a packaged model, read from its own config.json so that they cannot
    go stale.
    """
    config = bundled_model_dir(model_id) / "config.json"
    if not config.is_file():
        return {}
    arch = architecture_of(json.loads(config.read_text(encoding="utf-8")))
    return {"arch": arch, "parameters": arch.parameters}

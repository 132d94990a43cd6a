"""The claims: one YAML file each in harness/data/studies, or a file of a user's own."""

from __future__ import annotations

import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.config.problems import suggest
from harness.errors import ConfigError
from harness.wording import first_problem, reason_of

FOLDER = Path(__file__).resolve().parent.parent / "data" / "studies"


class Text(BaseModel):
    """A text in both languages."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)

    def __getitem__(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


class Article(BaseModel):
    """The article."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: Text
    date: str = Field(
        pattern=r"^\d{4}-\d{2}(-\d{2})?$", description="Year and month, and the day where it is known."
    )
    url: str | None = Field(None, pattern="^https://", description="Where it can be read.")


class Part(BaseModel):
    """One statement that the claim rests on, and the predicate that tests it.

    ``given`` are the predicate's own keys.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    says: Text
    predicate: str
    given: dict[str, Any] = Field(default_factory=dict)
    short: Text | None = Field(None, description="What its figure is, in the table of verdicts.")
    topic: Text | None = Field(
        None, description="Parts of one topic are one statement asked in several ways: it holds where all do."
    )
    datum: Text | None = Field(
        None, description="The one figure that would decide it, shown where the data at hand do not."
    )


class Shown(BaseModel):
    """A plot or a table beside the verdict: its kind, title and the kind's own keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: str
    title: Text
    given: dict[str, Any] = Field(default_factory=dict)


class Claim(BaseModel):
    """One claim of an article.

    It is supported where every part holds, partly where some hold and some fail; ``today`` asks the
    same of the newest data and does not count.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str = Field(pattern=r"^[A-Z][A-Z0-9]*$")
    name: Text | None = Field(None, description="A few words that name it in lists.")
    claim: Text
    sources: tuple[Article, ...] = Field(min_length=1)
    when: Text | None = Field(None, description='The date that the verdict is about: "In March 2024".')
    parts: tuple[Part, ...] = ()
    counted: Literal["statements", "definitions"] = Field(
        "statements", description="What the parts are, where some hold and some fail."
    )
    today: tuple[Part, ...] = Field((), description="The same statements of the newest data.")
    pending: Text | None = Field(
        None, description="What measures it, where nothing has yet; such a claim has no parts."
    )
    shown: tuple[Shown, ...] = ()
    notes: tuple[Text, ...] = Field((), description="What a reader must know before citing it.")

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if bool(self.parts) == (self.pending is not None):
            raise ValueError("a claim has parts, or says with `pending` what would measure it")
        return self


def read_claim(path: Path) -> Claim:
    """A claim's file. Raises ConfigError that names file and key."""
    import yaml

    try:
        return Claim.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: not a claim's YAML: {reason_of(error)}") from error
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_problem(error)}") from error


@cache
def claims() -> dict[str, Claim]:
    """The packaged claims by id, C1 before C10."""
    packaged = [read_claim(path) for path in FOLDER.glob("*.yaml")]
    return {claim.id: claim for claim in sorted(packaged, key=lambda claim: _in_order(claim.id))}


def _in_order(name: str) -> tuple[str, int, str]:
    letters = name.rstrip("0123456789")
    return letters, int(name[len(letters) :] or 0), name


def find_claim(name: str) -> Claim:
    """A claim by its id, or a YAML file. Raises ConfigError with the nearest id."""
    if name.upper() in claims():
        return claims()[name.upper()]
    if name.endswith((".yaml", ".yml")):
        return read_claim(Path(name))
    raise ConfigError(
        f"unknown study {name!r}{suggest(name, claims())}; known: {', '.join(claims())}; or a YAML file"
    )


def day(value: Any) -> datetime.date:
    """A date of a claim's file. Raises ConfigError."""
    if isinstance(value, datetime.date):
        return value
    try:
        return datetime.date.fromisoformat(str(value))
    except ValueError:
        raise ConfigError(f"expected a date like 2025-10-13, got {value!r}") from None

"""The sources that published figures name: harness/data/published/sources.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import ConfigError

FOLDER = Path(__file__).resolve().parent.parent / "data" / "published"
USER_FOLDER = Path("results") / "published"
"""Where `harness published import` keeps what a user brought, and where readers look for it."""


class FigureSource(BaseModel):
    """One place that figures were read at.

    ``url`` is None where the source is the model's own name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str = Field(min_length=10)
    url: str | None = Field(None, pattern="^https?://")


def read_yaml(path: Path) -> Any:
    """A YAML file as data. Raises ConfigError where it cannot be read."""
    import yaml

    try:
        return yaml.load(
            path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        )
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())}") from error


@cache
def sources() -> dict[str, FigureSource]:
    """The named sources. Raises ConfigError where the packaged file is broken."""
    try:
        return {
            key: FigureSource.model_validate(entry)
            for key, entry in read_yaml(FOLDER / "sources.yaml").items()
        }
    except ValidationError as error:
        raise ConfigError(f"sources.yaml: {first_problem(error)}") from error


def check_source(text: str) -> str:
    """The key of a named source, or a URL, as it came.

    Raises ValueError for anything else, an empty text too.
    """
    if text in sources() or text.startswith(("https://", "http://", "file:")):
        return text
    raise ValueError(f"a figure needs a source: a key of sources.yaml, a URL or file:NAME; got {text!r}")


def source_url(key: str) -> str:
    """What a reader can open: a named source's URL (its title where it has none), else the key."""
    named = sources().get(key)
    return key if named is None else named.url or named.title


def first_problem(error: ValidationError) -> str:
    """The first mistake, as one line: where, what, and what was got."""
    problem = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"]) or "entry"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{where}: {problem['msg']}; got {str(problem['input'])[:80]!r}{more}"

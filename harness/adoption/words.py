"""The report's texts in its two languages (`harness/data/adoption/words.yaml`)."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from harness.adoption.figures import CountryShare
from harness.adoption.organizations import FOLDER
from harness.adoption.rows import Snapshot
from harness.published.sources import read_yaml

LANGUAGES = ("en", "zh")


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Every text: key to language to text."""
    found: dict[str, dict[str, str]] = read_yaml(FOLDER / "words.yaml")
    return found


def say(key: str, language: str, **values: Any) -> str:
    """The text of a key with its blanks filled.

    Raises KeyError for a key or blank that is not known.
    """
    return catalogue()[key][language].format(**values)


def selection(one: Snapshot, language: str) -> str:
    """Which models a list holds, in words; what a table says itself where it is of no known
    kind.
    """
    name = one.selection
    if name == "organizations":
        return say(
            "s_organizations",
            language,
            names=say("separator", language).join(one.header["query"]["organizations"]),
        )
    if f"s_{name}" in catalogue():
        return say(f"s_{name}", language)
    top = re.fullmatch(r"top(\d+)", name)
    return say("s_top", language, n=top[1]) if top else name


def denominator(found: CountryShare, language: str) -> str:
    """The models that were counted, with their number."""
    return say(
        f"d_{found.denominator}", language, n=f"{found.models:,}" if language == "en" else found.models
    )

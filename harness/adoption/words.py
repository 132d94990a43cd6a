"""What the report says of its lists and their denominators, by the catalogue's topic ``adoption``."""

from __future__ import annotations

import re
from typing import Any

from harness import texts
from harness.adoption.figures import CountryShare
from harness.adoption.rows import Snapshot


def say(name: str, language: str, /, **values: Any) -> str:
    """A text of the topic ``adoption`` with its blanks filled.

    Raises KeyError for a name or blank that the catalogue does not have.
    """
    return texts.say(f"adoption.{name}", language, **values)


def selection(one: Snapshot, language: str) -> str:
    """Which models a list holds, in words; what a table says itself where it is of no known
    kind.
    """
    name = one.selection
    if name == "organizations":
        return say(
            "s_organizations",
            language,
            names=texts.say("common.comma", language).join(one.header["query"]["organizations"]),
        )
    if f"s_{name}" in texts.catalogue("adoption"):
        return say(f"s_{name}", language)
    top = re.fullmatch(r"top(\d+)", name)
    return say("s_top", language, n=top[1]) if top else name


def denominator(found: CountryShare, language: str) -> str:
    """The models that were counted, with their number."""
    return say(
        f"d_{found.denominator}", language, n=f"{found.models:,}" if language == "en" else found.models
    )

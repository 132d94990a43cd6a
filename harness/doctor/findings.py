"""What the doctor says of one thing, and whether a version lies in a range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "bad"]


@dataclass(frozen=True)
class Check:
    """One finding.

    ``advice`` says what to do; it may also stand with ``ok``, as a hint. ``bad`` means that no run
    can work.
    """

    name: str
    level: Level
    found: str
    advice: str = ""


def in_range(found: str, wanted: str) -> bool:
    """Whether a version lies in a range; a local part (+cpu) does not count."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        return SpecifierSet(wanted).contains(Version(found).public, prereleases=True)
    except InvalidVersion:
        return False

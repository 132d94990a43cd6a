"""What may make a number wrong, as findings: each names its kind (`data/sanity.yaml`), how many
answers it concerns, and what fills its sentence in (`data/texts/sanity.yaml`).

Engines, the renderer and the marker make findings; the worker keeps them in the journal; results,
tables and the page say them. A finding of level ``warning`` may have made a number wrong; a
``note`` says what was done instead; an ``info`` stands in the manifest only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from harness.texts import LANGUAGES, catalogue

CATALOGUE = Path(__file__).resolve().parent / "data" / "sanity.yaml"
Level = Literal["warning", "note", "info"]


@dataclass(frozen=True)
class SanityKind:
    """One kind of finding: the check that it belongs to, its level, and its sentence by language.

    Sentences may hold ``{count}``, ``{of}``, any of the finding's ``values`` and ``shares`` (name:
    numerator and denominator among the values). Where findings of several tasks become one line,
    the values in ``sums`` are added up.
    """

    name: str
    check: str
    level: Level
    texts: Mapping[str, str]
    sums: tuple[str, ...] = ()
    shares: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    apart: tuple[str, ...] = ()
    """Values by which findings of one kind stay in lines of their own."""

    def text(self, language: str, values: Mapping[str, Any]) -> str:
        """The sentence, filled in."""
        parts = {name: (values[top], values[below]) for name, (top, below) in self.shares.items()}
        shares = {name: f"{top / below:.3f}" if below else "–" for name, (top, below) in parts.items()}
        return self.texts[language].format(**values, **shares)


@dataclass(frozen=True)
class Finding:
    """One thing found about a model or one of its cells: ``count`` of ``of`` answers (documents,
    options) are concerned, where counted.
    """

    kind: str
    count: int | None = None
    of: int | None = None
    values: Mapping[str, str | int | float | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises KeyError for a kind that the catalogue does not have, or a blank that nothing
        fills: a mistake of ours.
        """
        kind = kinds()[self.kind]
        for language in LANGUAGES:
            kind.text(language, self.blanks())

    def blanks(self) -> dict[str, Any]:
        """What fills the sentence in."""
        return {"count": self.count, "of": self.of, **self.values}

    def text(self, language: str) -> str:
        """The sentence, filled in."""
        return kinds()[self.kind].text(language, self.blanks())

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the journal."""
        return {"kind": self.kind, "count": self.count, "of": self.of, "values": dict(self.values)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Finding:
        """The finding that `to_dict` wrote."""
        return cls(data["kind"], data.get("count"), data.get("of"), data.get("values") or {})


@lru_cache(maxsize=1)
def _facts() -> dict[str, Any]:
    """The file of checks and kinds, as data."""
    import yaml

    facts: dict[str, Any] = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    return facts


@lru_cache(maxsize=1)
def kinds() -> dict[str, SanityKind]:
    """Every kind by name."""
    sentences = catalogue("sanity")
    return {
        name: SanityKind(
            name,
            entry["check"],
            entry["level"],
            sentences[name],
            tuple(entry.get("sums", ())),
            {share: tuple(parts) for share, parts in entry.get("shares", {}).items()},
            tuple(entry.get("apart", ())),
        )
        for name, entry in _facts()["kinds"].items()
    }


def checks() -> dict[str, dict[str, str]]:
    """Every check by name, in the order in which they are shown, with what it looks at by
    language.
    """
    return {name: catalogue("sanity")[f"check_{name}"] for name in _facts()["checks"]}

"""The page's texts in its two languages, from one catalogue (`data/report/words.yaml`)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.analysis.notes import Note

CATALOGUE = Path(__file__).resolve().parents[2] / "data" / "report" / "words.yaml"
LANGUAGES = ("en", "zh")


class Words:
    """Texts of one language by key: ``words("ahead", model="x")``."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = {key: both[language] for key, both in catalogue().items()}

    def __call__(self, key: str, **values: Any) -> str:
        """The text of a key with its blanks filled.

        Raises KeyError for a key or a blank that the catalogue does not know.
        """
        text = self._texts[key]
        return text.format(**values) if values else text

    def translated(self, text: str) -> str:
        """A note of the analysis in this language; any other text (what a run said) as it is."""
        if not isinstance(text, Note):
            return text
        if text.parts:
            return self("semicolon").join(map(self.translated, text.parts))
        values = {
            name: self.translated(value) if isinstance(value, str) else value
            for name, value in text.values.items()
        }
        return self(f"n_{text.key}", **values) if text.key else str(text)

    def listed(self, names: list[str], most: int = 4) -> str:
        """Names in a row; of many the first ones and how many more there are."""
        shown = self("comma").join(names[:most])
        return self("and_more", names=shown, n=len(names) - most) if len(names) > most else shown

    def under(self, prefix: str) -> dict[str, str]:
        """The texts whose keys begin with ``prefix``, without it."""
        return {key.removeprefix(prefix): text for key, text in self._texts.items() if key.startswith(prefix)}


@lru_cache(maxsize=1)
def catalogue() -> dict[str, dict[str, str]]:
    """Every text: key to language to text."""
    import yaml

    found: dict[str, dict[str, str]] = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    return found

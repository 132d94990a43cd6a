"""The page's texts in its two languages, from one catalogue (`data/report/words.yaml`)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

CATALOGUE = Path(__file__).resolve().parents[2] / "data" / "report" / "words.yaml"
LANGUAGES = ("en", "zh")


class Words:
    """Texts of one language by key: ``words("ahead", model="x")``."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = {key: both[language] for key, both in catalogue().items()}

    def __call__(self, key: str, **values: Any) -> str:
        """The text of a key with its blanks filled. Raises KeyError for a key or a blank that the catalogue does not know."""
        text = self._texts[key]
        return text.format(**values) if values else text

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

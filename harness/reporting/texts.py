"""The tables' own texts in the catalogue's languages. English is the key: what has no other
wording yet stays readable.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.analysis.notes import Note

if TYPE_CHECKING:
    from harness.reporting.html.words import Words

CATALOGUE = Path(__file__).resolve().parents[1] / "data" / "report" / "tables.yaml"
LANGUAGES = ("en", "zh")


class Phrase(str):
    """A text of the catalogue with its blanks filled in English; `translated` says it otherwise.

    Everything that is no Phrase is data, and the same in every language.
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, **values: Any) -> Phrase:
        """Raises KeyError for a blank without a value."""
        phrase = super().__new__(cls, template.format(**values) if values else template)
        phrase.template, phrase.values = template, values
        return phrase


def translated(text: str, language: str) -> str:
    """A Phrase in ``language``, with the phrases in its blanks, or a note of the analysis; any
    other text as it is.
    """
    if isinstance(text, Note):
        return _note_words(language).translated(text)
    if not isinstance(text, Phrase):
        return text
    return say(
        text.template, language, **{name: _value(value, language) for name, value in text.values.items()}
    )


def _value(value: Any, language: str) -> Any:
    return translated(value, language) if isinstance(value, str) else value


def say(key: str, language: str, **values: Any) -> str:
    """The text of a key in a language, its blanks filled; in English where there is no other."""
    template = key if language == "en" else catalogue().get(key, {}).get(language, key)
    return template.format(**values) if values else template


@cache
def _note_words(language: str) -> Words:
    from harness.reporting.html.words import Words

    return Words(language)


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Every text: its English wording to language to wording."""
    import yaml

    texts: dict[str, dict[str, str]] = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    return texts

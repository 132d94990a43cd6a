"""The tables' own texts: English where they are made, any language of the catalogue (topic
``tables``) where they are shown.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from harness.analysis import notes


class Phrase(str):
    """A text of the catalogue with its blanks filled in English; `translated` says it otherwise.

    Its English wording is its name in the catalogue. Everything that is neither a Phrase nor a
    Message is data, and the same in every language.
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, **values: Any) -> Phrase:
        """Raises KeyError for a blank without a value."""
        phrase = super().__new__(cls, template.format(**values) if values else template)
        phrase.template, phrase.values = template, values
        return phrase


class Message(str):
    """A sentence of ours that came as plain text: a reason that a run kept, a finding, a
    description. Which text of the catalogue (topic ``messages``) it is, its wording shows.
    """

    __slots__ = ()


def translated(text: str, language: str) -> str:
    """A phrase, a message or a note of the analysis, in ``language``; any other text as it is.

    What the catalogue does not have (MFU, J/token) is the same in all languages.
    """
    if isinstance(text, Message):
        from harness.texts.messages import reworded

        return reworded(text, language)
    if not isinstance(text, Phrase):
        return notes.translated(text, language)

    # English needs no catalogue, so that no table on a terminal waits for one.
    template = text.template if language == "en" else _wordings(language).get(text.template, text.template)
    values = {
        name: translated(value, language) if isinstance(value, str) else value
        for name, value in text.values.items()
    }
    return template.format(**values) if values else template


@cache
def _wordings(language: str) -> dict[str, str]:
    from harness.texts import catalogue

    return {name: pair[language] for name, pair in catalogue("tables").items()}

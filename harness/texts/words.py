"""The texts of one topic in one language, for a writer that says many of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.texts.store import catalogue, filled, say


class Words:
    """Texts of one language by name: ``words = Words("zh"); words("h_ranking")``.

    Raises KeyError for a language that the catalogue is not written in.
    """

    def __init__(self, language: str, topic: str = "report") -> None:
        self.language = language
        self.topic = topic
        self._texts = {name: pair[language] for name, pair in catalogue(topic).items()}

    def __call__(self, name: str, /, **values: Any) -> str:
        """The text of a name with its blanks filled.

        Raises KeyError for a name or a blank that the catalogue does not have.
        """
        return filled(self._texts[name], values)

    def listed(self, names: Sequence[str], most: int = 4) -> str:
        """Names in a row; of many the first ones and how many more there are."""
        shown = say("common.comma", self.language).join(names[:most])
        more = len(names) - most
        return say("common.and_more", self.language, names=shown, n=more) if more > 0 else shown

    def under(self, prefix: str) -> dict[str, str]:
        """The texts whose names begin with ``prefix``, without it."""
        return {
            name.removeprefix(prefix): text for name, text in self._texts.items() if name.startswith(prefix)
        }

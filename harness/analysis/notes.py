"""Notes that can be said in another language: English texts of the catalogue (topic ``notes``) that
remember which text they are and what fills its blanks.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.texts import say


class Note(str):
    """An English text; ``key`` and ``values`` (texts, numbers or notes) say it again, ``parts`` are
    the notes that it lists, if any.
    """

    __slots__ = ("key", "parts", "values")

    key: str
    values: dict[str, object]
    parts: tuple[str, ...]

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """A copy for another process is the text."""
        return (str, (str(self),))


def note(name: str, /, **values: object) -> Note:
    """The text of ``name`` with its blanks filled.

    Raises KeyError for an unknown name or an empty blank.
    """
    text = Note(say(f"notes.{name}", "en", **values))
    text.key, text.values, text.parts = name, values, ()
    return text


def listed(parts: Sequence[str], separator: str = "; ") -> Note:
    """Several texts or notes as one."""
    text = Note(separator.join(parts))
    text.key, text.values, text.parts = "", {}, tuple(parts)
    return text


def named(names: Sequence[str], most: int) -> str:
    """Names in a row; of many the first ones and how many more there are."""
    shown = ", ".join(names[:most])
    return note("and_more", names=shown, n=len(names) - most) if len(names) > most else shown


def translated(text: str, language: str) -> str:
    """A note in a language; any other text (an error that a run ended with) as it is."""
    if not isinstance(text, Note):
        return text
    if text.parts:
        return say("common.semicolon", language).join(translated(part, language) for part in text.parts)

    # A note may fill a blank of another one: "another {part}" holds the part's own name.
    values = {
        name: translated(value, language) if isinstance(value, str) else value
        for name, value in text.values.items()
    }
    return say(f"notes.{text.key}", language, **values) if text.key else str(text)

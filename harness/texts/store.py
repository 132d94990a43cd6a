"""The catalogue of texts: which there are, and one of them filled in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from harness.texts.files import read_texts

FOLDER = Path(__file__).resolve().parent.parent / "data" / "texts"
LANGUAGES = ("en", "zh")


def say(key: str, language: str, /, **values: Any) -> str:
    """The text of ``topic.name`` in a language, its blanks filled: ``say("report.title", "en",
    name="x")``.

    Raises KeyError for a key, a language or a blank that there is not: a mistake of ours.
    """
    topic, _, name = key.partition(".")
    return filled(catalogue(topic)[name][language], values)


def filled(text: str, values: Mapping[str, Any]) -> str:
    """A text with its blanks filled; one without values is not read for braces."""
    return text.format(**values) if values else text


@cache
def catalogue(topic: str) -> dict[str, dict[str, str]]:
    """Every text of a topic: name to language to text.

    Raises ConfigError for a file that does not hold texts, FileNotFoundError for an unknown topic.
    """
    folder, file = FOLDER / topic, FOLDER / f"{topic}.yaml"

    # A topic is read when it is first spoken of: a table on a terminal must not wait for the
    # studies' four hundred texts.
    return read_texts(sorted(folder.glob("*.yaml")) if folder.is_dir() else [file], LANGUAGES)


def every_language(key: str, /, **values: Any) -> dict[str, str]:
    """The text of ``topic.name`` by language; a value may itself be a mapping of language to text."""
    return {
        language: say(
            key,
            language,
            **{
                name: value[language] if isinstance(value, Mapping) else value
                for name, value in values.items()
            },
        )
        for language in LANGUAGES
    }


def topics() -> tuple[str, ...]:
    """The names of all topics."""
    return tuple(sorted({path.stem for path in FOLDER.iterdir()}))

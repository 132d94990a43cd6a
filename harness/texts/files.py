"""Reading a file of texts, with what is wrong in it said by file and line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigError

if TYPE_CHECKING:
    from yaml import Node


def read_texts(paths: Iterable[Path], languages: Sequence[str]) -> dict[str, dict[str, str]]:
    """Several files of texts as one: key to language to text.

    Raises ConfigError for a key that stands twice, in one file or in two, for a language that a
    text has twice, and for one that it lacks.
    """
    texts: dict[str, dict[str, str]] = {}
    origin: dict[str, str] = {}
    for path in paths:
        for key, line, pairs in _entries(path):
            position = f"{path.name}:{line}"

            # The second text of a key would be said in place of the first, wherever that was meant.
            if key in origin:
                message = f"{position}: the key {key!r} stands in {origin[key]} already"
                raise ConfigError(f"{message}; give one of them another name")

            origin[key] = position
            texts[key] = _text(key, position, pairs, languages)
    return texts


def _text(key: str, position: str, pairs: list[tuple[str, str]], languages: Sequence[str]) -> dict[str, str]:
    """One text by language.

    YAML itself keeps the last of two equal keys without a word, hence the pairs.
    """
    names = [language for language, _ in pairs]
    if len(set(names)) < len(names):
        raise ConfigError(f"{position}: {key!r} has a language twice: {', '.join(names)}; keep one of them")

    # Without this, a text that nobody has translated would be found by whoever reads the page.
    if set(names) != set(languages):
        raise ConfigError(
            f"{position}: {key!r} is written in {', '.join(names)}; give it in {' and '.join(languages)}"
        )
    return dict(pairs)


def _entries(path: Path) -> list[tuple[str, int, list[tuple[str, str]]]]:
    """Key, line and (language, text) pairs of every entry of a file, as they stand in it."""
    root = _compose(path)
    return [
        (key.value, key.start_mark.line + 1, [(language.value, text.value) for language, text in texts.value])
        for key, texts in (root.value if root is not None else ())
    ]


def _compose(path: Path) -> Node | None:
    """The file's YAML nodes: values stay text, so that ``on`` or ``1`` need no quotes."""
    import yaml

    # libyaml's parser, where PyYAML was built with it, is ten times as fast as Python's.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    node: Node | None = yaml.compose(path.read_text(encoding="utf-8"), Loader=loader)
    return node

"""Reads YAML so that every key and every value remembers where it stands: file, line and column,
all counted from 1.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from harness.config.yaml_hints import line_hint, text_hints
from harness.errors import ConfigError
from harness.wording import clipped

SYNTAX = "not valid YAML"
"""How a mistake begins that YAML itself found."""


@dataclass(frozen=True)
class Place:
    """Where a key or a value was written.

    ``shown`` is the file as the person named it, or a whole ``--set key=value``.
    """

    shown: str
    line: int = 0
    column: int = 0
    folder: Path = field(default_factory=Path.cwd)
    """What relative paths written here are relative to: the file's folder; for ``--set`` the
    working directory.
    """
    order: int = 0
    """Rank of the source among all that were read, so that messages come in reading order."""

    def __str__(self) -> str:
        return f"{self.shown}:{self.line}:{self.column}" if self.line else self.shown

    @property
    def rank(self) -> tuple[int, int, int]:
        return (self.order, self.line, self.column)


@dataclass
class YamlNode:
    """A YAML value with its place: a scalar, a list of nodes or a mapping of nodes.

    ``key`` is the place of the mapping's key, if any.
    """

    value: Any
    place: Place
    key: Place | None = None

    def plain(self) -> Any:
        """The value without places, as pydantic wants it."""
        if isinstance(self.value, dict):
            return {name: node.plain() for name, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def child(self, step: str | int) -> YamlNode | None:
        """The node under one step of a path, or None."""
        if isinstance(self.value, dict) and isinstance(step, str):
            entry = self.value.get(step)
            return entry if isinstance(entry, YamlNode) else None
        if isinstance(self.value, list) and isinstance(step, int) and 0 <= step < len(self.value):
            entry = self.value[step]
            return entry if isinstance(entry, YamlNode) else None
        return None

    def wrap(self, value: Any) -> YamlNode:
        """A node with another value that stands at the same place (a default, a shorthand written
        out).
        """
        return YamlNode(value, self.place, self.key)


@dataclass(frozen=True)
class Mistake:
    """One line of a ConfigError."""

    place: Place
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class Mistakes(list[Mistake]):
    """All mistakes found so far; raised together, in reading order."""

    def add(self, place: Place, text: str) -> None:
        mistake = Mistake(place, text)
        if mistake not in self:
            self.append(mistake)

    def raise_if_any(self) -> None:
        """Raises ConfigError with one line per mistake, by position, each with what its line may have."""
        if self:
            ordered = sorted(self, key=lambda mistake: mistake.place.rank)
            raise ConfigError("\n".join(f"{mistake}{_hint(mistake)}" for mistake in ordered))


def _hint(mistake: Mistake) -> str:
    """Punctuation of another keyboard, or a space too few, on the line of a mistake."""
    from harness.config.schema import Config, Expectation, ModelSpec, TaskEntry

    place = mistake.place
    keys = [key for model in (Config, ModelSpec, TaskEntry, Expectation) for key in model.model_fields]
    hint = ""
    if place.line:
        syntax = mistake.text.startswith(SYNTAX)
        hint = line_hint(place.folder / Path(place.shown).name, place.line, syntax=syntax, keys=keys)
    elif place.shown.startswith("--set "):
        hint = next((text for _, text in text_hints(place.shown, keys)), "")
    return f" ({hint})" if hint else ""


def describe(value: Any) -> str:
    """A value as a person would name it, short enough for one line."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return repr(clipped(value, 58))

    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, Sequence):
        return "a list" if value else "an empty list"
    return str(value)


def read_text(path: Path, shown: str) -> str:
    """The file as text.

    Raises ConfigError where it is missing, a folder, not readable or not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{shown}: no such file") from None
    except NotADirectoryError:
        raise ConfigError(f"{shown}: no such file (a part of the path is not a folder)") from None
    except IsADirectoryError:
        raise ConfigError(f"{shown}: this is a folder; expected a YAML file") from None
    except PermissionError:
        raise ConfigError(f"{shown}: no permission to read this file") from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{shown}: not UTF-8 text (byte {error.start + 1}); save the file as UTF-8"
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{shown}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def parse(text: str, start: Place, mistakes: Mistakes) -> YamlNode | None:
    """The YAML's root node, or None for an empty text. Syntax errors and duplicate keys are added
    to ``mistakes``.

    ``start`` names the source; its line and column are ignored. With line 0 kept (``--set``),
    positions are left out.
    """
    # Nodes and not values, for only they know their line; safe_load would also keep the last of two
    # equal keys without a word.
    loader: yaml.SafeLoader | None = None

    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        return None if root is None else _Converter(loader, start, mistakes).node(root)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        mistakes.add(
            _at(start, line, column), f"a character that YAML does not allow (code {error.character})"
        )
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = start if mark is None else _at(start, mark.line + 1, mark.column + 1)
        mistakes.add(place, _syntax_text(error, text))
    except RecursionError:
        mistakes.add(_at(start, 1, 1), "nested too deeply")
    finally:
        if loader is not None:
            loader.dispose()
    return None


def _at(start: Place, line: int, column: int) -> Place:
    if start.shown.startswith("--set "):
        return start
    return Place(start.shown, line, column, start.folder, start.order)


def _syntax_text(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark
    if mark is not None and text[mark.index : mark.index + 1] == "\t":
        return "a tab; YAML is indented with spaces"
    problem = error.problem or "not valid YAML"
    if error.context and error.context_mark is not None:
        return f"{SYNTAX}: {problem} ({error.context}, line {error.context_mark.line + 1})"
    return f"{SYNTAX}: {problem}"


class _Converter:
    """PyYAML's nodes to ours."""

    def __init__(self, loader: yaml.SafeLoader, start: Place, mistakes: Mistakes) -> None:
        self.loader = loader
        self.start = start
        self.mistakes = mistakes
        self.open: set[int] = set()

    def place(self, node: yaml.Node) -> Place:
        return _at(self.start, node.start_mark.line + 1, node.start_mark.column + 1)

    def node(self, node: yaml.Node, key: Place | None = None) -> YamlNode:
        place = self.place(node)
        if id(node) in self.open:
            self.mistakes.add(place, "an alias that contains itself")
            return YamlNode(None, place, key)

        self.open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return YamlNode(self.mapping(node), place, key)
            if isinstance(node, yaml.SequenceNode):
                return YamlNode([self.node(entry) for entry in node.value], place, key)
            return YamlNode(self.scalar(node, place), place, key)
        finally:
            self.open.discard(id(node))

    def scalar(self, node: yaml.Node, place: Place) -> Any:
        try:
            return self.loader.construct_object(node)
        except yaml.MarkedYAMLError as error:
            self.mistakes.add(place, error.problem or "not a valid value")
        # PyYAML lets these out for a tag like !!int on another text.
        except (ValueError, LookupError, TypeError, AttributeError):
            self.mistakes.add(
                place, f"not a valid value for {node.tag.rpartition(':')[2]}: {describe(node.value)}"
            )
        return None

    def mapping(self, node: yaml.MappingNode) -> dict[str, YamlNode]:
        entries: dict[str, YamlNode] = {}
        merged: dict[str, YamlNode] = {}
        for key_node, value_node in node.value:
            place = self.place(key_node)
            if key_node.tag == "tag:yaml.org,2002:merge":
                merged |= {
                    name: entry for name, entry in self.merge(value_node).items() if name not in merged
                }
                continue

            # A key that is no text (yes, 3, a date) would be another one than was written.
            name = self.scalar(key_node, place) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(name, str):
                got = repr(name) if isinstance(name, Hashable) and name is not None else "something else"
                self.mistakes.add(place, f"expected a key that is text, got {got}; put it in quotes")
                continue

            if name in entries:
                first = entries[name].key
                self.mistakes.add(
                    place, f"the key {name!r} is here twice (first on line {first.line if first else 0})"
                )
                continue
            entries[name] = self.node(value_node, place)

        return merged | entries

    def merge(self, node: yaml.Node) -> dict[str, YamlNode]:
        """What ``<<: *anchor`` (or a list of anchors, the first wins) brings in."""
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        entries: dict[str, YamlNode] = {}
        for part in parts:
            converted = self.node(part)
            if not isinstance(converted.value, dict):
                self.mistakes.add(self.place(node), "expected a mapping after <<")
                continue
            entries = converted.value | entries
        return entries

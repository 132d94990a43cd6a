"""The layers of a config: files that `extends:` names, the file itself, and `--set key=value` on
top.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.config import packed
from harness.config.source import Mistakes, Place, YamlNode, describe, parse, read_text
from harness.errors import ConfigError


class Layers:
    """Reads a config and all it extends. ``sources`` lists the files read, the named file first."""

    def __init__(self, mistakes: Mistakes) -> None:
        self.mistakes = mistakes
        self.sources: list[Path] = []

    def read(self, path: Path, shown: str) -> YamlNode:
        """The merged tree.

        Raises ConfigError where the file itself cannot be read; other mistakes are collected.
        """
        return self._read(path.absolute(), shown, chain=())

    def extended(self, root: YamlNode) -> YamlNode:
        """A tree that comes from no file, merged with what its ``extends`` names."""
        own = YamlNode(dict(root.value), root.place)
        return self._extend(own, own.value.pop("extends", None), (), "")

    def _read(self, path: Path, shown: str, chain: tuple[Path, ...]) -> YamlNode:
        text = read_text(path, shown)
        start = Place(shown, 1, 1, path.parent, len(self.sources))
        if path not in self.sources:
            self.sources.append(path)

        before = len(self.mistakes)
        root = parse(text, start, self.mistakes)
        if root is None:
            if len(self.mistakes) == before:
                raise ConfigError(f"{shown}: this file is empty; expected at least name: and models:")
            return YamlNode({}, start)
        if not isinstance(root.value, dict):
            self.mistakes.add(
                root.place, f"expected a mapping (name: …, models: …), got {describe(root.plain())}"
            )
            return YamlNode({}, start)

        own = YamlNode(dict(root.value), start)
        return self._extend(own, own.value.pop("extends", None), (*chain, path.resolve()), shown)

    def _extend(self, own: YamlNode, named: YamlNode | None, chain: tuple[Path, ...], shown: str) -> YamlNode:
        if named is None or named.value is None:
            return own

        entries = named.value if isinstance(named.value, list) else [named]
        below: YamlNode | None = None
        for entry in entries:
            if not isinstance(entry.value, str):
                self.mistakes.add(
                    entry.place, f"extends: expected the path of a YAML file, got {describe(entry.plain())}"
                )
                continue
            part = self._extended(entry, chain, shown)
            if part is not None:
                below = part if below is None else merge(below, part)

        return own if below is None else merge(below, own)

    def _extended(self, entry: YamlNode, chain: tuple[Path, ...], shown: str) -> YamlNode | None:
        if "\0" in entry.value:
            self.mistakes.add(
                entry.place, "extends: expected the path of a YAML file, got a text with a null character"
            )
            return None

        named = Path(os.path.expanduser(entry.value))  # noqa: PTH111 - pathlib's raises where a user is unknown
        target = Path(os.path.normpath(entry.place.folder / named))
        if target.resolve() in chain:
            circle = " -> ".join(file.name for file in (*chain[chain.index(target.resolve()) :], target))
            self.mistakes.add(entry.place, f"extends: goes in a circle: {circle}")
            return None

        display = _shown(named, shown)

        # A copy of a packed config still finds what the original extends.
        if not os.path.exists(target) and (file := packed.packed_file(named)) is not None:  # noqa: PTH110
            target, display = file, f"{packed.PREFIX}{file.relative_to(packed.folder()).as_posix()}"
        try:
            return self._read(target, display, chain)
        except ConfigError as error:
            self.mistakes.add(entry.place, f"extends: {error}")
            return None


def _shown(named: Path, shown: str) -> str:
    """How messages name a file that the file ``shown`` extends."""
    if named.is_absolute():
        return str(named)
    prefix = packed.PREFIX if shown.startswith(packed.PREFIX) else ""
    return prefix + os.path.normpath(Path(shown.removeprefix(prefix)).parent / named)


def merge(below: YamlNode, above: YamlNode) -> YamlNode:
    """Mappings merge key by key; anything else, lists included, is replaced by what stands
    above.
    """
    if not (isinstance(below.value, dict) and isinstance(above.value, dict)):
        return above
    merged = dict(below.value)
    for name, node in above.value.items():
        merged[name] = merge(merged[name], node) if name in merged else node
    return YamlNode(merged, above.place, above.key)


def override(root: YamlNode, assignments: Sequence[str], mistakes: Mistakes) -> None:
    """Applies each ``key=value`` (dotted path, numbers for list entries, value read as YAML) to the
    tree in place.
    """
    for order, assignment in enumerate(assignments):
        place = Place(f"--set {assignment}", order=1_000_000 + order)
        key, equals, text = assignment.partition("=")
        steps = key.strip().split(".")
        if not equals or not all(steps):
            mistakes.add(place, "expected key=value, e.g. limit=10 or models.0.dtype=float32")
            continue

        # A value that is no YAML is said once; it must not be set besides.
        before = len(mistakes)
        value = parse(text, place, mistakes) or YamlNode(None, place)
        if len(mistakes) == before:
            _assign(root, steps, YamlNode(value.value, place, place), mistakes)


def _assign(root: YamlNode, steps: Sequence[str], value: YamlNode, mistakes: Mistakes) -> None:
    node = root
    for depth, step in enumerate(steps):
        last = depth == len(steps) - 1
        slot = _slot(node, step, ".".join(steps[:depth]), value.place, mistakes)
        if slot is None:
            return
        if last:
            node.value[slot] = value
            return

        # Mappings on the way may be made; a list has no entry that could stand for a missing one.
        if isinstance(slot, str) and (slot not in node.value or node.value[slot].value is None):
            if steps[depth + 1].isdigit():
                mistakes.add(
                    value.place,
                    f"{'.'.join(steps[: depth + 1])} has no entries to change; set the whole list",
                )
                return
            node.value[slot] = YamlNode({}, value.place, value.place)
        node = node.value[slot]


def _slot(node: YamlNode, step: str, path: str, place: Place, mistakes: Mistakes) -> Any:
    """The key or index that ``step`` means in ``node``, or None after adding a mistake."""
    if isinstance(node.value, dict):
        return step
    if isinstance(node.value, list):
        if step.isdigit() and int(step) < len(node.value):
            return int(step)

        last = len(node.value) - 1
        mistakes.add(
            place,
            f"{path} is a list: expected a number from 0 to {last}, got {step!r}"
            if last >= 0
            else f"{path} is an empty list",
        )
        return None
    mistakes.add(place, f"{path} is {describe(node.value)}: it has no {step!r} to set")
    return None

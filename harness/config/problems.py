"""Turns pydantic's complaints into lines that say what was expected, what was got and what was
probably meant.

Ours, for no library joins pydantic's locations to a YAML's lines: each mistake has file, line and
column through ``extends`` and ``--set``, unions are one complaint, and the nearest name is offered.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from harness.config.source import Mistakes, YamlNode, describe

EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
}
BOUNDS = {"greater_than": ("more than", "gt"), "greater_than_equal": ("at least", "ge")}
BOUNDS |= {"less_than": ("less than", "lt"), "less_than_equal": ("at most", "le")}


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The valid name that is most like ``word``, or None where nothing is like it."""
    by_lower = {name.lower(): name for name in names}
    matches = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[matches[0]] if matches else None


def suggest(word: Any, names: Iterable[str]) -> str:
    """``; did you mean 'x'?``, or nothing."""
    name = nearest(word, names) if isinstance(word, str) else None
    return f"; did you mean {name!r}?" if name else ""


def path_text(path: Sequence[str | int]) -> str:
    """``('models', 0, 'dtype')`` as ``models[0].dtype``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def explain(
    error: ValidationError,
    root: YamlNode,
    model: type[BaseModel],
    mistakes: Mistakes,
    at: Sequence[str | int] = (),
) -> None:
    """Adds one mistake for each of pydantic's errors, at the place of the key or value that it is
    about.

    ``at``: where in ``root`` that stands which ``model`` describes.
    """
    grouped: dict[tuple[str | int, ...], list[Mapping[str, Any]]] = {}
    for one in error.errors():
        loc = (*at, *one["loc"])
        steps = loc[:-1] if one["type"] in ("extra_forbidden", "missing") else loc
        depth = len(_existing(root, steps))
        where = tuple(loc) if len(steps) == depth else tuple(loc[:depth])
        grouped.setdefault(where, []).append(one)

    # pydantic complains once for each member of a union; one value is one mistake.
    for where, group in grouped.items():
        _explain_one(where, group, root, model, mistakes, len(at))


def first_problem(error: ValidationError, model: type[BaseModel], name: str) -> str:
    """The first of pydantic's errors in one line, for values that did not come from a file.

    ``name``: what the values are called.
    """
    first = error.errors()[0]
    path = (name, *first["loc"])
    if first["type"] == "extra_forbidden":
        return _unknown_key(path, model, 1)
    if first["type"] == "missing":
        return f"expected a key {str(path[-1])!r}{_inside(path[:-1])}, got none"
    return f"{path_text(path)}: {_text([first], _hides(model))}"


def _existing(root: YamlNode, loc: Sequence[str | int]) -> list[str | int]:
    """The part of a pydantic location that is in the tree; pydantic adds the names of a union's
    members.
    """
    steps: list[str | int] = []
    node: YamlNode | None = root

    for step in loc:
        node = node.child(step) if node else None
        if node is None:
            break
        steps.append(step)
    return steps


def _find(root: YamlNode, path: Sequence[str | int]) -> YamlNode:
    node = root
    for step in path:
        node = node.child(step) or node
    return node


def _explain_one(
    path: tuple[str | int, ...],
    group: Sequence[Mapping[str, Any]],
    root: YamlNode,
    model: type[BaseModel],
    mistakes: Mistakes,
    depth: int,
) -> None:
    first = group[0]
    kind, context = first["type"], first.get("ctx", {})
    if kind == "extra_forbidden":
        node = _find(root, path)
        mistakes.add(node.key or node.place, _unknown_key(path, model, depth))
        return

    if kind == "missing":
        node = _find(root, path[:-1])
        if isinstance(path[-1], int):  # a fixed number of entries, of which this one is missing
            mistakes.add(
                node.place,
                f"{path_text(path[:-1])}: expected at least {path[-1] + 1} entries, got "
                f"{describe(node.plain())} of {path[-1]}",
            )
            return
        mistakes.add(node.place, f"expected a key {str(path[-1])!r}{_inside(path[:-1])}, got none")
        return

    node = _find(root, path)
    key = context.get("key")
    if key and (child := node.child(key)):
        node = child
        mistakes.add(node.key or node.place, f"{path_text((*path, key))}: {first['msg']}")
        return
    label, text = path_text(path), _text(group, _hides(model))
    place = node.key or node.place if context.get("about") == "key" else node.place
    mistakes.add(place, f"{label}: {text}" if label else text)


def _unknown_key(path: Sequence[str | int], model: type[BaseModel], depth: int) -> str:
    """``depth``: how many steps of the path lead to what the model describes."""
    parent = _model_at(model, path[depth:-1])
    names = list(parent.model_fields) if parent else []
    hint = suggest(path[-1], names) or (f"; expected one of {', '.join(names)}" if names else "")
    return f"unknown key {str(path[-1])!r}{_inside(path[:-1])}{hint}"


def _hides(model: type[BaseModel]) -> bool:
    """Whether messages must not show what was got: it might be a key."""
    return bool(model.model_config.get("hide_input_in_errors"))


def _inside(path: Sequence[str | int]) -> str:
    return f" in {path_text(path)}" if path else ""


def _text(group: Sequence[Mapping[str, Any]], hidden: bool = False) -> str:
    first = group[0]
    kind, context, value = first["type"], first.get("ctx", {}), first.get("input")
    got = "" if hidden else f", got {describe(value)}"
    if kind == "value_error":
        return str(context.get("error", first["msg"]))
    if kind == "literal_error":
        names = [
            name.strip(" '") for name in str(context.get("expected", "")).replace(" or ", ", ").split(",")
        ]
        return f"expected {_one_of(names)}{got}{'' if hidden else suggest(value, names)}"

    if kind in BOUNDS:
        words, name = BOUNDS[kind]
        return f"expected {words} {context[name]}{got}"
    if kind == "string_pattern_mismatch":
        return f"expected letters, digits, '_', '-' and '.' only{got}"
    if kind in ("too_short", "too_long"):
        least = context.get("min_length", context.get("max_length"))
        bound = "at least" if kind == "too_short" else "at most"
        return f"expected {bound} {least} entries, got {context.get('actual_length')}"

    # A union's members each expected something; a person may choose any of them.
    expected = list(dict.fromkeys(EXPECTED[one["type"]] for one in group if one["type"] in EXPECTED))
    if expected:
        quotes = (
            "; put it in quotes"
            if expected[0] == "text" and not isinstance(value, str | list | dict | None)
            else ""
        )
        return f"expected {_one_of(expected)}{got}{quotes}"
    return str(first["msg"])


def _one_of(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _model_at(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel] | None:
    """The pydantic model that describes what stands at ``path``."""
    current: Any = model
    for step in path:
        if isinstance(step, int):
            args = get_args(current)
            current = args[0] if args else None
        elif isinstance(current, type) and issubclass(current, BaseModel) and step in current.model_fields:
            current = _without_none(current.model_fields[step].annotation)
        else:
            return None

    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [arg for arg in get_args(annotation) if arg is not type(None)]
        return rest[0] if len(rest) == 1 else annotation
    return annotation

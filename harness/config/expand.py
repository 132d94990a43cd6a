"""Writes a config's shorthands out: preset names, task names, relative paths, defaults that come
from presets or the environment.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from harness.config import engines
from harness.config.packed import packed_file
from harness.config.presets import BUNDLED, Preset, preset_or_none, presets
from harness.config.problems import suggest
from harness.config.schema import ModelSpec
from harness.config.source import Mistakes, Place, YamlNode
from harness.config.tidying import tidy_names
from harness.names import clash, clash_key

INHERITED = ("id", "name", "chat_template", "thinking", "think_tags")
"""What a model takes from its preset unless it says otherwise."""
CHAT_WORDS = re.compile(
    r"instruct|chat|distill|thinking|reason|(^|[-_])(it|sft|dpo|rlhf)($|[-_.])", re.IGNORECASE
)


GGUF = ".gguf"
SUITES = Path(__file__).resolve().parents[1] / "data" / "suites"


OWN_FILES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".xlsx", ".xlsm")
"""Endings by which a plain name below ``tasks:`` is a file of questions."""


def shorthands(root: YamlNode) -> None:
    """Turns plain names under models and tasks into mappings, in place.

    Harmless when done twice.
    """
    for part, convert in (("models", _model_key), ("tasks", _task_key)):
        entries = root.child(part)
        if entries is None or not isinstance(entries.value, list):
            continue
        entries.value = [
            YamlNode({convert(entry): entry}, entry.place) if isinstance(entry.value, str) else entry
            for entry in entries.value
        ]


def _model_key(entry: YamlNode) -> str:
    return "id" if "/" in entry.value or _is_path(entry) or entry.value.lower().endswith(GGUF) else "preset"


def _task_key(entry: YamlNode) -> str:
    if entry.value in _suites():
        return "suite"
    return "file" if entry.value.lower().endswith(OWN_FILES) else "task"


@cache
def _suites() -> frozenset[str]:
    """Names of the packaged suites, without reading them: no task is called so."""
    return frozenset(file.stem for file in SUITES.glob("*.yaml"))


def expand(root: YamlNode, mistakes: Mistakes) -> list[str]:
    """Fills in presets, resolves paths, takes the mirror from HARNESS_MIRROR and tidies names, in
    place; what was tidied, one line per name.
    """
    for entry in _entries(root, "models"):
        _expand_model(entry, mistakes)
    for entry in _entries(root, "tasks"):
        _expand_task(entry, mistakes)
    _expand_mirror(root, mistakes)
    notes = tidy_names(root)
    _check_names(root, mistakes)
    return notes


def _entries(root: YamlNode, part: str) -> list[YamlNode]:
    node = root.child(part)
    listed = node.value if node is not None and isinstance(node.value, list) else []
    return [entry for entry in listed if isinstance(entry.value, dict)]


def _expand_model(entry: YamlNode, mistakes: Mistakes) -> None:
    fields: dict[str, YamlNode] = entry.value
    for key in [key for key, node in fields.items() if node.value is None]:
        # "key:" without a value means "as if not said": the preset's default counts. A key that
        # there is not stays, to be refused: "dtype:float32" is one without a value, too.
        if key in ModelSpec.model_fields:
            del fields[key]
    for key in ("id", "tokenizer"):
        if key in fields and _is_path(fields[key]):
            fields[key] = _absolute(fields[key])
    if engines.loads_files(entry):  # a server may call its model what it likes
        _refuse_gguf(fields, mistakes)
    preset = _preset_of(entry, mistakes)
    if preset is not None:
        fields["preset"] = fields.get("preset", entry).wrap(preset.name)
        for key in INHERITED:
            value = getattr(preset, key)
            if key not in fields and value is not None:
                fields[key] = _tree(value, entry)
    elif "chat_template" not in fields and isinstance(model_id := _plain(fields.get("id")), str):
        # An endpoint answers chats, whatever its model is called.
        talks = engines.asks_endpoint(entry) or CHAT_WORDS.search(Path(model_id).name) is not None
        fields["chat_template"] = entry.wrap(talks)

    if not fields.keys() & {"id", "preset"}:
        mistakes.add(
            entry.place, "expected id: (a hub id or a folder) or preset: (a short name), got neither"
        )
        fields["id"] = entry.wrap("")
    model_id = _plain(fields.get("id"))
    if isinstance(model_id, str) and model_id:
        fields.setdefault("name", entry.wrap(model_id.rstrip("/").rsplit("/", 1)[-1]))


def _refuse_gguf(fields: dict[str, YamlNode], mistakes: Mistakes) -> None:
    """Adds a mistake for llama.cpp's files, folders and repositories of them."""
    for key in ("id", "tokenizer"):
        name = _plain(fields.get(key))
        if isinstance(name, str) and _is_gguf(name):
            mistakes.add(
                fields[key].place,
                f"{key}: {name} is GGUF, which this version does not read: name the checkpoint in "
                "safetensors that it was made from, "
                "or serve the file (llama-server -m FILE) and say engine: openai and base_url: "
                "http://localhost:8080/v1",
            )


def _is_gguf(name: str) -> bool:
    if re.search(r"[.-]gguf(:[\w.-]+)?/?$", name, re.IGNORECASE):
        return True
    if not os.path.isdir(name):  # noqa: PTH112 - pathlib's raises for names too long for the disk
        return False
    files = [file.suffix.lower() for file in Path(name).iterdir()]
    return GGUF in files and ".safetensors" not in files


def _preset_of(entry: YamlNode, mistakes: Mistakes) -> Preset | None:
    fields: dict[str, YamlNode] = entry.value
    named = fields.get("preset")
    if named is not None:
        preset = preset_or_none(named.value) if isinstance(named.value, str) else None
        if preset is None and isinstance(named.value, str):
            hint = suggest(named.value, presets()) or "; `harness models` lists the presets"
            mistakes.add(
                named.place,
                f"unknown preset {named.value!r}{hint} (a hub id is written org/name, a folder ./name)",
            )
            # one line is enough: pydantic need not add that the id is missing
            fields.setdefault("id", named)
        return preset

    model_id = _plain(fields.get("id"))
    if not isinstance(model_id, str):
        return None
    preset = preset_or_none(model_id)
    if preset is not None:
        fields["id"] = fields["id"].wrap(preset.id)
    elif model_id.startswith(BUNDLED):
        bundled = [one.id for one in presets().values() if one.id.startswith(BUNDLED)]
        mistakes.add(
            fields["id"].place,
            f"unknown bundled model {model_id!r}{suggest(model_id, bundled)}; there are {', '.join(bundled)}",
        )
    return preset


def _expand_task(entry: YamlNode, mistakes: Mistakes) -> None:
    fields: dict[str, YamlNode] = entry.value
    task, file = fields.get("task"), fields.get("file")
    if task is not None and isinstance(task.value, str) and task.value.endswith((".yaml", ".yml")):
        fields["task"] = _existing_file(task, mistakes)
    if file is not None and isinstance(file.value, str):
        fields["file"] = _existing_file(file, mistakes)


def _existing_file(node: YamlNode, mistakes: Mistakes) -> YamlNode:
    absolute = _absolute(node)
    path = Path(absolute.value)
    # A copy of a packed config still finds the questions that lie beside the original.
    if not os.path.exists(path) and (beside := packed_file(node.value)) is not None:  # noqa: PTH110
        return node.wrap(str(beside))
    if os.path.isdir(path):  # noqa: PTH112 - pathlib's raises for names too long for the disk
        mistakes.add(node.place, f"{node.value}: this is a folder; expected a file")
    elif not os.path.isfile(path):  # noqa: PTH113
        siblings = [entry.name for entry in path.parent.iterdir()] if os.path.isdir(path.parent) else []  # noqa: PTH112
        mistakes.add(
            node.place, f"{node.value}: no such file (looked in {path.parent}){suggest(path.name, siblings)}"
        )
    return absolute


def _expand_mirror(root: YamlNode, mistakes: Mistakes) -> None:
    node = root.child("mirror")
    if node is None or node.value is None:
        named = os.environ.get("HARNESS_MIRROR")
        if not named:
            return
        node = YamlNode(named, Place("HARNESS_MIRROR"))
    if isinstance(node.value, str):
        folder = _absolute(node)
        if not os.path.isdir(folder.value):  # noqa: PTH112
            mistakes.add(node.place, f"mirror: no such folder: {folder.value}")
        root.value["mirror"] = folder


def _check_names(root: YamlNode, mistakes: Mistakes) -> None:
    labels: dict[str, tuple[str, Place]] = {}
    for entry in _entries(root, "models"):
        label = _plain(entry.value.get("name"))
        if not isinstance(label, str):
            continue
        other, place = labels.setdefault(clash_key(label), (label, entry.place))
        if place is not entry.place:
            first = f" (the first on line {place.line})" if place.line else ""
            mistakes.add(
                entry.place, f"two models {clash(label, other)}{first}; give one of them another name:"
            )


def _is_path(node: YamlNode) -> bool:
    text = node.value
    if not isinstance(text, str) or not text:
        return False
    return (
        text.startswith(("./", "../", "/", "~"))
        or text in (".", "..")
        or ("/" in text and os.path.isdir(node.place.folder / text))  # noqa: PTH112 - too long a name raises
    )


def _absolute(node: YamlNode) -> YamlNode:
    home = os.path.expanduser(node.value)  # noqa: PTH111 - pathlib's raises where a user is unknown
    return node.wrap(os.path.normpath(node.place.folder / home))


def _plain(node: YamlNode | None) -> Any:
    return node.plain() if node is not None else None


def _tree(value: Any, at: YamlNode) -> YamlNode:
    if isinstance(value, list | tuple):
        return at.wrap([_tree(entry, at) for entry in value])
    return at.wrap(value)

"""A config without a file: models and tasks as they are named on a command line or in Python."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.config.source import Place, YamlNode
from harness.errors import ConfigError

Entry = str | Mapping[str, Any]
"""A name, or a mapping with the keys that an entry of ``models:`` or ``tasks:`` may have."""
NAMED_IN_FULL = 2
"""So many models or tasks stand in the name of a run; of more the first, and how many follow."""
LONGEST = 100
"""Characters of a run's name: folders and logs are called so."""


def entries_of(named: Entry | Path | Sequence[Entry | Path] | None) -> list[Entry]:
    """Names one by one: a single one, a list, or several with commas between.

    A comma that belongs to a file's or a folder's name does not divide.
    """
    if named is None:
        return []
    if isinstance(named, str | Path | Mapping):
        named = [named]

    entries: list[Entry] = []
    for one in named:
        if isinstance(one, Mapping):
            entries.append(one)
        elif os.path.exists(one):  # noqa: PTH110 - pathlib's raises for names that no disk can have
            entries.append(_path(str(one)))
        else:
            entries += [part.strip() for part in str(one).split(",") if part.strip()]
    # A name that is typed twice is meant once; two models of one name would be refused.
    return [entry for number, entry in enumerate(entries) if entry not in entries[:number]]


def _path(text: str) -> str:
    """A folder in the working directory, marked as a path: without a slash it would be a preset."""
    bare = "/" not in text and os.path.isdir(text)  # noqa: PTH112
    return f"./{text}" if bare and Path(text, "config.json").is_file() else text


def adhoc_config(
    models: Sequence[Entry],
    tasks: Sequence[Entry],
    *,
    name: str | None = None,
    base_url: str | None = None,
    api_key_env: str | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """What the YAML of these models and tasks would say.

    With ``base_url`` the models are those of an endpoint. ``settings`` are further keys of a
    config; those that are None are left out. Raises ConfigError where models are missing.
    """
    if not models:
        raise ConfigError(
            "no model is named: say --model NAME (in Python model=…), a preset (`harness models` "
            "lists them), a hub id ORG/NAME or a folder"
        )
    if api_key_env is not None and base_url is None:
        raise ConfigError("an API key's variable is for an endpoint: say --base-url, too")

    endpoint = {"engine": "openai", "base_url": base_url or ""}
    endpoint |= {"api_key_env": api_key_env} if api_key_env is not None else {}
    listed = [_endpoint_model(model, endpoint) for model in models] if base_url else list(models)
    asked = [_generated(task) for task in tasks] if base_url else list(tasks)
    keys = {"name": name or run_name(models, tasks), "models": listed, "tasks": asked}
    return keys | {key: value for key, value in settings.items() if value is not None}


def _endpoint_model(model: Entry, endpoint: Mapping[str, str]) -> Entry:
    return {**endpoint, **(model if isinstance(model, Mapping) else {"id": model})}


def _generated(task: Entry) -> Entry:
    """An own file with options, to be answered in words: a chat says nothing of their probabilities."""
    if isinstance(task, Mapping) or task.endswith((".yaml", ".yml")) or not os.path.isfile(task):  # noqa: PTH113
        return task
    return {"file": task, "form": "generated"}


def run_name(models: Sequence[Entry], tasks: Sequence[Entry]) -> str:
    """A name that says what ran, the same for the same models and tasks: qwen3-8b-on-gsm8k."""
    parts = [_joined([_slug(model) for model in models])]
    parts += [_joined([_slug(task) for task in tasks])] if tasks else []
    name = "-on-".join(parts)
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 7].rstrip('-')}-{_digest([name])}"


def _joined(names: list[str]) -> str:
    if len(names) <= NAMED_IN_FULL:
        return "-and-".join(names)
    # Other models behind the same first one are another run, which must not share its folder.
    return f"{names[0]}-and-{len(names) - 1}-more-{_digest(sorted(names))}"


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:6]


def _slug(entry: Entry) -> str:
    """The last part of a name, with nothing that a folder's name may not have."""
    if isinstance(entry, Mapping):
        keys = ("name", "preset", "id", "task", "suite", "file")
        entry = str(next((entry[key] for key in keys if entry.get(key)), ""))
    last = os.path.normpath(Path(entry).expanduser().absolute() if entry in (".", "..") else entry)
    stem = re.sub(r"\.(jsonl|ndjson|json|csv|tsv|xlsx|ya?ml)$", "", Path(last).name)
    return re.sub(r"[^\w.-]+", "-", stem).strip("-_.") or "run"


def node_of(config: Mapping[str, Any], words: Mapping[str, str]) -> YamlNode:
    """Plain data as the tree that a YAML file would give.

    ``words`` say how a key was named, for messages: with ``{"models": "--model"}`` a mistake in an
    entry begins with ``--model qwen9``, and any other one with ``config``.
    """
    top = Place("config")
    fields: dict[str, YamlNode] = {}
    for order, (key, value) in enumerate(config.items()):
        place = Place(words.get(key, "config"), order=order)
        if key in words and isinstance(value, list | tuple):
            entries = [_tree(entry, Place(_named(words[key], entry), order=order)) for entry in value]
            fields[key] = YamlNode(entries, place, place)
        else:
            fields[key] = _tree(value, place)
    return YamlNode(fields, top)


def _named(word: str, entry: Any) -> str:
    return f"{word} {entry}" if isinstance(entry, str) else f"{word} {entry.get('id', '')}".rstrip()


def _tree(value: Any, place: Place) -> YamlNode:
    if isinstance(value, Mapping):
        return YamlNode({str(key): _tree(entry, place) for key, entry in value.items()}, place, place)
    if isinstance(value, list | tuple):
        return YamlNode([_tree(entry, place) for entry in value], place, place)
    return YamlNode(str(value) if isinstance(value, Path) else value, place, place)

"""From a YAML file, or from plain data, to a checked config: `load_config`."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from harness.config import packed
from harness.config.adhoc import node_of
from harness.config.engines import check_engines
from harness.config.expand import expand, shorthands
from harness.config.layers import Layers, override
from harness.config.problems import explain
from harness.config.schema import Config
from harness.config.source import Mistakes, Place, YamlNode
from harness.errors import ConfigError
from harness.wording import list_first

RUN_ONLY = ("name", "limit", "expect", "device", "mirror", "allow_code_execution")
"""Keys of the config that change neither what is asked nor who answers, so a run folder may be
continued with others.
"""
RUN_ONLY_OF_MODEL = ("gpus",)
RUN_ONLY_OF_TASK = ("limit",)


@dataclass(frozen=True)
class LoadedConfig:
    """A config, checked, with presets, paths and defaults filled in, and where it came from."""

    config: Config
    path: Path
    """The file that was named, absolute; of a config without a file one that is not there."""
    base_dir: Path
    """Its folder: relative paths in it start here."""
    sources: tuple[Path, ...]
    """Every file read, the named one first, then what it extends."""
    overrides: tuple[str, ...] = ()
    """The ``key=value`` of ``--set``, as given."""
    notes: tuple[str, ...] = ()
    """What a person should know of how it was read: names that were tidied."""
    root: YamlNode = field(default_factory=lambda: YamlNode({}, Place("")), repr=False, compare=False)
    plain: Mapping[str, Any] | None = field(default=None, repr=False)
    """The data that it was made from, where there is no file."""

    def __repr__(self) -> str:
        """Its name, models and tasks."""
        models = list_first([model.label for model in self.config.models], 4)
        tasks = list_first([task.task or task.suite or str(task.file) for task in self.config.tasks], 4)
        return f"LoadedConfig {self.config.name}: {self.path}\n  models: {models}\n  tasks: {tasks}"

    @property
    def hash(self) -> str:
        """SHA-256 of what guards a run folder: the resolved config without what only steers one
        run.

        Left out: name, limit (the config's and each task's), expect, device, mirror,
        allow_code_execution, and each model's gpus. Everything else counts, in whatever file, order
        of keys or ``--set`` it was written. Folders count relative to the YAML file.
        """
        plain = self.config.model_dump(mode="json", exclude_none=True)
        parts = {key: value for key, value in plain.items() if key not in RUN_ONLY}
        parts["models"] = [_without(model, RUN_ONLY_OF_MODEL) for model in parts["models"]]
        parts["tasks"] = [_without(task, RUN_ONLY_OF_TASK) for task in parts["tasks"]]

        # The same folder, moved or cloned elsewhere with its YAML, is the same run.
        for entry in (*parts["models"], *parts["tasks"]):
            for key in ("id", "tokenizer", "task", "file"):
                if isinstance(entry.get(key), str) and Path(entry[key]).is_absolute():
                    entry[key] = Path(os.path.relpath(entry[key], self.base_dir)).as_posix()

        text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def changed(self, more: Sequence[str]) -> LoadedConfig:
        """The same config with further ``key=value`` on top. Raises ConfigError."""
        return load_config(self.path if self.plain is None else self.plain, [*self.overrides, *more])

    def to_yaml(self) -> str:
        """The resolved config as YAML. Loaded again, from any folder, it gives an equal config."""
        plain = _pruned(self.config.model_dump(mode="json", exclude_none=True))
        return yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, width=120)

    def place(self, *steps: str | int) -> Place:
        """Where something was written: ``place('tasks', 2, 'suite')``.

        A step that was not written (a default) gives the place of what holds it.
        """
        node = self.root
        for step in steps:
            node = node.child(step) or node
        return node.place

    def where(self, *steps: str | int) -> str:
        """`place` for messages of other rooms: 'qwen.yaml:7:5'."""
        return str(self.place(*steps))


def load_config(
    source: str | Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    words: Mapping[str, str] | None = None,
) -> LoadedConfig:
    """Reads and checks a config, with what it extends and ``key=value`` overrides on top.

    ``source``: a YAML file, the name of a packed config, a run's folder, or a mapping of what a
    YAML would say. ``words``: see `harness.config.adhoc.node_of`.

    Raises ConfigError whose message has one line per mistake, all of them, each beginning with
    file:line:column (or ``--set key=value``).
    """
    mistakes = Mistakes()
    layers = Layers(mistakes)
    notes: list[str] = []
    if isinstance(source, Mapping):
        root = layers.extended(node_of(source, words or {}))
    else:
        origin = packed.find_config(source)
        notes += [origin.note] if origin.note else []
        try:
            root = layers.read(origin.path, origin.shown)
        except ConfigError as error:
            raise ConfigError(f"{error}{packed.hint(source)}") from None

    # Before the overrides, so that they can name a key of a model that was written as a plain name;
    # and after, since they may bring plain names.
    shorthands(root)
    override(root, overrides, mistakes)
    shorthands(root)

    notes += expand(root, mistakes)
    config = _check(root, mistakes)
    plain = source if isinstance(source, Mapping) else None
    path = Path.cwd() / f"{config.name}.yaml" if plain is not None else layers.sources[0]
    sources = tuple(layers.sources)
    return LoadedConfig(config, path, path.parent, sources, tuple(overrides), tuple(notes), root, plain)


def _check(root: YamlNode, mistakes: Mistakes) -> Config:
    """Raises ConfigError with pydantic's complaints and those found before."""
    try:
        config = Config.model_validate(root.plain())
    except ValidationError as error:
        _without_echo(error, root, mistakes)
    check_engines(root, mistakes)
    mistakes.raise_if_any()
    return config


def _without_echo(error: ValidationError, root: YamlNode, mistakes: Mistakes) -> None:
    """Adds pydantic's complaints, but for those that only echo an earlier mistake: a file that is
    not YAML, a base that is missing.
    """
    texts = [mistake.text for mistake in mistakes if mistake.place.line]
    if any(
        text.startswith(("not valid YAML", "a tab", "a character", "expected a mapping (name"))
        for text in texts
    ):
        return

    echoes: tuple[str, ...] = ()
    if any(text.startswith("two models are called") for text in texts):
        echoes += ("two models are called",)
    if any(text.startswith("extends:") for text in texts):
        echoes += ("expected a key 'models'", "expected a key 'name'")

    complaints = Mistakes()
    explain(error, root, Config, complaints)
    places = {mistake.place.rank for mistake in mistakes}
    for one in complaints:
        # The value could not be read, which is said already.
        lost = one.place.rank in places and one.text.endswith("got nothing")
        if not lost and not (echoes and one.text.startswith(echoes)):
            mistakes.append(one)


def _without(entry: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in keys}


def _pruned(value: Any) -> Any:
    """Without empty mappings and lists, which are the defaults anyway."""
    if isinstance(value, dict):
        parts = {key: _pruned(entry) for key, entry in value.items()}
        return {key: entry for key, entry in parts.items() if entry not in ({}, [])}
    return [_pruned(entry) for entry in value] if isinstance(value, list) else value

"""What a config's ``tasks:`` mean: suites, globs, groups, tags and own files become leaf tasks,
each once, and the groups over them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from harness.config.schema import GenerationSettings, TaskEntry
from harness.errors import ConfigError
from harness.names import clash, clash_key
from harness.tasks.api import Expansion, GroupSpec, TaskSpec
from harness.tasks.catalogue import (
    DATA,
    GENERATIVE,
    SUITES,
    Catalogue,
    CatalogueEntry,
    guess_language,
    known_items,
)
from harness.tasks.ownfile import own_config
from harness.tasks.scan import read_config
from harness.tasks.twins import SUFFIX, twin_config

_GROUP_KEYS = {"group", "group_alias", "task", "aggregate_metric_list", "metadata"}
"""Keys that a group uses itself; its other keys are settings for its tasks, as in lm-eval."""
_NO_TASK_KEYS = {"tag", "group", "task_list", "derive"}


@dataclass(frozen=True)
class Suite:
    """A named list of tasks with settings."""

    name: str
    description: str
    entries: tuple[TaskEntry, ...]


@cache
def suites() -> dict[str, Suite]:
    """Every packaged suite by name."""
    found = {}
    for path in sorted(SUITES.glob("*.yaml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        tasks = tuple(
            TaskEntry(task=item) if isinstance(item, str) else TaskEntry(**item) for item in data["tasks"]
        )
        found[data["name"]] = Suite(data["name"], data["description"], tasks)
    return found


@dataclass(frozen=True)
class _Leaf:
    """A leaf with what the groups on the way to it said."""

    name: str
    entry: CatalogueEntry | None
    config: dict[str, Any]
    groups: tuple[str, ...]


class _Walk:
    """Goes down from names to leaves, and gathers the groups that aggregate."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.groups: dict[str, GroupSpec] = {}

    def name(self, name: str, overrides: dict[str, Any], groups: tuple[str, ...]) -> Iterator[_Leaf]:
        entry = self.catalogue.find(name)
        if entry is None:
            raise ConfigError(_unknown(name, self.catalogue))
        yield from self.entry(entry, overrides, groups)

    def entry(
        self, entry: CatalogueEntry, overrides: dict[str, Any], groups: tuple[str, ...]
    ) -> Iterator[_Leaf]:
        if entry.kind == "tag":
            for member in sorted(entry.members):
                yield from self.name(member, overrides, groups)
        elif entry.kind == "group":
            yield from self.group(entry.name, self.catalogue.config(entry), overrides, groups)
        else:
            config = {
                key: value
                for key, value in (self.catalogue.overrides(entry) | overrides).items()
                if key not in _NO_TASK_KEYS
            }
            config.pop("task", None)
            if entry.config:
                config["task"] = entry.name
            yield _Leaf(entry.name, entry, config, groups)

    def group(
        self, name: str, config: dict[str, Any], overrides: dict[str, Any], groups: tuple[str, ...]
    ) -> Iterator[_Leaf]:
        if name in groups:
            raise ConfigError(f"group {name!r} holds itself (by way of {' > '.join(groups)})")
        inherited = {key: value for key, value in config.items() if key not in _GROUP_KEYS} | overrides
        members = config.get("task") or []
        below = (*groups, name)
        leaves = [
            leaf
            for member in ([members] if isinstance(members, str) else members)
            for leaf in self.member(member, inherited, below)
        ]
        aggregated = config.get("aggregate_metric_list")
        if aggregated:
            items = aggregated if isinstance(aggregated, list) else [aggregated]
            self.groups[name] = GroupSpec(
                name,
                tuple(dict.fromkeys(leaf.name for leaf in leaves)),
                weighted=bool(items[0].get("weight_by_size", True)),
                metrics=tuple(dict.fromkeys(str(item["metric"]) for item in items)),
            )
        yield from leaves

    def member(
        self, member: str | dict[str, Any], overrides: dict[str, Any], groups: tuple[str, ...]
    ) -> Iterator[_Leaf]:
        """One item of a group's ``task:`` list: a name, or lm-eval's inline {task: …} or {group: …}
        with settings.
        """
        if isinstance(member, str):
            yield from self.name(member, overrides, groups)
        elif "group" in member:
            name = str(member["group"])
            if self.catalogue.find(name):
                yield from self.name(
                    name, overrides | {key: value for key, value in member.items() if key != "group"}, groups
                )
            else:
                yield from self.group(f"{groups[-1]}::{name}", member, overrides, groups)
        elif "task" in member:
            settings = overrides | {key: value for key, value in member.items() if key != "task"}
            if self.catalogue.find(str(member["task"])):
                yield from self.name(str(member["task"]), settings, groups)
            else:
                name = f"{groups[-1]}::{member['task']}"
                yield _Leaf(name, None, settings | {"task": name}, groups)
        else:
            raise ConfigError(
                f"group {groups[-1]!r}: an inline member needs a task or group key, got {', '.join(map(str, member))}"
            )


def _unknown(name: str, catalogue: Catalogue) -> str:
    near = catalogue.nearest(name)
    hint = f"; nearest: {', '.join(near)}" if near else "; `harness tasks` lists the names"
    return f"unknown task {name!r}{hint}"


def _named(entry: TaskEntry, walk: _Walk, base_dir: Path) -> list[_Leaf]:
    """Leaves of ``task:``: a YAML's path, a name, or a glob."""
    name = entry.task or ""
    if name.endswith((".yaml", ".yml")):
        return _own_yaml((base_dir / Path(name).expanduser()).resolve(), walk)
    if walk.catalogue.find(name) or not set(name) & set("*?["):
        return list(walk.name(name, {}, ()))
    matched = walk.catalogue.match(name)
    if not matched:
        raise ConfigError(
            f"no task matches {name!r}; nearest: {', '.join(walk.catalogue.nearest(name.strip('*?_'))) or 'none'}"
        )
    return _with_whole_groups(name, matched, walk)


def _with_whole_groups(pattern: str, matched: list[str], walk: _Walk) -> list[_Leaf]:
    """A glob such as ceval-valid_* covers a whole group: then its tasks belong to that group, so
    that it gets its score.
    """
    group = pattern.removesuffix("*").rstrip("_-")
    entry = walk.catalogue.find(group)
    whole = entry is not None and entry.kind == "group" and set(walk.catalogue.leaves(group)) <= set(matched)
    leaves = list(walk.name(group, {}, ())) if whole else []
    known = {leaf.name for leaf in leaves}
    return leaves + [leaf for name in matched if name not in known for leaf in walk.name(name, {}, ())]


def _own_yaml(path: Path, walk: _Walk) -> list[_Leaf]:
    if not path.is_file():
        raise ConfigError(
            f"{path}: no such task YAML (a relative path counts from the YAML file that names it)"
        )
    walk.catalogue = Catalogue((path.parent,))
    config = walk.catalogue.config(CatalogueEntry(path.stem, "task", path, "own"))
    name = config.get("group") if "class" not in config else None
    if isinstance(name, str):
        return list(walk.entry(CatalogueEntry(name, "group", path, "own"), {}, ()))
    task = config.get("task")
    if not isinstance(task, str):
        raise ConfigError(f"{path}: a task YAML needs `task: name` (or `group: name` with a list of tasks)")
    return list(walk.entry(CatalogueEntry(task, "task", path, "own"), {}, ()))


def _file_spec(entry: TaskEntry, base_dir: Path) -> TaskSpec:
    config, language, found = own_config(entry, base_dir)
    notes = tuple(f"{config['task']}: {note}" for note in found.notes)
    count, output = len(found.rows), config["output_type"]
    spec = TaskSpec(
        config["task"], None, config, language=language, known_items=count, output=output, notes=notes
    )
    if spec.output != "multiple_choice":
        return spec
    name = spec.name + SUFFIX
    made = config | twin_config(config, name, language, read_config(GENERATIVE), None)
    return replace(spec, twin=replace(spec, name=name, config=made, output="generate_until", notes=()))


def _leaf_spec(leaf: _Leaf, walk: _Walk, counts: dict[str, int]) -> TaskSpec:
    language = leaf.entry.language if leaf.entry else guess_language(leaf.name)
    path = leaf.entry.path if leaf.entry else None
    known = counts.get(leaf.name) or (
        _bundled_items(path) if path and leaf.entry and leaf.entry.source == "harness" else None
    )
    config = (read_config(path) if path else {}) | leaf.config
    output = None if "class" in config else str(config.get("output_type") or "generate_until")
    spec = TaskSpec(
        leaf.name, path, leaf.config, leaf.groups, language=language, known_items=known, output=output
    )
    return replace(spec, twin=_twin(spec, walk, counts)) if output == "multiple_choice" else spec


def _twin(spec: TaskSpec, walk: _Walk, counts: dict[str, int]) -> TaskSpec | None:
    """The generative form of a multiple-choice task, in the group of such forms that stands for the
    task's own.
    """
    entry = walk.catalogue.twin(spec.name)
    if entry is None or entry.kind != "task":
        return None
    (leaf,) = walk.entry(entry, {}, ())
    made = _leaf_spec(leaf, walk, counts)
    groups = (spec.groups[0] + SUFFIX,) if spec.groups else ()
    return replace(made, groups=groups, known_items=made.known_items or spec.known_items)


def _bundled_items(path: Path) -> int | None:
    """Rows of the JSONL that a bundled task asks."""
    config = read_config(path)
    where = str(config.get("dataset_path", ""))
    file = DATA / "tasks" / "data" / where.removeprefix("bundled/") / f"{config.get('test_split')}.jsonl"
    return (
        file.read_text(encoding="utf-8").count("\n")
        if where.startswith("bundled/") and file.is_file()
        else None
    )


def _with_settings(spec: TaskSpec, entry: TaskEntry, limit: int | None) -> TaskSpec:
    """The settings of an entry; a twin has them but for its examples, of which it shows none."""
    return replace(
        spec,
        twin=_with_settings(spec.twin, entry.model_copy(update={"fewshot": None}), limit)
        if spec.twin
        else None,
        fewshot=entry.fewshot,
        limit=entry.limit if entry.limit is not None else limit,
        repeats=entry.repeats,
        generation=entry.generation,
        language=entry.language or spec.language,
    )


def _suite_entries(entry: TaskEntry) -> list[TaskEntry]:
    """A suite's entries; what the config's entry says itself comes before what the suite says."""
    found = suites().get(entry.suite or "")
    if found is None:
        raise ConfigError(f"unknown suite {entry.suite!r}; the suites are: {', '.join(suites())}")
    own: dict[str, Any] = {
        key: value for key in ("fewshot", "limit", "repeats") if (value := getattr(entry, key)) is not None
    }
    said = entry.generation.model_dump(exclude_none=True)
    return [
        inner.model_copy(
            update=own
            | {"generation": GenerationSettings(**(inner.generation.model_dump(exclude_none=True) | said))}
        )
        for inner in found.entries
    ]


def _settings(spec: TaskSpec) -> tuple[Any, ...]:
    return (
        spec.yaml_path,
        repr(sorted(spec.config.items())),
        spec.fewshot,
        spec.limit,
        spec.repeats,
        spec.generation,
    )


def _merge(specs: dict[str, TaskSpec], spec: TaskSpec) -> None:
    """Adds a leaf; asked again with the same settings it only joins more groups.

    Raises ConfigError where the settings differ.
    """
    known = specs.get(spec.name)
    if known is None:
        specs[spec.name] = spec
    elif _settings(known) != _settings(spec):
        raise ConfigError(
            f"task {spec.name!r} is asked twice with different settings ({_difference(known, spec)}); ask it once, or in two runs"
        )
    else:
        specs[spec.name] = replace(known, groups=tuple(dict.fromkeys(known.groups + spec.groups)))


def _difference(one: TaskSpec, other: TaskSpec) -> str:
    names = ("yaml_path", "fewshot", "limit", "repeats", "generation", "config")
    told = [
        f"{name} {getattr(one, name)} and {getattr(other, name)}"
        if name in ("fewshot", "limit", "repeats")
        else name
        for name in names
        if getattr(one, name) != getattr(other, name)
    ]
    return ", ".join(told)


def expand(entries: Sequence[TaskEntry], *, limit: int | None, base_dir: Path) -> Expansion:
    """The leaf tasks and groups that the entries ask for, in their order.

    ``limit`` is the config's own, for entries without one; ``base_dir`` is the folder that relative
    paths count from. Raises ConfigError with one line a mistake: unknown names (with the nearest),
    unreadable files, one task under two settings.
    """
    walk, counts, mistakes = _Walk(Catalogue()), known_items(), []
    specs: dict[str, TaskSpec] = {}
    for entry in entries:
        try:
            for inner in _suite_entries(entry) if entry.suite else [entry]:
                for spec in _entry_specs(inner, walk, base_dir, counts):
                    _merge(specs, _with_settings(spec, inner, limit))
        except ConfigError as error:
            mistakes.append(str(error))
    mistakes += _name_clashes(specs)
    if mistakes:
        raise ConfigError("\n".join(dict.fromkeys(mistakes)))
    return Expansion(tuple(specs.values()), tuple(walk.groups.values()))


def _name_clashes(names: Iterable[str]) -> list[str]:
    """Tasks whose names a file system, or a reader, cannot tell apart."""
    seen: dict[str, str] = {}
    pairs = [(name, seen.setdefault(clash_key(name), name)) for name in names]
    return [
        f"two tasks {clash(name, first)}; give one of them another name:"
        for name, first in pairs
        if name != first
    ]


def _entry_specs(entry: TaskEntry, walk: _Walk, base_dir: Path, counts: dict[str, int]) -> list[TaskSpec]:
    if entry.file:
        return [_file_spec(entry, base_dir)]
    known = walk.catalogue
    try:
        return [_leaf_spec(leaf, walk, counts) for leaf in _named(entry, walk, base_dir)]
    finally:
        walk.catalogue = known

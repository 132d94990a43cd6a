"""What a config's ``tasks:`` mean: leaf tasks, each once, and the groups over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.config.schema import TaskEntry
from harness.errors import ConfigError
from harness.names import clash, clash_key
from harness.tasks.api import Expansion, GroupSpec, TaskSpec
from harness.tasks.catalogue import DATA, GENERATIVE, Catalogue, known_items
from harness.tasks.entries import guess_language
from harness.tasks.leaves import Leaf, Walk, named_leaves
from harness.tasks.ownfile import OwnPart, own_parts
from harness.tasks.scan import read_config
from harness.tasks.suite_files import suite_entries
from harness.tasks.twins import SUFFIX, twin_config


def _file_specs(entry: TaskEntry, base_dir: Path, groups: dict[str, GroupSpec]) -> list[TaskSpec]:
    """The tasks of an own file; the groups over its categories are added to ``groups``."""
    parts, notes = own_parts(entry, base_dir)
    stem = entry.name or Path(entry.file or "").stem
    specs = [_part_spec(part, entry) for part in parts]
    specs[0] = replace(specs[0], notes=tuple(f"{stem}: {note}" for note in notes))

    for spec in specs:
        for name in spec.groups:
            members = tuple(one.name for one in specs if name in one.groups)
            groups[name] = GroupSpec(name, members, categories=True)
    return specs


def _part_spec(part: OwnPart, entry: TaskEntry) -> TaskSpec:
    output = str(part.config["output_type"])
    groups = (part.group,) if part.group else ()
    spec = TaskSpec(
        part.name, None, part.config, groups, language=part.language, known_items=part.count, output=output
    )
    if output != "multiple_choice":
        return spec

    # An own file has no description of its generative form: it is made from the same rows.
    group = f"{part.group}{SUFFIX}" if part.group else None
    name = f"{group}_{part.category}" if group else f"{part.name}{SUFFIX}"
    template = read_config(GENERATIVE)
    config = part.config | twin_config(part.config, name, part.language, template, part.chance)
    twin = replace(spec, name=name, config=config, output="generate_until", groups=(group,) if group else ())
    return (
        twin if entry.form == "generated" else replace(spec, twin=None if entry.form == "logprobs" else twin)
    )


def _leaf_spec(leaf: Leaf, walk: Walk, counts: dict[str, int]) -> TaskSpec:
    language = leaf.entry.language if leaf.entry else guess_language(leaf.name)
    path = leaf.entry.path if leaf.entry else None
    items = counts.get(leaf.name) or (
        _bundled_items(path) if path and leaf.entry and leaf.entry.source == "harness" else None
    )

    config = (read_config(path) if path else {}) | leaf.config
    output = None if "class" in config else str(config.get("output_type") or "generate_until")

    spec = TaskSpec(
        leaf.name, path, leaf.config, leaf.groups, language=language, known_items=items, output=output
    )
    return replace(spec, twin=_twin(spec, walk, counts)) if output == "multiple_choice" else spec


def _twin(spec: TaskSpec, walk: Walk, counts: dict[str, int]) -> TaskSpec | None:
    """The generative form of a multiple-choice task, or None.

    It belongs to the group of such forms that stands for the task's own group.
    """
    entry = walk.catalogue.twin(spec.name)
    if entry is None or entry.kind != "task":
        return None

    (leaf,) = walk.entry(entry, {}, ())
    twin = _leaf_spec(leaf, walk, counts)
    groups = (spec.groups[0] + SUFFIX,) if spec.groups else ()
    return replace(twin, groups=groups, known_items=twin.known_items or spec.known_items)


def _bundled_items(path: Path) -> int | None:
    """Rows of the JSONL that a bundled task asks."""
    config = read_config(path)
    dataset = str(config.get("dataset_path", ""))
    file = DATA / "tasks" / "data" / dataset.removeprefix("bundled/") / f"{config.get('test_split')}.jsonl"
    return (
        file.read_text(encoding="utf-8").count("\n")
        if dataset.startswith("bundled/") and file.is_file()
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
    before = specs.get(spec.name)
    if before is None:
        specs[spec.name] = spec
    elif _settings(before) != _settings(spec):
        raise ConfigError(
            f"task {spec.name!r} is asked twice with different settings"
            f" ({_difference(before, spec)}); ask it once, or in two runs"
        )
    else:
        specs[spec.name] = replace(before, groups=tuple(dict.fromkeys(before.groups + spec.groups)))


def _difference(one: TaskSpec, other: TaskSpec) -> str:
    names = ("yaml_path", "fewshot", "limit", "repeats", "generation", "config")
    changes = [
        f"{name} {getattr(one, name)} and {getattr(other, name)}"
        if name in ("fewshot", "limit", "repeats")
        else name
        for name in names
        if getattr(one, name) != getattr(other, name)
    ]
    return ", ".join(changes)


def expand(
    entries: Sequence[TaskEntry],
    *,
    limit: int | None,
    base_dir: Path,
    where: Callable[[str, int], str] | None = None,
) -> Expansion:
    """The leaf tasks and groups that the entries ask for, in their order.

    ``limit`` is the config's own, for entries without one; ``base_dir`` is the folder that relative
    paths count from; ``where`` says where an entry was written (`LoadedConfig.where`). Raises
    ConfigError with one line per mistake: unknown names (with the nearest), unreadable files, one task
    under two settings.
    """
    walk, counts, mistakes = Walk(Catalogue()), known_items(), []
    specs: dict[str, TaskSpec] = {}

    # A mistake in one entry does not hide those of the next.
    for position, entry in enumerate(entries):
        try:
            for inner in suite_entries(entry) if entry.suite else [entry]:
                for spec in _entry_specs(inner, walk, base_dir, counts):
                    _merge(specs, _with_settings(spec, inner, limit))
        except ConfigError as error:
            # Cells become folders and rows by name, so two names must not differ by case alone.
            begin = f"{where('tasks', position)}: " if where is not None else ""
            mistakes += [f"{begin}{line}" for line in str(error).splitlines()]
    mistakes += _name_clashes(specs)
    if mistakes:
        raise ConfigError("\n".join(dict.fromkeys(mistakes)))
    return Expansion(tuple(specs.values()), tuple(walk.groups.values()))


def _name_clashes(names: Iterable[str]) -> list[str]:
    """Tasks whose names a file system, or a reader, cannot tell apart."""
    first_names: dict[str, str] = {}
    pairs = [(name, first_names.setdefault(clash_key(name), name)) for name in names]
    return [
        f"two tasks {clash(name, first)}; give one of them another name:"
        for name, first in pairs
        if name != first
    ]


def _entry_specs(entry: TaskEntry, walk: Walk, base_dir: Path, counts: dict[str, int]) -> list[TaskSpec]:
    if entry.file:
        return _file_specs(entry, base_dir, walk.groups)
    packaged = walk.catalogue
    try:
        return [_leaf_spec(leaf, walk, counts) for leaf in named_leaves(entry, walk, base_dir)]
    finally:
        walk.catalogue = packaged

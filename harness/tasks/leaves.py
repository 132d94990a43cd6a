"""From names, globs, groups and own YAML files down to leaf tasks."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config.schema import TaskEntry
from harness.errors import ConfigError
from harness.tasks.api import GroupSpec
from harness.tasks.catalogue import Catalogue
from harness.tasks.entries import CatalogueEntry

_GROUP_KEYS = {"group", "group_alias", "task", "aggregate_metric_list", "metadata"}
"""Keys that a group uses itself; its other keys are settings for its tasks, as in lm-eval."""
_NO_TASK_KEYS = {"tag", "group", "task_list", "derive"}


@dataclass(frozen=True)
class Leaf:
    """A leaf with what the groups on the way to it say."""

    name: str
    entry: CatalogueEntry | None
    config: dict[str, Any]
    groups: tuple[str, ...]


class Walk:
    """Goes down from names to leaves, and gathers the groups that aggregate."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.groups: dict[str, GroupSpec] = {}

    def name(self, name: str, overrides: dict[str, Any], groups: tuple[str, ...]) -> Iterator[Leaf]:
        """The leaves below a name."""
        entry = self.catalogue.find(name)
        if entry is None:
            raise ConfigError(_unknown(name, self.catalogue))
        yield from self.entry(entry, overrides, groups)

    def entry(
        self, entry: CatalogueEntry, overrides: dict[str, Any], groups: tuple[str, ...]
    ) -> Iterator[Leaf]:
        """The leaves below an entry of the catalogue."""
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

            # The template's own name must not stand in for the leaf's: only a derived entry brings
            # its name along.
            config.pop("task", None)
            if entry.config:
                config["task"] = entry.name
            yield Leaf(entry.name, entry, config, groups)

    def group(
        self, name: str, config: dict[str, Any], overrides: dict[str, Any], groups: tuple[str, ...]
    ) -> Iterator[Leaf]:
        """The leaves of a group, which is noted where it has a score of its own."""
        if name in groups:
            raise ConfigError(f"group {name!r} holds itself (by way of {' > '.join(groups)})")

        # As in lm-eval, a group's other keys are settings of its tasks; what the groups above say
        # wins.
        inherited = {key: value for key, value in config.items() if key not in _GROUP_KEYS} | overrides

        members = config.get("task") or []
        below = (*groups, name)
        leaves = [
            leaf
            for member in ([members] if isinstance(members, str) else members)
            for leaf in self.member(member, inherited, below)
        ]

        # A group without a list of metrics only gathers names: it gets no score.
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
    ) -> Iterator[Leaf]:
        """The leaves of one item of a group's ``task:`` list.

        Such an item is a name, or lm-eval's inline {task: …} or {group: …} with settings.
        """
        if isinstance(member, str):
            yield from self.name(member, overrides, groups)
        elif "group" in member:
            name = str(member["group"])
            # A group may be named to change its settings, or be written out on the spot.
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
                yield Leaf(name, None, settings | {"task": name}, groups)
        else:
            raise ConfigError(
                f"group {groups[-1]!r}: an inline member needs a task or group key,"
                f" got {', '.join(map(str, member))}"
            )


def _unknown(name: str, catalogue: Catalogue) -> str:
    from harness.tasks.suite_files import suites

    near = [*difflib.get_close_matches(name, suites(), cutoff=0.7), *catalogue.nearest(name)]
    hint = f"; nearest: {', '.join(near)}" if near else "; `harness tasks` lists the names"
    return f"unknown task {name!r}{hint}"


def named_leaves(entry: TaskEntry, walk: Walk, base_dir: Path) -> list[Leaf]:
    """Leaves of ``task:``: a YAML's path, a name, or a glob."""
    name = entry.task or ""
    if name.endswith((".yaml", ".yml")):
        return _own_yaml((base_dir / Path(name).expanduser()).resolve(), walk)

    if walk.catalogue.find(name) or not set(name) & set("*?["):
        return list(walk.name(name, {}, ()))

    matched = walk.catalogue.match(name)
    if not matched:
        raise ConfigError(
            f"no task matches {name!r};"
            f" nearest: {', '.join(walk.catalogue.nearest(name.strip('*?_'))) or 'none'}"
        )
    return _with_whole_groups(name, matched, walk)


def _with_whole_groups(pattern: str, matched: list[str], walk: Walk) -> list[Leaf]:
    """The leaves of a glob, as members of a group where the glob covers it whole.

    So ``ceval-valid_*`` gets the score of ceval-valid.
    """
    group = pattern.removesuffix("*").rstrip("_-")
    entry = walk.catalogue.find(group)
    whole = entry is not None and entry.kind == "group" and set(walk.catalogue.leaves(group)) <= set(matched)

    leaves = list(walk.name(group, {}, ())) if whole else []
    names = {leaf.name for leaf in leaves}
    return leaves + [leaf for name in matched if name not in names for leaf in walk.name(name, {}, ())]


def _own_yaml(path: Path, walk: Walk) -> list[Leaf]:
    if not path.is_file():
        raise ConfigError(
            f"{path}: no such task YAML (a relative path counts from the YAML file that names it)"
        )

    # A YAML file may include or name its neighbours, so they come before the packaged names.
    walk.catalogue = Catalogue((path.parent,))
    config = walk.catalogue.config(CatalogueEntry(path.stem, "task", path, "own"))
    name = config.get("group") if "class" not in config else None
    if isinstance(name, str):
        return list(walk.entry(CatalogueEntry(name, "group", path, "own"), {}, ()))

    task = config.get("task")
    if not isinstance(task, str):
        raise ConfigError(f"{path}: a task YAML needs `task: name` (or `group: name` with a list of tasks)")
    return list(walk.entry(CatalogueEntry(task, "task", path, "own"), {}, ()))

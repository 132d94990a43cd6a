"""Names of tasks, groups and tags, and the YAML files behind them.

The harness's own come first, then lm-eval's. Nothing heavy is imported: the names come from
`harness.tasks.scan`, and a YAML is parsed only when its task is needed.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

from harness.tasks import twins
from harness.tasks.entries import CatalogueEntry, Language
from harness.tasks.scan import ScannedFolder, beside, cached_scan, lm_eval_tasks_folder, read_config, scan

DATA = Path(__file__).resolve().parent.parent / "data"
OWN_FOLDERS = (DATA / "tasks", DATA / "lm_eval_tasks")
SUITES = DATA / "suites"
GENERATIVE = DATA / "lm_eval_tasks" / "derived" / "_generative_yaml"
"""What every generative form of a multiple-choice task shares."""


@cache
def _derive_rules() -> tuple[dict[str, str], ...]:
    """What the templates of derived tasks declare under ``derive:``."""
    return tuple(
        read_config(path)["derive"] for folder in OWN_FOLDERS for path in sorted(folder.glob("derived/*.yml"))
    )


def known_items() -> dict[str, int]:
    """Published document counts by task name.

    They are facts kept in data/suites/items.json, so that a plan needs no data.
    """
    try:
        counts: dict[str, int] = json.loads((SUITES / "items.json").read_text(encoding="utf-8"))
    except OSError:
        return {}
    return counts


class _Shelf:
    """The names of one folder.

    A `CatalogueEntry` is made when it is needed: making all 14,700 takes longer than reading their
    names.
    """

    def __init__(
        self, scanned: ScannedFolder, root: Path, source: Literal["own", "harness", "lm-eval"]
    ) -> None:
        self._scanned, self._root, self._source = scanned, root, source

    def get(self, name: str) -> CatalogueEntry | None:
        """The task, group or tag of this name; a task goes before a group, both before a tag."""
        if name in self._scanned.tasks:
            return CatalogueEntry(name, "task", self._root / self._scanned.tasks[name], self._source)
        if name in self._scanned.groups:
            return CatalogueEntry(name, "group", self._root / self._scanned.groups[name], self._source)
        members = self._scanned.tags.get(name)
        return CatalogueEntry(name, "tag", None, self._source, tuple(sorted(members))) if members else None

    def names(self) -> dict[str, None]:
        return dict.fromkeys((*self._scanned.tags, *self._scanned.groups, *self._scanned.tasks))

    def __iter__(self) -> Iterator[CatalogueEntry]:
        return (entry for name in self.names() if (entry := self.get(name)))


class Catalogue:
    """Looks names up.

    ``folders`` (own YAML folders) come before the harness's, and those before lm-eval's.
    """

    def __init__(self, folders: tuple[Path, ...] = ()) -> None:
        self._folders = folders

    @cached_property
    def _own(self) -> dict[str, CatalogueEntry]:
        entries: dict[str, CatalogueEntry] = {}
        for folder in (*self._folders, *OWN_FOLDERS):
            if folder.is_dir():
                # A person's own folder is read without what lies below it.
                own = folder in self._folders
                for entry in _Shelf(
                    beside(folder) if own else scan(folder), folder, "own" if own else "harness"
                ):
                    entries.setdefault(entry.name, entry)
        return entries

    @cached_property
    def _library(self) -> _Shelf:
        root = lm_eval_tasks_folder()
        return _Shelf(cached_scan(root), root, "lm-eval")

    @cached_property
    def _derived(self) -> dict[str, CatalogueEntry]:
        """Subject tasks made from one template YAML and the subjects of a group.

        The template says so under ``derive:``.
        """
        entries: dict[str, CatalogueEntry] = {}
        for folder in OWN_FOLDERS:
            for path in sorted(folder.glob("derived/*.yml")):
                entries |= self._derive(path)
        return entries

    def _derive(self, path: Path) -> dict[str, CatalogueEntry]:
        rule = read_config(path)["derive"]
        stem, prefix, entries = rule["name"], rule["prefix"], {}

        for leaf in self.leaves(rule["group"]):
            name = f"{stem}_{leaf.removeprefix(prefix)}"
            entries[name] = CatalogueEntry(
                name, "task", path, "harness", config={"task": name, "derived_from": leaf}
            )

        # Their group scores as lm-eval's own does: the mean over subjects, weighted by their sizes.
        group = {
            "group": stem,
            "task": list(entries),
            "aggregate_metric_list": [{"metric": rule["metric"], "weight_by_size": True}],
        }
        return {stem: CatalogueEntry(stem, "group", path, "harness", config=group)} | entries

    def find(self, name: str) -> CatalogueEntry | None:
        """The entry of a name, or None."""
        entry = self._own.get(name) or self._library.get(name)
        if entry is None and twins.SUFFIX in name:
            entry = self._derived.get(name) or (self._lettered(name) if name.endswith(twins.SUFFIX) else None)
        return entry

    def twin(self, leaf: str) -> CatalogueEntry | None:
        """The generative form of a multiple-choice task by its name, None where it has none."""
        for rule in _derive_rules():
            if leaf.startswith(rule["prefix"]):
                derived = self._derived.get(f"{rule['name']}_{leaf.removeprefix(rule['prefix'])}")
                if derived is not None:
                    return derived
        return self.find(leaf + twins.SUFFIX)

    def _lettered(self, name: str) -> CatalogueEntry | None:
        """``TASK-gen`` of a task whose options are listed by letters.

        ``GROUP-gen`` only where that holds for every task of the group.
        """
        base = self._own.get(stem := name.removesuffix(twins.SUFFIX)) or self._library.get(stem)
        if base is None or base.kind == "tag":
            return None

        config = self.config(base)

        # A group has a generative form only where all its tasks have: else its score would be of
        # fewer tasks.
        if base.kind == "group":
            leaves = [f"{leaf}{twins.SUFFIX}" for leaf in self.leaves(stem)]
            if not leaves or any(self.find(leaf) is None for leaf in leaves):
                return None
            total = [{"metric": "exact_match", "weight_by_size": True}]
            return CatalogueEntry(
                name,
                "group",
                base.path,
                base.source,
                config={"group": name, "task": leaves, "aggregate_metric_list": total},
            )

        count = twins.lettered(config)
        if count is None:
            return None
        twin = twins.twin_config(config, name, base.language, read_config(GENERATIVE), 1 / count)
        return CatalogueEntry(name, "task", base.path, base.source, config=twin)

    def config(self, entry: CatalogueEntry) -> dict[str, Any]:
        """A group's or task's YAML, includes merged, functions unresolved.

        A derived entry's comes with what was derived.
        """
        if entry.kind == "group" and entry.config:
            return dict(entry.config)
        config = (read_config(entry.path) if entry.path else {}) | self.overrides(entry)
        config.pop("derive", None)
        return config

    def overrides(self, entry: CatalogueEntry) -> dict[str, Any]:
        """The lm-eval keys that a derived task adds to its template.

        They are its name, and the dataset's config of the task it derives from.
        """
        extra = dict(entry.config)
        leaf = extra.pop("derived_from", None)
        original = self.find(leaf) if leaf else None
        if original and original.path:
            extra["dataset_name"] = read_config(original.path).get("dataset_name")
        return extra

    def leaves(self, name: str) -> tuple[str, ...]:
        """Leaf task names of a task, tag or group, in the group's order, each once."""
        entry = self.find(name)
        if entry is None:
            return ()
        if entry.kind == "task":
            return (name,)
        members: list[Any] = (
            sorted(entry.members) if entry.kind == "tag" else list(_members(self.config(entry)))
        )

        names: dict[str, None] = {}
        for member in members:
            inner = member if isinstance(member, str) else member.get("group") or member.get("task")
            if isinstance(inner, str) and inner != name:
                # An inline member of a group need not be in the catalogue: its own name is the
                # leaf's then.
                names |= dict.fromkeys(
                    self.leaves(inner) or ((inner,) if not isinstance(member, str) else ())
                )
        return tuple(names)

    def match(self, pattern: str) -> list[str]:
        """Leaf tasks whose names a glob matches.

        Where there is none: the groups and tags that it matches.
        """
        matched = [
            entry for name in self._every_name() if fnmatchcase(name, pattern) and (entry := self.find(name))
        ]
        leaves = [entry for entry in matched if entry.kind == "task"]
        return sorted(entry.name for entry in leaves or matched)

    def nearest(self, name: str, count: int = 3) -> list[str]:
        """Names like this one, likeliest first."""
        return difflib.get_close_matches(name, self._every_name(), n=count, cutoff=0.6)

    def _every_name(self) -> dict[str, None]:
        return dict.fromkeys((*self._own, *self._derived, *self._library.names()))

    def names(self, language: Language | None = None) -> list[CatalogueEntry]:
        """Every entry, the harness's own first; with a language only those known to be in it."""
        rest = [entry for entry in self._library if entry.name not in self._own]
        everything = [*self._own.values(), *self._derived.values(), *rest]
        return [entry for entry in everything if language is None or entry.language == language]


def _members(config: dict[str, Any]) -> list[Any]:
    members = config.get("task") or []
    return [members] if isinstance(members, str) else list(members)

"""Names of tasks, groups and tags, and the YAML files behind them: the harness's own first, then
lm-eval's.

Nothing heavy is imported: the names come from `harness.tasks.scan`, and a YAML is parsed only when
its task is asked for.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from harness.errors import ConfigError
from harness.tasks import twins
from harness.tasks.scan import ScannedFolder, beside, cached_scan, lm_eval_tasks_folder, read_config, scan

DATA = Path(__file__).resolve().parent.parent / "data"
OWN_FOLDERS = (DATA / "tasks", DATA / "lm_eval_tasks")
SUITES = DATA / "suites"
GENERATIVE = DATA / "lm_eval_tasks" / "derived" / "_generative_yaml"
"""What every generative form of a multiple-choice task shares."""

Language = Literal["zh", "en"]
_ZH = re.compile(
    r"(^|[_\-./])(zh|zho|cmn|cn|chinese|han[st])([_\-./]|$)|^ceval|^cmmlu|^aclue|^tmmlu|^tmlu|^zhoblimp"
    r"|^agieval_(cn|gaokao|jec)|^(c3|ocnli|cluewsc|cmrc|chid|afqmc)",
    re.IGNORECASE,
)
_EN_FAMILIES = (
    "mmlu|arc_easy|arc_challenge|ai2_arc|hellaswag|piqa|siqa|social_iqa|winogrande|openbookqa|boolq|copa|cb|rte|wic|multirc|record|wsc"
    "|gsm8k|gsm_plus|truthfulqa|gpqa|leaderboard|bbh|ifeval|minerva_math|minerva_math500|math500|hendrycks_math|hendrycks_ethics|aime|aime24|aime25|humaneval"
    "|mbpp|lambada_openai|lambada_standard|wikitext|pile|c4|drop|triviaqa|nq_open|race|sciq|squad|squadv2|squad_completion|commonsense_qa"
    "|logiqa|logiqa2|qasper|blimp|glue|super-glue|toxigen|anli|mathqa|asdiv|agieval_en|agieval_aqua|agieval_lsat|agieval_sat|webqs"
    "|babi|coqa|mutual|headqa_en|medqa|medmcqa|pubmedqa|bbq|crows_pairs_english|unscramble|winogender|score|metabench"
)
_EN = re.compile(rf"^({_EN_FAMILIES})(_|-|$)|(^|[_\-])(en|eng|english|eng_latn)(_|$)", re.IGNORECASE)
_OTHER = re.compile(
    r"spanish|arabic|turkish|few_shot_en|^(flores|ntrex|mafand|tatoeba|salt|translation|hrm8k)|^(mmlu_prox|mmlu-prox)_(?!en)"
    r"|_(am|ar|bn|cs|de|el|es|eu|fr|ha|he|hi|hy|id|ig|it|ja|ko|ms|nl|pl|pt|ro|ru|sr|sw|te|th|uk|vi|yo)$",
    re.IGNORECASE,
)
"""Tasks in other languages, and translation between two: the names of both hold what the rules for
English look for.
"""


@dataclass(frozen=True)
class CatalogueEntry:
    """One name.

    ``members`` are a tag's tasks; ``config`` are lm-eval keys that a derived task adds to its
    template YAML.
    """

    name: str
    kind: Literal["task", "group", "tag"]
    path: Path | None
    source: Literal["own", "harness", "lm-eval"]
    members: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def language(self) -> Language | None:
        """The language that the name tells; the YAML's own ``metadata: {language: …}`` where it is
        the harness's.
        """
        said = _said_language(self.path) if self.source != "lm-eval" and self.path else None
        return said or guess_language(self.name)

    @property
    def description(self) -> str:
        """One line: the YAML's ``metadata: {description: …}``, or the heading of the README next to
        it.
        """
        if self.kind == "tag":
            return f"tag of {len(self.members)} tasks"
        if self.path is None:
            return ""
        if self.source != "lm-eval":
            text = (_metadata(self.path) or {}).get("description")
            return str(text) if text else ""
        return _heading(self.path.parent)


def guess_language(name: str) -> Language | None:
    """zh or en by the rules that task names follow, else None."""
    if _ZH.search(name):
        return "zh"
    return "en" if _EN.search(name) and not _OTHER.search(name) else None


@lru_cache(maxsize=512)
def _metadata(path: Path) -> dict[str, Any] | None:
    try:
        found = read_config(path).get("metadata")
    except ConfigError:
        return None
    return found if isinstance(found, dict) else None


def _said_language(path: Path) -> Language | None:
    said = (_metadata(path) or {}).get("language")
    return said if said in ("zh", "en") else None


@cache
def _heading(folder: Path) -> str:
    """First heading of the README in this folder or the nearest one above it, up to lm-eval's tasks
    folder.
    """
    for place in (folder, *folder.parents):
        if place.name == "tasks":
            break
        try:
            lines = (place / "README.md").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        return next((line.lstrip("# ").strip() for line in lines if line.startswith("#")), place.name)
    return folder.name


@cache
def _derive_rules() -> tuple[dict[str, str], ...]:
    """What the templates of derived tasks say of themselves."""
    return tuple(
        read_config(path)["derive"] for folder in OWN_FOLDERS for path in sorted(folder.glob("derived/*.yml"))
    )


def known_items() -> dict[str, int]:
    """Published document counts, by task name: facts kept in data/suites/items.json so that a plan
    needs no data.
    """
    try:
        counts: dict[str, int] = json.loads((SUITES / "items.json").read_text(encoding="utf-8"))
    except OSError:
        return {}
    return counts


class _Shelf:
    """The names of one folder; an `CatalogueEntry` is made when it is asked for (making 14,700
    takes longer than reading their names).
    """

    def __init__(
        self, found: ScannedFolder, root: Path, source: Literal["own", "harness", "lm-eval"]
    ) -> None:
        self._found, self._root, self._source = found, root, source

    def get(self, name: str) -> CatalogueEntry | None:
        """The task, group or tag of this name: a task comes before a group, and both before a
        tag.
        """
        if name in self._found.tasks:
            return CatalogueEntry(name, "task", self._root / self._found.tasks[name], self._source)
        if name in self._found.groups:
            return CatalogueEntry(name, "group", self._root / self._found.groups[name], self._source)
        members = self._found.tags.get(name)
        return CatalogueEntry(name, "tag", None, self._source, tuple(sorted(members))) if members else None

    def names(self) -> dict[str, None]:
        return dict.fromkeys((*self._found.tags, *self._found.groups, *self._found.tasks))

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
        """Subject tasks made from one template YAML and the subjects of a group (``derive:`` in the
        template).
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
                found = self._derived.get(f"{rule['name']}_{leaf.removeprefix(rule['prefix'])}")
                if found is not None:
                    return found
        return self.find(leaf + twins.SUFFIX)

    def _lettered(self, name: str) -> CatalogueEntry | None:
        """``TASK-gen`` of a task whose options are listed by letters; ``GROUP-gen`` of a group of
        such tasks only.
        """
        base = self._own.get(stem := name.removesuffix(twins.SUFFIX)) or self._library.get(stem)
        if base is None or base.kind == "tag":
            return None
        config = self.config(base)
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
        made = twins.twin_config(config, name, base.language, read_config(GENERATIVE), 1 / count)
        return CatalogueEntry(name, "task", base.path, base.source, config=made)

    def config(self, entry: CatalogueEntry) -> dict[str, Any]:
        """A group's or task's YAML, includes merged, functions unresolved; a derived entry's with
        what was derived.
        """
        if entry.kind == "group" and entry.config:
            return dict(entry.config)
        config = (read_config(entry.path) if entry.path else {}) | self.overrides(entry)
        config.pop("derive", None)
        return config

    def overrides(self, entry: CatalogueEntry) -> dict[str, Any]:
        """The lm-eval keys that a derived task adds to its template: its name, and the dataset's
        config of the task it derives from.
        """
        extra = dict(entry.config)
        leaf = extra.pop("derived_from", None)
        found = self.find(leaf) if leaf else None
        if found and found.path:
            extra["dataset_name"] = read_config(found.path).get("dataset_name")
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
        found: dict[str, None] = {}
        for member in members:
            inner = member if isinstance(member, str) else member.get("group") or member.get("task")
            if isinstance(inner, str) and inner != name:
                found |= dict.fromkeys(
                    self.leaves(inner) or ((inner,) if not isinstance(member, str) else ())
                )
        return tuple(found)

    def match(self, pattern: str) -> list[str]:
        """Leaf tasks whose names a glob matches; where none does, the groups and tags that it
        matches.
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

"""The rows of ``harness tasks``: 14,000 names made readable by family."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigError

if TYPE_CHECKING:
    from harness.config.schema import TaskEntry
    from harness.tasks import CatalogueEntry

NAMED = 2
"""Names shown of a family."""


def matching(entries: Sequence[CatalogueEntry], pattern: str | None) -> list[CatalogueEntry]:
    """Entries whose name a glob matches or holds the text; groups and tags first."""
    if pattern is None:
        chosen = list(entries)
    elif set(pattern) & set("*?["):
        chosen = [entry for entry in entries if fnmatchcase(entry.name, pattern)]
    else:
        chosen = [entry for entry in entries if pattern.lower() in entry.name.lower()]
    return sorted(chosen, key=lambda entry: (entry.kind == "task", entry.name))


def suite_rows() -> list[list[str]]:
    """The packaged suites."""
    from harness.tasks import suites

    return [[suite.name, str(len(suite.entries)), suite.description] for suite in suites().values()]


def own_rows(entries: Sequence[CatalogueEntry]) -> list[list[str]]:
    """The harness's own tasks; of a group only the group."""
    own = [entry for entry in entries if entry.source != "lm-eval"]
    groups = tuple(f"{entry.name}_" for entry in own if entry.kind == "group")
    return [
        [entry.name, entry.language or "", entry.description]
        for entry in own
        if not (groups and entry.name.startswith(groups))
    ]


def families(entries: Sequence[CatalogueEntry], *, both: bool) -> list[list[str]]:
    """lm-eval's tasks by folder.

    With ``both`` only families that are known to hold Chinese or English tasks.
    """
    from harness.tasks.scan import lm_eval_tasks_folder

    root = lm_eval_tasks_folder()
    found: dict[str, list[CatalogueEntry]] = {}
    for entry in entries:
        if entry.source == "lm-eval" and entry.path is not None:
            found.setdefault(entry.path.relative_to(root).parts[0], []).append(entry)
    rows = []
    for family, members in sorted(found.items()):
        tasks = [entry for entry in members if entry.kind == "task"]
        languages = sorted({entry.language for entry in members if entry.language}, reverse=True)
        if not tasks or (both and not languages):
            continue
        names = [
            entry.name
            for entry in sorted(
                members, key=lambda entry: (entry.kind == "task", entry.language is None, len(entry.name))
            )
        ]
        more = ", …" if len(names) > NAMED else ""
        rows.append(
            [
                family.removesuffix(".yaml"),
                str(len(tasks)),
                " ".join(languages),
                ", ".join(names[:NAMED]) + more,
                members[0].description,
            ]
        )
    return rows


def task_entry(entry: dict[str, Any], overrides: Sequence[str]) -> TaskEntry:
    """A task entry with ``key=value`` settings, as they stand below ``tasks:`` in a config.

    Raises ConfigError, a line a mistake.
    """
    import yaml
    from pydantic import ValidationError

    from harness.config.schema import TaskEntry

    data = dict(entry)
    for assignment in overrides:
        path, equals, text = assignment.partition("=")
        if not equals:
            raise ConfigError(f"--set {assignment}: expected key=value, e.g. generation.max_tokens=64")
        *above, last = path.split(".")
        place = data
        for step in above:
            place = place.setdefault(step, {})
        try:
            place[last] = yaml.safe_load(text)
        except (yaml.YAMLError, TypeError) as error:
            raise ConfigError(f"--set {assignment}: {' '.join(str(error).split())}") from error
    try:
        return TaskEntry.model_validate(data)
    except ValidationError as error:
        problems = (
            f"--set {'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors(include_url=False)
        )
        raise ConfigError("\n".join(problems)) from error

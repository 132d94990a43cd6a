"""The lists of ``harness tasks``: 14,000 names made readable by family."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigError
from harness.reporting.document import Document, Table, TableCell, keys, numbers, texts
from harness.reporting.texts import Message, Phrase

if TYPE_CHECKING:
    from harness.config.schema import TaskEntry
    from harness.tasks import CatalogueEntry

NAMED = 2
"""Names shown of a family."""
DESCRIBED = 200
"""Of more names the descriptions are left out."""


def matching(entries: Sequence[CatalogueEntry], pattern: str | None) -> list[CatalogueEntry]:
    """Entries whose name a glob matches or holds the text; groups and tags first."""
    if pattern is None:
        chosen = list(entries)
    elif set(pattern) & set("*?["):
        chosen = [entry for entry in entries if fnmatchcase(entry.name, pattern)]
    else:
        chosen = [entry for entry in entries if pattern.lower() in entry.name.lower()]
    return sorted(chosen, key=lambda entry: (entry.kind == "task", entry.name))


def names_document(entries: Sequence[CatalogueEntry], most: int | None) -> Document:
    """Every entry by its name; of more than ``most`` the first ones and a count."""
    shown = list(entries)[:most]
    rows = [
        [
            entry.name,
            Message(entry.kind),
            entry.language or "",
            Message(entry.description if len(shown) <= DESCRIBED else ""),
        ]
        for entry in shown
    ]
    table = Table.of("", [*keys("name"), *texts("kind", "lang", "what")], rows)
    left = len(entries) - len(shown)
    return Document("", (table,), (Phrase("and {n} more: --all lists them", n=left),) if left else ())


def families_document(entries: Sequence[CatalogueEntry], *, both: bool) -> Document:
    """Suites, the harness's own tasks, and lm-eval's by folder.

    With ``both`` only families that are known to hold Chinese or English tasks.
    """
    columns = [*keys("family"), *numbers("tasks"), *texts("lang", "names to ask for", "what")]
    return Document(
        "",
        (
            _suites(),
            _own(entries),
            Table.of(Phrase("lm-eval's, by family"), columns, _families(entries, both=both)),
        ),
        (
            Phrase(
                "harness tasks PATTERN lists names; harness tasks show NAME shows one prompt; "
                "--all lists every name."
            ),
        ),
    )


def _suites() -> Table:
    """The packaged suites."""
    from harness.tasks import suites

    rows = [
        [
            TableCell(suite.name),
            TableCell(str(len(suite.entries)), len(suite.entries)),
            TableCell(Message(suite.description)),
        ]
        for suite in suites().values()
    ]
    columns = [*keys("suite"), *numbers("tasks"), *texts("what")]
    return Table.of(Phrase("Suites (suite: NAME)"), columns, rows)


def _own(entries: Sequence[CatalogueEntry]) -> Table:
    """The harness's own tasks; of a group only the group."""
    own = [entry for entry in entries if entry.source != "lm-eval"]
    groups = tuple(f"{entry.name}_" for entry in own if entry.kind == "group")
    rows = [
        [entry.name, entry.language or "", Message(entry.description)]
        for entry in own
        if not (groups and entry.name.startswith(groups))
    ]
    return Table.of(Phrase("The harness's own (task: NAME)"), [*keys("task"), *texts("lang", "what")], rows)


def _families(entries: Sequence[CatalogueEntry], *, both: bool) -> list[list[TableCell]]:
    from harness.tasks.scan import lm_eval_tasks_folder

    root = lm_eval_tasks_folder()
    families: dict[str, list[CatalogueEntry]] = {}
    for entry in entries:
        if entry.source == "lm-eval" and entry.path is not None:
            families.setdefault(entry.path.relative_to(root).parts[0], []).append(entry)

    rows = []
    for family, members in sorted(families.items()):
        tasks = [entry for entry in members if entry.kind == "task"]
        languages = sorted({entry.language for entry in members if entry.language}, reverse=True)
        if not tasks or (both and not languages):
            continue

        # Groups come first, and short names: they are what a config asks for.
        ranked = sorted(
            members, key=lambda entry: (entry.kind == "task", entry.language is None, len(entry.name))
        )
        named = ", ".join(entry.name for entry in ranked[:NAMED]) + (", …" if len(ranked) > NAMED else "")
        cells = [TableCell(family.removesuffix(".yaml")), TableCell(str(len(tasks)), len(tasks))]
        rows.append(
            [
                *cells,
                TableCell(" ".join(languages)),
                TableCell(named),
                TableCell(Message(members[0].description)),
            ]
        )
    return rows


def task_entry(entry: dict[str, Any], overrides: Sequence[str]) -> TaskEntry:
    """A task entry with ``key=value`` settings, as they stand below ``tasks:`` in a config.

    Raises ConfigError, one line per mistake.
    """
    import yaml
    from pydantic import ValidationError

    from harness.config.schema import TaskEntry

    data = dict(entry)
    for assignment in overrides:
        path, equals, text = assignment.partition("=")
        if not equals:
            raise ConfigError(f"--set {assignment}: expected key=value, e.g. generation.max_tokens=64")
        # The settings are those of one entry below `tasks:`, so paths begin there.
        *above, last = path.split(".")
        inner = data
        for step in above:
            inner = inner.setdefault(step, {})
        try:
            inner[last] = yaml.safe_load(text)
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

"""The sanity section: what was looked at in a run, what was found, and whether it is clean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.results.schema import SanityRow
from harness.sanity import Finding, checks, kinds


def sanity_row(model: str, task: str | None, finding: Finding) -> SanityRow:
    """A finding about a model or one of its cells as a row of ``results.json``."""
    kind = kinds()[finding.kind]
    return SanityRow(
        check=kind.check,
        kind=finding.kind,
        level=kind.level,
        model=model,
        task=task,
        count=finding.count,
        of=finding.of,
        values=dict(finding.values),
        text=kind.text("en", finding.blanks()),
    )


def is_clean(rows: Iterable[SanityRow]) -> bool:
    """Whether nothing was found that may make a number wrong; notes do not count."""
    return not any(row.level == "warning" for row in rows)


def sanity_section(rows: Sequence[SanityRow]) -> dict[str, Any]:
    """The manifest's section: every check with its state (ok, info, note or warning) and findings."""
    section: dict[str, Any] = {"clean": is_clean(rows), "checks": {}}
    for name, words in checks().items():
        mine = [row for row in rows if row.check == name]
        state = next(
            (level for level in ("warning", "note", "info") if any(row.level == level for row in mine)), "ok"
        )

        findings = [row.model_dump(mode="json", exclude={"check"}, exclude_none=True) for row in mine]
        section["checks"][name] = {"asks": words["en"], "state": state, "found": findings}
    return section


@dataclass(frozen=True)
class SanityLine:
    """What was found of one kind, over the models and tasks that it concerns."""

    kind: str
    level: str
    models: tuple[str, ...]
    tasks: tuple[str, ...]
    count: int | None
    of: int | None
    values: Mapping[str, str | int | float | None]

    def text(self, language: str = "en") -> str:
        """Its sentence.

        A result of another version may hold a kind that this one does not know: then its name.
        """
        kind = kinds().get(self.kind)
        if kind is None:
            return self.kind
        return kind.text(language, {"count": self.count, "of": self.of, **self.values})


def sanity_lines(rows: Iterable[SanityRow]) -> tuple[SanityLine, ...]:
    """Warnings, then notes, one line per (model, kind); models with equal lines share one.

    Tasks are named together and their counts summed.
    """
    merged: dict[tuple[Any, ...], list[str]] = {}
    for (model, kind, *_), mine in _by_model_and_kind(rows).items():
        first = mine[0]
        tasks = tuple(dict.fromkeys(row.task for row in mine if row.task))
        count = None if first.count is None else sum(row.count or 0 for row in mine)
        total = None if first.of is None else sum(row.of or 0 for row in mine)
        values = tuple(sorted((first.values | _sums(kind, mine)).items()))
        merged.setdefault((kind, first.level, tasks, count, total, values), []).append(model)

    lines = [
        SanityLine(kind, level, tuple(models), tasks, count, of, dict(values))
        for (kind, level, tasks, count, of, values), models in merged.items()
    ]
    return tuple(sorted(lines, key=lambda line: line.level != "warning"))


def _sums(kind: str, rows: Sequence[SanityRow]) -> dict[str, str | int | float | None]:
    """The values of a kind that are added up over its rows."""
    names = kinds()[kind].sums if kind in kinds() else ()
    return {
        name: sum(value for row in rows if isinstance(value := row.values.get(name), (int, float)))
        for name in names
    }


def _by_model_and_kind(rows: Iterable[SanityRow]) -> dict[tuple[str, ...], list[SanityRow]]:
    groups: dict[tuple[str, ...], list[SanityRow]] = {}
    for row in rows:
        if row.level != "info":
            # What a sentence names (an answer) must hold for all tasks that it is said of.
            names = kinds()[row.kind].apart if row.kind in kinds() else ()
            apart = (str(row.values.get(name)) for name in names)
            groups.setdefault((row.model, row.kind, *apart), []).append(row)
    return groups

"""Packaged suites: named lists of tasks with settings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from harness.config.schema import GenerationSettings, TaskEntry
from harness.errors import ConfigError
from harness.tasks.catalogue import SUITES


@dataclass(frozen=True)
class Suite:
    """A named list of tasks with settings."""

    name: str
    description: str
    entries: tuple[TaskEntry, ...]


@cache
def suites() -> dict[str, Suite]:
    """Every packaged suite by name."""
    by_name = {}
    for path in sorted(SUITES.glob("*.yaml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))

        tasks = tuple(
            TaskEntry(task=item) if isinstance(item, str) else TaskEntry(**item) for item in data["tasks"]
        )
        by_name[data["name"]] = Suite(data["name"], data["description"], tasks)
    return by_name


def suite_entries(entry: TaskEntry) -> list[TaskEntry]:
    """A suite's entries; what the config's entry says itself comes before what the suite says."""
    suite = suites().get(entry.suite or "")
    if suite is None:
        raise ConfigError(f"unknown suite {entry.suite!r}; the suites are: {', '.join(suites())}")

    own: dict[str, Any] = {
        key: value for key in ("fewshot", "limit", "repeats") if (value := getattr(entry, key)) is not None
    }
    generation = entry.generation.model_dump(exclude_none=True)
    return [
        inner.model_copy(
            update=own
            | {
                "generation": GenerationSettings(
                    **(inner.generation.model_dump(exclude_none=True) | generation)
                )
            }
        )
        for inner in suite.entries
    ]

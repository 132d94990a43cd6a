"""Which marking rules a person changes: ``--changes FILE``, read, checked and put into a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigError
from harness.wording import reason_of

if TYPE_CHECKING:
    from harness.tasks import TaskSpec

MARKS_ONLY = ("filter_list", "metric_list")
"""Task settings that decide the marks and not the prompts."""


def read_changes(path: Path) -> dict[str, dict[str, Any]]:
    """Task name or glob to lm-eval settings that decide marks: ``{gsm8k: {filter_list: […]}}``.

    Raises ConfigError.
    """
    import yaml

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read: {reason_of(error)}") from error
    if not isinstance(data, dict) or not all(isinstance(settings, dict) for settings in data.values()):
        raise ConfigError(
            f"{path}: expected task names with settings below them, e.g. gsm8k: {{filter_list: [...]}}"
        )

    # Any other setting changes the prompt, and the kept answers were given to the old one.
    for task, settings in data.items():
        wrong = sorted(set(settings) - set(MARKS_ONLY))
        if wrong:
            raise ConfigError(
                f"{path}: {task}: {wrong[0]}: only {' and '.join(MARKS_ONLY)} can change without "
                "asking the model again"
            )
    return data


def changed_task(spec: TaskSpec, changes: Mapping[str, Mapping[str, Any]]) -> TaskSpec:
    """The task with the settings of every pattern that fits its name, later ones on top."""
    for pattern, settings in changes.items():
        if fnmatchcase(spec.name, pattern):
            spec = replace(spec, config={**spec.config, **settings})
    return spec

"""The names in a config that files and catalogues decide, checked together before anything runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config.problems import suggest
from harness.config.source import Mistakes
from harness.errors import ConfigError
from harness.evaluation.expectation_names import check_expectations

if TYPE_CHECKING:
    from harness.config import LoadedConfig
    from harness.tasks.api import Expansion


def check_names(loaded: LoadedConfig) -> Expansion:
    """The config's tasks, once every name is right: tasks, model folders, expectations, few-shot.

    Raises ConfigError with one line per mistake, each with file:line:column.
    """
    from harness.tasks import expand

    mistakes = Mistakes()
    expansion: Expansion | None = None
    try:
        expansion = expand(loaded.config.tasks, limit=loaded.config.limit, base_dir=loaded.base_dir)
    except ConfigError as error:
        _place_tasks(loaded, str(error).splitlines(), mistakes)
    _check_models(loaded, mistakes)
    check_expectations(loaded, expansion, mistakes)
    mistakes.raise_if_any()
    assert expansion is not None, "tasks without an expansion are mistakes"
    return expansion


def _place_tasks(loaded: LoadedConfig, lines: list[str], mistakes: Mistakes) -> None:
    """Adds each mistake at the entry that it is of, else at ``tasks`` itself."""
    from harness.tasks import expand

    # Which entry is wrong shows when each is expanded alone; that costs only where one is.
    placed: set[str] = set()
    for position, entry in enumerate(loaded.config.tasks):
        try:
            expand([entry], limit=loaded.config.limit, base_dir=loaded.base_dir)
        except ConfigError as error:
            for line in str(error).splitlines():
                mistakes.add(loaded.place("tasks", position), line)
                placed.add(line)
    for line in lines:
        if line not in placed:
            mistakes.add(loaded.place("tasks"), line)


def _check_models(loaded: LoadedConfig, mistakes: Mistakes) -> None:
    """Adds a mistake for each folder of a model or tokenizer that is not there."""
    from harness.engines import backend_of

    for position, model in enumerate(loaded.config.models):
        if not backend_of(model).loads_files:
            continue
        for key, name in (("id", model.id), ("tokenizer", model.tokenizer)):
            # Only what is written as a path is one: a hub's name is looked for by the run.
            if name is None or not os.path.isabs(name) or os.path.isdir(name):  # noqa: PTH112, PTH117
                continue
            path = Path(name)
            siblings = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
            kind = "a file, not a folder" if path.is_file() else "no such folder"
            text = f"models[{position}].{key}: {name}: {kind}{suggest(path.name, siblings)}"
            mistakes.add(loaded.place("models", position, key), text)

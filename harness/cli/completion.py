"""What the shell offers for a word that is begun: names of presets, tasks, packed configs and runs.

Each function gets the beginning and gives the whole words. It never fails: an error would end up
in the middle of somebody's command line.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path

Completer = Callable[[str], list[str]]
MOST = 200
"""More names than a screen holds help nobody, and shells take long to show them."""


def _safe(names: Callable[[str], Iterable[str]]) -> Completer:
    @wraps(names)
    def complete(incomplete: str) -> list[str]:
        words: list[str] = []
        with contextlib.suppress(Exception):
            words = sorted({name for name in names(incomplete) if name.startswith(incomplete)})
        return words[:MOST]

    return complete


def _listed(names: Completer) -> Completer:
    """For options that take several names with commas: the last one is completed."""

    @wraps(names)
    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        return [f"{before}{comma}{name}" for name in names(last)]

    return complete


def _files(incomplete: str, suffixes: Iterable[str]) -> list[str]:
    """Files with these endings and folders, as far as the path is typed."""
    folder = Path(incomplete.rpartition("/")[0] or ("/" if incomplete.startswith("/") else "."))
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    chosen = [entry for entry in entries if entry.is_dir() or entry.suffix in tuple(suffixes)]
    return [f"{entry.as_posix()}/" if entry.is_dir() else entry.as_posix() for entry in chosen]


@_safe
def configs(incomplete: str) -> list[str]:
    """Packed configs, and YAML files of the folder."""
    from harness.config.packed import packed

    return [*packed(), *_files(incomplete, (".yaml", ".yml"))]


@_safe
def runs(incomplete: str) -> list[str]:
    """Runs in ``results`` by name, and folders."""
    return [
        *(folder.parent.name for folder in Path("results").glob("*/config.yaml")),
        *_files(incomplete, ()),
    ]


@_listed
@_safe
def models(incomplete: str) -> list[str]:
    """Presets, and folders."""
    from harness.config.presets import presets

    return [*presets(), *_files(incomplete, ())]


@_listed
@_safe
def tasks(incomplete: str) -> list[str]:
    """Suites, tasks and groups, and files of questions."""
    from harness.tasks import Catalogue, suites

    names = (entry.name for entry in Catalogue().names())
    return [*suites(), *names, *_files(incomplete, (".csv", ".jsonl", ".json", ".tsv", ".xlsx"))]

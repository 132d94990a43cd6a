"""The configs that come with the package, by name: ``smoke`` for ``configs/smoke.yaml``.

A checkout has them in ``configs``, a wheel in ``harness/data/configs``: the build copies them, so
that there is one source.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.config.problems import suggest

SUFFIXES = (".yaml", ".yml")
PREFIX = "packed:"
"""How places in a packed config begin, so that nobody looks for the file in the own folder."""
KEPT = "config.yaml"
"""A run folder's own config."""


@dataclass(frozen=True)
class ConfigSource:
    """The file that a name on the command line means."""

    path: Path
    shown: str
    """As places in it are shown."""
    note: str | None = None
    """Which file was chosen, where a reader could think of another one."""


def folder() -> Path:
    """Where the packed configs are: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "data" / "configs"
    return installed if installed.is_dir() else package.parent / "configs"


@cache
def packed() -> dict[str, Path]:
    """Name to file, by name. What others only extend (``base/``) is left out."""
    top = folder()
    files = [*sorted(top.glob("*.yaml")), *sorted(top.glob("studies/*.yaml"))]
    return {file.stem: file for file in files}


def packed_file(relative: str | Path) -> Path | None:
    """A file of the packed configs by its path below their folder, with or without ``.yaml``."""
    top = folder()
    for name in (str(relative), f"{relative}.yaml"):
        file = Path(os.path.normpath(top / name))
        if file.is_relative_to(top) and os.path.isfile(file):  # noqa: PTH113
            return file
    return packed().get(str(relative))


def summary(path: Path) -> str:
    """The first sentence of the comment that a config begins with."""
    words: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.removeprefix("#").strip()
        if not line.startswith("#") or not text:
            break
        words += text.split()

    return " ".join(words).partition(". ")[0].rstrip(".:")


def find_config(named: str | Path) -> ConfigSource:
    """The file that is meant: a path, a name without its suffix, a run's folder, a packed config.

    A file of the own folder wins over a packed one. What nothing answers to comes back as it is,
    for whoever reads it to say why it cannot be read.
    """
    text = str(named)
    path = Path(os.path.expanduser(text))  # noqa: PTH111 - pathlib's raises where a user is unknown
    # os.path and not pathlib, which raises for names that no disk can have.
    if os.path.isfile(path):  # noqa: PTH113
        return ConfigSource(path, text)

    own = _suffixed(path) or (path / KEPT if os.path.isfile(path / KEPT) else None)  # noqa: PTH113
    if own is not None:
        note = f"{text}: {own} in this folder, not the packed config of that name"
        return ConfigSource(own, str(own), note if text in packed() else None)
    if (file := _named(text)) is not None:
        name = file.stem
        note = f"{name}: the packed config (a {name}.yaml in this folder would be taken instead)"
        return ConfigSource(file, f"{PREFIX}{file.relative_to(folder()).as_posix()}", note)
    return ConfigSource(path, text)


def _named(text: str) -> Path | None:
    """The packed config of a name, or of the path that it has in a checkout."""
    if (file := packed().get(text)) is not None:
        return file
    top, slash, below = text.partition("/")
    return packed_file(below) if top == "configs" and slash else None


def _suffixed(path: Path) -> Path | None:
    files = (path.with_name(path.name + suffix) for suffix in SUFFIXES if path.name)
    return next((file for file in files if os.path.isfile(file)), None)  # noqa: PTH113


def hint(named: str | Path) -> str:
    """What may have been meant by a name that no file has: a neighbour, a packed config."""
    path = Path(os.path.expanduser(named))  # noqa: PTH111
    if os.path.exists(path) or not os.path.isdir(path.parent):  # noqa: PTH110, PTH112
        return f"; {path.stem!r} is a packed config" if path.stem in packed() else ""

    files = [entry.name for entry in path.parent.iterdir() if entry.suffix in SUFFIXES]
    if near := suggest(path.name, files):
        return near
    if path.stem in packed():
        return f"; {path.stem!r} without .yaml is a packed config"
    listed = "; `harness configs` lists the packed ones, `harness init` writes one of your own"
    return suggest(path.name, packed()) or ("" if path.suffix or path.parent.name else listed)

"""How documents are written down: one module per form in this folder, found by its name, and more
from other packages by entry points of the group `harness.formats`.

A writer is a module (or any object) with ``SUFFIXES``, the file endings that mean it, and
``write(document, screen)``, which returns the whole text. docs/extending.md has the recipe.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from harness.errors import ConfigError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from harness.reporting.document import Document, Screen

GROUP = "harness.formats"
FIRST = "terminal"
"""The form where none is named."""
PICTURES = ("png", "svg")
"""What people ask for who mean a drawing."""
OLD_NAMES = {"rich": "terminal"}


class FormatWriter(Protocol):
    """One form of output."""

    @property
    def SUFFIXES(self) -> tuple[str, ...]:
        """File endings with their dot that mean this form."""

    def write(self, document: Document, screen: Screen) -> str:
        """The document as text, with the line end of its last line."""


def built_in() -> list[str]:
    """Names of the forms in this folder."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def installed() -> dict[str, tuple[EntryPoint, ...]]:
    """Forms that other packages bring, by name; none of them replaces one of ours."""
    from importlib.metadata import entry_points

    points: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=GROUP):
        if point.name not in built_in():
            points[point.name] = (*points.get(point.name, ()), point)
    return points


def names() -> list[str]:
    """All names that `find_writer` takes, ours first."""
    return [*built_in(), *sorted(installed())]


def find_writer(name: str) -> FormatWriter:
    """The writer of a name. Raises ConfigError for a name that nobody has, or a broken package."""
    name = OLD_NAMES.get(name, name)
    if name in built_in():
        return cast(FormatWriter, importlib.import_module(f"{__name__}.{name}"))

    points = installed().get(name, ())
    if not points:
        hint = "; pictures need --plots FOLDER (report, adoption report)" if name in PICTURES else ""
        raise ConfigError(f"--format {name}: a table is written as {', '.join(names())}{hint}")
    if len(points) > 1:
        offers = " and ".join(sorted(point.dist.name if point.dist else point.value for point in points))
        raise ConfigError(f"--format {name} is offered by {offers}; uninstall one of them")

    point = points[0]
    try:
        writer = point.load()
    except (Exception, SystemExit) as error:  # whatever a foreign package does when it is imported
        first = (str(error).splitlines() or [""])[0]
        raise ConfigError(
            f"--format {name}: {point.value} cannot be loaded: {type(error).__name__}: {first}"
        ) from error
    if not callable(getattr(writer, "write", None)):
        raise ConfigError(f"--format {name}: {point.value} has no write(document, screen)")
    return cast(FormatWriter, writer)


def form_of(file: Path) -> str:
    """The form that a file's ending means; that of the terminal where it means none.

    A package that cannot be used has no endings: `harness doctor` names it.
    """
    ending = file.suffix.lower()
    for name in names() if ending else ():
        try:
            endings = getattr(find_writer(name), "SUFFIXES", ())
        except ConfigError:
            continue
        if ending in endings:
            return name
    return FIRST

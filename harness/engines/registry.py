"""Every engine that a config may name: those of the harness, and those of installed packages.

A package adds an engine by an entry point of the group ``harness.engines`` whose name is the
engine's and whose object is a `Backend` (docs/extending.md). The built-in engines come first: a
package cannot replace one of them, so that a result's ``engine`` always means the same code.

Nothing of a package is imported before a config names its engine or all engines are listed, and
what fails then is one line that names the package.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Iterator
from functools import cache

from harness.config.problems import suggest
from harness.config.schema import ModelSpec
from harness.engines.backend import Backend
from harness.engines.options import EngineOptions
from harness.errors import ModelError

GROUP = "harness.engines"
AUTO = "auto"
BUILT_IN = {
    "transformers": "harness.engines.transformers.backend:TransformersBackend",
    "vllm": "harness.engines.vllm.backend:VllmBackend",
    "openai": "harness.engines.openai.backend:OpenAIBackend",
    "mock": "harness.engines.mock.backend:MockBackend",
}
AUTOMATIC = ("vllm", "transformers")
"""What ``engine: auto`` chooses from, the best first; the last one takes every model."""


class EngineError(ModelError):
    """An engine that is unknown, or whose package cannot be used."""


def names() -> list[str]:
    """What ``engine:`` may say besides ``auto``; broken packages included, nothing is imported."""
    return [*BUILT_IN, *sorted(_outside())]


@cache
def backend(name: str) -> Backend:
    """The backend of an engine's name.

    Raises EngineError, one line: an unknown name with the nearest, or what is wrong with its
    package.
    """
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        kind: type[Backend] = getattr(importlib.import_module(module), attribute)
        return kind()

    # Another package is imported only here, when a config names its engine.
    points = _outside().get(name, ())
    if not points:
        choices = [AUTO, *names()]
        raise EngineError(
            f"no engine is called {name!r}{suggest(name, choices)} (there are {', '.join(choices)})"
        )
    if len(points) > 1:
        offers = " and ".join(sorted(_package(point) for point in points))
        raise EngineError(f"engine {name!r} is offered by {offers}; uninstall one of them")
    return _load(points[0])


def candidates(spec: ModelSpec) -> list[Backend]:
    """The backends that may answer for a spec: the one it names, or all that ``auto`` chooses from.

    Raises EngineError.
    """
    chosen = AUTOMATIC if spec.engine == AUTO else (spec.engine,)
    try:
        return [backend(name) for name in chosen]
    except EngineError as error:
        raise EngineError(f"{spec.label}: {error}") from None


def backend_of(spec: ModelSpec) -> Backend:
    """The backend that a spec names; for ``auto``, the one that takes every model.

    Raises EngineError.
    """
    return candidates(spec)[-1]


def is_endpoint(name: str) -> bool:
    """Whether the engine of a name that stands in results asks an endpoint.

    False where its package is gone since.
    """
    try:
        return backend(name).asks_endpoint
    except EngineError:
        return False


def built_in() -> list[Backend]:
    """The harness's own backends."""
    return [backend(name) for name in BUILT_IN]


def working() -> Iterator[Backend]:
    """Every backend that can be used; `broken` has the others."""
    for name in names():
        try:
            yield backend(name)
        except EngineError:
            continue


def broken() -> list[str]:
    """One line for each installed package whose engine cannot be used."""
    lines = []
    for name in _outside():
        try:
            backend(name)
        except EngineError as error:
            lines.append(str(error))
    return lines


@cache
def _outside() -> dict[str, tuple[importlib.metadata.EntryPoint, ...]]:
    """Entry points by name, those that a built-in engine's name hides left out."""
    points: dict[str, tuple[importlib.metadata.EntryPoint, ...]] = {}
    for point in importlib.metadata.entry_points(group=GROUP):
        if point.name not in BUILT_IN and point.name != AUTO:
            points[point.name] = (*points.get(point.name, ()), point)
    return points


def _load(point: importlib.metadata.EntryPoint) -> Backend:
    """Imports a package's backend.

    Raises EngineError for whatever goes wrong: a package of somebody else's may raise anything.
    """
    where = f"engine {point.name!r} of {_package(point)} cannot be used"
    try:
        loaded = point.load()
        instance = loaded() if isinstance(loaded, type) else loaded
    except (Exception, SystemExit) as error:
        first = (str(error).splitlines() or [""])[0]
        raise EngineError(f"{where}: {type(error).__name__}: {first}") from error

    # An entry point may name anything; what is no backend would fail far from here.
    if not isinstance(instance, Backend):
        raise EngineError(f"{where}: {point.value} is no harness.engines.backend.Backend")
    if getattr(instance, "name", None) != point.name:
        raise EngineError(f"{where}: its backend calls itself {getattr(instance, 'name', None)!r}")
    if not (isinstance(instance.options, type) and issubclass(instance.options, EngineOptions)):
        raise EngineError(f"{where}: its options are no class of harness.engines.EngineOptions")
    return instance


def _package(point: importlib.metadata.EntryPoint) -> str:
    distribution = point.dist
    return f"{distribution.name} {distribution.version}" if distribution else point.value

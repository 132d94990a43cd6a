"""What a config says of engines: their names and the options under ``engine_args``.

Names and options live with the engines (`harness.engines.registry`), above this room. This module
is the one place where a config looks up there, and it does so only when a file is read: a config
that names no engine of a package imports none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import ValidationError

from harness.config.problems import explain, suggest
from harness.config.source import Mistakes, YamlNode, describe

if TYPE_CHECKING:
    from harness.engines.backend import Backend


def asks_endpoint(entry: YamlNode) -> bool:
    """Whether a model of the config is asked behind an endpoint."""
    return any(backend.asks_endpoint for backend in _backends(entry))


def loads_files(entry: YamlNode) -> bool:
    """Whether a model of the config is loaded from files; so is one whose engine is not known."""
    backends = _backends(entry)
    return not backends or any(backend.loads_files for backend in backends)


def check_engines(root: YamlNode, mistakes: Mistakes) -> None:
    """Adds the mistakes in what the models say of engines.

    An engine that is not there, a wrong option of an engine, a device that it does not run on, an
    address without an engine that asks one.
    """
    for index, entry in _models(root):
        if (engine := entry.child("engine")) is not None and not isinstance(engine.value, str):
            continue  # the schema says so

        # Options can be held only against an engine that is there.
        if _check_name(index, entry, mistakes):
            backends = _backends(entry)
            _check_address(index, entry, backends, mistakes)
            _check_device(index, entry, root, backends, mistakes)
            _check_options(index, entry, root, backends, mistakes)


def _check_device(
    index: int, entry: YamlNode, root: YamlNode, backends: list[Backend], mistakes: Mistakes
) -> None:
    """``device: auto`` gives an engine without a GPU the CPU; to ask for CUDA in words is a mistake."""
    device, engine = root.child("device"), entry.child("engine")
    if device is None or engine is None or not isinstance(device.value, str) or device.value == "auto":
        return
    if not any(device.value in backend.devices for backend in backends):
        text = f"{engine.value} runs on {' and '.join(backends[0].devices)}, not on device: {device.value}"
        mistakes.add(engine.place, f"models[{index}].engine: {text}")


def _check_name(index: int, entry: YamlNode, mistakes: Mistakes) -> bool:
    """Whether the engine of a model can be used."""
    from harness.engines import registry

    node = entry.child("engine")
    if node is None or node.value == registry.AUTO or node.value in registry.BUILT_IN:
        return True

    # Only now are the installed packages asked, which takes longer than reading the config.
    choices = [registry.AUTO, *registry.names()]
    if node.value not in choices:
        listed = f"{', '.join(choices[:-1])} or {choices[-1]}"
        text = f"expected {listed}, got {describe(node.value)}{suggest(node.value, choices)}"
        mistakes.add(node.place, f"models[{index}].engine: {text}")
        return False
    try:
        registry.backend(node.value)
    except registry.EngineError as error:
        mistakes.add(node.place, f"models[{index}].engine: {error}")
        return False
    return True


def _check_address(index: int, entry: YamlNode, backends: list[Backend], mistakes: Mistakes) -> None:
    """Messages never show an address: it may hold a key."""
    node, asks = entry.child("base_url"), any(backend.asks_endpoint for backend in backends)
    if asks == (node is not None):
        return

    engine = entry.child("engine")
    if node is None and engine is not None:
        text = f"engine: {engine.value} asks an endpoint; say its base_url, e.g. http://localhost:8000/v1"
        mistakes.add(engine.place, f"models[{index}]: {text}")
    elif node is not None:
        text = "base_url belongs to an engine that asks an endpoint; say engine: openai, or take it out"
        mistakes.add(node.key or node.place, f"models[{index}]: {text}")


def _check_options(
    index: int, entry: YamlNode, root: YamlNode, backends: list[Backend], mistakes: Mistakes
) -> None:
    """Adds the mistakes in a model's ``engine_args``.

    With ``engine: auto`` any of the engines that it chooses from may understand them; where none
    does, the one that finds least wrong was probably meant.
    """
    node = entry.child("engine_args")
    if node is None or not isinstance(node.value, dict):
        return

    errors: list[tuple[ValidationError, Backend]] = []
    for backend in backends:
        try:
            backend.options.model_validate(node.plain())
        except ValidationError as error:
            errors.append((error, backend))
        else:
            return
    if errors:
        # The last of the candidates takes every model, so it speaks where several are as right.
        least, likely = min(reversed(errors), key=lambda one: one[0].error_count())
        explain(least, root, likely.options, mistakes, ("models", index, "engine_args"))


def _models(root: YamlNode) -> Iterator[tuple[int, YamlNode]]:
    node = root.child("models")
    if node is not None and isinstance(node.value, list):
        yield from ((index, entry) for index, entry in enumerate(node.value) if isinstance(entry.value, dict))


def _backends(entry: YamlNode) -> list[Backend]:
    """The backends that may answer for a model of the config.

    None where its engine is not known.
    """
    from harness.engines import registry

    node = entry.child("engine")
    name = registry.AUTO if node is None else node.value
    chosen = registry.AUTOMATIC if name == registry.AUTO else (name,)
    try:
        return [registry.backend(one) for one in chosen if isinstance(one, str)]
    except registry.EngineError:
        return []

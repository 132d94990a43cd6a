"""What keeps a model from answering here, as far as it shows without loading anything.

A run finds the same when the model's turn comes; a plan and a parity comparison say it before any
work is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config.roles import MODEL
from harness.config.schema import ModelSpec
from harness.errors import ConfigError, HarnessError
from harness.hub import presence
from harness.hub.caches import cached_file
from harness.hub.local import local_folder

if TYPE_CHECKING:
    from harness.config import LoadedConfig
    from harness.engines.backend import Backend

NO_WEIGHTS = "no weights"


def refuse_prompts(changes: list[str]) -> None:
    """Raises ConfigError for a model's setting that changes the prompts: answers to other prompts say
    nothing about the engine.
    """
    for change in changes:
        key = change.partition("=")[0].strip().partition(".")[0]
        if key in MODEL and MODEL[key].part == "prompt":
            raise ConfigError(
                f"--against {change}: {key} changes what is asked, and parity compares answers to the same "
                "prompts; use two models in one config, and harness run"
            )


def require_sides(sides: dict[str, LoadedConfig]) -> None:
    """Raises ConfigError, one line per reason, where a side of a comparison could not answer.

    Asks the hub and the endpoints, each once.
    """
    from harness.evaluation.names import check_names

    lines: dict[str, None] = {}
    for name, loaded in sides.items():
        try:
            check_names(loaded)
            device = _device(loaded)
        except ConfigError as error:
            lines |= dict.fromkeys(str(error).splitlines())
            continue
        lines |= dict.fromkeys(
            f"{loaded.where('models', index)}: {name}: {line}"
            for index, model in enumerate(loaded.config.models)
            for line in obstacles(model, device, _mirror(loaded), network=True)
        )
    if lines:
        raise ConfigError("\n".join(lines))


def _device(loaded: LoadedConfig) -> str:
    from harness.workers.devices import find_machine

    return find_machine(loaded.config.device).device


def _mirror(loaded: LoadedConfig) -> Path | None:
    return Path(loaded.config.mirror) if loaded.config.mirror else None


def obstacles(model: ModelSpec, device: str, mirror: Path | None, *, network: bool) -> Iterator[str]:
    """Why a model cannot answer on ``device``, one line each; nothing where all looks well.

    Without ``network`` nobody is asked, and what is not on this machine is taken to be somewhere.
    """
    from harness.engines import backend_of

    backend = backend_of(model)
    local = local_folder(model.id, mirror) if backend.loads_files else None
    folder = local[0] if local is not None else None
    # The model's files do not matter to an engine that is not there.
    if (reason := backend.obstacle(model, backend.device(device), folder)) is not None:
        yield reason
        return

    if backend.asks_endpoint and network and model.base_url:
        silence = presence.silence_of(model.base_url)
        if silence is not None:
            yield f"{model.label}: {model.base_url} does not answer: {silence}"
    if backend.loads_files:
        yield from _files(model, backend, folder, mirror, network=network)


def _files(
    model: ModelSpec, backend: Backend, folder: Path | None, mirror: Path | None, *, network: bool
) -> Iterator[str]:
    """What is wrong with the files, or with where they would come from."""
    if folder is not None:
        try:
            check_folder(model, folder)
        except HarnessError as error:
            yield str(error)
    elif network and cached_file(model.id, "config.json", model.revision) is None:
        absence = None if presence.modelscope_chosen() else presence.hub_absence()
        if absence is not None:
            where = f"not in the mirror {mirror}, " if mirror else ""
            gone = f"{model.id} is {where}not in the hub's cache, and {absence}"
            yield f"{model.label}: {gone}; {presence.REMEDY}"

    from harness.evaluation.plan_forms import plan_thinking

    refusal = plan_thinking(model, mirror).refusal
    if refusal is not None:
        yield f"{model.label}: {refusal}"


def check_folder(model: ModelSpec, folder: Path) -> None:
    """Raises ModelError for a folder without configuration or, where they are needed, weights."""
    from harness.engines.files import find_weights
    from harness.errors import ModelError

    if not (folder / "config.json").is_file():
        raise ModelError(f"{model.id}: {folder} has no config.json; name the folder that holds the model")
    if model.weights == "pretrained":
        find_weights(folder, model.id)


def lacks_weights(model: ModelSpec, folder: Path) -> bool:
    """Whether weights are needed and none that could be read are in a model's folder."""
    return model.weights == "pretrained" and not any(folder.glob("*.safetensors"))


def hindrances(models: Sequence[ModelSpec], device: str, mirror: Path | None) -> list[str]:
    """What will keep models from answering, as far as it shows without a network."""
    return [
        f"will fail: {line}" for model in models for line in obstacles(model, device, mirror, network=False)
    ]

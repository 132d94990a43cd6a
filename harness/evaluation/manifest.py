"""The manifest: what is needed to do the run again, and on what it was done."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from typing import TYPE_CHECKING, Any

from harness.results.journal import Journal
from harness.results.sanity import sanity_section
from harness.results.schema import Results
from harness.version import __version__
from harness.workers.devices import Machine

if TYPE_CHECKING:
    from harness.config import LoadedConfig

PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "accelerate",
    "datasets",
    "lm-eval",
    "safetensors",
    "numpy",
)
ENVIRONMENT = ("HF_ENDPOINT", "HF_HUB_OFFLINE", "HARNESS_HUB", "OMP_NUM_THREADS", "LANG", "LC_ALL", "TZ")


def make_manifest(
    journal: Journal, loaded: LoadedConfig, machine: Machine, results: Results
) -> dict[str, Any]:
    """What is needed to do a run again, as plain data.

    Resolved config, versions, hardware, and for each model and task what its identity is made of
    (hashes, fingerprints, seeds).

    ``asked`` holds a hash of every prompt of a cell as it was asked; ``pinned`` what would else
    vary with the clock or the process.
    """
    cells = journal.cells()
    tasks: dict[str, Any] = {}
    models: dict[str, Any] = {}
    digests: dict[str, dict[str, str | None]] = {}

    for cell in cells.values():
        # A cell that never began has no identity: nothing was asked.
        if "prompt" not in cell.identity:
            continue
        digests.setdefault(cell.model, {})[cell.task] = cell.identity.get("asked")
        prompt = {
            "prompt_id": cell.identity["prompt_id"],
            **cell.identity["prompt"],
            "data": cell.identity.get("data"),
        }
        tasks.setdefault(cell.task, {})[cell.identity["prompt_id"]] = prompt
        models.setdefault(cell.model, {**cell.identity["model"], "engine": cell.identity["engine"]})

    for label, model in models.items():
        model["engine_info"] = journal.meta(f"engine:{label}")
    return {
        **describe_session(loaded, machine),
        "sessions": journal.meta("sessions"),
        "models": models,
        "tasks": {name: list(prompts.values()) for name, prompts in sorted(tasks.items())},
        "asked": digests,
        "pinned": {"date": loaded.config.date.isoformat(), "PYTHONHASHSEED": "0", "seed": loaded.config.seed},
        "sanity": sanity_section(results.sanity),
    }


def describe_session(loaded: LoadedConfig, machine: Machine) -> dict[str, Any]:
    """What every manifest begins with: versions, the resolved config, the machine, the command."""
    return {
        "harness_version": __version__,
        "config": loaded.config.model_dump(mode="json"),
        "config_hash": loaded.hash,
        "config_files": [path.name for path in loaded.sources],
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": package_versions(loaded),
        "hardware": describe_hardware(machine),
        "environment": {name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
        "command": ["harness", *sys.argv[1:]],
    }


def describe_hardware(machine: Machine) -> dict[str, Any]:
    """The machine as plain data; memory in bytes."""
    gpus = [{"name": gpu.name, "memory": gpu.memory} for gpu in machine.gpus]
    return {
        "device": machine.device,
        "cpu": machine.cpu,
        "cores": machine.cores,
        "memory": machine.memory,
        "gpus": gpus,
    }


def package_versions(loaded: LoadedConfig | None = None) -> dict[str, str]:
    """Versions of the packages that decide the numbers, where installed.

    Those are our own, the built-in engines', and those of the engines that a config names.
    """
    from harness.engines.registry import built_in, candidates

    models = loaded.config.models if loaded is not None else []
    backends = [*built_in(), *(one for model in models for one in candidates(model))]
    versions = {}
    for name in dict.fromkeys((*PACKAGES, *(name for backend in backends for name in backend.packages))):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions

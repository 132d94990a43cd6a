"""How fast models were on this machine: what finished runs leave for `harness plan`.

One small JSON file per machine in the cache folder. It may be lost or thrown away at any time: then
a plan estimates from the model's size.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.evaluation.identity import digest
from harness.hub.caches import own_cache
from harness.results.schema import Results

if TYPE_CHECKING:
    from harness.config import LoadedConfig
    from harness.config.schema import Config, ModelSpec
    from harness.workers.devices import Machine

KEPT_MODELS = 200
"""Models of a machine's file; the ones that ran longest ago go first."""


@dataclass(frozen=True)
class TaskSpeed:
    """What the items of one task took: seconds of the engine, tokens as one-by-one work counts them."""

    items: int
    seconds: float
    prompt_tokens: int
    output_tokens: int
    generated: bool


@dataclass(frozen=True)
class ModelSpeed:
    """One model on one machine.

    ``other_seconds`` are those of its last whole run that were not spent answering (start, data,
    load, marks), over ``cells`` cells; ``body`` the weights that each token passes through.
    """

    engine: str
    tasks: dict[str, TaskSpeed] = field(default_factory=dict)
    body: int | None = None
    other_seconds: float | None = None
    cells: int = 0


def model_key(spec: ModelSpec, machine: Machine) -> str:
    """What makes a model as fast as it was: its name, number format, engine and server."""
    return digest([spec.id, spec.engine, spec.dtype, spec.engine_args, spec.base_url, machine.device])


def read_speeds(machine: Machine) -> dict[str, ModelSpeed]:
    """What is recorded of this machine, by `model_key`; empty where there is nothing to be read."""
    try:
        data = json.loads(_file(machine).read_text(encoding="utf-8"))
        speeds = {}
        for key, row in data.items():
            tasks = {name: TaskSpeed(**one) for name, one in row.pop("tasks").items()}
            speeds[key] = ModelSpeed(tasks=tasks, **row)
        return speeds
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def keep_speeds(
    config: Config, machine: Machine, results: Results, others: Mapping[str, tuple[float, int]]
) -> None:
    """Records what a run's models took; a folder that cannot be written costs the estimate alone.

    ``others``: by label, seconds besides answering and cells of a model that ran whole just now.
    """
    speeds = read_speeds(machine)
    for spec in config.models:
        tasks = dict(_task_speeds(results, spec.label))
        if not tasks:
            continue

        key = model_key(spec, machine)
        old = speeds.pop(key, None)
        other = others.get(spec.label) or ((old.other_seconds, old.cells) if old else (None, 0))
        engine = next((row.engine for row in results.models if row.model == spec.label), None)
        body = old.body if old else _body(spec, config.mirror)
        speeds[key] = ModelSpeed(
            engine or spec.engine, (old.tasks if old else {}) | tasks, body, other[0], other[1]
        )

    # Written aside and renamed, so that two runs at once never leave half a file.
    rows = {key: asdict(speed) for key, speed in list(speeds.items())[-KEPT_MODELS:]}
    path = _file(machine)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        part.write_text(json.dumps(rows), encoding="utf-8")
        part.replace(path)


def _task_speeds(results: Results, model: str) -> Iterable[tuple[str, TaskSpeed]]:
    for row in results.costs:
        if row.model == model and row.task is not None and row.seconds and row.items:
            tokens = row.tokens
            generated = row.answer_tokens is not None
            yield (
                row.task,
                TaskSpeed(row.items, row.seconds, tokens.prompt, tokens.output, generated),
            )


def _body(spec: ModelSpec, mirror: str | None) -> int | None:
    from harness.config.memory import known_architecture
    from harness.errors import HarnessError

    try:
        arch = known_architecture(spec, mirror)
    except HarnessError:
        return None
    return arch.layer_matrices if arch is not None else None


def keep_estimate(loaded: LoadedConfig, machine: Machine, seconds: tuple[float, float] | None) -> None:
    """Remembers what a plan said of a config, so that its run can say how wrong that was."""
    path = _estimate(loaded, machine)
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
        if seconds is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(seconds), encoding="utf-8")


def read_estimate(loaded: LoadedConfig, machine: Machine) -> tuple[float, float] | None:
    """The seconds (low, high) that a plan of this config said on this machine, if there was one."""
    try:
        low, high = json.loads(_estimate(loaded, machine).read_text(encoding="utf-8"))
        return float(low), float(high)
    except (OSError, ValueError, TypeError):
        return None


def _estimate(loaded: LoadedConfig, machine: Machine) -> Path:
    return own_cache() / "plans" / f"{digest([loaded.hash, machine.describe, machine.device])}.json"


def _file(machine: Machine) -> Path:
    return own_cache() / "speeds" / f"{digest([machine.describe, machine.device])}.json"

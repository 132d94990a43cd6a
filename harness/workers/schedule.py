"""Which worker runs where: one worker per model, with as many GPUs as its weights need.

Spare GPUs split a model's tasks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.config.schema import ModelSpec
from harness.workers.devices import Machine

HEADROOM = 1.25
"""A GPU must hold the weights and a quarter more, for the KV cache and activations."""


@dataclass(frozen=True)
class WorkerJob:
    """One worker process: a model, how many GPUs it takes at once, and its part of the tasks.

    The ``shard``-th of ``shards`` workers of a model takes every ``shards``-th task.
    """

    model: str
    gpus: int
    shard: int = 0
    shards: int = 1


def make_jobs(
    models: Sequence[ModelSpec], weight_bytes: Mapping[str, int], machine: Machine, tasks: int
) -> list[WorkerJob]:
    """Jobs in order. ``weight_bytes`` by model label, where known; an unknown size counts as one
    GPU's worth.

    On the CPU models run one after another. A model that needs more GPUs than there are gets them
    all (accelerate then offloads).
    """
    if machine.device == "cpu":
        return [WorkerJob(model.label, 0) for model in models]

    # Only what is left after every model has its own is worth splitting a model's tasks for.
    needs = {model.label: _gpus_needed(model, weight_bytes.get(model.label), machine) for model in models}
    spare = len(machine.gpus) // max(1, sum(needs.values()))
    jobs = []
    for model in models:
        shards = (
            max(1, min(spare, tasks)) if needs[model.label] else 1
        )  # an endpoint's rate limits hold for one worker
        jobs += [WorkerJob(model.label, needs[model.label], shard, shards) for shard in range(shards)]
    return sorted(jobs, key=lambda job: -job.gpus)


def _gpus_needed(model: ModelSpec, weights: int | None, machine: Machine) -> int:
    from harness.engines.registry import candidates

    wanted = [count for backend in candidates(model) if (count := backend.gpus(model)) is not None]
    if 0 in wanted:
        return 0
    asked = model.gpus or max(wanted, default=0)
    if asked:
        return min(asked, len(machine.gpus))
    if not weights:
        return 1
    smallest = min(gpu.memory for gpu in machine.gpus)
    return min(len(machine.gpus), max(1, math.ceil(weights * HEADROOM / smallest)))

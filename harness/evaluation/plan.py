"""`harness plan`: what a config will cost, before paying.

No weights are read, and no network is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config.architecture import Architecture
from harness.config.memory import dtype_bytes, known_architecture, memory_fit
from harness.config.presets import preset_or_none
from harness.config.schema import Config, ModelSpec
from harness.errors import HarnessError
from harness.evaluation.plan_forms import (
    FormPlan,
    ThinkingPlan,
    budget_warnings,
    form_warnings,
    plan_forms,
    plan_thinking,
    template_warnings,
)
from harness.evaluation.plan_keys import key_warnings
from harness.evaluation.plan_tasks import TOO_FEW, TaskPlan, plan_task, with_lines
from harness.evaluation.plan_time import ModelTime, asked_tasks, plan_time, price_warnings, total_time
from harness.evaluation.preconditions import NO_WEIGHTS, hindrances, lacks_weights
from harness.evaluation.speeds import keep_estimate, read_speeds
from harness.hub.caches import cached_file
from harness.hub.local import local_folder
from harness.meter.fit import ChipFit, Need, Room, on_catalogue
from harness.notebook import NotebookTables
from harness.wording import list_first, plural
from harness.workers.devices import Machine, find_machine

if TYPE_CHECKING:
    from harness.config import LoadedConfig
    from harness.config.schema import Config
    from harness.tasks.api import Expansion

CONTEXT = 4096
"""Tokens of the one sequence that a model must at least have room for, where its window is
longer.
"""


@dataclass(frozen=True)
class ModelPlan:
    """One model: sizes in bytes; ``fits`` None where the architecture is not known."""

    label: str
    id: str
    parameters: int | None
    dtype: str
    weights_bytes: int | None
    kv_bytes_per_token: int | None
    need_bytes: int | None
    device_bytes: int
    fits: bool | None
    download_bytes: int | None
    origin: str | None
    note: str = ""
    rooms: tuple[Room, ...] = ()
    """The largest batch on this device by length."""
    chips: tuple[ChipFit, ...] = ()
    """The same on every chip of the hardware catalogue, 16-bit where the dtype is left open."""
    thinking: ThinkingPlan = field(default_factory=ThinkingPlan)
    """What it does before it answers, as far as is known here."""


@dataclass(frozen=True)
class Plan(NotebookTables):
    """What a run would do."""

    name: str
    models: list[ModelPlan]
    tasks: list[TaskPlan]
    cells: int
    items: int
    device: str
    warnings: list[str] = field(default_factory=list)
    forms: list[FormPlan] = field(default_factory=list)
    times: list[ModelTime] = field(default_factory=list)
    """Per model, how long it may take and what it may cost."""
    total: ModelTime | None = None
    """The same of all models one after another."""

    def __repr__(self) -> str:
        """Its size, models and tasks, and how many warnings there are."""
        sizes = f"{plural(self.cells, 'cell')}, {plural(self.items, 'item')}"
        sizes += f", {plural(len(self.warnings), 'warning')}" if self.warnings else ""
        models = list_first((model.label for model in self.models), 4)
        tasks = list_first((task.name for task in self.tasks), 4)
        return f"Plan of {self.name}: {sizes}\n  models: {models}\n  tasks: {tasks}"


def make_plan(loaded: LoadedConfig, say: Callable[[str], None] | None = None) -> Plan:
    """Plans a config; ``say`` hears how far it is where reading the data takes long.

    Raises ConfigError for wrong tasks or devices; data that is not on this machine leaves its
    figures null.
    """
    from harness.evaluation.names import check_names
    from harness.hub.presence import local_only
    from harness.tasks import DataSources

    config = loaded.config
    expansion = check_names(loaded)
    machine = find_machine(config.device)
    mirror = Path(config.mirror) if config.mirror else None
    models = [plan_model(model, machine, mirror) for model in config.models]
    sources = DataSources(mirror=mirror)
    with local_only():
        specs = with_lines(expansion.tasks, say) if say else expansion.tasks
        tasks = [plan_task(spec, sources, config.seed) for spec in specs]

    # How a task is asked depends on the model: what is refused is neither a cell nor an item.
    kinds = {task.name: task.kind for task in tasks}
    forms = [
        form for model in models for form in plan_forms(model.label, model.thinking, expansion.tasks, kinds)
    ]
    refused = {(form.model, form.task) for form in forms if form.form == "refused"}
    items = sum(
        task.items or 0 for task in tasks for model in models if (model.label, task.name) not in refused
    )

    times = _times(config, machine, tasks, forms)
    total = total_time(times)
    keep_estimate(loaded, machine, total.seconds if total else None)
    warnings = [
        *hindrances(config.models, machine.device, mirror),
        *_asking_warnings(config.models, models, forms, kinds),
        *template_warnings(
            {model.label: model.chat_template for model in config.models if model.weights != "random"}
        ),
        *key_warnings(tasks),
        *_warnings(models, tasks, expansion),
    ]
    return Plan(
        config.name,
        models,
        tasks,
        len(models) * len(tasks) - len(refused),
        items,
        machine.describe,
        warnings,
        forms,
        times,
        total,
    )


def _asking_warnings(
    specs: Sequence[ModelSpec],
    models: Sequence[ModelPlan],
    forms: Sequence[FormPlan],
    kinds: Mapping[str, str | None],
) -> list[str]:
    """What is wrong with how the models will be asked: refused, cut short, impossible, unpriced."""
    from harness.engines import backend_of

    short = [
        spec.label
        for spec, plan in zip(specs, models, strict=True)
        if plan.thinking.kind == "thinks" and not spec.max_new_tokens
    ]
    unable = [line for spec in specs if (line := backend_of(spec).cannot_ask(spec, kinds))]
    return [*form_warnings(forms), *budget_warnings(short, forms), *unable, *price_warnings(specs)]


def _times(config: Config, machine: Machine, tasks: list[TaskPlan], forms: list[FormPlan]) -> list[ModelTime]:
    speeds = read_speeds(machine)
    mirror = Path(config.mirror) if config.mirror else None
    times = []
    for spec in config.models:
        arch = _architecture(spec, mirror)
        body = arch.layer_matrices if arch is not None else None
        size = body, weight_bytes(spec, machine.device, mirror)
        plans = asked_tasks(spec, tasks, forms)
        times.append(plan_time(spec, machine, plans, speeds, size, config.usd_per_hour))
    return times


def plan_model(model: ModelSpec, machine: Machine, mirror: Path | None) -> ModelPlan:
    """One model against this machine's memory, and what its files tell of its thoughts."""
    return replace(_sized(model, machine, mirror), thinking=plan_thinking(model, mirror))


def _sized(model: ModelSpec, machine: Machine, mirror: Path | None) -> ModelPlan:
    from harness.engines import backend_of

    backend = backend_of(model)
    note = backend.plan_note(model)
    if note is not None:
        dtype = "as served" if backend.asks_endpoint else model.dtype
        return ModelPlan(model.label, model.id, None, dtype, None, None, None, 0, None, None, None, note)

    arch = _architecture(model, mirror)
    preset = preset_or_none(model.preset or model.id)
    available = sum(gpu.memory for gpu in machine.gpus) if machine.device == "cuda" else machine.memory
    origin = _local_origin(model, mirror)
    note = (
        "gated: accept its licence on the hub and set HF_TOKEN"
        if preset is not None and preset.gated and origin is None
        else ""
    )
    local = local_folder(model.id, mirror)
    if local is not None and lacks_weights(model, local[0]):
        note = NO_WEIGHTS
    if arch is None:
        reason = note or "architecture not known here: sizes after the download"
        return ModelPlan(
            model.label, model.id, None, model.dtype, None, None, None, available, None, None, origin, reason
        )

    # On a GPU the checkpoint's own (perhaps quantised) weights are loaded as they are stored.
    size = dtype_bytes(model.dtype, arch, machine.device)
    as_stored = machine.device == "cuda" and model.dtype == "auto"
    need = memory_fit(
        arch, size, min(model.max_length or CONTEXT, arch.max_position_embeddings or CONTEXT), 1, as_stored
    ).total
    download = None if origin else download_bytes(model, mirror)
    return ModelPlan(
        label=model.label,
        id=model.id,
        parameters=arch.parameters,
        dtype=model.dtype if model.dtype != "auto" else ("float32" if size == 4 else arch.torch_dtype),
        weights_bytes=arch.weight_bytes(size, as_stored),
        kv_bytes_per_token=arch.kv_bytes_per_token(size),
        need_bytes=need,
        device_bytes=available,
        fits=need < 0.95 * available,
        download_bytes=download,
        origin=origin,
        note=note,
        rooms=Need(arch, size, as_stored).rooms(available),
        chips=on_catalogue(Need(arch, dtype_bytes(model.dtype, arch, "cuda"), model.dtype == "auto")),
    )


def _architecture(model: ModelSpec, mirror: Path | None) -> Architecture | None:
    from harness.engines import backend_of

    if backend_of(model).plan_note(model) is not None:
        return None  # whatever its name is, nothing of it is loaded here
    try:
        return known_architecture(model, str(mirror) if mirror else None)
    except HarnessError:
        # a broken config.json is the run's to tell; a plan says that the size is not known
        return None


def weight_bytes(model: ModelSpec, device: str, mirror: Path | None) -> int | None:
    """Bytes of a model's loaded weights on ``device``, where its architecture is known."""
    arch = _architecture(model, mirror)
    if arch is None:
        return None
    return arch.weight_bytes(
        dtype_bytes(model.dtype, arch, device), device == "cuda" and model.dtype == "auto"
    )


def download_bytes(model: ModelSpec, mirror: Path | None) -> int | None:
    """Bytes of the checkpoint as the hub stores it; None where that is not known.

    Random weights need none.
    """
    arch = _architecture(model, mirror)
    return None if arch is None or model.weights == "random" else arch.weight_bytes(2, checkpoint=True)


def _local_origin(model: ModelSpec, mirror: Path | None) -> str | None:
    """Where the files lie already, without asking a network."""
    if (local := local_folder(model.id, mirror)) is not None:
        return local[1]
    return "cache" if cached_file(model.id, "config.json", model.revision) else None


def _warnings(models: list[ModelPlan], tasks: list[TaskPlan], expansion: Expansion) -> list[str]:
    warnings = [
        f"{model.label} needs {model.need_bytes / 2**30:.1f} GiB, this device has "
        f"{model.device_bytes / 2**30:.1f} GiB: "
        "take a smaller model or dtype, or more GPUs"
        for model in models
        if model.fits is False and model.need_bytes
    ]

    # Models more than ten points apart need no benchmark to be told apart.
    coarse = [task for task in tasks if task.smallest_gap and task.smallest_gap > 0.1]
    if coarse:
        worst = max(task.smallest_gap or 0 for task in coarse)
        warnings.append(
            f"{len(coarse)} of {len(tasks)} tasks have so few documents that alone they only "
            "detect gaps over 10 points "
            f"(the coarsest {100 * worst:.0f}): raise limit, or compare groups"
        )

    few = [task.note.partition(": ")[2] for task in tasks if task.note.startswith(TOO_FEW)]
    warnings += [f"will fail: {line}" for line in few]
    unknown = sum(task.items is None for task in tasks) - len(few)
    if unknown:
        warnings.append(
            f"{unknown} tasks' data is not on this machine and their size is not known; the "
            "totals leave them out"
        )
    return warnings + [note for spec in expansion.tasks for note in spec.notes]

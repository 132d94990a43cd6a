"""How long a run may take and what it may cost, each as a range with what it was estimated from.

The best basis that there is counts: the same model on the same tasks on this machine; the same
model on other tasks; other models here, by the weights that a token passes through; else the
device's peak. Each is less certain than the one before, and its range wider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from harness.errors import HarnessError
from harness.evaluation.speeds import ModelSpeed, TaskSpeed, model_key

if TYPE_CHECKING:
    from harness.config.schema import ModelSpec
    from harness.evaluation.plan_forms import FormPlan
    from harness.evaluation.plan_tasks import TaskPlan
    from harness.workers.devices import Machine

Basis = Literal["same_tasks", "same_model", "other_models", "peak", "unknown"]
SPREAD: dict[Basis, tuple[float, float]] = {
    "same_tasks": (0.75, 1.5),
    "same_model": (0.5, 2.0),
    "other_models": (0.25, 4.0),
    "peak": (0.3, 3.0),
    "unknown": (1.0, 1.0),
}
"""Factors of an estimate's ends; what each basis was worth is said after the run."""
START_SECONDS = 12.0
"""Seconds to start a worker, read the data and load a small model, where no run has shown them."""
CELL_SECONDS = 0.1
"""Seconds to read, render and mark one task of a few hundred documents."""
LOAD_BYTES = 1e9
"""Bytes of weights that a disk gives per second, where no run has shown it."""
CPU_CORE_FLOPS = 20e9
"""FLOP/s of one core in matrix products; no catalogue has CPUs, so this is a rough guess."""
GPU_EFFICIENCY = 0.2
"""Share of a datasheet's peak that an evaluation reaches, short prompts and small batches included."""
TWIN_BUDGET = 2048
"""Tokens of an answer in the generative form of a multiple-choice task."""
DEFAULT_OUTPUT = 0.3
"""Share of its budget that an answer takes, where no run has shown it."""


@dataclass(frozen=True)
class ModelTime:
    """A model's estimate; seconds and money are (low, high), None where nothing can be said."""

    model: str
    basis: Basis
    seconds: tuple[float, float] | None = None
    money: tuple[float, float] | None = None
    currency: str = "USD"
    price: str = ""
    """Where the price is from."""


def plan_time(
    spec: ModelSpec,
    machine: Machine,
    tasks: Sequence[TaskPlan],
    speeds: Mapping[str, ModelSpeed],
    size: tuple[int | None, int | None],
    own_price: float | None = None,
) -> ModelTime:
    """The estimate for one model on ``tasks``.

    ``size``: weights that a token passes through, bytes of all weights; ``own_price``: dollars per
    hour of one device where the config says them.
    """
    from harness.engines import backend_of

    endpoint = backend_of(spec).asks_endpoint
    own = speeds.get(model_key(spec, machine))
    others = [one for key, one in speeds.items() if key != model_key(spec, machine)]
    basis, answering = _answering(tasks, own, () if endpoint else others, size[0], machine, endpoint)

    seconds = None
    if answering is not None:
        low, high = SPREAD[basis]
        start = _start(own, len(tasks), size[1], endpoint)
        seconds = answering * low + start * 0.7, answering * high + start * 1.5
    money, currency, source = _money(spec, machine, tasks, own, seconds, own_price)
    return ModelTime(spec.label, basis, seconds, money, currency, source)


def _start(own: ModelSpeed | None, cells: int, weight_bytes: int | None, endpoint: bool) -> float:
    """Seconds besides answering: start, load, data and marks of every cell."""
    if own is not None and own.other_seconds is not None:
        return max(0.5 * own.other_seconds, own.other_seconds + CELL_SECONDS * (cells - own.cells))
    load = (weight_bytes or 0) / LOAD_BYTES
    return (START_SECONDS / 2 if endpoint else START_SECONDS + load) + CELL_SECONDS * cells


def _answering(
    tasks: Sequence[TaskPlan],
    own: ModelSpeed | None,
    others: Sequence[ModelSpeed],
    body: int | None,
    machine: Machine,
    endpoint: bool,
) -> tuple[Basis, float | None]:
    """The basis and the engine's seconds; the weakest basis of any task is that of all."""
    sized = [task for task in tasks if task.items]
    if own is not None and own.tasks:
        same = [own.tasks.get(task.name) for task in sized]
        if all(same):
            parts = [(task, one) for task, one in zip(sized, same, strict=True) if one]
            return "same_tasks", sum(one.seconds / one.items * (task.items or 0) for task, one in parts)
        rated = [_by_kind(own, task) for task in sized]
        if all(part is not None for part in rated):
            return "same_model", sum(part or 0.0 for part in rated)

    if endpoint or body is None or any(task.prompt_tokens is None for task in sized):
        return "unknown", None
    tokens = [(task.prompt_tokens or 0) + written_tokens(task, None) for task in sized]
    work = 2.0 * body * sum(tokens)
    reached = [flops for one in others if (flops := _reached(one))]
    if reached:
        return "other_models", work / sorted(reached)[len(reached) // 2]
    peak = _peak(machine)
    return ("peak", work / peak) if peak else ("unknown", None)


def _by_kind(own: ModelSpeed, task: TaskPlan) -> float | None:
    """Seconds of a task by the tokens of others of its kind, or None where none was asked."""
    alike = [one for one in own.tasks.values() if one.generated == (task.kind == "completion")]
    tokens = sum(one.prompt_tokens + one.output_tokens for one in alike)
    if not tokens or task.prompt_tokens is None:
        return None
    mine = task.prompt_tokens + written_tokens(task, alike)
    return sum(one.seconds for one in alike) / tokens * mine


def written_tokens(task: TaskPlan, alike: Sequence[TaskSpeed] | None) -> float:
    """Tokens that will be generated: as many per answer as others took, else a share of the budget."""
    if task.kind != "completion" or not task.items:
        return 0.0
    answers = sum(one.items for one in alike or () if one.generated)
    if answers:
        return task.items * sum(one.output_tokens for one in alike or ()) / answers
    return task.items * (task.budget or 256) * DEFAULT_OUTPUT


def _reached(one: ModelSpeed) -> float | None:
    """FLOP/s of a model in earlier runs, by logical tokens, as a plan counts them."""
    tokens = sum(task.prompt_tokens + task.output_tokens for task in one.tasks.values())
    seconds = sum(task.seconds for task in one.tasks.values())
    return 2.0 * one.body * tokens / seconds if one.body and seconds else None


def _peak(machine: Machine) -> float | None:
    """FLOP/s that this machine may reach, from the catalogue for GPUs."""
    if machine.device != "cuda":
        return machine.cores * CPU_CORE_FLOPS
    from harness.meter.hardware import find_chip

    try:
        return sum(find_chip(gpu.name).figure("bf16") for gpu in machine.gpus) * GPU_EFFICIENCY
    except HarnessError:
        return None


def _money(
    spec: ModelSpec,
    machine: Machine,
    tasks: Sequence[TaskPlan],
    own: ModelSpeed | None,
    seconds: tuple[float, float] | None,
    own_price: float | None,
) -> tuple[tuple[float, float] | None, str, str]:
    """(low and high, currency, source): by tokens where they have a price, else by the hour."""
    from harness.meter import prices
    from harness.meter.token_prices import token_rates

    rates = token_rates(spec)
    if rates is not None:
        if any(task.items and task.sent_tokens is None for task in tasks):
            return None, rates.currency, rates.source
        sent = sum(task.sent_tokens or 0 for task in tasks)
        alike = [*own.tasks.values()] if own else None
        written = sum(written_tokens(task, alike) for task in tasks)

        # Characters per token vary by a quarter; answers end anywhere below their budget.
        most = sum((task.items or 0) * (task.budget or 0) for task in tasks if task.kind == "completion")
        ends = rates.cost(0.75 * sent, 0.5 * written), rates.cost(1.3 * sent, max(1.3 * written, most))
        return ends, rates.currency, rates.source

    name = machine.gpus[0].name if machine.gpus else None
    price = prices.usd_per_hour(name, own_price)
    if price is None or seconds is None:
        return None, "USD", ""
    count = max(1, len(machine.gpus))
    low, high = (prices.usd(price, one, count) for one in seconds)
    return (low, high), "USD", price.source


def price_warnings(models: Sequence[ModelSpec]) -> list[str]:
    """A line for each model behind an endpoint whose tokens have no price."""
    from harness.engines import backend_of
    from harness.meter.token_prices import token_rates, why_no_rates

    endpoints = [spec for spec in models if backend_of(spec).asks_endpoint]
    return [f"{spec.label}: {why_no_rates(spec)}" for spec in endpoints if token_rates(spec) is None]


def total_time(times: Sequence[ModelTime]) -> ModelTime | None:
    """All models one after another; a sum that would lack a part is None."""
    if not times:
        return None
    currencies = {time.currency for time in times}
    money = _sum([time.money for time in times]) if len(currencies) == 1 else None
    return ModelTime("", "unknown", _sum([time.seconds for time in times]), money, times[0].currency)


def _sum(ranges: Sequence[tuple[float, float] | None]) -> tuple[float, float] | None:
    parts = [one for one in ranges if one is not None]
    if len(parts) < len(ranges):
        return None
    return sum(low for low, _ in parts), sum(high for _, high in parts)


def asked_tasks(spec: ModelSpec, tasks: Sequence[TaskPlan], forms: Sequence[FormPlan]) -> list[TaskPlan]:
    """The tasks as a model is asked them: the generative form in place of options, its own budget."""
    by_task = {form.task: form for form in forms if form.model == spec.label}
    plans = []
    for task in tasks:
        form = by_task.get(task.name)
        if form is None or form.form == "refused":
            continue
        twin = form.asked_as is not None
        kind = "completion" if twin else task.kind
        budget = spec.max_new_tokens or task.budget or (TWIN_BUDGET if twin else None)
        plans.append(replace(task, name=form.asked_as or task.name, kind=kind, budget=budget))
    return plans

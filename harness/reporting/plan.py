"""What a run would cost, as a document: models, tasks, the forms in which each model is asked, and the
accelerators that each fits on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness.analysis import notes
from harness.reporting.document import NONE, Document, Table, TableCell, keys, numbers, texts
from harness.reporting.texts import Message, Phrase
from harness.wording import duration_text, size_text

if TYPE_CHECKING:
    from harness.evaluation.plan import ModelPlan, Plan
    from harness.evaluation.plan_forms import FormPlan
    from harness.evaluation.plan_tasks import TaskPlan
    from harness.evaluation.plan_time import ModelTime
    from harness.meter.fit import Room

_FORMS = {
    "logprobs": "plan_logprobs",
    "generated": "plan_generated",
    "perplexity": "plan_perplexity",
    "twin": "plan_twin",
    "refused": "plan_refused",
}
_THINKS = {
    "base": Phrase("no template"),
    "instruct": Phrase("no"),
    "closed": Phrase("switched off"),
    "thinks": Phrase("yes"),
}
_BASES = {
    "same_tasks": Phrase("this model on these tasks here"),
    "same_model": Phrase("this model on other tasks here"),
    "other_models": Phrase("other models here, by size (rough)"),
    "peak": Phrase("the device's peak (rough)"),
    "unknown": NONE,
}
TIME_NOTE = Phrase(
    "time, money: from … to …, by runs on this machine where there were any; rough: a guess by "
    "FLOPs. Models one after another. Money needs a price (price: of an endpoint's tokens, "
    "usd_per_hour: of a device)."
)
NOTES = (
    Phrase("needs: weights, KV cache, activations. batch: most sequences of so many tokens at once."),
    Phrase("detects: smallest accuracy gap seen with 80 % power at the 5 % level. ~: estimated."),
    Phrase(
        "forms: log-probabilities of the options; generated answers; -gen: the generative form, for "
        "models that think."
    ),
)


def plan_document(plan: Plan, *, every: bool = False, chips: bool = False) -> Document:
    """The plan; ``every`` also shows the subjects of groups, ``chips`` the catalogue's accelerators."""
    tasks = plan.tasks if every else fold(plan.tasks)
    title = Phrase(
        "{name} on {device}: {cells:,} cells, {items:,} items",
        name=plan.name,
        device=Message(plan.device),
        cells=plan.cells,
        items=plan.items,
    )
    times = [_times(plan)] if plan.times else []
    tables = [_models(plan), *times, _tasks(tasks), _forms(plan), *(_chips(plan) if chips else ())]
    notes_below = (*NOTES, TIME_NOTE) if plan.times else NOTES
    return Document(title, tuple(tables), notes_below, data=lambda: dataclasses.asdict(plan))


def _models(plan: Plan) -> Table:
    columns = [*keys("model"), *numbers("params"), *texts("dtype"), *numbers("needs"), *texts("fits")]
    columns += [*numbers("weights", "KV/1k tok", "batch 1k/4k/32k", "download"), *texts("from")]
    return Table.of("", columns, [_model(model) for model in plan.models])


def _times(plan: Plan) -> Table:
    """Per model and in total how long it may take and what it may cost, and what says so."""
    rows = [[TableCell(time.model), *_time(time), TableCell(_BASES[time.basis])] for time in plan.times]
    if len(rows) > 1 and plan.total is not None:
        rows.append([TableCell(Phrase("all models")), *_time(plan.total), TableCell("")])
    return Table.of("", [*keys("model"), *numbers("time", "money"), *texts("estimated from")], rows)


def _time(time: ModelTime) -> list[TableCell]:
    seconds, money = time.seconds, time.money
    return [
        TableCell(duration_range(*seconds), seconds[1]) if seconds else TableCell("?"),
        TableCell(money_range(*money, time.currency), money[1]) if money else TableCell("?"),
    ]


def duration_range(low: float, high: float) -> str:
    """Two durations as ``40 s to 2 min``, one where they read the same."""
    first, last = duration_text(low), duration_text(high)
    return first if first == last else Phrase("{low} to {high}", low=first, high=last)


def money_range(low: float, high: float, currency: str) -> str:
    """Two amounts of money as ``$0.12 to $0.40``, one where they read the same."""
    sign = {"USD": "$", "CNY": "¥"}.get(currency, f"{currency} ")
    first, last = (
        f"{sign}{amount:.2f}" if amount >= 0.01 else f"{sign}{amount:.1g}" for amount in (low, high)
    )
    return first if first == last else Phrase("{low} to {high}", low=first, high=last)


def _tasks(tasks: Sequence[TaskPlan]) -> Table:
    columns = [*keys("task (subjects)"), *texts("lang", "kind")]
    columns += [*numbers("shots", "items", "prompt tokens", "detects"), *texts("note")]
    return Table.of("", columns, [_task(task) for task in tasks])


def _forms(plan: Plan) -> Table:
    return Table.of("", [*keys("model"), *texts("thinks", "thoughts between", "forms")], form_rows(plan))


def _model(model: ModelPlan) -> list[TableCell]:
    words = {True: TableCell(Phrase("yes")), False: TableCell(Phrase("NO"), emphasis="bad")}
    fits = words[model.fits] if model.fits is not None else TableCell("?")
    kv = model.kv_bytes_per_token * 1000 if model.kv_bytes_per_token is not None else None

    # A model that is here already costs no download, which is not the same as an unknown size.
    download = size_text(model.download_bytes) if model.download_bytes else NONE
    source = ", ".join(part for part in (model.origin or "", model.note) if part) or "hub"
    return [
        TableCell(model.label),
        TableCell(count(model.parameters), model.parameters),
        TableCell(model.dtype),
        TableCell(size_text(model.need_bytes), model.need_bytes),
        fits,
        TableCell(size_text(model.weights_bytes), model.weights_bytes),
        TableCell(size_text(kv), kv),
        TableCell(rooms(model.rooms)),
        TableCell(download, model.download_bytes),
        TableCell(Message(source)),
    ]


def _chips(plan: Plan) -> Iterator[Table]:
    """One table per model: chips of the catalogue, how many it needs, and the batch by length on so
    many.
    """
    columns = [*keys("chip"), *numbers("memory", "needs", "batch 1k/4k/32k")]
    for model in plan.models:
        rows = [
            [
                TableCell(fit.chip),
                TableCell(size_text(fit.memory_bytes), fit.memory_bytes),
                TableCell(str(fit.count) if fit.count else Phrase("over 16"), fit.count),
                TableCell(rooms(fit.rooms)),
            ]
            for fit in model.chips
        ]

        if rows:
            yield Table.of(Phrase("{model} on", model=model.label), columns, rows)


def rooms(batches: Sequence[Room]) -> str:
    """Batches by length as ``812/203/25``; – where the window is shorter, ? where nothing is
    known.
    """
    return "/".join("–" if room.batch is None else str(room.batch) for room in batches) or "?"


def _task(task: TaskPlan) -> list[TableCell]:
    tokens = "?" if task.prompt_tokens is None else f"{task.prompt_tokens:,}"
    about = "~" if task.prompt_tokens is not None and not task.tokens_exact else ""

    gap = Phrase("{n:.1f} pts", n=100 * task.smallest_gap) if task.smallest_gap is not None else ""
    return [
        TableCell(task.name),
        TableCell(task.language or ""),
        TableCell(Message(task.kind or "")),
        TableCell("" if task.fewshot is None else str(task.fewshot), task.fewshot),
        TableCell(f"{task.items:,}" if task.items is not None else "?", task.items),
        TableCell(f"{about}{tokens}", task.prompt_tokens),
        TableCell(gap, task.smallest_gap),
        TableCell(Message(short_note(task.note))),
    ]


def form_rows(plan: Plan) -> list[list[str]]:
    """One row per model: what it does before it answers, and its tasks by the form in which they are
    asked, groups once.
    """
    rows = []
    for model in plan.models:
        forms: dict[str, dict[str, None]] = {}
        for form in plan.forms:
            if form.model == model.label:
                forms.setdefault(_FORMS[form.form], {})[_asked(form)] = None
        parts = [notes.note(name, tasks=", ".join(tasks)) for name, tasks in forms.items()]
        parts += [notes.note("plan_folds")] if model.thinking.folds else []
        summary = notes.listed(parts)
        tags = " … ".join(model.thinking.tags) if model.thinking.tags else NONE
        rows.append([model.label, _THINKS[model.thinking.kind], tags, summary])
    return rows


def _asked(form: FormPlan) -> str:
    name = form.group or form.task
    if form.asked_as is None:
        return name
    twin = form.asked_as if form.group is None else f"{form.group}-gen"
    return f"{name} as {twin}"


def short_note(note: str) -> str:
    """A note without its details, which `--json` has."""
    return note.partition(":")[0]


def fold(tasks: list[TaskPlan]) -> list[TaskPlan]:
    """A group's subjects as one line: their sums, and the gap that all of them detect together."""
    groups: dict[str, list[TaskPlan]] = {}
    for task in tasks:
        groups.setdefault(task.group or task.name, []).append(task)
    return [_folded(name, parts) if len(parts) > 1 else parts[0] for name, parts in groups.items()]


def _folded(name: str, parts: list[TaskPlan]) -> TaskPlan:
    """Several subjects as one line."""
    from harness.analysis.intervals import smallest_gap

    first = parts[0]
    items = [part.items for part in parts if part.items is not None]
    tokens = [part.prompt_tokens for part in parts if part.prompt_tokens is not None]
    note = next((short_note(part.note) for part in parts if part.note), "")
    if items and len(items) < len(parts):
        note = f"{len(parts) - len(items)} of {len(parts)} subjects of unknown size"

    # Subjects that differ in a fact have none in common; a sum that lacks a part would be too low.
    return dataclasses.replace(
        first,
        name=f"{name} ({len(parts)})",
        language=first.language if len({part.language for part in parts}) == 1 else None,
        fewshot=first.fewshot if len({part.fewshot for part in parts}) == 1 else None,
        items=sum(items) if items else None,
        prompt_tokens=sum(tokens) if len(tokens) == len(parts) else None,
        smallest_gap=smallest_gap(sum(items)) if sum(items) and first.smallest_gap is not None else None,
        note=note,
    )


def count(value: int | None) -> str:
    """Parameters as people say them: 7.6B, 494M; ``?`` for None."""
    if value is None:
        return "?"
    if value >= 9.995e8:
        return f"{value / 1e9:.1f}B"
    return f"{value / 1e6:.0f}M" if value >= 1e7 else f"{value / 1e6:.2f}M"

"""``harness plan``: what a run would cost, before paying."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import ConfigFile, Device, Limit, Overrides, load
from harness.cli.output import show_list
from harness.wording import size_text

if TYPE_CHECKING:
    from harness.evaluation.plan import ModelPlan, Plan
    from harness.evaluation.plan_forms import FormPlan
    from harness.evaluation.plan_tasks import TaskPlan
    from harness.meter.fit import Room

_FORMS = {
    "logprobs": "log-probabilities",
    "generated": "generated",
    "perplexity": "perplexity",
    "twin": "-gen",
    "refused": "REFUSED",
}
_THINKS = {"base": "no template", "instruct": "no", "closed": "switched off", "thinks": "yes"}


def plan(
    config: ConfigFile,
    limit: Limit = None,
    overrides: Overrides = None,
    device: Annotated[
        Device | None, typer.Option("--device", help="auto takes CUDA where present.", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show the subjects of groups, too.")] = False,
    chips: Annotated[
        bool, typer.Option("--chips", help="Show on which accelerators each model fits, and at which batch.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As data.")] = False,
) -> None:
    """Show what a run would cost, before paying.

    Cells, items, tokens, memory, downloads, and the smallest gap each task can detect. Loads no
    weights, asks no network.
    """
    from harness.evaluation import make_plan

    made = make_plan(load(config, overrides, limit, device))
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(made), ensure_ascii=False, indent=2))
        return
    _show(made, every)
    if chips:
        _show_chips(made)


def _show(made: Plan, every: bool) -> None:
    typer.echo(f"{made.name} on {made.device}: {made.cells:,} cells, {made.items:,} items\n")
    headers = [
        "model",
        "params",
        "dtype",
        "weights",
        "KV/1k tok",
        "needs",
        "fits",
        "batch 1k/4k/32k",
        "download",
        "from",
    ]
    show_list("", headers, [_model(model) for model in made.models], right=(1, 3, 4, 5, 7, 8))
    tasks = made.tasks if every else fold(made.tasks)
    headers = ["task (subjects)", "lang", "kind", "shots", "items", "prompt tokens", "detects", "note"]
    show_list("", headers, [_task(task) for task in tasks], right=(3, 4, 5, 6))
    show_list("", ["model", "thinks", "thoughts between", "forms"], form_rows(made))
    typer.echo("needs: weights, KV cache, activations. batch: most sequences of so many tokens at once.")
    typer.echo("detects: smallest accuracy gap seen with 80 % power at the 5 % level. ~: estimated.")
    typer.echo(
        "forms: log-probabilities of the options; generated answers; -gen: the generative form, for models that think."
    )
    for warning in made.warnings:
        typer.echo(f"warning: {warning}", err=True)


def _model(model: ModelPlan) -> list[str]:
    fits = {True: "yes", False: "NO", None: "?"}[model.fits]
    kv = size_text(model.kv_bytes_per_token * 1000) if model.kv_bytes_per_token is not None else "?"
    download = size_text(model.download_bytes) if model.download_bytes else "–"
    source = ", ".join(part for part in (model.origin or "", model.note) if part) or "hub"
    return [
        model.label,
        count(model.parameters),
        model.dtype,
        size_text(model.weights_bytes),
        kv,
        size_text(model.need_bytes),
        fits,
        rooms(model.rooms),
        download,
        source,
    ]


def _show_chips(made: Plan) -> None:
    """One table a model: chips of the catalogue, how many it needs, and the batch by length on so
    many.
    """
    for model in made.models:
        if model.chips:
            lines = [
                [fit.chip, size_text(fit.memory_bytes), str(fit.count or "over 16"), rooms(fit.rooms)]
                for fit in model.chips
            ]
            show_list(
                f"{model.label} on", ["chip", "memory", "needs", "batch 1k/4k/32k"], lines, right=(1, 2, 3)
            )


def rooms(found: Sequence[Room]) -> str:
    """Batches by length as ``812/203/25``; – where the window is shorter, ? where nothing is
    known.
    """
    return "/".join("–" if room.batch is None else str(room.batch) for room in found) or "?"


def _task(task: TaskPlan) -> list[str]:
    tokens = (
        "?" if task.prompt_tokens is None else f"{'' if task.tokens_exact else '~'}{task.prompt_tokens:,}"
    )
    shots = "" if task.fewshot is None else str(task.fewshot)
    gap = f"{100 * task.smallest_gap:.1f} pts" if task.smallest_gap is not None else ""
    items = f"{task.items:,}" if task.items is not None else "?"
    return [task.name, task.language or "", task.kind or "", shots, items, tokens, gap, short_note(task.note)]


def form_rows(made: Plan) -> list[list[str]]:
    """A row a model: what it does before it answers, and its tasks by the form in which they are
    asked, groups once.
    """
    rows = []
    for model in made.models:
        forms: dict[str, dict[str, None]] = {}
        for form in made.forms:
            if form.model == model.label:
                forms.setdefault(_FORMS[form.form], {})[_asked(form)] = None
        told = "; ".join(f"{name}: {', '.join(tasks)}" for name, tasks in forms.items())
        told += "; the system message goes into the first user turn" if model.thinking.folds else ""
        tags = " … ".join(model.thinking.tags) if model.thinking.tags else "–"
        rows.append([model.label, _THINKS[model.thinking.kind], tags, told])
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
    from harness.analysis.intervals import smallest_gap

    found: dict[str, list[TaskPlan]] = {}
    for task in tasks:
        found.setdefault(task.group or task.name, []).append(task)
    folded = []
    for name, parts in found.items():
        first = parts[0]
        if len(parts) == 1:
            folded.append(first)
            continue
        items = [part.items for part in parts if part.items is not None]
        tokens = [part.prompt_tokens for part in parts if part.prompt_tokens is not None]
        notes = dict.fromkeys(short_note(part.note) for part in parts if part.note)
        unknown = len(parts) - len(items)
        note = (
            f"{unknown} of {len(parts)} subjects of unknown size"
            if 0 < unknown < len(parts)
            else next(iter(notes), "")
        )
        folded.append(
            dataclasses.replace(
                first,
                name=f"{name} ({len(parts)})",
                language=first.language if len({part.language for part in parts}) == 1 else None,
                fewshot=first.fewshot if len({part.fewshot for part in parts}) == 1 else None,
                items=sum(items) if items else None,
                prompt_tokens=sum(tokens) if len(tokens) == len(parts) else None,
                smallest_gap=smallest_gap(sum(items))
                if sum(items) and first.smallest_gap is not None
                else None,
                note=note,
            )
        )
    return folded


def count(value: int | None) -> str:
    """Parameters as people say them: 7.6B, 494M; ``?`` for None."""
    if value is None:
        return "?"
    if value >= 9.995e8:
        return f"{value / 1e9:.1f}B"
    return f"{value / 1e6:.0f}M" if value >= 1e7 else f"{value / 1e6:.2f}M"

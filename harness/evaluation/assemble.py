"""From the journal to ``results.json``: rows of the cells that the config asks for, group scores,
expectations.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from harness.analysis.chance import above_chances
from harness.analysis.intervals import normal
from harness.analysis.strata import mixture, of_row, share_interval
from harness.evaluation.expectations import check
from harness.results.cost import DEFINITIONS, CostRow
from harness.results.journal import Journal
from harness.results.sanity import sanity_row
from harness.results.schema import GroupRow, ModelRow, Results, Row, SanityRow
from harness.version import __version__

if TYPE_CHECKING:
    from harness.config import LoadedConfig
    from harness.tasks.api import Expansion, GroupSpec


def assemble(journal: Journal, loaded: LoadedConfig, expansion: Expansion) -> Results:
    """The results as they stand in the journal, in the config's order."""
    cells = journal.cells()
    known = journal.models()
    asked = {
        (cell.model, cell.identity["asked_as"]) for cell in cells.values() if cell.identity.get("asked_as")
    }
    named = {task.name for task in expansion.tasks}
    expansion = expansion.twins
    rows, models = [], []
    for model in loaded.config.models:
        for task in expansion.tasks:
            cell = cells.get((model.label, task.name))
            if cell is not None and (task.name in named or (model.label, task.name) in asked):
                rows += [Row.model_validate(row) for row in cell.rows]
        row = known.get(model.label) or {"status": "skipped", "reason": "interrupted before it began"}
        models.append(
            ModelRow.model_validate({"model": model.label, "id": model.id, "weights": model.weights, **row})
        )
    groups = [
        row
        for group in expansion.groups
        for row in group_rows(group, rows, [model.label for model in loaded.config.models])
    ]
    costs = cost_rows(journal, rows, models)
    sanity = sanity_rows(journal, loaded, {(row.model, row.task) for row in rows}, expansion)
    return Results(
        name=loaded.config.name,
        harness_version=__version__,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        config_hash=loaded.hash,
        models=models,
        rows=rows,
        groups=groups,
        costs=costs,
        definitions=DEFINITIONS if costs else {},
        expectations=[check(expectation, rows, groups, sanity) for expectation in loaded.config.expect],
        sanity=sanity,
    )


def sanity_rows(
    journal: Journal, loaded: LoadedConfig, told: Collection[tuple[str, str]], expansion: Expansion
) -> list[SanityRow]:
    """What was found about the config's models and those of their cells that are ``told``, in the
    config's order.
    """
    found = journal.findings()
    places = [
        (model.label, task)
        for model in loaded.config.models
        for task in (None, *(task.name for task in expansion.tasks))
    ]
    return [
        sanity_row(*place, finding)
        for place in places
        if place[1] is None or place in told
        for finding in found.get(place, [])
    ]


def cost_rows(journal: Journal, rows: Sequence[Row], models: Sequence[ModelRow]) -> list[CostRow]:
    """What answers cost: a row a metered cell in the order of ``rows``, then a row a language of a
    model's metered cells.
    """
    from harness.meter.natural import cost_row
    from harness.meter.tally import CostTally

    kept = {key: CostTally.from_dict(tally) for key, tally in journal.tallies().items()}
    languages = {(row.model, row.task): row.language for row in rows}
    costs = []
    for model in models:
        mine = {
            task: language
            for (label, task), language in languages.items()
            if label == model.model and (label, task) in kept
        }
        weights = model.weights
        for task, language in mine.items():
            costs.append(
                cost_row(
                    [kept[model.model, task]], model.model, task=task, language=language, weights=weights
                )
            )
        for language in dict.fromkeys(mine.values()):
            parts = [kept[model.model, task] for task in mine if mine[task] == language]
            costs.append(cost_row(parts, model.model, task=None, language=language, weights=weights))
    return costs


def group_rows(group: GroupSpec, rows: Sequence[Row], models: Sequence[str]) -> list[GroupRow]:
    """A group's scores, one a (model, metric, filter), over the subjects that gave a value; those
    that gave none are named in ``missing``.

    Weighted by items as lm-eval's groups are (weight_by_size), else the plain mean; the standard
    error is that of the weighted sum of independent subjects, √Σ(wᵢ·SEᵢ)², the interval
    `share_interval`. Subjects that are marked by another of the group's metrics (IFEval in
    ``leaderboard``'s acc) are not missing.
    """
    members = set(group.members)
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        if (
            row.task in members
            and row.value is not None
            and row.metric
            and (not group.metrics or row.metric in group.metrics)
        ):
            found.setdefault((row.model, row.metric, row.filter or "none"), []).append(row)
    made = []
    for (model, metric, name), parts in found.items():
        if model in models and (group.metrics or len(parts) * 2 > len(members) or len(members) == 1):
            others = {row.task for (whose, *_), theirs in found.items() if whose == model for row in theirs}
            made.append(
                _group_row(
                    group, model, metric, name, parts, [task for task in group.members if task not in others]
                )
            )
    return made


def _group_row(
    group: GroupSpec, model: str, metric: str, name: str, parts: Sequence[Row], missing: list[str]
) -> GroupRow:
    sizes = [row.n if group.weighted else 1 for row in parts]
    weights = [size / sum(sizes) for size in sizes]
    stderr = None
    if all(row.stderr is not None for row in parts):
        stderr = math.sqrt(
            sum((weight * (row.stderr or 0.0)) ** 2 for weight, row in zip(weights, parts, strict=True))
        )
    value = sum(weight * (row.value or 0.0) for weight, row in zip(weights, parts, strict=True))
    languages = {row.language for row in parts}
    return GroupRow(
        group=group.name,
        model=model,
        language=languages.pop() if len(languages) == 1 else None,
        metric=metric,
        filter=name,
        value=value,
        stderr=stderr,
        **group_trust(parts, weights, value, stderr),
        weighted=group.weighted,
        n=sum(row.n for row in parts),
        tasks=sorted({row.task for row in parts}),
        missing=missing,
    )


def group_trust(
    parts: Sequence[Row], weights: Sequence[float], value: float, stderr: float | None
) -> dict[str, Any]:
    """A group's 95 % interval, chance level and score above chance, out of its subjects' rows."""
    chance = corrected = None
    if all(row.corrected is not None for row in parts):
        chance = sum(weight * (row.chance or 0.0) for weight, row in zip(weights, parts, strict=True))
        corrected = above_chances(
            [row.value or 0.0 for row in parts], [row.chance or 0.0 for row in parts], weights
        )
    strata = mixture([of_row(row) for row in parts], weights)
    ci95 = (
        share_interval(strata) if strata else normal(value, stderr) if stderr else None
    )  # an error of 0 is none known
    return {"ci95": ci95, "chance": chance, "corrected": corrected}

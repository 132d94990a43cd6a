"""From the journal to ``results.json``: the config's cells, group scores, costs, expectations."""

from __future__ import annotations

import datetime
import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from harness.analysis.chance import above_chances
from harness.analysis.intervals import normal, possible
from harness.analysis.strata import mixture, of_row, share_interval
from harness.evaluation.answer_checks import pick_rows
from harness.evaluation.cell_sums import right_share
from harness.evaluation.expectations import outcomes
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
    records = journal.models()

    # A twin that the config does not name counts only for models that were asked it in its place.
    identities = [(cell.model, cell.identity.get("asked_as")) for cell in cells.values()]
    stand_ins = {(model, task) for model, task in identities if task}
    named = {task.name for task in expansion.tasks}
    own, expansion = expansion, expansion.twins

    rows, models = [], []
    for model in loaded.config.models:
        for task in expansion.tasks:
            cell = cells.get((model.label, task.name))
            if cell is not None and (task.name in named or (model.label, task.name) in stand_ins):
                rows += [Row.model_validate(row) for row in cell.rows]
        row = records.get(model.label) or {"status": "skipped", "reason": "interrupted before it began"}
        models.append(
            ModelRow.model_validate({"model": model.label, "id": model.id, "weights": model.weights, **row})
        )

    labels = [model.label for model in loaded.config.models]
    groups = [row for group in expansion.groups for row in group_rows(group, rows, labels)]
    costs = cost_rows(journal, rows, models)
    sanity = sanity_rows(journal, loaded, {(row.model, row.task) for row in rows}, expansion)
    sanity += pick_rows(rows, models)
    results = Results(
        name=loaded.config.name,
        harness_version=__version__,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        config_hash=loaded.hash,
        models=models,
        rows=rows,
        groups=groups,
        costs=costs,
        definitions=DEFINITIONS if costs else {},
        sanity=sanity,
    )
    results.expectations = outcomes(loaded, results, own)
    return results


def sanity_rows(
    journal: Journal, loaded: LoadedConfig, cells: Collection[tuple[str, str]], expansion: Expansion
) -> list[SanityRow]:
    """What was found about the config's models and these ``cells`` of theirs, in the config's order."""
    findings = journal.findings()
    tasks = [task.name for task in expansion.tasks]
    keys = [(model.label, task) for model in loaded.config.models for task in (None, *tasks)]

    # Cells that left no row (a twin not asked after all) may have old findings in the journal.
    return [
        sanity_row(*key, finding)
        for key in keys
        if key[1] is None or key in cells
        for finding in findings.get(key, [])
    ]


def cost_rows(journal: Journal, rows: Sequence[Row], models: Sequence[ModelRow]) -> list[CostRow]:
    """What answers cost: of each model one row per metered cell, in the order of ``rows``, then one
    for all of them, then one per language.
    """
    from harness.meter.natural import cost_row
    from harness.meter.tally import CostTally

    tallies = {key: CostTally.from_dict(tally) for key, tally in journal.tallies().items()}
    languages = {(row.model, row.task): row.language for row in rows}
    costs = []
    for model in models:
        mine = {
            task: language
            for (label, task), language in languages.items()
            if label == model.model and (label, task) in tallies
        }
        if not mine:
            continue

        # Figures of several cells come from their sums, not from the cells' rates: seconds add up,
        # rates do not.
        parts: list[tuple[dict[str, Any], list[str]]] = [
            ({"scope": "task", "task": task, "language": language}, [task]) for task, language in mine.items()
        ]
        parts.append(({"scope": "model", "task": None, "language": None}, list(mine)))
        parts += [
            (
                {"scope": "language", "task": None, "language": one},
                [task for task in mine if mine[task] == one],
            )
            for one in dict.fromkeys(mine.values())
        ]
        for names, tasks in parts:
            sums = [tallies[model.model, task] for task in tasks]
            share = right_share(sums)
            costs.append(cost_row(sums, model.model, weights=model.weights, right_share=share, **names))
    return costs


def group_rows(group: GroupSpec, rows: Sequence[Row], models: Sequence[str]) -> list[GroupRow]:
    """A group's scores, one per (model, metric, filter), over the subjects that gave a value.

    Subjects that gave none are named in ``missing``. Weighted by items as lm-eval's groups are
    (weight_by_size), else the plain mean; the standard error is that of the weighted sum of
    independent subjects, √Σ(wᵢ·SEᵢ)², the interval `share_interval`. Subjects that are marked by
    another of the group's metrics (IFEval in ``leaderboard``'s acc) are not missing.
    """
    members = set(group.members)
    by_key: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        scored = row.task in members and row.value is not None
        if scored and row.metric and (not group.metrics or row.metric in group.metrics):
            by_key.setdefault((row.model, row.metric, row.filter or "none"), []).append(row)

    # Where the group names no metrics, one that only a few subjects have is theirs, not the
    # group's.
    group_rows = []
    for (model, metric, name), parts in by_key.items():
        if model in models and (group.metrics or len(parts) * 2 > len(members) or len(members) == 1):
            marked = {row.task for (label, *_), own in by_key.items() if label == model for row in own}
            missing = [task for task in group.members if task not in marked]
            group_rows.append(_group_row(group, (model, metric, name), parts, missing))
    return group_rows


def _group_row(
    group: GroupSpec, key: tuple[str, str, str], parts: Sequence[Row], missing: list[str]
) -> GroupRow:
    sizes = [row.n if group.weighted else 1 for row in parts]
    weights = [size / sum(sizes) for size in sizes]
    stderr = None
    if all(row.stderr is not None for row in parts):
        stderr = math.sqrt(
            sum((weight * (row.stderr or 0.0)) ** 2 for weight, row in zip(weights, parts, strict=True))
        )
    value = sum(weight * (row.value or 0.0) for weight, row in zip(weights, parts, strict=True))

    # A group over two languages belongs to neither.
    languages = {row.language for row in parts}
    model, metric, name = key
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
        categories=group.categories,
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
    # A standard error of 0 is one that is not known: no interval, rather than one of no width.
    better = all(row.higher_is_better is not False for row in parts)
    ends = normal(value, stderr) if stderr else None
    plain = possible(ends, parts[0].metric, value, higher_is_better=better)
    return {"ci95": share_interval(strata) if strata else plain, "chance": chance, "corrected": corrected}

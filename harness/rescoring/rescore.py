"""Marks kept answers again, without a model.

After an extractor was fixed, or with other filters or metrics.

Answers come from the journal, or from the samples where a run was kept without one. The old run is
not touched: a new folder is written.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigError
from harness.evaluation.answer_checks import pick_rows
from harness.evaluation.assemble import group_rows
from harness.rescoring.cells import CellMarker
from harness.rescoring.settings import changed_task
from harness.results.files import write_json
from harness.results.folder import RunFolder
from harness.results.query import Run, read_run
from harness.results.schema import Results, Row
from harness.version import __version__
from harness.wording import reason_of

if TYPE_CHECKING:
    from harness.config.schema import Config


@dataclass(frozen=True)
class Change:
    """One score before and after; None where there was none."""

    model: str
    task: str
    metric: str
    filter: str
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Rescored:
    """The new run, what changed in it, and the cells that could not be marked again, with reasons."""

    folder: Path
    results: Results
    changes: tuple[Change, ...]
    failed: tuple[str, ...]


def rescore(
    path: str | Path, *, changes: Mapping[str, Mapping[str, Any]] | None = None, out: Path | None = None
) -> Rescored:
    """Marks every kept cell of a run again into a new folder (``<run>-rescored`` unless ``out``).

    Raises ConfigError, RunFolderError; a cell whose task cannot be loaded or marked keeps its old
    rows and is named in ``failed``.
    """
    from harness.tasks import expand

    run = read_run(path)
    config = _config(run)
    expansion = expand(config.tasks, limit=config.limit, base_dir=run.folder.path).twins
    target = RunFolder(out or run.folder.path.with_name(f"{run.folder.path.name}-rescored"))
    models = [model.model for model in run.results.models]
    target.prepare(f"{run.results.name}-rescored", set(models), _renamed(run))

    marker = CellMarker(run, config, target)
    specs = [changed_task(spec, changes or {}) for spec in expansion.tasks]
    rows = [row for model in models for spec in specs for row in marker.rows(model, spec)]
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    results = run.results.model_copy(
        update={
            "name": f"{run.results.name}-rescored",
            "rows": rows,
            "groups": [row for group in expansion.groups for row in group_rows(group, rows, models)],
            "created": now,
            "harness_version": __version__,
            # What a right answer cost is another figure now, and nothing measures it again.
            "costs": [],
            "definitions": {},
            "expectations": [],
            "sanity": [
                *(row for row in run.results.sanity if row.check != "picks"),
                *pick_rows(rows, run.results.models),
            ],
        }
    )
    write_json(target.results, results.model_dump(mode="json"))
    origin = {"of": run.results.name, "changes": changes or {}, "by": __version__, "at": now}
    write_json(target.manifest, {**run.manifest, "rescored": origin})
    return Rescored(target.path, results, tuple(_differences(run.results.rows, rows)), tuple(marker.failed))


def _config(run: Run) -> Config:
    import yaml
    from pydantic import ValidationError

    from harness.config.schema import Config

    try:
        return Config.model_validate(yaml.safe_load(run.folder.config.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ConfigError(
            f"{run.folder.config}: cannot be read, so its tasks are not known: {reason_of(error)}"
        ) from error


def _renamed(run: Run) -> str:
    """The run's config under the new name, so that the new folder belongs to the new run."""
    import yaml

    data = yaml.safe_load(run.folder.config.read_text(encoding="utf-8"))
    return yaml.safe_dump(
        {**data, "name": f"{run.results.name}-rescored"}, allow_unicode=True, sort_keys=False
    )


def _differences(old: Sequence[Row], new: Sequence[Row]) -> list[Change]:
    """Scores that are no longer the same; as JSON text, in which NaN equals NaN."""
    before = {(row.model, row.task, row.metric, row.filter): row.value for row in old if row.metric}
    after = {(row.model, row.task, row.metric, row.filter): row.value for row in new if row.metric}
    return [
        Change(model, task, str(metric), name or "none", before.get(key), after.get(key))
        for key in dict.fromkeys([*before, *after])
        for model, task, metric, name in [key]
        if json.dumps(before.get(key)) != json.dumps(after.get(key))
    ]

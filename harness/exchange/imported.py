"""A run folder out of an lm-eval evaluation, so that old runs join tables and comparisons.

With samples every item's score, prompt and answer is kept and intervals are made as for own runs;
without them lm-eval's standard errors are all there is. lm-eval keeps no finish reason: whether
answers were cut off is not known, and the rows say so.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ConfigError
from harness.evaluation.answer_checks import pick_rows
from harness.evaluation.identity import digest
from harness.exchange.imported_cells import CellImporter
from harness.exchange.lm_eval_checks import check
from harness.exchange.lm_eval_files import read_evaluation, results_files
from harness.exchange.lm_eval_records import Evaluation
from harness.names import missing, retold, tidy
from harness.results.files import write_json
from harness.results.folder import RunFolder
from harness.results.sanity import sanity_row
from harness.results.schema import Results
from harness.version import __version__
from harness.wording import list_some

MOST_NAMES = 4
"""Scores without an interval that a note names; the others are counted."""


@dataclass(frozen=True)
class Import:
    """The run folder that was written, its results, and tasks of which no samples were at hand."""

    folder: Path
    results: Results
    without_samples: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """Names that were changed, samples that do not fit their scores, scores without an interval or
    that are no number: one line each.
    """


def import_lm_eval(path: Path, *, model: str | None = None, out: Path | None = None) -> Import:
    """Writes a run folder from lm-eval's files (``results/<model>-lm-eval`` unless ``out``).

    Raises ConfigError where the files cannot be understood or the model's name is not known,
    RunFolderError where the folder is in use.
    """
    return _written(path, read_evaluation(path), model, out)


def import_all(
    path: Path, *, model: str | None = None, out: Path | None = None, every: bool = False
) -> list[Import]:
    """`import_lm_eval` for each evaluation of a folder: a run folder for each, below ``out`` where
    there are several.

    Of several files of a model the newest counts, unless ``every`` (`results_files`). Raises
    ConfigError also where ``model`` would name several, RunFolderError.
    """
    files = results_files(path, every=every)
    if len(files) == 1:
        return [import_lm_eval(next(iter(files)) if path.is_dir() and every else path, model=model, out=out)]
    if model is not None:
        raise ConfigError(f"--model {model}: {path} holds {len(files)} evaluations; name one file with it")

    # All is read before anything is written: half an import would look like a whole one.
    evaluations = {file: read_evaluation(file) for file in files}
    base = out or Path("results")
    imports: list[Import] = []
    names: dict[str, int] = {}
    for file, evaluation in evaluations.items():
        evaluation.notes = [*files[file], *evaluation.notes]
        name = _folder_name(_names(file, evaluation, None)[1])
        names[name] = names.get(name, 0) + 1
        folder = base / (name if names[name] == 1 else f"{name}-{names[name]}")
        imports.append(_written(file, evaluation, None, folder))
    return imports


def _folder_name(label: str) -> str:
    return f"{re.sub(r'[^A-Za-z0-9_.-]', '_', label)}-lm-eval"


def _written(path: Path, evaluation: Evaluation, model: str | None, out: Path | None) -> Import:
    doubts, findings = check(path, evaluation)
    written, label, identifier = _names(path, evaluation, model)
    folder = RunFolder(out or Path("results") / _folder_name(label))
    if folder.path.exists() and any(folder.path.iterdir()):
        raise ConfigError(f"{folder.path} is not empty: choose another folder with --out")

    # Rows first: groups take their intervals from the rows of their tasks.
    cells = CellImporter(evaluation, label, folder)
    rows = [row for task, scores in evaluation.tasks.items() for row in cells.rows(task, scores)]
    groups = evaluation.groups.items()
    results = Results(
        name=folder.path.name,
        harness_version=__version__,
        created=evaluation.created or datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        config_hash=digest(evaluation.facts),
        models=[cells.model_row(identifier)],
        rows=rows,
        groups=[row for name, scores in groups for row in cells.group_rows(name, scores, rows)],
        sanity=[
            *(sanity_row(label, task, finding) for task, finding in findings),
            *pick_rows(rows, [cells.model_row(identifier)]),
        ],
    )
    write_json(folder.results, results.model_dump(mode="json"))
    origin = {"from": "lm-eval", **evaluation.facts}
    manifest = {"imported": origin, "tasks": cells.prompts, "harness_version": __version__}
    write_json(folder.manifest, manifest)

    without = tuple(task for task in evaluation.tasks if not evaluation.samples.get(task))
    return Import(folder.path, results, without, (*retold([written]), *doubts, *_notes(results, evaluation)))


def _names(path: Path, evaluation: Evaluation, model: str | None) -> tuple[str, str, str]:
    """The model's name as it is written, as it is compared, and its id. Raises ConfigError."""
    identifier = evaluation.model or model
    if identifier is None:
        raise ConfigError(f"{path}: does not say which model it is of: name it with --model")
    written = model or identifier.rstrip("/").rsplit("/", 1)[-1]
    label = tidy(written)
    if missing(label):
        raise ConfigError(f"{path}: the model's name is {written!r}, which is no name: name it with --model")
    return written, label, tidy(identifier)


def _notes(results: Results, evaluation: Evaluation) -> list[str]:
    """Rows that look like any other but lack something."""
    notes, bare = [], []
    for row in results.rows:
        name = f"{row.task} ({row.metric}, {row.filter})"
        _, error = evaluation.tasks[row.task].metrics[str(row.metric), str(row.filter)]
        if row.value is None:
            notes.append(f"{name}: the file says NaN or infinity, which is no score")
        elif row.ci95 is None and error == 0:
            bare.append(name)

    if bare:
        notes.append(
            "no interval: the standard error is 0 and the number of documents is not known, or "
            f"no share of right answers: {list_some(bare, MOST_NAMES)}"
        )
    return notes

"""Whether what lm-eval left behind can be true: scores in range, samples that fit their scores."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.exchange.lm_eval_files import Evaluation, TaskMetrics
from harness.results.schema import SHARES
from harness.sanity import Finding
from harness.tasks.figures import number

NEAR = 5.1e-5
"""How far a mean of samples may be from its score: half the last digit that lm-eval prints."""


Findings = list[tuple[str, Finding]]
"""Findings by task, which tables show, too."""


def check(path: Path, evaluation: Evaluation) -> tuple[list[str], Findings]:
    """Notes, and findings on samples that do not fit their scores.

    Raises ConfigError for an evaluation without scores, a share of right answers outside 0 to 1, a
    standard error below 0, and documents that are there twice.
    """
    if not any(scores.metrics for scores in evaluation.tasks.values()):
        raise ConfigError(
            f"{path}: no task has a score; expected keys such as 'acc,none' with a number, as "
            "lm-eval 0.4 writes them"
        )

    notes = list(evaluation.notes)
    findings: Findings = []
    for task, scores in evaluation.tasks.items():
        if not scores.metrics:
            notes.append(f"{task}: no score in the file")
        _check_ranges(path, task, scores)
        samples = evaluation.samples.get(task, [])
        if samples:
            _check_documents(path, task, samples)
            more, doubts = _compare(task, scores, samples)
            notes += more
            findings += [(task, doubt) for doubt in doubts]

    # A group's name alone does not say which tasks it averages.
    unknown = [name for name in evaluation.groups if not evaluation.members.get(name)]
    if unknown:
        notes.append(f"left out, since neither settings nor members are in the file: {', '.join(unknown)}")
    return notes, findings


def _check_ranges(path: Path, task: str, scores: TaskMetrics) -> None:
    for (metric, filter_name), (value, error) in scores.metrics.items():
        what = f"{path}: {task}: {metric},{filter_name}"
        if metric in SHARES and (value < 0 or value > 1):
            raise ConfigError(f"{what} is {value:g}; expected a share from 0 to 1 (percent: divide by 100)")
        if error is not None and error < 0:
            raise ConfigError(f"{what}: the standard error is {error:g}; expected zero or more")


def _check_documents(path: Path, task: str, samples: Sequence[dict[str, Any]]) -> None:
    times = Counter((str(one["filter"]), int(one["doc_id"])) for one in samples)
    (name, document), most = times.most_common(1)[0]
    if most > 1:
        raise ConfigError(
            f"{path}: samples of {task}: document {document} stands {most} times (filter {name}): "
            "of several evaluations?"
        )


def _compare(
    task: str, scores: TaskMetrics, samples: Sequence[dict[str, Any]]
) -> tuple[list[str], list[Finding]]:
    """Notes and findings where a task's samples are fewer than its documents, or of other scores."""
    notes: list[str] = []
    findings = []
    documents = len({int(one["doc_id"]) for one in samples})
    if scores.n and documents != scores.n:
        notes.append(f"{task}: {documents} samples, but the results are of {scores.n} documents")
        findings.append(Finding("samples_incomplete", documents, scores.n))

    # Only shares are means of their documents; a corpus score (F1, BLEU) need not be.
    wrong = 0
    for (metric, filter_name), (value, _) in scores.metrics.items():
        column = [number(one.get(metric)) for one in samples if one["filter"] == filter_name]
        whole = [one for one in column if one is not None]
        if metric not in SHARES or not whole or not math.isfinite(value):
            continue
        if len(whole) < len(column):
            notes.append(
                f"{task} ({metric}, {filter_name}): {len(column) - len(whole)} of {len(column)} "
                "samples have no score"
            )
        elif abs(math.fsum(whole) / len(whole) - value) > NEAR:
            mean = math.fsum(whole) / len(whole)
            wrong += 1
            notes.append(
                f"{task} ({metric}, {filter_name}): the results say {value:.4f}, the mean of the "
                f"samples is {mean:.4f}"
            )
    if wrong:
        findings.append(Finding("samples_of_other_scores", wrong, len(scores.metrics)))
    return notes, findings

"""Whether what lm-eval left behind can be true: scores in their range, samples that belong to their
scores.
"""

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
"""How far the mean of samples may be from a score: half the last digit of the table that lm-eval
prints.
"""


Findings = list[tuple[str, Finding]]
"""What is said of a task in tables, too."""


def check(path: Path, evaluation: Evaluation) -> tuple[list[str], Findings]:
    """Notes, and findings on samples that do not fit their scores.

    Raises ConfigError for an evaluation without scores, a share of right answers outside 0 to 1, a
    standard error below 0, and documents that stand twice.
    """
    if not any(scores.metrics for scores in evaluation.tasks.values()):
        raise ConfigError(
            f"{path}: no task has a score; expected keys such as 'acc,none' with a number, as lm-eval 0.4 writes them"
        )
    notes = list(evaluation.notes)
    findings: Findings = []
    for task, scores in evaluation.tasks.items():
        if not scores.metrics:
            notes.append(f"{task}: no score in the file")
        for (metric, filter_name), (value, error) in scores.metrics.items():
            what = f"{path}: {task}: {metric},{filter_name}"
            if metric in SHARES and (value < 0 or value > 1):
                raise ConfigError(
                    f"{what} is {value:g}; expected a share from 0 to 1 (percent: divide by 100)"
                )
            if error is not None and error < 0:
                raise ConfigError(f"{what}: the standard error is {error:g}; expected zero or more")
        samples = evaluation.samples.get(task, [])
        if samples:
            more, found = _samples(path, task, scores, samples)
            notes += more
            findings += [(task, one) for one in found]
    unknown = [name for name in evaluation.groups if not evaluation.members.get(name)]
    if unknown:
        notes.append(f"left out, since neither settings nor members are in the file: {', '.join(unknown)}")
    return notes, findings


def _samples(
    path: Path, task: str, scores: TaskMetrics, samples: Sequence[dict[str, Any]]
) -> tuple[list[str], list[Finding]]:
    times = Counter((str(one["filter"]), int(one["doc_id"])) for one in samples)
    (name, document), most = times.most_common(1)[0]
    if most > 1:
        raise ConfigError(
            f"{path}: samples of {task}: document {document} stands {most} times (filter {name}): of several evaluations?"
        )
    notes: list[str] = []
    findings = []
    documents = len({document for _, document in times})
    if scores.n and documents != scores.n:
        notes.append(f"{task}: {documents} samples, but the results are of {scores.n} documents")
        findings.append(Finding("samples_incomplete", documents, scores.n))
    wrong = 0
    for (metric, filter_name), (value, _) in scores.metrics.items():
        column = [number(one.get(metric)) for one in samples if one["filter"] == filter_name]
        whole = [one for one in column if one is not None]
        if metric not in SHARES or not whole or not math.isfinite(value):
            continue
        if len(whole) < len(column):
            notes.append(
                f"{task} ({metric}, {filter_name}): {len(column) - len(whole)} of {len(column)} samples have no score"
            )
        elif abs(math.fsum(whole) / len(whole) - value) > NEAR:
            mean = math.fsum(whole) / len(whole)
            wrong += 1
            notes.append(
                f"{task} ({metric}, {filter_name}): the results say {value:.4f}, the mean of the samples is {mean:.4f}"
            )
    if wrong:
        findings.append(Finding("samples_of_other_scores", wrong, len(scores.metrics)))
    return notes, findings

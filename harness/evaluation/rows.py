"""From a cell's marks to its result rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.analysis.intervals import normal, possible, wilson
from harness.evaluation.picks import picks_of
from harness.items import Answer, Tokens
from harness.results.schema import Method, Row, Status, TokenCounts

if TYPE_CHECKING:
    from harness.tasks.api import Marks, MetricValue, SampleMark


@dataclass(frozen=True)
class CellFacts:
    """What every row of a cell shares."""

    cell_id: str
    prompt_id: str | None
    model: str
    task: str
    group: str | None
    language: str | None
    fewshot: int | None
    dtype: str | None
    engine: str | None
    chance: float | None
    form: str | None = None
    asked_as: str | None = None
    marking_id: str | None = None


def failed_row(facts: CellFacts, status: Status, reason: str) -> Row:
    """The one row of a cell that gave no value."""
    return Row(**_shared(facts), status=status, reason=reason)


def make_rows(
    facts: CellFacts,
    marks: Marks,
    answers: Mapping[str, Answer],
    seconds: float,
    end: tuple[Status, str | None],
) -> list[Row]:
    """One row per (metric, filter), with interval, counts of bad answers, tokens and engine seconds.

    ``end`` is the cell's status and its reason.
    """
    # Several filters read the same answers: tokens are the cell's, counted once.
    keys = {key for sample in marks.samples for key in sample.keys}
    tokens = sum((answers[key].tokens for key in keys if key in answers), Tokens())
    shared = _shared(facts) | {
        "tokens": TokenCounts(
            prompt=tokens.prompt, computed=tokens.computed, shared=tokens.shared, output=tokens.output
        ),
        "seconds": round(seconds, 6),
        "status": end[0],
        "reason": end[1],
    }

    by_filter: dict[str, list[SampleMark]] = {}
    for sample in marks.samples:
        by_filter.setdefault(sample.filter, []).append(sample)
    return [_row(shared, metric, by_filter.get(metric.filter, []), answers) for metric in marks.metrics]


def _row(
    shared: Mapping[str, Any],
    metric: MetricValue,
    samples: Sequence[SampleMark],
    answers: Mapping[str, Answer],
) -> Row:
    trust = uncertainty(metric, samples)
    return Row(
        **shared,
        metric=metric.metric,
        filter=metric.filter,
        value=_finite(metric.value),
        stderr=trust.stderr,
        ci95=trust.ci95,
        interval=trust.method,
        clusters=trust.clusters,
        higher_is_better=metric.higher_is_better,
        n=metric.n,
        n_truncated=sum(is_truncated(sample, answers) for sample in samples),
        n_empty=sum(sample.empty for sample in samples),
        n_unparsable=sum(sample.unparsable for sample in samples),
        picks=picks_of(metric.metric, samples),
    )


@dataclass(frozen=True)
class Uncertainty:
    """Standard error, 95 % interval and how it was made.

    ``clusters`` counts the sources where items share some.
    """

    stderr: float | None = None
    ci95: tuple[float, float] | None = None
    method: Method | None = None
    clusters: int | None = None


def uncertainty(metric: MetricValue, samples: Sequence[SampleMark]) -> Uncertainty:
    """How far a metric can be trusted.

    Where it is the mean of its documents' scores: Wilson's interval for counted scores, Student's t
    for others, both clustered where documents share sources (docs/statistics.md). Otherwise
    lm-eval's standard error and a normal interval.
    """
    if not math.isfinite(metric.value):
        return Uncertainty()

    # Whether the metric is a mean is not declared anywhere: recomputing it tells (F1 is none).
    scores = [sample.metrics.get(metric.metric) for sample in samples]
    numbers = [score for score in scores if score is not None]
    if (
        metric.n > 0
        and len(numbers) == len(scores) == metric.n
        and math.isclose(math.fsum(numbers) / metric.n, metric.value, rel_tol=1e-9, abs_tol=1e-12)
    ):
        return _of_mean(numbers, [sample.cluster for sample in samples])

    if metric.counted and metric.n > 0:
        right = min(max(metric.value, 0.0), 1.0) * metric.n
        return Uncertainty(_finite(metric.stderr), wilson(right, metric.n), "wilson")
    if metric.stderr is None or not math.isfinite(metric.stderr):
        return Uncertainty()

    # A bootstrap of equal documents knows no spread; a normal interval knows no bounds.
    ends = possible(
        normal(metric.value, metric.stderr),
        metric.metric,
        metric.value,
        higher_is_better=metric.higher_is_better,
    )
    return Uncertainty(metric.stderr, ends, "normal" if ends is not None else None)


def _of_mean(scores: Sequence[float], labels: Sequence[str | None]) -> Uncertainty:
    import numpy as np

    from harness.analysis.spread import clusters_of, score_interval, spread

    values = np.asarray(scores, dtype=np.float64)
    clusters = clusters_of(labels)
    counted = bool(np.isin(values, (0.0, 1.0)).all())

    ci95 = score_interval(values, clusters)
    method: Method = "wilson" if counted else "t"
    if clusters is not None:
        method = "wilson-clustered" if counted else "t-clustered"
    count = clusters.count if clusters is not None else None
    return Uncertainty(spread(values, clusters).stderr, ci95, method if ci95 is not None else None, count)


def is_truncated(sample: SampleMark, answers: Mapping[str, Answer]) -> bool:
    """Whether an answer was cut by a length limit, or a prompt from the left by the window."""
    return sample.truncated or any(answers[key].truncated > 0 for key in sample.keys if key in answers)


def _shared(facts: CellFacts) -> dict[str, Any]:
    return dict(facts.__dict__)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None

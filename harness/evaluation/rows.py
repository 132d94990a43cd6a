"""From a cell's marks to its result rows and its samples table."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.analysis.intervals import normal, wilson
from harness.items import Answer, Generation, Likelihood, Score, Tokens
from harness.results.files import write_whole
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
    """One row a (metric, filter), with interval, counts of bad answers, tokens and engine
    seconds.
    """
    keys = {key for sample in marks.samples for key in sample.keys}
    tokens = sum((answers[key].tokens for key in keys if key in answers), Tokens())
    counts = TokenCounts(
        prompt=tokens.prompt, computed=tokens.computed, shared=tokens.shared, output=tokens.output
    )
    by_filter: dict[str, list[SampleMark]] = {}
    for sample in marks.samples:
        by_filter.setdefault(sample.filter, []).append(sample)
    rows = []
    for metric in marks.metrics:
        samples = by_filter.get(metric.filter, [])
        trust = uncertainty(metric, samples)
        rows.append(
            Row(
                **_shared(facts),
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
                tokens=counts,
                seconds=round(seconds, 6),
                status=end[0],
                reason=end[1],
            )
        )
    return rows


@dataclass(frozen=True)
class Uncertainty:
    """Standard error, 95 % interval and how it was made; ``clusters`` counts the sources where
    items share some.
    """

    stderr: float | None = None
    ci95: tuple[float, float] | None = None
    method: Method | None = None
    clusters: int | None = None


def uncertainty(metric: MetricValue, samples: Sequence[SampleMark]) -> Uncertainty:
    """How far a metric can be trusted. Where it is the mean of its documents' scores: Wilson's
    interval for counted scores, Student's t for others, both clustered where documents share
    sources. Otherwise lm-eval's standard error and a normal interval.
    """
    if not math.isfinite(metric.value):
        return Uncertainty()
    scores = [sample.metrics.get(metric.metric) for sample in samples]
    known = [score for score in scores if score is not None]
    if (
        metric.n > 0
        and len(known) == len(scores) == metric.n
        and math.isclose(math.fsum(known) / metric.n, metric.value, rel_tol=1e-9, abs_tol=1e-12)
    ):
        return _of_mean(known, [sample.cluster for sample in samples])
    if metric.counted and metric.n > 0:
        return Uncertainty(
            _finite(metric.stderr), wilson(min(max(metric.value, 0.0), 1.0) * metric.n, metric.n), "wilson"
        )
    if metric.stderr is None or not math.isfinite(metric.stderr):
        return Uncertainty()
    return Uncertainty(metric.stderr, normal(metric.value, metric.stderr), "normal")


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
    """Whether an answer was cut by a length limit, or a prompt from the left by the model's
    window.
    """
    return sample.truncated or any(answers[key].truncated > 0 for key in sample.keys if key in answers)


def write_samples(path: Path, marks: Marks, answers: Mapping[str, Answer]) -> None:
    """Writes one row a (document, filter) as Parquet. Raises RunFolderError.

    List columns have one entry an item of the document (its repeats), ``logprobs`` one entry an
    option; ``rules`` too, where an option is scored by a rule of its own (`harness.engines.seams`),
    else none.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([_sample(mark, answers) for mark in marks.samples], schema=_schema())
    write_whole(path, lambda part: pq.write_table(table, part, compression="zstd"))


def _schema() -> Any:
    import pyarrow as pa

    texts, numbers = pa.list_(pa.string()), pa.list_(pa.float64())
    columns = {
        "doc_id": pa.int64(),
        "filter": pa.string(),
        "prompt": pa.string(),
        "answer": pa.string(),
        "target": pa.string(),
    }
    columns |= {
        "score": pa.float64(),
        "metrics": pa.string(),
        "responses": texts,
        "logprobs": numbers,
        "greedy": pa.list_(pa.bool_()),
    }
    columns |= {
        "finish": texts,
        "truncated": pa.bool_(),
        "empty": pa.bool_(),
        "unparsable": pa.bool_(),
        "tied": pa.bool_(),
    }
    columns |= {f"tokens_{kind}": pa.int64() for kind in ("prompt", "computed", "shared", "output")}
    columns |= {
        "seconds": pa.float64(),
        "item": pa.string(),
        "cluster": pa.string(),
        "reading": pa.string(),
        "rules": texts,
    }
    return pa.schema(list(columns.items()))


def _sample(mark: SampleMark, answers: Mapping[str, Answer]) -> dict[str, Any]:
    found: Sequence[Answer] = [answers[key] for key in mark.keys if key in answers]
    tokens = sum((answer.tokens for answer in found), Tokens())
    row: dict[str, Any] = {
        "doc_id": mark.doc_id,
        "filter": mark.filter,
        "prompt": _utf8(mark.prompt),
        "answer": _utf8(mark.answer),
        "target": _utf8(mark.target),
        "score": next((value for value in mark.metrics.values() if value is not None), None),
        "metrics": json.dumps(mark.metrics, ensure_ascii=False),
        "responses": [_utf8(answer.text) for answer in found if isinstance(answer, Generation)],
        "finish": [answer.finish for answer in found if isinstance(answer, Generation)],
        "logprobs": [],
        "greedy": [],
        "rules": [],
        "truncated": is_truncated(mark, answers),
        "empty": mark.empty,
        "unparsable": mark.unparsable,
        "tied": mark.tied,
        "seconds": sum(answer.seconds for answer in found),
        "item": mark.item or str(mark.doc_id),
        "cluster": mark.cluster,
        "reading": None if mark.reading is None else _utf8(mark.reading),
    }
    for answer in found:
        if isinstance(answer, Score):
            row["logprobs"] += answer.logprobs
            row["greedy"] += answer.greedy
            row["rules"] += answer.rules
        elif isinstance(answer, Likelihood):
            row["logprobs"].append(answer.logprob)
    return row | {
        f"tokens_{kind}": getattr(tokens, kind) for kind in ("prompt", "computed", "shared", "output")
    }


def _shared(facts: CellFacts) -> dict[str, Any]:
    return dict(facts.__dict__)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _utf8(text: str) -> str:
    """Lone surrogates (a model may write half a character) cannot be stored as UTF-8: they become
    the replacement character.
    """
    return text.encode("utf-8", "replace").decode("utf-8")

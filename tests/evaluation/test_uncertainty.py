"""The uncertainty of a result row: which interval a metric gets, and what follows for the row."""

from __future__ import annotations

import math
from typing import Any

import pytest

from harness.analysis.intervals import wilson
from harness.evaluation.rows import CellFacts, make_rows, uncertainty
from harness.results.schema import Row
from harness.tasks.api import Marks, MetricValue, SampleMark


def sample(doc: int, score: float | None, cluster: str | None = None, **more: Any) -> SampleMark:
    return SampleMark(doc, "none", "", "", "", {"acc": score}, (str(doc),), cluster=cluster, **more)


def metric(value: float, n: int, stderr: float | None = 0.1, counted: bool = True) -> MetricValue:
    return MetricValue("acc", "none", value, stderr, n, True, counted)


def test_counted_scores_get_wilson() -> None:
    samples = [sample(doc, float(doc < 30)) for doc in range(40)]
    trust = uncertainty(metric(0.75, 40), samples)
    assert (trust.method, trust.clusters) == ("wilson", None)
    assert trust.ci95 == pytest.approx(wilson(30, 40))
    assert trust.stderr == pytest.approx(math.sqrt(0.75 * 0.25 / 39))


def test_shared_sources_widen_the_interval() -> None:
    """Ten passages of four questions, each passage all right or all wrong: as good as ten
    questions.
    """
    samples = [sample(doc, float(doc // 4 < 7), str(doc // 4)) for doc in range(40)]
    trust = uncertainty(metric(0.7, 40), samples)
    alone = uncertainty(metric(0.7, 40), [sample(doc, float(doc // 4 < 7)) for doc in range(40)])

    assert (trust.method, trust.clusters) == ("wilson-clustered", 10)
    assert trust.stderr is not None
    assert alone.stderr is not None
    assert trust.stderr > 1.9 * alone.stderr
    assert trust.ci95 is not None
    assert alone.ci95 is not None
    assert trust.ci95[0] < alone.ci95[0] < alone.ci95[1] < trust.ci95[1]


def test_graded_scores_get_t_and_aggregates_lm_evals_error() -> None:
    graded = uncertainty(metric(0.5, 3, counted=False), [sample(0, 0.2), sample(1, 0.5), sample(2, 0.8)])
    assert graded.method == "t"
    assert graded.stderr == pytest.approx(0.3 / math.sqrt(3))
    aggregate = uncertainty(metric(0.9, 2, 0.05, counted=False), [sample(0, 0.2), sample(1, 0.5)])
    assert (aggregate.method, aggregate.stderr) == ("normal", 0.05)
    nothing = uncertainty(metric(12.0, 2, None, counted=False), [sample(0, None), sample(1, None)])
    assert (nothing.method, nothing.ci95, nothing.stderr) == (None, None, None)


def test_rows_carry_chance_and_rates() -> None:
    marks = [
        sample(0, 1.0),
        sample(1, 0.0, truncated=True),
        sample(2, 1.0, empty=True),
        sample(3, 1.0, unparsable=True),
    ]
    facts = CellFacts("c", "p", "m", "t", None, "zh", 0, "float32", "mock", 0.25)
    (row,) = make_rows(facts, Marks(tuple(marks), (metric(0.75, 4),), 4), {}, 1.0, ("ok", None))

    assert row.corrected == pytest.approx((0.75 - 0.25) / 0.75)
    assert (row.rate_truncated, row.rate_empty, row.rate_unparsable) == (0.25, 0.25, 0.25)
    assert (row.interval, row.n) == ("wilson", 4)


def test_only_shares_of_right_answers_are_corrected_for_chance() -> None:
    shared = {"cell_id": "", "model": "", "task": "", "status": "ok", "value": 0.5, "chance": 0.25, "n": 10}
    assert Row(**shared, metric="maj@8_exact_match").corrected == pytest.approx(1 / 3)
    assert Row(**shared, metric="f1").corrected is None
    assert Row(**(shared | {"n_truncated": None}), metric="acc").rate_truncated is None

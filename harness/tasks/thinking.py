"""What an evaluation's thoughts did to its scores, as findings.

Thoughts that nobody announced, and thoughts that never ended.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from harness.items import ThinkTags
from harness.sanity import Finding
from harness.tasks.api import MetricValue, SampleMark
from harness.tasks.render import Rendered


class ReadDocument(Protocol):
    """One document with what was found in its answers."""

    rendered: Rendered
    unfinished: bool
    unannounced: tuple[ThinkTags, ...]
    cut_inside: int


def thought_findings(
    documents: Sequence[ReadDocument], samples: Sequence[SampleMark], metrics: Sequence[MetricValue]
) -> tuple[Finding, ...]:
    """Findings over the documents that were marked; ``samples`` and ``metrics`` are theirs."""
    return (*_unannounced(documents), *_truncated(documents, samples, metrics))


def _unannounced(documents: Sequence[ReadDocument]) -> list[Finding]:
    answers = sum(len(each.rendered.items) for each in documents)
    pairs = Counter((tags.open, tags.close) for each in documents for tags in each.unannounced)
    if not pairs:
        return []
    tags = json.dumps(list(pairs.most_common(1)[0][0]), ensure_ascii=False)
    findings = [Finding("unannounced_thoughts", sum(pairs.values()), answers, {"tags": tags})]
    cut = sum(each.cut_inside for each in documents)
    return findings + ([Finding("cut_thoughts", cut, answers, {"tags": tags})] if cut else [])


def _truncated(
    documents: Sequence[ReadDocument], samples: Sequence[SampleMark], metrics: Sequence[MetricValue]
) -> list[Finding]:
    """Documents whose thought never ended, with the score over the others.

    Only where the two scores differ. The metric is the task's first one that is a share of right
    answers.
    """
    lost = {each.rendered.doc_id for each in documents if each.unfinished}
    metric = next((metric for metric in metrics if metric.higher_is_better and 0 <= metric.value <= 1), None)
    if not lost or metric is None:
        return []
    scores = {
        sample.doc_id: sample.metrics.get(metric.metric) or 0.0
        for sample in samples
        if sample.filter == metric.filter
    }

    # Both scores are shown as points: the reader sees how much the cut thoughts cost.
    whole = sum(scores.values())
    finished = whole - sum(scores.get(doc_id, 0.0) for doc_id in lost)
    finished_count = len(scores) - len(lost)
    if finished_count and finished / finished_count == whole / len(scores):
        return []
    values = {
        "metric": metric.metric,
        "points": whole,
        "finished_points": finished,
        "finished": finished_count,
    }
    return [Finding("truncated_thoughts", len(lost), len(scores), values)]

"""Free answers in which the harness's own readers found no letter and no number, as findings."""

from __future__ import annotations

from collections.abc import Sequence

from harness.sanity import Finding
from harness.tasks.api import SampleMark


def unread_findings(samples: Sequence[SampleMark]) -> tuple[Finding, ...]:
    """How many answers state nothing, or several things.

    Of several filters the one that read the most counts.
    """
    by_filter: dict[str, list[bool]] = {}
    for sample in samples:
        if sample.reading is not None:
            by_filter.setdefault(sample.filter, []).append(sample.unparsable)
    counts = min(by_filter.values(), key=sum, default=[])
    return (Finding("unread_answers", sum(counts), len(counts)),) if any(counts) else ()

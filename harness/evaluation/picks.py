"""Whether a cell's answers are one and the same: what it picks how often, and how a model would
fare that gives one answer to everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.results.schema import Picks, is_share
from harness.wording import clipped

if TYPE_CHECKING:
    from harness.tasks.api import SampleMark

LONGEST = 80
"""Characters of a written answer that are kept."""
MOST = 26
"""Different answers up to which each one's number is kept."""


def picks_of(metric: str, samples: Sequence[SampleMark]) -> Picks | None:
    """The picks behind one metric of a cell, one sample per document.

    None where the metric is no share of right answers, or right answers or picks are not known.
    """
    marked = [one for one in samples if one.right and one.metrics.get(metric) is not None]
    if not is_share(metric) or not marked:
        return None

    # acc_norm picks by the likelihood per character; whoever wrote an answer picked it for both.
    normed = metric.rpartition("@")[2].endswith("acc_norm")
    labels = [one.picks[-1 if normed else 0] if one.picks else None for one in marked]
    answers = Counter(pick for pick in labels if pick is not None)
    if not answers:
        return None

    keys = Counter(label for one in marked for label in dict.fromkeys(one.right))
    commonest, constant = answers.most_common(1)[0][0], keys.most_common(1)[0][0]
    few = len({*answers, *keys}) <= MOST
    different = len({*answers, *keys} if few else answers)
    lopsided = _p([float(pick == commonest) for pick in labels], commonest, marked)
    scores = [one.metrics[metric] or 0.0 for one in marked]
    return Picks(
        commonest=clipped(commonest, LONGEST),
        given=answers[commonest],
        right=keys[commonest],
        p_lopsided=None if lopsided is None else min(1.0, lopsided * different),
        constant=clipped(constant, LONGEST),
        constant_right=keys[constant],
        constant_score=keys[constant] / len(marked),
        p_above=_p(scores, constant, marked),
        of=len(marked),
        answers=_counted(answers) if few else {},
        keys=_counted(keys) if few else {},
    )


def _counted(counts: Counter[str]) -> dict[str, int]:
    return {clipped(label, LONGEST): count for label, count in sorted(counts.items())}


def _p(scores: Sequence[float], label: str, samples: Sequence[SampleMark]) -> float | None:
    """p of the mean difference between scores and those of always giving ``label``."""
    import numpy as np

    from harness.analysis.paired import paired
    from harness.analysis.spread import clusters_of

    constant = np.array([float(label in one.right) for one in samples])
    clusters = clusters_of([one.cluster for one in samples])
    return paired(np.array(scores), constant, clusters).p

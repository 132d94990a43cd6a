"""Chinese against English: the same items in both languages, one paired difference per model.

Which tasks hold the same items is a packaged table (`data/parallel.yaml`); items are matched by
their key (`data/sources.yaml`), their errors go together where they share a source in either
language.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from harness.analysis.combined import combine
from harness.analysis.contests import Contest
from harness.analysis.paired import Difference, paired
from harness.analysis.spread import clusters_of
from harness.errors import RunFolderError
from harness.results.samples import read_texts

PARALLEL = Path(__file__).resolve().parent.parent / "data" / "parallel.yaml"


@dataclass(frozen=True)
class Gap:
    """Chinese − English on one pair of tasks, by the contestant's index.

    ``zh`` and ``en`` are scores on the shared items.
    """

    zh_task: str
    en_task: str
    metric: str
    how: str
    differences: dict[int, Difference]
    zh: dict[int, float] = field(default_factory=dict)
    en: dict[int, float] = field(default_factory=dict)


def gaps(contests: Sequence[Contest]) -> list[Gap]:
    """The gap on every pair of parallel tasks that were both asked and share a metric."""
    by_task = {contest.task: contest for contest in contests}
    language_gaps = []
    for zh, en, how in _pairs(list(by_task)):
        one, other = by_task[zh], by_task[en]
        if one.metric == other.metric:
            gap = _gap(one, other, how)
            if gap.differences:
                language_gaps.append(gap)
    return language_gaps


def overall(language_gaps: Sequence[Gap], index: int) -> Difference | None:
    """One model's gap over all task pairs, unweighted.

    None where it lacks one or there are fewer than two.
    """
    parts = [gap.differences[index] for gap in language_gaps if index in gap.differences]
    if len(parts) < len(language_gaps) or len(parts) < 2:
        return None
    return combine(parts, [1 / len(parts)] * len(parts), pooled=False)


def _pairs(tasks: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """(Chinese task, English task, how they came to be the same) of those at hand."""
    names = set(tasks)
    for entry in _table():
        zh, en = str(entry["zh"]), str(entry["en"])
        for task in tasks:
            if zh.endswith("*"):
                twin = en[:-1] + task[len(zh) - 1 :]
                if task.startswith(zh[:-1]) and twin in names:
                    yield task, twin, str(entry["how"])
            elif task == zh and en in names:
                yield task, en, str(entry["how"])


@lru_cache(maxsize=1)
def _table() -> list[dict[str, Any]]:
    import yaml

    table: list[dict[str, Any]] = yaml.safe_load(PARALLEL.read_text(encoding="utf-8"))
    return table


def _gap(zh: Contest, en: Contest, how: str) -> Gap:
    gap = Gap(zh.task, en.task, zh.metric, how, {})
    for index in zh.cells:
        if index in en.cells:
            _add(gap, zh, en, index)
    return gap


def _add(gap: Gap, zh: Contest, en: Contest, index: int) -> None:
    try:
        one, other = _by_item(zh, index), _by_item(en, index)
    except RunFolderError:
        return  # the contest's notes say that the samples are missing

    keys = [key for key in one if key in other]
    if len(keys) < 2:
        return

    # Two translations of one source share its difficulty, whichever side names the source.
    a, b = (np.array([side[key][0] for key in keys]) for side in (one, other))
    labels = [one[key][1] if one[key][1] is not None else other[key][1] for key in keys]
    gap.differences[index] = paired(a, b, clusters_of(labels))
    gap.zh[index], gap.en[index] = float(a.mean()), float(b.mean())


def _by_item(contest: Contest, index: int) -> dict[str, tuple[float, int | None]]:
    """Item key to (score, number of the source it shares with others, if any)."""
    aligned = contest.aligned
    if index not in aligned.scores:
        return {}

    row = contest.row(index)
    names = read_texts(contest.cells[index].run.folder.samples(row.model, row.task), "item", contest.filter)
    scores = aligned.scores[index]
    codes = aligned.codes if aligned.codes is not None else [None] * len(scores)
    rows = zip(aligned.docs.tolist(), scores.tolist(), codes, strict=True)
    # A negative number stands for an item without a source of its own.
    return {
        names.get(doc, str(doc)): (score, int(code) if code is not None and code >= 0 else None)
        for doc, score, code in rows
        if not np.isnan(score)
    }

"""What the item viewer shows: every task's questions with all models' answers side by side, at most
so many that the page stays small.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.analysis.comparison import Comparison
from harness.analysis.contests import Contest
from harness.errors import RunFolderError
from harness.reporting.inert import embedded, shortened, visible
from harness.results.samples import read_items
from harness.texts import Words

MOST_BYTES = 20_000_000
"""Of all items together, as JSON in UTF-8.

The page's own parts are small beside it, so that a file stays below 30 MB.
"""
MOST_ANSWERS = 120_000
"""Of all models and tasks together: what a browser filters without a pause."""
LONGEST = 20_000
"""Characters of one text; of a longer one beginning and end are kept."""
COLUMNS = ("answer", "responses", "truncated", "empty", "unparsable", "reading")


def item_data(
    comparison: Comparison, words: Words, *, most_bytes: int = MOST_BYTES, most_answers: int = MOST_ANSWERS
) -> dict[str, Any]:
    """``models`` (labels) and ``tasks``, each with ``total`` items, those that are kept and whether
    they can be right or wrong.

    An item is [document, prompt, right answer, answers by model], an answer [answer, responses,
    score, flags] or null. Where there are more than the budgets hold, every task keeps a random
    sample (fixed seed); small tasks are kept whole as long as they can.
    """
    wanted = [
        contest for contest in comparison.contests if len(contest.aligned.docs) and contest.aligned.scores
    ]
    kept: dict[str, dict[str, Any]] = {}
    for left, contest in enumerate(sorted(wanted, key=_answers)):
        share = len(wanted) - left
        task, used, answers = _task(
            contest, len(comparison.models), words, most_bytes // share, most_answers // share
        )
        most_bytes, most_answers = most_bytes - used, most_answers - answers
        kept[contest.task] = task
    labels = [visible(model.label) for model in comparison.models]
    return {
        "models": labels,
        "tasks": [kept[contest.task] for contest in wanted if kept[contest.task]["items"]],
    }


def _answers(contest: Contest) -> int:
    return len(contest.aligned.docs) * len(contest.aligned.scores)


def _task(
    contest: Contest, models: int, words: Words, most_bytes: int, most_answers: int
) -> tuple[dict[str, Any], int, int]:
    """A task's items within its share of the budgets, the bytes and the answers used."""
    docs = contest.aligned.docs.tolist()
    count = min(len(docs), most_answers // len(contest.aligned.scores))
    order = random.Random(contest.task).sample(range(len(docs)), count)
    answers = _read(contest, {docs[row] for row in order})
    prompts = _prompts(contest, {docs[row] for row in order}) if answers else {}
    items, used = [], 0
    for row in order if answers else ():
        item = _item(contest, row, docs[row], models, answers, prompts.get(docs[row], ("", "")), words)
        used += len(embedded(item).encode())
        if used > most_bytes:
            used -= len(embedded(item).encode())
            break
        items.append(item)
    items.sort(key=lambda item: item[0])
    facts = {
        "name": visible(contest.task),
        "metric": visible(contest.metric),
        "marks": _marks(contest),
        "total": len(docs),
    }
    return {**facts, "items": items}, used, len(items) * len(contest.aligned.scores)


def _read(contest: Contest, docs: set[int]) -> dict[int, dict[int, dict[str, Any]]]:
    """Samples by the contestant's place and document; contestants whose samples cannot be read are
    left out.
    """
    found = {}
    for place in contest.aligned.scores:
        row = contest.row(place)
        try:
            found[place] = read_items(
                contest.cells[place].run.folder.samples(row.model, row.task), contest.filter, docs, COLUMNS
            )
        except RunFolderError:
            # gone since its scores were read; the comparison's notes name what is missing from the
            # start
            continue
    return found


def _prompts(contest: Contest, docs: set[int]) -> dict[int, tuple[str, str]]:
    """(prompt, right answer) by document: all models were asked the same, so one tells it, the
    others only what that one lacks.
    """
    found: dict[int, tuple[str, str]] = {}
    for place in contest.aligned.scores:
        lacking = docs - set(found)
        if not lacking:
            break
        row = contest.row(place)
        samples = read_items(
            contest.cells[place].run.folder.samples(row.model, row.task),
            contest.filter,
            lacking,
            ("prompt", "target"),
        )
        found |= {doc: (sample["prompt"] or "", sample["target"] or "") for doc, sample in samples.items()}
    return found


def _marks(contest: Contest) -> bool:
    """Whether a full score means right: scores are shares of 1, and more is better."""
    if contest.facts.higher_is_better is False:
        return False
    scores = contest.aligned.scores.values()
    return all(np.nanmin(column) >= 0 and np.nanmax(column) <= 1 for column in scores)


def _item(
    contest: Contest,
    row: int,
    doc: int,
    models: int,
    answers: dict[int, dict[int, dict[str, Any]]],
    asked: tuple[str, str],
    words: Words,
) -> list[Any]:
    mine = []
    for place in range(models):
        sample = answers.get(place, {}).get(doc)
        mine.append(
            None if sample is None else _answer(sample, float(contest.aligned.scores[place][row]), words)
        )
    return [doc, *(_shown(text, words) for text in asked), mine]


def _answer(sample: dict[str, Any], score: float, words: Words) -> list[Any]:
    """[answer, responses, score, flags]: bits 1 truncated, 2 empty, 4 unparsable; then how it was
    read, where a reader ran.
    """
    answer = sample["answer"] or ""
    said = [text or "" for text in sample["responses"] or []]
    flags = bool(sample["truncated"]) | bool(sample["empty"]) << 1 | bool(sample["unparsable"]) << 2
    responses = [] if said == [answer] else [_shown(text, words) for text in said]
    reading = [_shown(sample["reading"], words)] if sample["reading"] else []
    return [_shown(answer, words), responses, None if math.isnan(score) else round(score, 4), flags, *reading]


def _shown(text: str, words: Words) -> str:
    return visible(shortened(text, LONGEST, words("cut")))


def stated(data: dict[str, Any], words: Words) -> str:
    """How many items of how many the page holds, in a sentence."""
    tasks: Sequence[dict[str, Any]] = data["tasks"]
    kept, total = sum(len(task["items"]) for task in tasks), sum(task["total"] for task in tasks)
    return (
        words("all_items", n=f"{kept:,}")
        if kept == total
        else words("some_items", n=f"{kept:,}", total=f"{total:,}")
    )

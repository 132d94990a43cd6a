"""What the item viewer shows: every task's questions with all models' answers side by side, at most
so many that the page stays small.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from contextlib import suppress
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
    parts: dict[str, dict[str, Any]] = {}

    # Small tasks come first: each may use an equal share of what is left, and what it does not use
    # goes to the larger ones.
    for number, contest in enumerate(sorted(wanted, key=_answers)):
        share = len(wanted) - number
        task, used, answers = _task(
            contest, len(comparison.models), words, most_bytes // share, most_answers // share
        )
        task["otherwise"] = [visible(comparison.models[index].label) for index in contest.others]
        most_bytes, most_answers = most_bytes - used, most_answers - answers
        parts[contest.task] = task

    labels = [visible(model.label) for model in comparison.models]
    tasks = [parts[contest.task] for contest in wanted if parts[contest.task]["items"]]
    return {"models": labels, "tasks": tasks}


def _answers(contest: Contest) -> int:
    return len(contest.aligned.docs) * len(contest.aligned.scores)


def _task(
    contest: Contest, models: int, words: Words, most_bytes: int, most_answers: int
) -> tuple[dict[str, Any], int, int]:
    """A task's items within its share of the budgets, the bytes and the answers used."""
    docs = contest.aligned.docs.tolist()

    # The seed is the task's name, so that the page of a run holds the same questions each time.
    count = min(len(docs), most_answers // len(contest.aligned.scores))
    order = random.Random(contest.task).sample(range(len(docs)), count)
    answers = _read(contest, {docs[row] for row in order})
    prompts = _prompts(contest, {docs[row] for row in order}) if answers else {}

    items, used = [], 0
    for row in order if answers else ():
        item = _item(contest, row, docs[row], models, answers, prompts.get(docs[row], ("", "")), words)
        size = len(embedded(item).encode())
        if used + size > most_bytes:
            break
        used += size
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
    samples = {}
    for place in contest.aligned.scores:
        row = contest.row(place)
        file = contest.cells[place].run.folder.samples(row.model, row.task)

        # A file may have gone since its scores were read; what was missing from the start is named
        # in the comparison's notes.
        with suppress(RunFolderError):
            samples[place] = read_items(file, contest.filter, docs, COLUMNS)
    return samples


def _prompts(contest: Contest, docs: set[int]) -> dict[int, tuple[str, str]]:
    """(prompt, right answer) by document: all models were asked the same, so one tells it, the
    others only what that one lacks.
    """
    prompts: dict[int, tuple[str, str]] = {}
    for place in contest.aligned.scores:
        lacking = docs - set(prompts)
        if not lacking:
            break

        row = contest.row(place)
        file = contest.cells[place].run.folder.samples(row.model, row.task)
        samples = read_items(file, contest.filter, lacking, ("prompt", "target"))
        prompts |= {doc: (sample["prompt"] or "", sample["target"] or "") for doc, sample in samples.items()}
    return prompts


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
    texts: tuple[str, str],
    words: Words,
) -> list[Any]:
    """One question; ``texts`` are its prompt and its right answer."""
    by_model: list[list[Any] | None] = [None] * models

    # A model that was not asked keeps its place, since the viewer counts models by it.
    for place, samples in answers.items():
        if doc in samples:
            by_model[place] = _answer(samples[doc], float(contest.aligned.scores[place][row]), words)
    return [doc, *(_shown(text, words) for text in texts), by_model]


def _answer(sample: dict[str, Any], score: float, words: Words) -> list[Any]:
    """[answer, responses, score, flags]: bits 1 truncated, 2 empty, 4 unparsable; then how it was
    read, where a reader ran.
    """
    answer = sample["answer"] or ""
    parts = [text or "" for text in sample["responses"] or []]
    flags = bool(sample["truncated"]) | bool(sample["empty"]) << 1 | bool(sample["unparsable"]) << 2

    # What a filter left unchanged would stand in the file twice.
    responses = [] if parts == [answer] else [_shown(text, words) for text in parts]
    reading = [_shown(sample["reading"], words)] if sample["reading"] else []
    return [_shown(answer, words), responses, None if math.isnan(score) else round(score, 4), flags, *reading]


def _shown(text: str, words: Words) -> str:
    return visible(shortened(text, LONGEST, words("cut")))


def stated(data: dict[str, Any], words: Words) -> str:
    """How many items of how many the page holds, in a sentence."""
    tasks: Sequence[dict[str, Any]] = data["tasks"]
    count, total = sum(len(task["items"]) for task in tasks), sum(task["total"] for task in tasks)
    held = words("all_items", n=f"{count:,}")
    if count < total:
        held = words("some_items", n=f"{count:,}", total=f"{total:,}")

    # A question stands there once, in the words of most models.
    names = list(dict.fromkeys(name for task in tasks for name in task.get("otherwise", ())))
    if not names:
        return held
    return words("then", one=held, more=words("items_otherwise", models=words.listed(names)))

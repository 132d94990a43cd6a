"""Marking in the manner of CMRC 2018's evaluation script.

Exact match without punctuation, and F1 by the longest common run of characters (words, for other
scripts), each the best over the answers of the data set.
"""

import re
import unicodedata
from typing import Any

_SEGMENT = re.compile(r"[\u4e00-\u9fff]|[^\s\u4e00-\u9fff]+")


def _plain(text: str) -> str:
    """Lower case; punctuation and symbols become spaces."""
    return "".join(" " if unicodedata.category(char)[0] in "PS" else char for char in text.lower()).strip()


def _segments(text: str) -> list[str]:
    """Chinese characters one by one, other scripts word by word, as the official script does."""
    return _SEGMENT.findall(_plain(text))


def _common_run(one: list[str], other: list[str]) -> int:
    """Length of the longest run that both lists hold."""
    best, before = 0, [0] * (len(other) + 1)
    for left in one:
        row = [0] * (len(other) + 1)
        for index, right in enumerate(other, start=1):
            if left == right:
                row[index] = before[index - 1] + 1
                best = max(best, row[index])
        before = row
    return best


def f1(answer: str, prediction: str) -> float:
    """Between 0 and 1."""
    right, predicted = _segments(answer), _segments(prediction)
    run = _common_run(right, predicted)
    if not run:
        return 0.0
    precision, recall = run / len(predicted), run / len(right)
    return 2 * precision * recall / (precision + recall)


def process_results(doc: dict[str, Any], results: list[str]) -> dict[str, float]:
    """exact_match and f1 of one document, each the best over its answers."""
    prediction, answers = results[0], doc["answers"]["text"]
    exact = any(_segments(answer) == _segments(prediction) for answer in answers)
    return {"exact_match": float(exact), "f1": max(f1(answer, prediction) for answer in answers)}
